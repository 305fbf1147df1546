package abi

import (
	"errors"
	"strconv"

	"github.com/wardledger/ward/runtime/cbor"
)

// AuthorityKeySize is the size in bytes of an authority's key, which is Ed25519.
const AuthorityKeySize = 32

// An AuthoritySet is the keys of a chain's authorities, in ascending order. It is the
// argument of the function authorities_set, encoded as a canonical CBOR array of byte strings.
type AuthoritySet [][]byte

// Encode returns the canonical bytes.
func (s AuthoritySet) Encode() []byte {
	b := cbor.AppendArray(nil, len(s))
	for _, key := range s {
		b = cbor.AppendBytes(b, key)
	}
	return b
}

// DecodeAuthoritySet reads an encoded set. The keys alias b. It does not check them.
func DecodeAuthoritySet(b []byte) (AuthoritySet, error) {
	r := cbor.NewReader(b)
	n, err := r.Array()
	if err != nil {
		return nil, err
	}
	var s AuthoritySet // grows with what is really there
	for range n {
		key, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		s = append(s, key)
	}
	return s, r.End()
}

// Check reports why s can't be the authorities of a chain, as far as its form goes:
// none at all, more than MaxAuthorities, a key of another size, or keys that don't ascend. Whether
// each key is a good point of the curve is for whoever knows the curve.
func (s AuthoritySet) Check() error {
	if len(s) == 0 {
		return errors.New("no authority at all: nobody could decide a block")
	}
	if len(s) > MaxAuthorities {
		return errors.New(strconv.Itoa(len(s)) + " authorities, limit " + strconv.Itoa(MaxAuthorities))
	}
	for i, key := range s {
		if len(key) != AuthorityKeySize {
			return errors.New("key " + strconv.Itoa(i) + " has " + strconv.Itoa(len(key)) + " bytes, an Ed25519 key has " + strconv.Itoa(AuthorityKeySize))
		}
		if i > 0 && string(s[i-1]) >= string(key) {
			return errors.New("key " + strconv.Itoa(i) + " does not come after the one before it")
		}
	}
	return nil
}
