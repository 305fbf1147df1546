package host

import (
	"crypto/sha256"
	"errors"
	"unicode/utf8"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/tx"
)

// VerifyCOSE checks a COSE_Sign1 message against a public key and an external
// AAD and returns its payload, which is nil if the key is not one or weak, the signature
// not its, or the message not in canonical form.
func (c *Call) VerifyCOSE(key, aad, message []byte) ([]byte, error) {
	const name = "cose_verify"
	if err := bound(name, "aad", len(aad), tx.MaxAAD); err != nil {
		return nil, err
	}
	if err := bound(name, "message", len(message), abi.MaxMessage); err != nil {
		return nil, err
	}
	if err := c.Charge(gas.Verify + gas.HashByte*uint64(len(message))); err != nil {
		return nil, err
	}
	pub, err := publicKey(key)
	if err != nil || !utf8.Valid(aad) {
		return nil, nil
	}
	payload, err := tx.OpenMessage(string(aad), message, pub)
	if err != nil {
		c.log.add(name + ": " + err.Error())
		return nil, nil
	}
	if payload == nil {
		payload = []byte{}
	}
	return payload, nil
}

// KeyAddress returns the address of a public key, and whether it is one and not weak.
func (c *Call) KeyAddress(key []byte) (address.Address, bool, error) {
	if err := c.Charge(gas.Key); err != nil {
		return address.Address{}, false, err
	}
	pub, err := publicKey(key)
	if err != nil {
		return address.Address{}, false, nil
	}
	return pub.Address(), true, nil
}

var errWeak = errors.New("anybody can sign for this key")

// publicKey parses a key that lies in the contract's memory. One that is too long
// is cut to a length that no key has, so that nobody copies it. A weak one is an
// error too: what it has signed proves nothing, and no contract would think of that.
func publicKey(key []byte) (tx.PublicKey, error) {
	pub, err := tx.ParsePublicKey(key[:min(len(key), abi.MaxPublicKey+1)])
	if err == nil && pub.Weak() {
		return tx.PublicKey{}, errWeak
	}
	return pub, err
}

// SHA256 returns the hash of b.
func (c *Call) SHA256(b []byte) (sum [sha256.Size]byte, err error) {
	if err := bound("sha256", "message", len(b), abi.MaxMessage); err != nil {
		return sum, err
	}
	if err := c.Charge(gas.Hash + gas.HashByte*uint64(len(b))); err != nil {
		return sum, err
	}
	return sha256.Sum256(b), nil
}
