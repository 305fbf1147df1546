package address

import (
	"errors"
	"fmt"
	"strings"
)

// Text of an address is bech32m (BIP 350): the prefix, "1", the bits in groups of five, and a checksum that notices up to
// four wrong characters. It is written here rather than imported so that a contract's tests, which print and read addresses,
// need no module but Ward's.
const (
	alphabet     = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	checksumSize = 6 // characters
	textWords    = Size*8/5 + checksumSize
	bech32m      = 0x2bc830a3 // what the code of a good text leaves, BIP 350
	bech32old    = 1          // likewise in BIP 173, which came before it
)

// encode returns the text of 20 bytes.
func encode(a Address) string {
	words := make([]byte, 0, textWords)
	bits, have := 0, 0
	for _, c := range a {
		for bits, have = bits<<8|int(c), have+8; have >= 5; have -= 5 {
			words = append(words, byte(bits>>(have-5))&31)
		}
	}
	sum := polymod(Prefix, append(words, make([]byte, checksumSize)...)) ^ bech32m
	for i := range checksumSize {
		words = append(words, byte(sum>>(5*(checksumSize-1-i)))&31)
	}
	text := append(make([]byte, 0, len(Prefix)+1+textWords), Prefix+"1"...)
	for _, w := range words {
		text = append(text, alphabet[w])
	}
	return string(text)
}

// decode returns the bytes that a text holds, however many. The error doesn't repeat the text.
func decode(s string) ([]byte, error) {
	if s != strings.ToLower(s) && s != strings.ToUpper(s) {
		return nil, errors.New("has upper and lower case")
	}
	s = strings.ToLower(s)
	prefix, data, found := cutLast(s, "1")
	if !found || len(data) < checksumSize {
		return nil, fmt.Errorf("is not %s1 and %d more characters", Prefix, textWords)
	}
	if prefix != Prefix {
		return nil, fmt.Errorf("has the prefix %q, must be %q", prefix, Prefix)
	}
	words := make([]byte, len(data))
	for i, c := range []byte(data) {
		w := strings.IndexByte(alphabet, c)
		if w < 0 {
			return nil, fmt.Errorf("has %q, which no address has", c)
		}
		words[i] = byte(w)
	}
	switch polymod(prefix, words) {
	case bech32m:
	case bech32old:
		return nil, errors.New("has the checksum of bech32, must be bech32m")
	default:
		return nil, errors.New("has a wrong checksum")
	}
	var b []byte
	bits, have := 0, 0
	for _, w := range words[:len(words)-checksumSize] {
		if bits, have = bits<<5|int(w), have+5; have >= 8 {
			have -= 8
			b = append(b, byte(bits>>have))
			bits &= 1<<have - 1
		}
	}
	if have >= 5 || bits != 0 {
		return nil, errors.New("has bits too many")
	}
	return b, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// polymod runs the code of BIP 173 over the prefix and words of five bits.
func polymod(prefix string, words []byte) uint32 {
	sum := uint32(1)
	step := func(w byte) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(w)
		for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for i := range len(prefix) {
		step(prefix[i] >> 5)
	}
	step(0)
	for i := range len(prefix) {
		step(prefix[i] & 31)
	}
	for _, w := range words {
		step(w)
	}
	return sum
}
