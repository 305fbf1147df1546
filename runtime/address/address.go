package address

import (
	"crypto/sha256"
	"fmt"
)

// Size of an address in bytes. 160 bits leave 2^80 work to find any two keys with
// one address, and 2^160 to find a key for a given one.
const Size = 20

// Prefix is the human-readable part of a printed address.
const Prefix = "ward"

const (
	keyDomain      = "ward-key-v1"
	contractDomain = "ward-contract-v1"
)

// maxText is the longest text that Parse looks at, in bytes: the bound of BIP 173,
// more than twice what an address needs.
const maxText = 90

// Address names a key, an account or a contract. The zero value names nobody.
type Address [Size]byte

// FromKey is the address of a public key, given as the protocol writes it: 32 bytes
// of Ed25519 or 33 bytes of compressed P-256. Whether they are a key is not checked.
func FromKey(pub []byte) Address { return derive(keyDomain, pub) }

// OfContract is the address of a contract, under which it appears as a sender.
func OfContract(name string) Address { return derive(contractDomain, []byte(name)) }

func derive(domain string, b []byte) Address {
	h := sha256.New()
	h.Write([]byte(domain))
	h.Write(b)
	return Address(h.Sum(nil)[:Size])
}

// FromBytes is the address with these 20 bytes; any other length is an error.
func FromBytes(b []byte) (Address, error) {
	if len(b) != Size {
		return Address{}, fmt.Errorf("address is %d bytes, must be %d", len(b), Size)
	}
	return Address(b), nil
}

// Parse reads what String wrote. As BIP 173 asks, all upper case is read too (it
// makes smaller QR codes), mixed case is not.
func Parse(s string) (Address, error) {
	if len(s) > maxText {
		return Address{}, fmt.Errorf("address text is %d bytes, limit %d", len(s), maxText)
	}
	b, err := decode(s)
	if err != nil {
		return Address{}, fmt.Errorf("address %q %w", s, err)
	}
	a, err := FromBytes(b)
	if err != nil {
		return Address{}, fmt.Errorf("address %q: %w", s, err)
	}
	return a, nil
}

// String is the bech32m text, such as
// ward1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqrtsswh for the zero address.
func (a Address) String() string { return encode(a) }

// IsZero reports whether the address names nobody.
func (a Address) IsZero() bool { return a == Address{} }

// MarshalText is String; it makes addresses readable in JSON, also as map keys.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is Parse.
func (a *Address) UnmarshalText(text []byte) error {
	b, err := Parse(string(text))
	if err != nil {
		return err
	}
	*a = b
	return nil
}
