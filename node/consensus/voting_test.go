package consensus

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/tx"
)

func TestVotingKey(t *testing.T) {
	keys, err := GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.json")
	write := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(keys.Validator)
	key, err := VotingKey(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(key.Public().Bytes, keys.Authority) || key.Public().Alg() != tx.EdDSA {
		t.Errorf("the key is %x, want %x", key.Public().Bytes, keys.Authority)
	}
	message, err := tx.SignMessage("test", []byte{0xa0}, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.OpenMessage("test", message, key.Public()); err != nil {
		t.Error(err)
	}

	// Of another length it can't be a key, and must not stop the process either.
	text := string(keys.Validator)
	at := strings.LastIndex(text, `"value": "`) + len(`"value": "`)
	secret := text[at : at+strings.Index(text[at:], `"`)]
	write([]byte(strings.Replace(text, secret, base64.StdEncoding.EncodeToString(make([]byte, 32)), 1)))
	for name, read := range map[string]func() error{
		"VotingKey": func() error { _, err := VotingKey(file); return err },
		"ReadKeys":  func() error { _, _, err := ReadKeys(file, file); return err },
	} {
		if err := read(); err == nil || !strings.Contains(err.Error(), "32 bytes") {
			t.Errorf("%s of a key of half the size: %v", name, err)
		}
	}
}
