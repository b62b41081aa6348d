//go:build sabotage_no_settle

package sabotage

const removed = noSettle
