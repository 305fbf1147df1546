package cbor

import "strconv"

// MaxDepth is how many arrays and maps an item may have inside each other, so that
// a reader's recursion is bounded: a scalar has depth 0, [] has depth 1.
const MaxDepth = 16

// Kind says what the next item is, judged by its first byte alone.
type Kind uint8

// The kinds of the profile. Invalid stands for a first byte that the profile
// refuses, EOF for the end of the input.
const (
	Invalid Kind = iota
	EOF
	Uint
	NegInt
	Bytes
	Text
	Array
	Map
	Bool
	Null
)

var kindNames = [...]string{"an item outside the profile", "the end of the input", "an unsigned integer", "a negative integer",
	"a byte string", "a text string", "an array", "a map", "a boolean", "null"}

// String names the kind as it reads in an error message, with its article.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Error is a deviation from the profile, or from what the caller asked for.
type Error struct {
	Offset int    // bytes from the start of the input to the offending item's head
	Reason string // lower case, with the offending value
}

func (e *Error) Error() string { return "cbor: byte " + strconv.Itoa(e.Offset) + ": " + e.Reason }

// Major types, the upper three bits of a head.
const (
	majorUint   = 0
	majorNegInt = 1
	majorBytes  = 2
	majorText   = 3
	majorArray  = 4
	majorMap    = 5
	majorTag    = 6
	majorSimple = 7
)

// First bytes of the simple values in the profile.
const (
	byteFalse = 0xf4
	byteTrue  = 0xf5
	byteNull  = 0xf6
)
