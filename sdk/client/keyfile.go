package client

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
)

const (
	// MaxKeyFile bounds a key file, in bytes. A sealed key is about 550.
	MaxKeyFile = 4 << 10

	// workFactor is log2 of scrypt's cost when a key is sealed, age's own choice: about a
	// second and 256 MiB. It is also the most that Open will spend, because the file says
	// how much it wants and the file may come from a stranger.
	workFactor = 18

	keyFileHead = "ward-key 1\n"
	armorHead   = "-----BEGIN AGE ENCRYPTED FILE-----\n"
	armorFoot   = "-----END AGE ENCRYPTED FILE-----\n"
)

// ErrPassphrase means that a sealed key didn't open: the passphrase is wrong or missing.
var ErrPassphrase = errors.New("wrong passphrase")

// KeyFile is a key as it lies on disk: text, the public part readable by anybody, the
// secret sealed with a passphrase (age, scrypt) or plain.
//
//	ward-key 1
//	algorithm ES256
//	address ward1...
//	public 02c3...
//	-----BEGIN AGE ENCRYPTED FILE-----
//	...
//	-----END AGE ENCRYPTED FILE-----
//
// or, in place of the armoured part, one line "secret" and 64 hex digits. What is sealed
// is those 64 hex digits, so the age tool opens the armoured part as well.
// There is one spelling: what ParseKeyFile accepts, Bytes gives back byte for byte.
type KeyFile struct {
	public tx.PublicKey
	secret []byte // when plain
	sealed []byte // when not: the armoured part, head to foot
}

// SealKey encrypts a key with a passphrase. It takes about a second, on purpose.
func SealKey(k *tx.SecretKey, passphrase string) (*KeyFile, error) {
	return seal(k, passphrase, workFactor)
}

func seal(k *tx.SecretKey, passphrase string, work int) (*KeyFile, error) {
	if passphrase == "" {
		return nil, errors.New("passphrase is empty")
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(work)
	var text bytes.Buffer
	armored := armor.NewWriter(&text)
	w, err := age.Encrypt(armored, recipient)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(w, hex.EncodeToString(k.Secret())); err != nil {
		return nil, err
	}
	if err := errors.Join(w.Close(), armored.Close()); err != nil {
		return nil, err
	}
	return &KeyFile{public: k.Public(), sealed: text.Bytes()}, nil
}

// PlainKey is a key file that anybody who can read it can use: for a device whose disk is
// its only secret, and for tests.
func PlainKey(k *tx.SecretKey) *KeyFile {
	return &KeyFile{public: k.Public(), secret: k.Secret()}
}

// Public is the public half; no passphrase is needed. It is what the file says: only Open
// proves that the secret belongs to it.
func (f *KeyFile) Public() tx.PublicKey { return f.public }

// Address is the address of the public half.
func (f *KeyFile) Address() address.Address { return f.public.Address() }

// Sealed tells whether Open needs a passphrase.
func (f *KeyFile) Sealed() bool { return f.sealed != nil }

// Open gives the key. The passphrase is ignored for a plain file. The error is
// ErrPassphrase if it doesn't open the file; a file whose public part isn't its secret's
// is refused.
func (f *KeyFile) Open(passphrase string) (*tx.SecretKey, error) {
	return f.open(passphrase, workFactor)
}

func (f *KeyFile) open(passphrase string, maxWork int) (*tx.SecretKey, error) {
	secret := f.secret
	if f.Sealed() {
		if passphrase == "" {
			return nil, ErrPassphrase
		}
		identity, err := age.NewScryptIdentity(passphrase)
		if err != nil {
			return nil, err
		}
		identity.SetMaxWorkFactor(maxWork)
		r, err := age.Decrypt(armor.NewReader(bytes.NewReader(f.sealed)), identity)
		if noMatch := (*age.NoIdentityMatchError)(nil); errors.As(err, &noMatch) {
			return nil, ErrPassphrase
		} else if err != nil {
			return nil, fmt.Errorf("sealed key: %w", err)
		}
		text, err := io.ReadAll(io.LimitReader(r, MaxKeyFile))
		if err != nil {
			return nil, fmt.Errorf("sealed key: %w", err)
		}
		if secret, err = parseHex(string(text), secretSize); err != nil {
			return nil, errors.New("sealed key: what was sealed is not 64 hex digits")
		}
	}
	k, err := newKey(f.public.Alg(), secret)
	if err != nil {
		return nil, err
	}
	if k.Public().Address() != f.Address() {
		return nil, fmt.Errorf("the secret is that of %s, but the file says %s", k.Public().Address(), f.Address())
	}
	return k, nil
}

// Bytes is the file's content.
func (f *KeyFile) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString(keyFileHead)
	fmt.Fprintf(&b, "algorithm %s\naddress %s\npublic %x\n", f.public.Alg(), f.Address(), f.public.Bytes)
	if f.Sealed() {
		b.Write(f.sealed)
	} else {
		fmt.Fprintf(&b, "secret %x\n", f.secret)
	}
	return b.Bytes()
}

