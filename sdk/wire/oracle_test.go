package wire_test

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	oracle "github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/sdk/wire"
)

var scalars = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[string](), reflect.TypeFor[state](), reflect.TypeFor[[]byte](), reflect.TypeFor[address](),
	reflect.TypeFor[instant](), reflect.TypeFor[[3]byte](), reflect.TypeFor[[16]byte](), reflect.TypeFor[[32]byte](), reflect.TypeFor[[33]byte](),
	reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](),
	reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](),
}

// anyType draws a type that can be on the wire, with at most so many levels inside it.
func anyType(t *rapid.T, levels int) reflect.Type {
	kinds := 1
	if levels > 0 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 1:
		elem := anyType(t, levels-1)
		if elem.Kind() == reflect.Uint8 {
			elem = reflect.TypeFor[uint16]() // else it is bytes
		}
		return reflect.SliceOf(elem)
	case 2:
		return reflect.MapOf(reflect.TypeFor[string](), anyType(t, levels-1))
	case 3:
		return anyStruct(t, levels-1, 9)
	}
	return rapid.SampledFrom(scalars).Draw(t, "type")
}

func anyStruct(t *rapid.T, levels, most int) reflect.Type {
	var fields []reflect.StructField
	// Names of any length, because a decoder compares them by words.
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-c]([a-c_]{0,3}|[a-c_]{5,9}|[a-c_]{12,30})`), 0, most, rapid.ID[string]).Draw(t, "names")
	for i, name := range names {
		typ, tag := anyType(t, levels), ""
		switch rapid.IntRange(0, 3).Draw(t, "optional") {
		case 0:
			typ, tag = reflect.PointerTo(typ), ",omitempty"
		case 1:
			// An array or struct of zeros is empty here, and not there.
			if k := typ.Kind(); k != reflect.Array && k != reflect.Struct {
				tag = ",omitempty"
			}
		}
		fields = append(fields, reflect.StructField{
			Name: fmt.Sprintf("F%d", i), Type: typ, Tag: reflect.StructTag(fmt.Sprintf(`wire:"%s%s" cbor:"%s%s"`, name, tag, name, tag)),
		})
	}
	return reflect.StructOf(fields)
}

// fill draws a value into v, as a decoder would leave it.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.String:
		v.SetString(text.Draw(t, "text"))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		shift := 64 - v.Type().Bits()
		v.SetInt(rapid.Int64().Draw(t, "int") << shift >> shift)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, "uint") >> (64 - v.Type().Bits()))
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(uint64(rapid.Byte().Draw(t, "byte")))
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "there") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem())
		}
	case reflect.Slice:
		if n := rapid.IntRange(0, 4).Draw(t, "len"); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(t, v.Index(i))
			}
		}
	case reflect.Map:
		// Never nil, as a decoder gives it; one that was left out is seen to below.
		v.Set(reflect.MakeMap(v.Type()))
		for _, key := range rapid.SliceOfN(text, 0, 3).Draw(t, "keys") {
			elem := reflect.New(v.Type().Elem()).Elem()
			fill(t, elem)
			v.SetMapIndex(reflect.ValueOf(key), elem)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Field(i)
			fill(t, f)
			if f.Kind() == reflect.Map && f.Len() == 0 && strings.Contains(string(v.Type().Field(i).Tag), "omitempty") {
				f.SetZero()
			}
		}
	}
}

// TestAnyType compares with the oracle over types that nobody thought of: each reads what the other wrote, as it was.
func TestAnyType(t *testing.T) {
	options := oracle.CoreDetEncOptions()
	options.NilContainers = oracle.NilContainerAsEmpty
	enc, err := options.EncMode()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		typ := anyType(t, 3)
		v := reflect.New(typ)
		fill(t, v.Elem())
		ours, err := wire.Marshal(v.Interface())
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := enc.Marshal(v.Interface())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours, theirs) {
			t.Fatalf("%s: encoded\n%x, the oracle has\n%x", typ, ours, theirs)
		}
		for _, beyond := range []bool{false, true} {
			wire.Beyond(beyond, func() {
				back := reflect.New(typ)
				if err := wire.Unmarshal(withRoom(theirs), back.Interface()); err != nil {
					t.Fatalf("%s: %x: %v", typ, theirs, err)
				}
				if !reflect.DeepEqual(back.Elem().Interface(), v.Elem().Interface()) {
					t.Fatalf("%s: decoded %+v, was %+v", typ, back.Elem(), v.Elem())
				}
			})
		}
		there := reflect.New(typ)
		if err := oracle.Unmarshal(ours, there.Interface()); err != nil {
			t.Fatalf("%s: the oracle can't read %x: %v", typ, ours, err)
		}
		again, err := wire.Marshal(there.Interface())
		if err != nil || !bytes.Equal(again, ours) {
			t.Fatalf("%s: what the oracle read is %x, was %x", typ, again, ours)
		}
	})
}

// withRoom is b with bytes behind it that look like more of it.
func withRoom(b []byte) []byte {
	return append(append([]byte(nil), b...), b...)[: len(b) : 2*len(b)]
}

// differently decodes b as a contract does, which may look at what lies behind it, and as everybody else does; both must come to the
// same. The profile and the oracle must agree with what is accepted.
func differently[T any](t interface{ Fatalf(string, ...any) }, b []byte) (v T, err error) {
	codec := wire.New[T]()
	wire.Beyond(false, func() { v, err = codec.Decode(b) })
	for _, behind := range [][]byte{b, make([]byte, wire.Slack), bytes.Repeat([]byte{0xff}, wire.Slack)} {
		wire.Beyond(true, func() {
			inside := append(append([]byte(nil), b...), behind...)[:len(b)]
			w, again := codec.Decode(inside)
			if fmt.Sprint(err) != fmt.Sprint(again) || !reflect.DeepEqual(v, w) {
				t.Fatalf("%x is %+v, %v; with room behind it it is %+v, %v", b, v, err, w, again)
			}
		})
	}
	if err != nil {
		return v, err
	}
	if err := cbor.Valid(b); err != nil {
		t.Fatalf("%x was read, and is not in the profile: %v", b, err)
	}
	var theirs T
	if err := oracle.Unmarshal(b, &theirs); err != nil {
		t.Fatalf("%x was read, and the oracle says %v", b, err)
	}
	x, _ := codec.Append(nil, v)
	y, _ := codec.Append(nil, theirs)
	if !bytes.Equal(x, y) {
		t.Fatalf("%x is %+v, to the oracle %+v", b, v, theirs)
	}
	return v, nil
}

// damaged changes, cuts and repeats bytes of what is right.
func damaged(t *rapid.T, b []byte) []byte {
	for range rapid.IntRange(1, 4).Draw(t, "times") {
		at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			b[at] = rapid.Byte().Draw(t, "byte")
		case 1:
			b[at] += byte(rapid.SampledFrom([]int{-1, 1}).Draw(t, "step"))
		case 2:
			b = b[:max(at, 1)]
		case 3:
			b = append(b[:at:at], append([]byte{rapid.Byte().Draw(t, "more")}, b[at:]...)...)
		}
	}
	return b
}

func TestDamaged(t *testing.T) {
	codec := wire.New[everything]()
	rapid.Check(t, func(t *rapid.T) {
		b, err := codec.Append(nil, anything().Draw(t, "v"))
		if err != nil {
			t.Fatal(err)
		}
		differently[everything](t, damaged(t, b))
	})
}

// TestAnyDamaged is TestDamaged of any struct, also of many fields: cut off at each byte, and with each byte and each head changed.
func TestAnyDamaged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := anyStruct(t, 1, 30)
		v := reflect.New(typ)
		fill(t, v.Elem())
		b, err := wire.Marshal(v.Interface())
		if err != nil {
			t.Fatal(err)
		}
		plan := wire.NewPlan(typ)
		decode := func(b []byte, beyond bool) (v reflect.Value, err error) {
			v = reflect.New(typ)
			wire.Beyond(beyond, func() { err = plan.Decode(b, v.Interface()) })
			return v, err
		}
		try := func(in []byte) {
			want, err := decode(in, false)
			rest := append(b[min(len(in), len(b)):len(b):len(b)], b...) // which is right, behind what was cut off
			for _, behind := range [][]byte{rest, make([]byte, wire.Slack), bytes.Repeat([]byte{0xff}, wire.Slack)} {
				inside := append(append([]byte(nil), in...), behind...)[:len(in)]
				if got, again := decode(inside, true); fmt.Sprint(again) != fmt.Sprint(err) || !reflect.DeepEqual(got.Interface(), want.Interface()) {
					t.Fatalf("%s: %x is %+v, %v; with %x behind it it is %+v, %v", typ, in, want, err, behind, got, again)
				}
			}
		}
		for i, c := range b {
			try(b[:i])
			major := c &^ 31
			for _, by := range [][]byte{{c + 1}, {c - 1}, {rapid.Byte().Draw(t, "byte")}, {}, {major | 24, c & 31},
				{major | 26, 0xff, 0xff, 0xff, 0xff}, {major | 27, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}} {
				try(append(append(b[:i:i], by...), b[i+1:]...))
			}
		}
	})
}

// TestManyFields: no one byte stands for the two with which a map of 24 fields begins.
func TestManyFields(t *testing.T) {
	fields := make([]reflect.StructField, 24)
	for i := range fields {
		fields[i] = reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: reflect.TypeFor[uint64]()}
	}
	typ := reflect.StructOf(fields)
	b, err := wire.Marshal(reflect.New(typ).Interface())
	if err != nil {
		t.Fatal(err)
	}
	wire.Beyond(true, func() {
		if err := wire.Unmarshal(withRoom(b), reflect.New(typ).Interface()); err != nil {
			t.Error(err)
		}
		for head := range 256 {
			in := append([]byte{byte(head)}, b[2:]...)
			if wire.Unmarshal(withRoom(in), reflect.New(typ).Interface()) == nil {
				t.Errorf("%x was read", in)
			}
		}
	})
}

// A plain row has only fields that quick reads, but for one whose key is too long.
type plain struct {
	On       bool     `cbor:"on"`
	Tiny     uint8    `cbor:"tiny"`
	Small    uint16   `cbor:"small"`
	Count    uint32   `cbor:"count"`
	Huge     uint64   `cbor:"huge"`
	Wh       int64    `cbor:"wh"`
	Name     string   `cbor:"name"`
	Reason   string   `cbor:"reason"`
	Device   address  `cbor:"device"`
	Hash     [32]byte `cbor:"hash"`
	UUID     [16]byte `cbor:"uuid" wire:"uuid"`
	Fourteen uint64   `wire:"of_15_bytes_xyz" cbor:"of_15_bytes_xyz"`
	Long     uint64   `wire:"of_16_bytes_long" cbor:"of_16_bytes_long"`
	Last     string   `wire:"zz_last" cbor:"zz_last"`
}

// TestPlain is TestDamaged of rows that are read quickly, and of those that aren't damaged, too.
func TestPlain(t *testing.T) {
	codec := wire.New[plain]()
	rapid.Check(t, func(t *rapid.T) {
		var v plain
		fill(t, reflect.ValueOf(&v).Elem())
		v.Name = rapid.OneOf(text, rapid.StringN(0, 140, 140)).Filter(utf8.ValidString).Draw(t, "name")
		v.Last = strings.Repeat("x", rapid.IntRange(0, 140).Draw(t, "last"))
		b, err := codec.Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := differently[plain](t, b); err != nil || back != v {
			t.Fatalf("%x is %+v, %v; it was %+v", b, back, err, v)
		}
		tightly(t, reflect.ValueOf(&v), b)
		differently[plain](t, damaged(t, b))
	})
}

// tightly writes what v points to where there is less and less room, and looks at what must stay: what is there already, and what is not in the
// capacity.
func tightly(t *rapid.T, v reflect.Value, want []byte) {
	plan := wire.NewPlan(v.Type().Elem())
	for room := range len(want) + 2*wire.Slack {
		whole := bytes.Repeat([]byte{0xaa}, 3+room+2*wire.Slack)
		got, err := plan.AppendAt(whole[:3:3+room], v.UnsafePointer())
		around := slices.Concat(got[:min(len(got), 3)], whole[:3], whole[3+room:])
		if err != nil || !bytes.Equal(got[3:], want) || bytes.Count(around, []byte{0xaa}) != len(around) {
			t.Fatalf("%+v in %d bytes is %x, %v, want %x; around it is %x", v.Elem(), room, got, err, want, whole)
		}
	}
}

// TestAnyTightly: any struct, with texts that aren't UTF-8, too.
func TestAnyTightly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := anyStruct(t, 1, 30)
		v := reflect.New(typ)
		fill(t, v.Elem())
		want, err := wire.Marshal(v.Interface())
		if err != nil {
			t.Fatal(err)
		}
		tightly(t, v, want)
	})
	for _, bad := range []string{"\xff", "12345678\xff", "\xff12345678", "1234567\xff12345678", strings.Repeat("x", 200) + "\xff"} {
		v := plain{Name: bad}
		_, want := wire.Marshal(v)
		if _, err := wire.NewPlan(reflect.TypeFor[plain]()).AppendAt(make([]byte, 0, 4096), unsafe.Pointer(&v)); err == nil || err.Error() != want.Error() {
			t.Errorf("%q: %v, want %v", bad, err, want)
		}
	}
}

// ten is the argument with ten fields that sdk/README.md has figures of.
type ten struct {
	Device, Owner address
	From, Until   instant
	Limit, Count  uint64
	Wh            int64
	Name, Reason  string
	On            bool
}

// TestNoReflection: once a plan is made, reading and writing look nothing up. The files that do the work don't import
// package reflect, and what is allocated is what the value itself needs.
func TestNoReflection(t *testing.T) {
	for _, name := range []string{"encode.go", "decode.go", "quick.go", "memory.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			if i.Path.Value == `"reflect"` {
				t.Errorf("%s imports reflect: what needs it is in reflect.go, for lists, pointers and maps alone", name)
			}
		}
	}
	v := ten{address{1}, address{2}, 1767600000, -1, 50, 7, 1 << 40, "front door", "the courier comes at nine", true}
	codec := wire.New[ten]()
	encoded, err := codec.Append(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 0, 512)
	key := wire.NewKey[key]()
	keyed := key.Append(nil, anyKey().Example(1))
	numbers := wire.New[struct{ A, B, C int64 }]()
	some, _ := numbers.Append(nil, struct{ A, B, C int64 }{1, 2, 3})
	for _, c := range []struct {
		name string
		most float64
		run  func()
	}{
		{"encode", 0, func() { buffer, _ = codec.Append(buffer[:0], v) }},
		{"decode: its two texts", 2, func() { codec.Decode(encoded) }},
		{"decode numbers", 0, func() { numbers.Decode(some) }},
		{"encode a key", 0, func() { buffer = key.Append(buffer[:0], anyKeyValue) }},
		{"decode a key: its text and its bytes", 3, func() { key.Decode(keyed) }},
	} {
		if n := testing.AllocsPerRun(100, c.run); n > c.most {
			t.Errorf("%s: %v allocations, at most %v are needed", c.name, n, c.most)
		}
	}
}

var anyKeyValue = anyKey().Example(2)

func BenchmarkEncodeTen(b *testing.B) {
	codec, v := wire.New[ten](), ten{Name: "front door", Reason: "the courier comes at nine", Wh: 1 << 40}
	buffer := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buffer, _ = codec.Append(buffer[:0], v)
	}
}

func BenchmarkDecodeTen(b *testing.B) {
	codec := wire.New[ten]()
	buffer, _ := codec.Append(nil, ten{Name: "front door", Reason: "the courier comes at nine", Wh: 1 << 40})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codec.Decode(buffer); err != nil {
			b.Fatal(err)
		}
	}
}
