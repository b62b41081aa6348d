//go:build sabotage_numbers_across_sessions

package sabotage

const removed = numbersAcrossSessions
