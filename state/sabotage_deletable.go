//go:build sabotage_dele_before_verified

package state

// What was only sent may be deleted at the source.
func init() { legal[mark] = append(legal[mark], PhaseStored) }
