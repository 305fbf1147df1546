package client

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/tx"
)

// testWork makes sealing fast: 2^10 instead of 2^18.
const testWork = 10

func mustKey(t testing.TB, alg tx.Alg) *tx.SecretKey {
	t.Helper()
	k, err := GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestGenerateKey(t *testing.T) {
	for _, alg := range []tx.Alg{tx.EdDSA, tx.ES256} {
		a, b := mustKey(t, alg), mustKey(t, alg)
		if a.Public().Alg() != alg || a.Public().Address() == b.Public().Address() {
			t.Errorf("%v: keys %v and %v", alg, a, b)
		}
		sig, err := a.Sign([]byte("open"))
		if err != nil || !a.Public().Verify([]byte("open"), sig) || b.Public().Verify([]byte("open"), sig) {
			t.Errorf("%v: the signature isn't the key's own (%v)", alg, err)
		}
	}
	if _, err := GenerateKey(-37); err == nil {
		t.Error("a key for PS256")
	}
}

func TestKeyFile(t *testing.T) {
	for _, alg := range []tx.Alg{tx.EdDSA, tx.ES256} {
		k := mustKey(t, alg)
		sealed, err := seal(k, "correct horse", testWork)
		if err != nil {
			t.Fatal(err)
		}
		for name, f := range map[string]*KeyFile{"plain": PlainKey(k), "sealed": sealed} {
			t.Run(fmt.Sprint(alg, "/", name), func(t *testing.T) {
				again, err := ParseKeyFile(f.Bytes())
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(again.Bytes(), f.Bytes()) {
					t.Errorf("written again it is\n%s, not\n%s", again.Bytes(), f.Bytes())
				}
				if again.Address() != k.Public().Address() || again.Sealed() != (name == "sealed") {
					t.Errorf("without a passphrase: address %s, sealed %t", again.Address(), again.Sealed())
				}
				opened, err := again.Open("correct horse")
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(opened.Secret(), k.Secret()) {
					t.Error("another secret came out")
				}
				secret := fmt.Sprintf("%x", k.Secret())
				var log bytes.Buffer
				slog.New(slog.NewTextHandler(&log, nil)).Info("key", "file", again)
				for _, shown := range []string{fmt.Sprint(again), fmt.Sprintf("%#v %+v", again, again), log.String()} {
					if strings.Contains(shown, secret) {
						t.Errorf("printed the secret: %s", shown)
					}
				}
				if sealed := string(f.Bytes()); name == "sealed" && strings.Contains(sealed, secret) {
					t.Error("the secret lies open in a sealed file")
				}
			})
		}
		for _, passphrase := range []string{"", "wrong horse"} {
			if _, err := sealed.Open(passphrase); !errors.Is(err, ErrPassphrase) {
				t.Errorf("opened with %q: %v", passphrase, err)
			}
		}
	}
}

func TestParseKeyFileRefuses(t *testing.T) {
	k := mustKey(t, tx.ES256)
	plain := string(PlainKey(k).Bytes())
	sealedFile, err := seal(k, "x", testWork)
	if err != nil {
		t.Fatal(err)
	}
	sealed := string(sealedFile.Bytes())
	other := mustKey(t, tx.ES256)
	line := func(n int) string { return strings.Split(plain, "\n")[n-1] }
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "not a key file"},
		{"large", plain + strings.Repeat("x", MaxKeyFile), "more than 4096 bytes"},
		{"another version", strings.Replace(plain, "ward-key 1", "ward-key 2", 1), "not a key file"},
		{"a line ending of Windows", strings.ReplaceAll(plain, "\n", "\r\n"), "not a key file"},
		{"no algorithm", strings.Replace(plain, line(2)+"\n", "", 1), "line 2"},
		{"another algorithm", strings.Replace(plain, "ES256", "ES384", 1), `"ES384"`},
		{"the algorithm of another key", strings.Replace(plain, "ES256", "EdDSA", 1), "line 4"},
		{"the address of another key", strings.Replace(plain, k.Public().Address().String(), other.Public().Address().String(), 1), "line 3"},
		{"the public part of another key", strings.Replace(plain, k.Public().String(), other.Public().String(), 1), "line 3"},
		{"upper case", strings.Replace(plain, line(4), strings.ToUpper(line(4)), 1), "line 4"},
		{"no secret", strings.Join(strings.Split(plain, "\n")[:4], "\n") + "\n", "line 5"},
		{"half a secret", plain[:len(plain)-10], "line 5"},
		{"more after the secret", plain + "secret\n", "line 5"},
		{"half an armour", sealed[:len(sealed)-40], "line 5"},
		{"two armours", sealed + sealed[strings.Index(sealed, "-----"):], "line 5"},
		{"more after the armour", sealed + "\n", "line 5"},
	} {
		f, err := ParseKeyFile([]byte(c.file))
		if err == nil {
			t.Errorf("%s: accepted as %v", c.name, f)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q doesn't say %q", c.name, err, c.want)
		} else if strings.Contains(err.Error(), fmt.Sprintf("%x", k.Secret())[:20]) {
			t.Errorf("%s: the error shows the secret: %q", c.name, err)
		}
	}
}

