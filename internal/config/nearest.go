package config

// Meant asks whether the nearest of words was meant by a name that is none of them: ": did you mean alice?"; "" if there
// are no words.
func Meant(name string, words []string) string {
	if len(words) == 0 {
		return ""
	}
	return ": did you mean " + nearest(name, words) + "?"
}

// nearest is the word that takes the fewest letters to be added, left out or changed to become name; of equals the first.
func nearest(name string, words []string) (best string) {
	least := -1
	for _, w := range words {
		if d := distance(name, w); least < 0 || d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is that of Levenshtein, in octets.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // between the beginning of a so far and each beginning of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
