package cbor_test

import (
	"bytes"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	fxcbor "github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/cbor"
)

// The oracle is fxamacker/cbor: what is canonical for us must decode there and come
// back as the same bytes from its core deterministic encoder, and the other way round.

type oracle struct {
	dec fxcbor.DecMode
	enc fxcbor.EncMode
}

func newOracle(t testing.TB) oracle {
	t.Helper()
	dec, err := fxcbor.DecOptions{
		DupMapKey: fxcbor.DupMapKeyEnforcedAPF, IndefLength: fxcbor.IndefLengthForbidden, TagsMd: fxcbor.TagsForbidden,
		DefaultByteStringType: reflect.TypeFor[fxcbor.ByteString](), // so that byte strings can be map keys
	}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	enc, err := fxcbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	return oracle{dec, enc}
}

// canonical reports whether the oracle reads b and writes it again as it is. v is what
// it read.
func (o oracle) canonical(b []byte) (v any, ok bool) {
	if err := o.dec.Unmarshal(b, &v); err != nil {
		return nil, false
	}
	again, err := o.enc.Marshal(v)
	return v, err == nil && bytes.Equal(again, b)
}

// inProfile reports whether a value that is canonical CBOR is also one of the profile's.
func inProfile(v any, depth int) bool {
	switch v := v.(type) {
	case nil, bool, uint64, int64, string, fxcbor.ByteString:
		return true
	case []any:
		return depth < cbor.MaxDepth && !slices.ContainsFunc(v, func(e any) bool { return !inProfile(e, depth+1) })
	case map[any]any:
		for k, e := range v {
			switch k.(type) {
			case uint64, int64, string, fxcbor.ByteString:
			default:
				return false
			}
			if !inProfile(e, depth+1) {
				return false
			}
		}
		return depth < cbor.MaxDepth
	case big.Int: // an integer below -2^63
		return false
	}
	return false // floats, simple values
}

func (o oracle) agree(t interface {
	Helper()
	Fatalf(string, ...any)
}, b []byte) {
	t.Helper()
	v, canonical := o.canonical(b)
	if want, err := canonical && inProfile(v, 0), cbor.Valid(b); want != (err == nil) {
		t.Fatalf("%x: fxamacker reads %#v, canonical and in the profile is %t; Valid says %v", b, v, want, err)
	}
}

// item draws an item of the profile, as we write it.
func item(depth int) *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		last := 8
		if depth == 0 {
			last = 6
		}
		switch rapid.IntRange(0, last).Draw(t, "kind") {
		case 0:
			return cbor.AppendUint(nil, rapid.Uint64().Draw(t, "uint"))
		case 1:
			return cbor.AppendInt(nil, rapid.Int64().Draw(t, "int"))
		case 2:
			return cbor.AppendBytes(nil, rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "bytes"))
		case 3, 4:
			return cbor.AppendText(nil, rapid.String().Draw(t, "text"))
		case 5:
			return cbor.AppendBool(nil, rapid.Bool().Draw(t, "bool"))
		case 6:
			return cbor.AppendNull(nil)
		case 7:
			items := rapid.SliceOfN(item(depth-1), 0, 30).Draw(t, "array")
			return append(cbor.AppendArray(nil, len(items)), slices.Concat(items...)...)
		default:
			values := rapid.MapOfN(rapid.String(), item(depth-1), 0, 30).Draw(t, "map")
			names := make([]string, 0, len(values))
			for k := range values {
				names = append(names, k)
			}
			slices.SortFunc(names, cbor.CompareText)
			b := cbor.AppendMap(nil, len(values))
			for _, k := range names {
				b = append(cbor.AppendText(b, k), values[k]...)
			}
			return b
		}
	})
}

// TestWrittenIsCanonical: what the Append functions write is what a core deterministic
// encoder writes, and the reader takes it.
func TestWrittenIsCanonical(t *testing.T) {
	o := newOracle(t)
	rapid.Check(t, func(t *rapid.T) {
		b := item(3).Draw(t, "item")
		if err := cbor.Valid(b); err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		o.agree(t, b)
	})
}

// TestSpoiltIsJudgedAlike changes canonical bytes a little.
func TestSpoiltIsJudgedAlike(t *testing.T) {
	o := newOracle(t)
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(item(3).Draw(t, "item"))
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
			switch rapid.IntRange(0, 2).Draw(t, "change") {
			case 0:
				b[i] = rapid.Byte().Draw(t, "byte")
			case 1:
				b = slices.Insert(b, i, rapid.Byte().Draw(t, "byte"))
			case 2:
				if len(b) > 1 {
					b = slices.Delete(b, i, i+1)
				}
			}
		}
		o.agree(t, b)
	})
}

// FuzzValid: Valid never panics and agrees with the oracle; Skip and Raw agree with Valid.
func FuzzValid(f *testing.F) {
	for _, h := range []string{"00", "1bffffffffffffffff", "3b7fffffffffffffff", "3b8000000000000000", "43010203", "6161", "a201020a8120", "a220004000",
		"a56373657119bc536474696d651a6955b900666578706f72741a001260c166696d706f72741a0086bd30677175616c69747901",
		"f4", "f6", "f7", "f93c00", "c24101", "9fff", "5f4100ff", "62c328", "1817", "a2616100616100", "f814", "a1f600", "bb8000000000000000",
		strings.Repeat("81", 16) + "00", strings.Repeat("81", 17) + "00"} {
		f.Add(unhex(f, h))
	}
	o := newOracle(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		o.agree(t, b)
		valid := cbor.Valid(b) == nil
		r := cbor.NewReader(b)
		raw, err := r.Raw()
		if whole := err == nil && r.End() == nil; whole != valid {
			t.Fatalf("%x: Valid says %t, Raw and End say %t", b, valid, whole)
		}
		if err == nil && !bytes.Equal(raw, b[:r.Offset()]) {
			t.Fatalf("%x: Raw is %x", b, raw)
		}
		if err == nil && cbor.Valid(raw) != nil {
			t.Fatalf("%x: Raw gave %x, which is not valid", b, raw)
		}
	})
}
