package cert_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/fxamacker/cbor/v2"
	ward "github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/cert"
	"github.com/wardledger/ward/runtime/tx"
)

// TestLeaf: what a leaf says, and its only encoding.
func TestLeaf(t *testing.T) {
	f := matter()
	f.leaf.subject = dn(cn, "Lock 7", serial, "ACME-0007", vid, "FFF1", pid, "8000")
	f.leaf.notAfter = tlv(0x17, []byte("360101000000Z"))
	f.sub.notAfter = tlv(0x17, []byte("350101000000Z"))
	f.sub.serial = []byte{0, 0x99}
	foreign := good(dn(cn, "Foreign"), dn(cn, "Foreign"), otherKey, otherKey, asCA(-1)...)
	l, err := cert.Verify(f.chain(), cat(foreign.der(), f.root.der()), at)
	if err != nil {
		t.Fatal(err)
	}
	if l.CommonName != "Lock 7" || l.SerialNumber != "ACME-0007" || l.VID != "FFF1" || l.PID != "8000" || l.Anchor != 1 ||
		l.NotBefore != utc(t, "2025-01-01 00:00:00") || l.NotAfter != utc(t, "2036-01-01 00:00:00") || l.Until != utc(t, "2035-01-01 00:00:00") ||
		!bytes.Equal(l.Subject, f.leaf.subject) || len(l.Path) != 2 ||
		!bytes.Equal(l.Path[0].Serial, []byte{0x11, 0x22}) || !bytes.Equal(l.Path[1].Serial, []byte{0x99}) {
		t.Errorf("leaf is %+v", l)
	}
	if pub, err := tx.ParsePublicKey(l.Key); err != nil || pub.Alg() != tx.ES256 || len(l.Key) != cert.KeySize {
		t.Errorf("key %x: %v", l.Key, err)
	}

	// The order of keys and the heads are compared with a general library's.
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	link := func(l cert.Link) map[string]any { return map[string]any{"issuer": l.Issuer[:], "serial": l.Serial} }
	want, err := mode.Marshal(map[string]any{
		"key": l.Key, "subject": l.Subject, "common_name": l.CommonName, "serial_number": l.SerialNumber, "vid": l.VID, "pid": l.PID,
		"not_before": l.NotBefore, "not_after": l.NotAfter, "until": l.Until, "anchor": l.Anchor,
		"path": []any{link(l.Path[0]), link(l.Path[1])},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Encode(); !bytes.Equal(got, want) || ward.Valid(got) != nil {
		t.Errorf("encoded\n%x, want\n%x", got, want)
	}

	// Nothing of the input is kept.
	chain, anchors := f.chain(), f.root.der()
	l, err = cert.Verify(chain, anchors, at)
	if err != nil {
		t.Fatal(err)
	}
	before := l.Encode()
	clear(chain)
	clear(anchors)
	if !bytes.Equal(before, l.Encode()) {
		t.Error("the leaf changes with the input")
	}
}

// TestTwins: r and s of a signature have a twin, and the leaf is the same.
func TestTwins(t *testing.T) {
	f := newFamily()
	one, err := cert.Verify(f.chain(), f.root.der(), at)
	if err != nil {
		t.Fatal(err)
	}
	sign := f.sub.sign
	f.sub.sign = func(tbs []byte) []byte { return twin(sign(tbs)) }
	two, err := cert.Verify(f.chain(), f.root.der(), at)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Encode(), two.Encode()) {
		t.Errorf("%x and its twin %x", one.Encode(), two.Encode())
	}
}

// TestNever: 99991231235959Z has no after, and the end of UTCTime is one.
func TestNever(t *testing.T) {
	if want := utc(t, "9999-12-31 23:59:59"); cert.Never != want {
		t.Errorf("Never is %d, want %d", int64(cert.Never), want)
	}
	f := newFamily()
	for _, when := range []int64{at, cert.Never, cert.Never + 1, 1<<63 - 1} {
		if _, err := cert.Verify(f.chain(), f.root.der(), when); err != nil {
			t.Errorf("at %d: %v", when, err)
		}
	}
	_, err := cert.Verify(f.chain(), f.root.der(), -1<<63)
	expect(t, "long ago", err, cert.NotYetValid, false, 0)
}

// TestTimes compares the calendar with that of package time.
func TestTimes(t *testing.T) {
	f := newFamily()
	check := func(seconds uint64) bool {
		// From 1950 on, as far as there are four digits.
		start := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
		want := time.Unix(start+int64(seconds%uint64(cert.Never-start)), 0).UTC()
		f.leaf.notBefore = tlv(0x17, []byte("500101000000Z"))
		if want.Year() < 2050 {
			f.leaf.notAfter = tlv(0x17, []byte(want.Format("060102150405Z")))
		} else {
			f.leaf.notAfter = tlv(0x18, []byte(want.Format("20060102150405Z")))
		}
		now := max(want.Unix(), at-86400)
		f.root.notBefore, f.sub.notBefore = f.leaf.notBefore, f.leaf.notBefore
		if want.Unix() < now {
			now = want.Unix()
		}
		l, err := cert.Verify(f.chain(), f.root.der(), now)
		if err != nil || l.NotAfter != want.Unix() {
			t.Logf("%v: %+v, %v", want, l, err)
			return false
		}
		return true
	}
	for _, edge := range []string{"1950-01-01 00:00:00", "1969-12-31 23:59:59", "1970-01-01 00:00:00", "2000-02-29 12:00:00", "2049-12-31 23:59:59", "2050-01-01 00:00:00", "2100-02-28 23:59:59", "2100-03-01 00:00:00", "2400-02-29 00:00:00"} {
		if !check(uint64(utc(t, edge) - utc(t, "1950-01-01 00:00:00"))) {
			t.Error(edge)
		}
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 300}); err != nil {
		t.Error(err)
	}
}

var update = flag.Bool("update", false, "write testdata/golden.txt, whose answer then differs from the one on the chain")

// TestGolden pins a chain and the answer to it: they must be the same on every release.
func TestGolden(t *testing.T) {
	const file = "testdata/golden.txt"
	if *update {
		f := matter()
		l, err := cert.Verify(f.chain(), f.root.der(), at)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("# A DAC and its PAI, their PAA, and Leaf.Encode. Written by TestGolden -update.\nchain %x\nanchors %x\nanswer %x\n", f.chain(), f.root.der(), l.Encode())
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var chain, anchors, want []byte
	_, after, _ := strings.Cut(string(text), "\n")
	if _, err := fmt.Sscanf(after, "chain %x\nanchors %x\nanswer %x\n", &chain, &anchors, &want); err != nil {
		t.Fatal(err)
	}
	l, err := cert.Verify(chain, anchors, at)
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Encode(); !bytes.Equal(got, want) {
		t.Errorf("the answer is\n%x, want\n%x", got, want)
	}
}
