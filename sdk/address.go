package sdk

import (
	"errors"
	"strconv"

	"github.com/wardledger/ward/runtime/abi"
)

// Address names an account, a key or a contract. The zero value names nobody.
type Address [abi.AddressSize]byte

// WireKind makes a spec say address rather than bytes.
func (Address) WireKind() abi.Kind { return abi.KindAddress }

// IsZero reports whether the address names nobody.
func (a Address) IsZero() bool { return a == Address{} }

const (
	addressPrefix = "ward"
	// addressText is the length of a printed address: prefix, separator, 32
	// characters for 160 bits, 6 of checksum.
	addressText = len(addressPrefix) + 1 + 32 + 6

	bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	bech32mFinal   = 0x2bc830a3 // BIP 350
)

// String is the address in bech32m (BIP 350), such as
// ward1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqsl7elv for the zero address.
func (a Address) String() string {
	words := make([]byte, 0, 32+6)
	bits, have := 0, 0
	for _, c := range a {
		bits, have = bits<<8|int(c), have+8
		for ; have >= 5; have -= 5 {
			words = append(words, byte(bits>>(have-5))&31)
		}
	}
	sum := bech32Checksum(append(words, 0, 0, 0, 0, 0, 0)) ^ bech32mFinal
	for i := range 6 {
		words = append(words, byte(sum>>(5*(5-i)))&31)
	}
	text := append(make([]byte, 0, addressText), addressPrefix+"1"...)
	for _, w := range words {
		text = append(text, bech32Alphabet[w])
	}
	return string(text)
}

// ParseAddress reads what [Address.String] wrote, all in lower case.
func ParseAddress(s string) (Address, error) {
	var a Address
	if len(s) != addressText || s[:len(addressPrefix)+1] != addressPrefix+"1" {
		return a, errors.New("address " + strconv.Quote(clip(s, 64)) + " is not " + addressPrefix + "1 and 38 more characters")
	}
	words := make([]byte, 0, 32+6)
	for i := len(addressPrefix) + 1; i < len(s); i++ {
		w := 0
		for w < len(bech32Alphabet) && bech32Alphabet[w] != s[i] {
			w++
		}
		if w == len(bech32Alphabet) {
			return a, errors.New("address " + strconv.Quote(s) + " has the character " + strconv.QuoteRune(rune(s[i])) + ", which no address has")
		}
		words = append(words, byte(w))
	}
	if bech32Checksum(words) != bech32mFinal {
		return a, errors.New("address " + strconv.Quote(s) + " has a wrong checksum")
	}
	bits, have, n := 0, 0, 0
	for _, w := range words[:32] {
		if bits, have = bits<<5|int(w), have+5; have >= 8 {
			have -= 8
			a[n] = byte(bits >> have)
			n++
		}
	}
	return a, nil
}

// bech32Checksum runs the code of BIP 173 over the prefix and words of 5 bits.
func bech32Checksum(words []byte) uint32 {
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
	for i := range len(addressPrefix) {
		step(addressPrefix[i] >> 5)
	}
	step(0)
	for i := range len(addressPrefix) {
		step(addressPrefix[i] & 31)
	}
	for _, w := range words {
		step(w)
	}
	return sum
}

// MarshalText is String.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is ParseAddress.
func (a *Address) UnmarshalText(text []byte) error {
	parsed, err := ParseAddress(string(text))
	if err == nil {
		*a = parsed
	}
	return err
}

// Hash is a SHA-256.
type Hash [abi.HashSize]byte

// PublicKey is a key's public half as the protocol writes it: 32 bytes of Ed25519
// or 33 bytes of compressed P-256.
type PublicKey []byte
