package host

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/crypto/blake2b" // the standard library has none

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cert"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
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
		c.Note(name + ": " + err.Error())
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
	if err := c.hashing("sha256", len(b)); err != nil {
		return sum, err
	}
	return sha256.Sum256(b), nil
}

// SHA512 returns the SHA-512 of b.
func (c *Call) SHA512(b []byte) (sum [sha512.Size]byte, err error) {
	if err := c.hashing("sha512", len(b)); err != nil {
		return sum, err
	}
	return sha512.Sum512(b), nil
}

// BLAKE2b returns the BLAKE2b-256 of b.
func (c *Call) BLAKE2b(b []byte) (sum [blake2b.Size256]byte, err error) {
	if err := c.hashing("blake2b", len(b)); err != nil {
		return sum, err
	}
	return blake2b.Sum256(b), nil
}

// hashing pays for a hash of so many bytes.
func (c *Call) hashing(function string, size int) error {
	if err := bound(function, "message", size, abi.MaxMessage); err != nil {
		return err
	}
	return c.Charge(gas.Hash + gas.HashByte*uint64(size))
}

// HMAC returns the HMAC-SHA-256 of a message.
func (c *Call) HMAC(key, message []byte) (mac [sha256.Size]byte, err error) {
	const name = "hmac_sha256"
	if err := bound(name, "key", len(key), abi.MaxMessage); err != nil {
		return mac, err
	}
	if err := bound(name, "message", len(message), abi.MaxMessage); err != nil {
		return mac, err
	}
	if err := c.Charge(gas.Mac + gas.HashByte*uint64(len(key)+len(message))); err != nil {
		return mac, err
	}
	h := hmac.New(sha256.New, key)
	h.Write(message)
	h.Sum(mac[:0])
	return mac, nil
}

// HKDF fills out with what HKDF-SHA-256 derives.
func (c *Call) HKDF(secret, salt, info, out []byte) error {
	const name = "hkdf_sha256"
	for _, in := range []struct {
		what  string
		size  int
		limit int
	}{{"secret", len(secret), abi.MaxMessage}, {"salt", len(salt), abi.MaxMessage}, {"info", len(info), abi.MaxMessage}, {"cap", len(out), abi.MaxDerived}} {
		if err := bound(name, in.what, in.size, in.limit); err != nil {
			return err
		}
	}
	blocks := uint64(len(out)+sha256.Size-1) / sha256.Size
	if err := c.Charge(gas.Mac + gas.HashByte*uint64(len(secret)+len(salt)) + (gas.Mac+gas.HashByte*uint64(len(info)))*blocks); err != nil {
		return err
	}
	derived, err := hkdf.Key(sha256.New, secret, salt, string(info), len(out))
	if err != nil {
		// Only in a mode of the standard library (FIPS 140-only) in which short secrets are an error.
		return fmt.Errorf("%s: %w", name, err)
	}
	copy(out, derived)
	return nil
}

// VerifyEd25519 reports whether sig is the key's signature over a message, by ZIP-215.
func (c *Call) VerifyEd25519(key, sig, message []byte) (bool, error) {
	if err := c.verifying("ed25519_verify", gas.VerifyEd25519, len(message)); err != nil {
		return false, err
	}
	pub, err := tx.ParsePublicKey(key)
	return err == nil && pub.Alg() == tx.EdDSA && pub.Verify(message, sig), nil
}

// VerifyP256 reports whether sig is the key's ECDSA signature over the SHA-256 of a message.
func (c *Call) VerifyP256(key, sig, message []byte) (bool, error) {
	if err := c.verifying("p256_verify", gas.Verify, len(message)); err != nil {
		return false, err
	}
	return verifyP256(key, sig, sha256.Sum256(message)), nil
}

// VerifyP256Digest is VerifyP256 of a message of which only the hash is known.
func (c *Call) VerifyP256Digest(key, sig, digest []byte) (bool, error) {
	if err := c.Charge(gas.Verify); err != nil {
		return false, err
	}
	return verifyP256(key, sig, [sha256.Size]byte(digest)), nil
}