// TestOpenRefuses has files whose parts are each well formed but don't belong together.
func TestOpenRefuses(t *testing.T) {
	k, other := mustKey(t, tx.EdDSA), mustKey(t, tx.EdDSA)
	swapped := &KeyFile{public: other.Public(), secret: k.Secret()}
	if _, err := swapped.Open(""); err == nil || !strings.Contains(err.Error(), "the secret is that of") {
		t.Errorf("a public part that isn't the secret's: %v", err)
	}
	dear, err := seal(k, "x", testWork+1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dear.open("x", testWork); err == nil || errors.Is(err, ErrPassphrase) {
		t.Errorf("a file that asks for more work than we do: %v", err)
	}
}

func TestKeyring(t *testing.T) {
	r := Keyring{filepath.Join(t.TempDir(), "home", "keys")}
	if names, err := r.List(); err != nil || len(names) != 0 {
		t.Fatalf("before the folder exists: %v, %v", names, err)
	}
	k := mustKey(t, tx.ES256)
	for _, name := range []string{"owner", "lock-1"} {
		if err := r.Add(name, PlainKey(k)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Add("owner", PlainKey(mustKey(t, tx.EdDSA))); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a name that is taken: %v", err)
	}
	if f, err := r.Load("owner"); err != nil || f.Address() != k.Public().Address() {
		t.Errorf("after the name was taken: %v, %v", f, err)
	}
	if _, err := r.Load("guest"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a name that isn't there: %v", err)
	}
	for _, name := range []string{"", ".hidden", "../owner", "a/b", `a\b`, "Owner", "ä", strings.Repeat("x", MaxKeyName+1)} {
		if err := r.Add(name, PlainKey(k)); err == nil {
			t.Errorf("added a key named %q", name)
		}
		if _, err := r.Load(name); err == nil {
			t.Errorf("loaded a key named %q", name)
		}
	}
	if names, err := r.List(); err != nil || strings.Join(names, " ") != "lock-1 owner" {
		t.Errorf("list: %v, %v", names, err)
	}
	if entries, _ := os.ReadDir(r.Dir); len(entries) != 2 {
		t.Errorf("the folder has %d files, want 2: something was left behind", len(entries))
	}
	if runtime.GOOS == "windows" {
		return // modes mean nothing there
	}
	for path, want := range map[string]fs.FileMode{r.Dir: 0o700, r.Path("owner"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v (%v)", path, info.Mode().Perm(), want, err)
		}
	}
	if err := os.Chmod(r.Path("owner"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Load("owner"); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a plain key that everybody can read: %v", err)
	}
}

func FuzzParseKeyFile(f *testing.F) {
	k, err := tx.NewEd25519(bytes.Repeat([]byte{7}, secretSize))
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := seal(k, "x", testWork)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(PlainKey(k).Bytes())
	f.Add(sealed.Bytes())
	f.Add([]byte(keyFileHead))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := ParseKeyFile(b)
		if err != nil {
			return
		}
		if !bytes.Equal(file.Bytes(), b) {
			t.Errorf("accepted %q, which it writes as %q", b, file.Bytes())
		}
		if !file.Sealed() {
			if _, err := file.Open(""); err == nil && file.Address() == k.Public().Address() && !bytes.Equal(b, PlainKey(k).Bytes()) {
				t.Errorf("a second file for one key: %q", b)
			}
		}
	})
}
