//go:build openssl

package host_test

import (
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// What a verifier may answer.
const (
	yes     = "yes"
	no      = "no"
	noKey   = "not a key"
	strange = "something else"
)

// openssl asks the openssl command about each case, a process each and several at once: 3 ms. Signature and message are files in
// dir, as is the key, in PEM.
func openssl(t *testing.T, cases []signed, spki func(key []byte) []byte, sig, message func(signed) []byte, flags ...string) (answers []string) {
	t.Helper()
	dir := t.TempDir()
	answers = make([]string, len(cases))
	next := make(chan int)
	var done sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		done.Go(func() {
			for i := range next {
				answers[i] = opensslOne(t, filepath.Join(dir, strconv.Itoa(i)), spki(cases[i].key), sig(cases[i]), message(cases[i]), flags)
			}
		})
	}
	for i := range cases {
		next <- i
	}
	close(next)
	done.Wait()
	return answers
}

func opensslOne(t *testing.T, at string, spki, sig, message []byte, flags []string) string {
	for name, content := range map[string][]byte{".key": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}), ".sig": sig, ".in": message} {
		if err := os.WriteFile(at+name, content, 0o600); err != nil {
			t.Error(err)
			return strange
		}
	}
	args := append([]string{"pkeyutl", "-verify", "-pubin", "-inkey", at + ".key", "-sigfile", at + ".sig", "-in", at + ".in"}, flags...)
	out, err := exec.Command("openssl", args...).CombinedOutput()
	switch text := string(out); {
	case err == nil && strings.Contains(text, "Signature Verified Successfully"):
		return yes
	case err != nil && strings.Contains(text, "Signature Verification Failure"):
		return no
	case err != nil && (strings.Contains(text, "Could not read") || strings.Contains(text, "Could not find") || strings.Contains(text, "unable to load")):
		return noKey
	default:
		t.Errorf("openssl %s: %v\n%s", strings.Join(args, " "), err, text)
		return strange
	}
}

func needOpenSSL(t *testing.T) {
	t.Helper()
	out, err := exec.Command("openssl", "version").Output()
	if err != nil {
		t.Skip("NOT TESTED against OpenSSL: there is no openssl command")
	}
	t.Log(strings.TrimSpace(string(out)))
}

// TestP256OpenSSL: random cases and all edges. There is no difference.
func TestP256OpenSSL(t *testing.T) {
	needOpenSSL(t)
	c := newChance(4)
	cases := p256Edges()
	for range 600 {
		cases = append(cases, p256Random(t, c))
	}
	// OpenSSL takes r and s in DER, and numbers of any size there; raw signatures have one size.
	var askable []signed
	for _, s := range cases {
		if len(s.sig) == 64 {
			askable = append(askable, s)
		} else if askP256(t, s) {
			t.Errorf("%s: accepted", s)
		}
	}
	answers := openssl(t, askable,
		func(key []byte) []byte { // RFC 5480: a SubjectPublicKeyInfo with the point as it is
			b, err := asn1.Marshal(struct {
				Algorithm struct{ Algorithm, Curve asn1.ObjectIdentifier }
				Point     asn1.BitString
			}{
				struct{ Algorithm, Curve asn1.ObjectIdentifier }{asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}},
				asn1.BitString{Bytes: key, BitLength: 8 * len(key)},
			})
			if err != nil {
				t.Error(err)
			}
			return b
		},
		func(s signed) []byte {
			b, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(s.sig[:32]), new(big.Int).SetBytes(s.sig[32:])})
			if err != nil {
				t.Error(err)
			}
			return b
		},
		func(s signed) []byte { return s.digest })
	count := map[string]int{}
	for i, s := range askable {
		got := askP256(t, s)
		want := answers[i] == yes
		// We take the compressed form only, they take all three of SEC 1.
		if len(s.key) == 65 && s.key[0] == 4 && want {
			want = false
		}
		if got != want {
			t.Errorf("%s: %v, OpenSSL says %s", s, got, answers[i])
		}
		count[answers[i]]++
	}
	if count[yes] < 50 || count[no] < 200 || count[noKey] < 10 {
		t.Errorf("OpenSSL's answers are of few kinds: %v", count)
	}
	t.Logf("%d cases, of which OpenSSL says %v", len(askable), count)
}

// TestEd25519OpenSSL: random cases, where there is no difference, and all edges of ZIP-215. OpenSSL has the other reading of RFC 8032
// (edOracle): it accepts keys of small order as ZIP-215 does, but it compares the bytes of R and does not multiply by the cofactor, so what it
// accepts we accept, and it refuses some of what we must accept: a signature that one node verifies in a batch and another
// alone must be valid for both, and only the equation with the cofactor gives both the same.
func TestEd25519OpenSSL(t *testing.T) {
	needOpenSSL(t)
	c := newChance(5)
	edges := edEdges()
	cases := edges
	for range 400 {
		s := edRandom(c)
		if len(s.message) == 0 {
			continue // pkeyutl can't read an empty file
		}
		cases = append(cases, s)
	}
	answers := openssl(t, cases,
		func(key []byte) []byte { // RFC 8410
			return append([]byte{0x30, byte(10 + len(key)), 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, byte(1 + len(key)), 0}, key...)
		},
		func(s signed) []byte { return s.sig },
		func(s signed) []byte { return s.message },
		"-rawin")
	count, differ := map[string]int{}, 0
	for i, s := range cases {
		got, theirs := askEd25519(t, s), answers[i] == yes
		if _, want := edOracle(s); theirs != want && i < len(edges) {
			t.Errorf("%s: OpenSSL says %s, and without the cofactor it is %v", s, answers[i], want)
		}
		if got != theirs {
			differ++
			if theirs || !s.different {
				t.Errorf("%s: %v, OpenSSL says %s", s, got, answers[i])
			}
		}
		count[answers[i]]++
	}
	if count[yes] < 80 || count[no] < 200 || differ < 100 {
		t.Errorf("OpenSSL's answers are of few kinds: %v, %d other than ours", count, differ)
	}
	t.Logf("%d cases, of which OpenSSL says %v; %d that ZIP-215 accepts it refuses", len(cases), count, differ)
}