// String keeps a plain secret out of logs.
func (f *KeyFile) String() string { return f.Address().String() }

// GoString keeps %#v from walking into a plain secret.
func (f *KeyFile) GoString() string { return "client.KeyFile(" + f.String() + ")" }

// ParseKeyFile reads the content of a key file. Errors name the line and never hold a
// secret. The address is checked against the public key, the public key against its curve.
func ParseKeyFile(b []byte) (*KeyFile, error) {
	if len(b) > MaxKeyFile {
		return nil, fmt.Errorf("key file is more than %d bytes", MaxKeyFile)
	}
	rest, ok := strings.CutPrefix(string(b), keyFileHead)
	if !ok {
		return nil, fmt.Errorf("not a key file: line 1 is not %q", strings.TrimSpace(keyFileHead))
	}
	var value [3]string
	for i, name := range []string{"algorithm", "address", "public"} {
		line, after, found := strings.Cut(rest, "\n")
		v, ok := strings.CutPrefix(line, name+" ")
		if !found || !ok {
			return nil, fmt.Errorf("key file: line %d is not %q and a value", i+2, name)
		}
		value[i], rest = v, after
	}
	alg, err := ParseAlg(value[0])
	if err != nil {
		return nil, fmt.Errorf("key file: line 2: %w", err)
	}
	size := 32
	if alg == tx.ES256 {
		size = 33
	}
	raw, err := parseHex(value[2], size)
	if err != nil {
		return nil, fmt.Errorf("key file: line 4: public key: %w", err)
	}
	f := new(KeyFile)
	if f.public, err = tx.ParsePublicKey(raw); err != nil {
		return nil, fmt.Errorf("key file: line 4: %w", err)
	}
	if value[1] != f.Address().String() {
		return nil, fmt.Errorf("key file: line 3: address is %q, but the public key's is %s", value[1], f.Address())
	}
	if secret, ok := strings.CutPrefix(rest, "secret "); ok {
		digits, ok := strings.CutSuffix(secret, "\n")
		if f.secret, err = parseHex(digits, secretSize); err != nil || !ok {
			return nil, errors.New("key file: line 5: the secret is not 64 hex digits and the end of the file")
		}
		return f, nil
	}
	body, head := strings.CutPrefix(rest, armorHead)
	body, foot := strings.CutSuffix(body, armorFoot)
	if !head || !foot || strings.Contains(body, "-") {
		return nil, errors.New("key file: line 5: neither \"secret\" nor one armoured age file to the end")
	}
	f.sealed = []byte(rest)
	return f, nil
}

// parseHex reads exactly size bytes of lower-case hex: a second spelling of a key would be
// a second file for it.
func parseHex(s string, size int) ([]byte, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != size || hex.EncodeToString(b) != s {
		return nil, fmt.Errorf("not %d lower-case hex digits", 2*size)
	}
	return b, nil
}