func verifyP256(key, sig []byte, digest [sha256.Size]byte) bool {
	pub, err := tx.ParsePublicKey(key)
	return err == nil && pub.Alg() == tx.ES256 && pub.VerifyDigest(digest, sig)
}

// verifying pays for a signature over a message of so many bytes.
func (c *Call) verifying(function string, price uint64, size int) error {
	if err := bound(function, "message", size, abi.MaxMessage); err != nil {
		return err
	}
	return c.Charge(price + gas.HashByte*uint64(size))
}

// Sizes of what ed25519_verify_batch reads.
const (
	ed25519Key = 32
	batchHead  = ed25519Key + tx.SignatureSize + 4
)

// VerifyEd25519Batch reports whether each of several signatures is its key's: key, signature, the message's length (u32, little-endian)
// and the message, one after the other.
func (c *Call) VerifyEd25519Batch(batch []byte) (bool, error) {
	const name = "ed25519_verify_batch"
	if err := bound(name, "batch", len(batch), abi.MaxMessage); err != nil {
		return false, err
	}
	if err := c.Charge(gas.Hash); err != nil {
		return false, err
	}
	var keys, messages, sigs [][]byte
	for len(batch) > 0 {
		if len(keys) == abi.MaxBatch {
			return false, Stopf(receipt.Trapped, "%s: more than %d signatures", name, abi.MaxBatch)
		}
		if len(batch) < batchHead {
			return false, Stopf(receipt.Trapped, "%s: signature %d is cut short", name, len(keys))
		}
		size := binary.LittleEndian.Uint32(batch[batchHead-4:])
		if uint64(size) > uint64(len(batch)-batchHead) {
			return false, Stopf(receipt.Trapped, "%s: message %d is %d bytes, %d are left", name, len(keys), size, len(batch)-batchHead)
		}
		if err := c.Charge(gas.VerifyEd25519 + gas.HashByte*uint64(size)); err != nil {
			return false, err
		}
		keys = append(keys, batch[:ed25519Key])
		sigs = append(sigs, batch[ed25519Key:batchHead-4])
		messages = append(messages, batch[batchHead:][:size])
		batch = batch[batchHead+size:]
	}
	return tx.VerifyBatch(keys, messages, sigs), nil
}

// Randomness returns 32 bytes that depend on the transaction, the contract and nothing else. They are public.
func (c *Call) Randomness() (sum [sha256.Size]byte, err error) {
	if err := c.Charge(gas.Hash); err != nil {
		return sum, err
	}
	// A domain of its own: no stream of WASI begins like this.
	return sha256.Sum256(append(append([]byte("ward-randomness-v1 "), c.Seed[:]...), c.Contract...)), nil
}

// VerifyX509 checks a chain of certificates against anchors at a time in unix seconds and returns the encoded leaf, or the reason why it
// is refused.
func (c *Call) VerifyX509(chain, anchors []byte, at int64) (leaf []byte, no cert.Reason, err error) {
	const name = "x509_verify"
	if err := bound(name, "chain", len(chain), cert.MaxChain*cert.MaxCertificate); err != nil {
		return nil, 0, err
	}
	if err := bound(name, "anchors", len(anchors), cert.MaxAnchors*cert.MaxCertificate); err != nil {
		return nil, 0, err
	}
	if err := c.Charge(gas.Certificate + gas.CertificateByte*uint64(len(chain)+len(anchors))); err != nil {
		return nil, 0, err
	}
	path, err := cert.Read(chain, anchors, at)
	if err == nil {
		if err := c.Charge((gas.Certificate + gas.Verify) * uint64(path.Signatures())); err != nil {
			return nil, 0, err
		}
		var verified *cert.Leaf
		if verified, err = path.Verify(); err == nil {
			return verified.Encode(), 0, nil
		}
	}
	c.Note(name + ": " + err.Error())
	return nil, cert.ReasonOf(err), nil
}
