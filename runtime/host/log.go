package host

import (
	"strconv"
	"unicode/utf8"

	"github.com/wardledger/ward/runtime/abi"
)

// Bounds of what is kept of a call's debug log. The last lines are kept, because
// a contract that crashes says why at the end.
const (
	maxLogLines = 256
	maxLogBytes = 64 << 10
)

// log keeps the last lines that were added to it.
type log struct {
	lines   []string // oldest first
	size    int      // bytes in lines
	dropped int
}

func (l *log) add(line string) {
	line = text(line, abi.MaxLog)
	l.lines = append(l.lines, line)
	l.size += len(line)
	for len(l.lines) > maxLogLines || l.size > maxLogBytes {
		l.size -= len(l.lines[0])
		l.lines[0] = "" // lets go of its bytes; the array stays until append moves on
		l.lines = l.lines[1:]
		l.dropped++
	}
}

// list returns the lines, after one that says how many are missing.
func (l *log) list() []string {
	if l.dropped == 0 {
		return l.lines
	}
	return append([]string{"(" + strconv.Itoa(l.dropped) + " earlier lines dropped)"}, l.lines...)
}

// text returns s as UTF-8 of at most limit bytes: each byte that is no part of a
// character becomes U+FFFD, and what goes beyond is cut off between two characters.
// It looks no further than it needs to.
func text[T string | []byte](s T, limit int) string {
	if len(s) <= limit && utf8.ValidString(string(s)) {
		return string(s)
	}
	// What can matter: limit bytes, and the rest of the character that starts before the cut.
	s = s[:min(len(s), limit+utf8.UTFMax)]
	b := make([]byte, 0, limit)
	for _, r := range string(s) {
		if len(b)+utf8.RuneLen(r) > limit {
			break
		}
		b = utf8.AppendRune(b, r)
	}
	return string(b)
}
