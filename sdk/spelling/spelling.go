// Package spelling guesses which name somebody meant who wrote one that there isn't, for errors.
package spelling

// mistakes is how many letters may be wrong: with more it is another word.
const mistakes = 2

// Nearest is the first of the known names that is the least mistakes away from one that isn't known, or "" if none is near.
func Nearest(name string, known []string) string {
	best, least := "", mistakes+1
	for _, k := range known {
		// Of a name of one or two letters there is nothing left after as many mistakes.
		if d := distance(name, k); d < least && d < min(len(name), len(k)) {
			best, least = k, d
		}
	}
	return best
}

// distance counts the bytes to insert, drop or replace that make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
