package cbor_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/cbor"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestAppend is RFC 8949, appendix A, as far as the profile goes.
func TestAppend(t *testing.T) {
	for _, c := range []struct {
		what string
		got  []byte
		want string
	}{
		{"0", cbor.AppendUint(nil, 0), "00"},
		{"23", cbor.AppendUint(nil, 23), "17"},
		{"24", cbor.AppendUint(nil, 24), "1818"},
		{"255", cbor.AppendUint(nil, 255), "18ff"},
		{"256", cbor.AppendUint(nil, 256), "190100"},
		{"1000", cbor.AppendUint(nil, 1000), "1903e8"},
		{"65535", cbor.AppendUint(nil, 65535), "19ffff"},
		{"65536", cbor.AppendUint(nil, 65536), "1a00010000"},
		{"1000000", cbor.AppendUint(nil, 1000000), "1a000f4240"},
		{"2^32-1", cbor.AppendUint(nil, 1<<32-1), "1affffffff"},
		{"2^32", cbor.AppendUint(nil, 1<<32), "1b0000000100000000"},
		{"1000000000000", cbor.AppendUint(nil, 1000000000000), "1b000000e8d4a51000"},
		{"2^64-1", cbor.AppendUint(nil, math.MaxUint64), "1bffffffffffffffff"},
		{"int 10", cbor.AppendInt(nil, 10), "0a"},
		{"-1", cbor.AppendInt(nil, -1), "20"},
		{"-24", cbor.AppendInt(nil, -24), "37"},
		{"-25", cbor.AppendInt(nil, -25), "3818"},
		{"-100", cbor.AppendInt(nil, -100), "3863"},
		{"-1000", cbor.AppendInt(nil, -1000), "3903e7"},
		{"-2^63", cbor.AppendInt(nil, math.MinInt64), "3b7fffffffffffffff"},
		{"2^63-1", cbor.AppendInt(nil, math.MaxInt64), "1b7fffffffffffffff"},
		{"h''", cbor.AppendBytes(nil, nil), "40"},
		{"h'01020304'", cbor.AppendBytes(nil, []byte{1, 2, 3, 4}), "4401020304"},
		{`""`, cbor.AppendText(nil, ""), "60"},
		{`"IETF"`, cbor.AppendText(nil, "IETF"), "6449455446"},
		{`"\u6c34"`, cbor.AppendText(nil, "水"), "63e6b0b4"},
		{"false", cbor.AppendBool(nil, false), "f4"},
		{"true", cbor.AppendBool(nil, true), "f5"},
		{"null", cbor.AppendNull(nil), "f6"},
		{"array of 25", cbor.AppendArray(nil, 25), "9819"},
		{"map of 2", cbor.AppendMap(nil, 2), "a2"},
		{"behind other bytes", cbor.AppendUint([]byte{0xff}, 1), "ff01"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

// TestValid holds a case for each sentence of the package comment.
func TestValid(t *testing.T) {
	for _, c := range []struct {
		name, hex string
		want      string // what the error says; empty: valid
	}{
		{"integers", "86" + "00" + "17" + "1818" + "20" + "2f" + "3b7fffffffffffffff", ""},
		{"nested maps with mixed keys", "a4" + "0102" + "208120" + "40f5" + "6161a0", ""},
		{"depth 16", strings.Repeat("81", 16) + "00", ""},
		{"depth 16 in maps", strings.Repeat("a100", 16) + "00", ""},

		{"nothing", "", "byte 0: the input ends where an item should be"},
		{"two items", "0000", "byte 1: one byte too many"},
		{"an item and three bytes", "00000000", "byte 1: 3 bytes too many"},
		{"head cut off", "19ff", "byte 0: the input ends inside a head"},
		{"text cut off", "626f", "byte 0: string of 2 bytes, the input has 1 left"},
		{"array cut off", "8200", "byte 0: array of 2 items, the input has 1 bytes left"},
		{"inner item missing", "828200", "byte 1: array of 2 items, the input has 1 bytes left"},
		{"map of one byte", "a100", "byte 0: map of 1 pairs, the input has 1 bytes left"},
		{"map of 2^63 pairs", "bb8000000000000000", "map of 9223372036854775808 pairs, the input has 0 bytes left"},
		{"string of 2^64-1 bytes", "5bffffffffffffffff00", "string of 18446744073709551615 bytes, the input has 1 left"},

		{"23 in two bytes", "1817", "byte 0: value 23 has a head longer than it needs"},
		{"255 in three bytes", "1900ff", "value 255 has a head longer than it needs"},
		{"65535 in five bytes", "1a0000ffff", "value 65535 has a head longer than it needs"},
		{"2^32-1 in nine bytes", "1b00000000ffffffff", "value 4294967295 has a head longer than it needs"},
		{"-1 in two bytes", "3800", "value 0 has a head longer than it needs"},
		{"length in two bytes", "580100", "value 1 has a head longer than it needs"},
		{"below -2^63", "3b8000000000000000", "integer -1-9223372036854775808 does not fit in 63 bits and a sign"},

		{"indefinite bytes", "5f4100ff", "indefinite length"},
		{"indefinite text", "7f6161ff", "indefinite length"},
		{"indefinite array", "9fff", "indefinite length"},
		{"indefinite map", "bfff", "indefinite length"},
		{"break alone", "ff", "break outside an indefinite length"},
		{"reserved head 28", "1c", "reserved head 0x1c"},
		{"reserved head 30 of a map", "be", "reserved head 0xbe"},

		{"a tag", "c000", "tag: the profile has none"},
		{"a bignum", "c24101", "tag: the profile has none"},
		{"a half float", "f93c00", "floating-point number: the profile has none"},
		{"a single float", "fa3f800000", "floating-point number"},
		{"a double float", "fb3ff0000000000000", "floating-point number"},
		{"undefined", "f7", "simple value 0xf7: only false, true and null are allowed"},
		{"simple value 16", "f0", "simple value 0xf0"},
		{"false in two bytes", "f814", "simple value 0xf8"},

		{"text that is not UTF-8", "62c328", "text is not UTF-8"},
		{"text with half a surrogate pair", "63eda080", "text is not UTF-8"},
		{"text with an overlong slash", "62c0af", "text is not UTF-8"},
		{"key that is not UTF-8", "a162c32800", "byte 1: text is not UTF-8"},

		{"keys out of order", "a202000100", "byte 3: map keys are not in ascending order"},
		{"a longer key first", "a262616100616200", "byte 5: map keys are not in ascending order"},
		{"-1 before 100", "a22000186400", "byte 3: map keys are not in ascending order"},
		{"a key twice", "a2616100616100", "byte 4: map key occurs twice"},
		{"key null", "a1f600", "byte 1: map key is null, allowed are integers, byte strings and text"},
		{"key true", "a1f500", "map key is a boolean"},
		{"key an array", "a18000", "map key is an array"},
		{"key a map", "a1a000", "map key is a map"},
		{"key a float", "a1f93c0000", "floating-point number"},
		{"depth 17", strings.Repeat("81", 17) + "00", "byte 16: nested deeper than 16"},
		{"depth 17, the last empty", strings.Repeat("81", 16) + "a0", "byte 16: nested deeper than 16"},
	} {
		err := cbor.Valid(unhex(t, c.hex))
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		e, ok := errors.AsType[*cbor.Error](err)
		if !ok || !strings.HasPrefix(e.Error(), "cbor: byte ") || !strings.Contains(e.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestReader reads one item of each kind, in a map as tx has them.
func TestReader(t *testing.T) {
	args := []byte{0x82, 1, 2}
	b := cbor.AppendMap(nil, 8)
	b = cbor.AppendUint(cbor.AppendUint(b, 1), math.MaxUint64)
	b = cbor.AppendInt(cbor.AppendUint(b, 2), math.MinInt64)
	b = cbor.AppendInt(cbor.AppendUint(b, 3), 7)
	b = cbor.AppendBytes(cbor.AppendUint(b, 4), []byte{0xde, 0xad})
	b = cbor.AppendText(cbor.AppendUint(b, 5), "é")
	b = cbor.AppendBool(cbor.AppendUint(b, 6), true)
	b = cbor.AppendNull(cbor.AppendUint(b, 7))
	b = append(cbor.AppendUint(b, 8), args...)

	r := cbor.NewReader(b)
	var keys cbor.MapKeys
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key := func(want uint64, kind cbor.Kind) {
		t.Helper()
		got, err := keys.Uint(r)
		must(err)
		if got != want || r.Kind() != kind {
			t.Fatalf("key %d, then %s; want %d, then %s", got, r.Kind(), want, kind)
		}
	}
	if n, err := r.Map(); err != nil || n != 8 {
		t.Fatalf("map of %d, %v", n, err)
	}
	key(1, cbor.Uint)
	if v, err := r.Uint(); err != nil || v != math.MaxUint64 {
		t.Errorf("uint %d, %v", v, err)
	}
	key(2, cbor.NegInt)
	if v, err := r.Int(); err != nil || v != math.MinInt64 {
		t.Errorf("int %d, %v", v, err)
	}
	key(3, cbor.Uint)
	if v, err := r.Int(); err != nil || v != 7 {
		t.Errorf("int %d, %v", v, err)
	}
	key(4, cbor.Bytes)
	if v, err := r.Bytes(); err != nil || !bytes.Equal(v, []byte{0xde, 0xad}) || cap(v) != 2 {
		t.Errorf("bytes %x of cap %d, %v", v, cap(v), err)
	}
	key(5, cbor.Text)
	if v, err := r.Text(); err != nil || v != "é" {
		t.Errorf("text %q, %v", v, err)
	}
	key(6, cbor.Bool)
	if null, err := r.Null(); err != nil || null {
		t.Errorf("true is null: %t, %v", null, err)
	}
	if v, err := r.Bool(); err != nil || !v {
		t.Errorf("bool %t, %v", v, err)
	}
	key(7, cbor.Null)
	if null, err := r.Null(); err != nil || !null {
		t.Errorf("null is not null: %t, %v", null, err)
	}
	key(8, cbor.Array)
	before := r.Offset()
	if v, err := r.Raw(); err != nil || !bytes.Equal(v, args) || cap(v) != len(args) {
		t.Errorf("raw %x of cap %d, %v", v, cap(v), err)
	}
	if r.Offset() != before+len(args) || r.Kind() != cbor.EOF {
		t.Errorf("at byte %d, before %s", r.Offset(), r.Kind())
	}
	must(r.End())
	if _, err := r.Null(); err == nil {
		t.Error("Null at the end of the input does not fail")
	}
}

// TestReaderStaysPut: a call that fails reads nothing, so that a caller can try another.
func TestReaderStaysPut(t *testing.T) {
	calls := map[string]func(*cbor.Reader) error{
		"Uint":  func(r *cbor.Reader) error { _, err := r.Uint(); return err },
		"Int":   func(r *cbor.Reader) error { _, err := r.Int(); return err },
		"Bytes": func(r *cbor.Reader) error { _, err := r.Bytes(); return err },
		"Text":  func(r *cbor.Reader) error { _, err := r.Text(); return err },
		"Bool":  func(r *cbor.Reader) error { _, err := r.Bool(); return err },
		"Array": func(r *cbor.Reader) error { _, err := r.Array(); return err },
		"Map":   func(r *cbor.Reader) error { _, err := r.Map(); return err },
		"Skip":  func(r *cbor.Reader) error { return r.Skip() },
		"Raw":   func(r *cbor.Reader) error { _, err := r.Raw(); return err },
	}
	items := []struct {
		hex  string
		good []string // the calls that read it; all others must fail and stay
	}{
		{"01", []string{"Uint", "Int", "Skip", "Raw"}},
		{"1bffffffffffffffff", []string{"Uint", "Skip", "Raw"}},
		{"20", []string{"Int", "Skip", "Raw"}},
		{"40", []string{"Bytes", "Skip", "Raw"}},
		{"60", []string{"Text", "Skip", "Raw"}},
		{"61ff", nil},
		{"80", []string{"Array", "Skip", "Raw"}},
		{"8181f7", []string{"Array"}},
		{"a0", []string{"Map", "Skip", "Raw"}},
		{"a2010001f7", []string{"Map"}},
		{"f4", []string{"Bool", "Skip", "Raw"}},
		{"f6", []string{"Skip", "Raw"}},
		{"", nil}, {"1800", nil}, {"f7", nil}, {"c0", nil}, {"ff", nil}, {"5f", nil}, {"42", nil}, {"9a00010000", nil},
	}
	for _, it := range items {
		for name, call := range calls {
			r := cbor.NewReader(unhex(t, "00"+it.hex)) // not at the start, to see offsets
			if _, err := r.Uint(); err != nil {
				t.Fatal(err)
			}
			err := call(r)
			if good := slices.Contains(it.good, name); good != (err == nil) {
				t.Errorf("%s of %s: %v", name, it.hex, err)
			}
			if err != nil && r.Offset() != 1 {
				t.Errorf("%s of %s failed and moved to byte %d", name, it.hex, r.Offset())
			}
			if e, ok := errors.AsType[*cbor.Error](err); err != nil && (!ok || e.Offset < 1 || e.Offset > len(it.hex)/2+1) {
				t.Errorf("%s of %s: %v", name, it.hex, err)
			}
		}
	}
}

// TestUnexpected: the error says what is there and what should be.
func TestUnexpected(t *testing.T) {
	for _, c := range []struct {
		hex  string
		call func(*cbor.Reader) error
		want string
	}{
		{"6161", func(r *cbor.Reader) error { _, err := r.Uint(); return err }, "cbor: byte 0: found a text string where an unsigned integer should be"},
		{"6161", func(r *cbor.Reader) error { _, err := r.Int(); return err }, "cbor: byte 0: found a text string where an integer should be"},
		{"a0", func(r *cbor.Reader) error { _, err := r.Array(); return err }, "cbor: byte 0: found a map where an array should be"},
		{"", func(r *cbor.Reader) error { _, err := r.Bool(); return err }, "cbor: byte 0: found the end of the input where a boolean should be"},
		{"f7", func(r *cbor.Reader) error { _, err := r.Text(); return err }, "cbor: byte 0: simple value 0xf7: only false, true and null are allowed"},
		{"1b8000000000000000", func(r *cbor.Reader) error { _, err := r.Int(); return err }, "cbor: byte 0: integer 9223372036854775808 does not fit in 63 bits and a sign"},
		{"0102", func(r *cbor.Reader) error { return r.End() }, "cbor: byte 0: 2 bytes too many"},
	} {
		if err := c.call(cbor.NewReader(unhex(t, c.hex))); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.hex, err, c.want)
		}
	}
	if got := cbor.Kind(200).String(); got != "kind 200" {
		t.Errorf("unknown kind prints as %q", got)
	}
}

// TestMapKeys: the same order as CompareText says and Valid demands.
func TestMapKeys(t *testing.T) {
	sorted := []string{"", "a", "b", "z", "aa", "ab", "é", "aaa", strings.Repeat("a", 23), strings.Repeat("z", 23), strings.Repeat("a", 24), strings.Repeat("a", 300)}
	for i, a := range sorted {
		for j, b := range sorted {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := cbor.CompareText(a, b); got != want {
				t.Errorf("CompareText(%.30q, %.30q) = %d, want %d", a, b, got, want)
			}
			m := cbor.AppendNull(cbor.AppendText(cbor.AppendNull(cbor.AppendText(cbor.AppendMap(nil, 2), a)), b))
			if err := cbor.Valid(m); (err == nil) != (want < 0) {
				t.Errorf("a map of %.30q, %.30q: %v", a, b, err)
			}
			for name, key := range map[string]func(*cbor.MapKeys, *cbor.Reader) error{
				"Text": func(k *cbor.MapKeys, r *cbor.Reader) error { _, err := k.Text(r); return err },
				"Raw":  func(k *cbor.MapKeys, r *cbor.Reader) error { _, err := k.Raw(r); return err },
			} {
				r := cbor.NewReader(m)
				var keys cbor.MapKeys
				if _, err := r.Map(); err != nil {
					t.Fatal(err)
				}
				if err := key(&keys, r); err != nil {
					t.Fatal(err)
				}
				if err := r.Skip(); err != nil {
					t.Fatal(err)
				}
				at := r.Offset()
				err := key(&keys, r)
				if (err == nil) != (want < 0) || err != nil && r.Offset() != at {
					t.Errorf("%s of %.30q after %.30q: %v, at byte %d", name, b, a, err, r.Offset())
				}
			}
		}
	}
	r := cbor.NewReader([]byte{0xa1, 0x80, 0x00})
	var keys cbor.MapKeys
	if _, err := r.Map(); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Raw(r); err == nil || !strings.Contains(err.Error(), "map key is an array") {
		t.Errorf("an array as key: %v", err)
	}
}

// TestNothingIsAllocated: a refusal of a few bytes that promise a lot costs nothing.
func TestNothingIsAllocated(t *testing.T) {
	good := unhex(t, "a56373657119bc536474696d651a6955b900666578706f72741a001260c166696d706f72741a0086bd30677175616c69747901")
	if n := testing.AllocsPerRun(100, func() {
		if err := cbor.Valid(good); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("Valid allocates %v times", n)
	}
}

func BenchmarkValid(b *testing.B) {
	reading := unhex(b, "a56373657119bc536474696d651a6955b900666578706f72741a001260c166696d706f72741a0086bd30677175616c69747901")
	batch := cbor.AppendArray(nil, 100)
	for range 100 {
		batch = append(batch, reading...)
	}
	for _, c := range []struct {
		name string
		item []byte
	}{{"reading", reading}, {"100 readings", batch}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.item)))
			for b.Loop() {
				if err := cbor.Valid(c.item); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
