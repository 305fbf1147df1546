package wire_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"

	oracle "github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/sdk/wire"
)

type address [20]byte

func (address) WireKind() abi.Kind { return abi.KindAddress }

type instant int64

func (instant) WireKind() abi.Kind { return abi.KindTime }

type state string

// everything has a field of each shape. The second tag is for the oracle, which
// has no snake_case.
type everything struct {
	On       bool             `cbor:"on"`
	Small    int8             `cbor:"small"`
	Big      int64            `cbor:"big"`
	Count    uint32           `cbor:"count"`
	Huge     uint64           `cbor:"huge" doc:"may be large"`
	Name     string           `cbor:"name"`
	State    state            `cbor:"state"`
	Raw      []byte           `cbor:"raw"`
	DeviceID address          `cbor:"device_id"`
	Until    instant          `cbor:"until"`
	List     []inner          `cbor:"list"`
	Table    map[string]inner `cbor:"table"`
	Inner    inner            `cbor:"inner"`
	Parent   *uint64          `cbor:"parent,omitempty"`
	Why      string           `wire:",omitempty" cbor:"why,omitempty"`
	More     []string         `wire:"and_more,omitempty" cbor:"and_more,omitempty"`
	Hidden   func()           `wire:"-" cbor:"-"`
}

type inner struct {
	X int16 `cbor:"x"`
	Y *bool `cbor:"y,omitempty"`
}

var text = rapid.StringOf(rapid.RuneFrom([]rune("aé世 \x00"))) // RuneFrom, because rapid.String makes surrogates too

func anyInner() *rapid.Generator[inner] {
	return rapid.Custom(func(t *rapid.T) inner {
		return inner{X: rapid.Int16().Draw(t, "x"), Y: rapid.Ptr(rapid.Bool(), true).Draw(t, "y")}
	})
}

func anything() *rapid.Generator[everything] {
	return rapid.Custom(func(t *rapid.T) everything {
		e := everything{
			On: rapid.Bool().Draw(t, "on"), Small: rapid.Int8().Draw(t, "small"), Big: rapid.Int64().Draw(t, "big"),
			Count: rapid.Uint32().Draw(t, "count"), Huge: rapid.Uint64().Draw(t, "huge"), Name: text.Draw(t, "name"),
			State: state(text.Draw(t, "state")), Raw: rapid.SliceOf(rapid.Byte()).Draw(t, "raw"),
			DeviceID: address(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "device")), Until: instant(rapid.Int64().Draw(t, "until")),
			List: rapid.SliceOfN(anyInner(), 0, 40).Draw(t, "list"), Table: rapid.MapOfN(text, anyInner(), 0, 5).Draw(t, "table"),
			Inner: anyInner().Draw(t, "inner"), Parent: rapid.Ptr(rapid.Uint64(), true).Draw(t, "parent"),
			Why: text.Draw(t, "why"), More: rapid.SliceOfN(text, 0, 3).Draw(t, "more"),
		}
		// What a decoder gives for empty ones.
		if len(e.Raw) == 0 {
			e.Raw = nil
		}
		if len(e.List) == 0 {
			e.List = nil
		}
		if len(e.More) == 0 {
			e.More = nil
		}
		return e
	})
}

// TestOracle compares with a general library in its core deterministic mode: the
// same bytes out of the same values, and each reads what the other wrote.
func TestOracle(t *testing.T) {
	options := oracle.CoreDetEncOptions()
	options.NilContainers = oracle.NilContainerAsEmpty
	enc, err := options.EncMode()
	if err != nil {
		t.Fatal(err)
	}
	codec := wire.New[everything]()
	rapid.Check(t, func(t *rapid.T) {
		v := anything().Draw(t, "v")
		got, err := codec.Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		if err := cbor.Valid(got); err != nil {
			t.Fatalf("%x is not in the profile: %v", got, err)
		}
		want, err := enc.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("encoded\n%x, the oracle has\n%x", got, want)
		}
		back, err := codec.Decode(got)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, v) {
			t.Fatalf("decoded %+v, was %+v", back, v)
		}
		var theirs everything
		if err := oracle.Unmarshal(got, &theirs); err != nil {
			t.Fatalf("the oracle can't read %x: %v", got, err)
		}
		loose, err := wire.Marshal(&v)
		if err != nil || !bytes.Equal(loose, got) {
			t.Fatalf("Marshal gives %x, %v", loose, err)
		}
	})
}

type grant struct {
	Subject   address
	Relations []string
	Window    window
	Labels    map[string]uint8 `wire:"labels,omitempty"`
	Depth     uint8            `wire:",omitempty"`
	Parent    *uint64
}

type window struct{ From, Until instant }

func sample() grant {
	parent := uint64(7)
	return grant{Subject: address{1}, Relations: []string{"open"}, Window: window{1, 2}, Labels: map[string]uint8{"a": 1}, Depth: 3, Parent: &parent}
}

// TestStrict: what is not exactly a value is refused, and the error says where.
func TestStrict(t *testing.T) {
	// doc writes the sample by hand, with one of its parts replaced.
	doc := func(changed map[string][]byte) []byte {
		parts := map[string][]byte{
			"depth":     {3},
			"labels":    {0xa1, 0x61, 'a', 1},
			"parent":    {7},
			"window":    append(append([]byte{0xa2, 0x64}, "from\x01\x65until"...), 2),
			"subject":   append([]byte{0x54, 1}, make([]byte, 19)...),
			"relations": append([]byte{0x81, 0x64}, "open"...),
		}
		for k, v := range changed {
			if v == nil {
				delete(parts, k)
			} else {
				parts[k] = v
			}
		}
		var b []byte
		n := 0
		for _, k := range []string{"depth", "extra", "labels", "parent", "window", "subject", "relations"} {
			if v, ok := parts[k]; ok {
				b = append(cbor.AppendText(b, k), v...)
				n++
			}
		}
		return append(cbor.AppendMap(nil, n), b...)
	}
	codec := wire.New[grant]()
	plain, err := codec.Append(nil, sample())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(plain, doc(nil)) {
		t.Fatalf("the sample is\n%x, by hand it is\n%x", plain, doc(nil))
	}
	for _, c := range []struct {
		name  string
		input []byte
		want  string // "" is accepted
	}{
		{"as it is", doc(nil), ""},
		{"without what is optional", doc(map[string][]byte{"depth": nil, "labels": nil, "parent": nil}), ""},
		{"an optional zero that is said", doc(map[string][]byte{"depth": {0}}), ""},
		{"a field is missing", doc(map[string][]byte{"relations": nil}), "relations: missing"},
		{"a field is missing in the middle", doc(map[string][]byte{"window": nil}), "window: missing"},
		{"a field too many", doc(map[string][]byte{"extra": {1}}), `unknown field "extra"`},
		{"inside", doc(map[string][]byte{"window": append([]byte{0xa1, 0x64}, "from\x01"...)}), "window.until: missing"},
		{"another type", doc(map[string][]byte{"depth": {0x61, 'x'}}), "depth: found a text string where an unsigned integer should be (byte 7)"},
		{"too large", doc(map[string][]byte{"depth": {0x19, 1, 0}}), "depth: 256 does not fit in uint8"},
		{"negative", doc(map[string][]byte{"depth": {0x20}}), "depth: found a negative integer"},
		{"null", doc(map[string][]byte{"parent": {0xf6}}), "parent: null: leave the field out instead"},
		{"19 bytes", doc(map[string][]byte{"subject": append([]byte{0x53}, make([]byte, 19)...)}), "subject: 19 bytes, must be 20"},
		{"in a list", doc(map[string][]byte{"relations": {0x82, 0x61, 'a', 1}}), "relations[1]: found an unsigned integer"},
		{"in a map", doc(map[string][]byte{"labels": {0xa1, 0x61, 'a', 0x61, 'b'}}), `labels["a"]: found a text string`},
		{"map keys unordered", doc(map[string][]byte{"labels": {0xa2, 0x61, 'b', 1, 0x61, 'a', 1}}), "labels: map keys are not in ascending order"},
		{"map keys twice", doc(map[string][]byte{"labels": {0xa2, 0x61, 'b', 1, 0x61, 'b', 1}}), "labels: map key occurs twice"},
		{"a float", doc(map[string][]byte{"depth": {0xf9, 0, 0}}), "depth: floating-point number"},
		{"a long head", doc(map[string][]byte{"depth": {0x18, 3}}), "depth: value 3 has a head longer than it needs"},
		{"not UTF-8", doc(map[string][]byte{"relations": {0x81, 0x61, 0xff}}), "relations[0]: text is not UTF-8"},
		{"a byte too many", append(doc(nil), 0), "byte too many"},
		{"nothing", nil, "found the end of the input where a map should be"},
		{"a list that lies about its length", doc(map[string][]byte{"relations": {0x9b, 0x7f, 255, 255, 255, 255, 255, 255, 255}}), "relations: array of 9223372036854775807 items"},
	} {
		_, err := codec.Decode(c.input)
		var got string
		if err != nil {
			got = err.Error()
		}
		if c.want == "" && err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		var v grant
		if err2 := wire.Unmarshal(c.input, &v); (err2 == nil) != (err == nil) {
			t.Errorf("%s: Unmarshal says %v", c.name, err2)
		}
	}
}

func TestNotUTF8(t *testing.T) {
	v := sample()
	v.Relations = []string{"ok", "\xff"}
	_, err := wire.New[grant]().Append(nil, v)
	if err == nil || err.Error() != `relations[1]: text "\xff" is not UTF-8` {
		t.Error(err)
	}
}

// TestOneEncoding: two empty structs are one value, whichever way they are empty.
func TestOneEncoding(t *testing.T) {
	type box struct {
		Inner struct{ List []string } `wire:",omitempty"`
	}
	var a, b box
	b.Inner.List = []string{}
	codec := wire.New[box]()
	x, err := codec.Append(nil, a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := codec.Append(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Errorf("%x and %x", x, y)
	}
}

// TestRefusedTypes: a type that can't be on the wire says so before any value comes.
func TestRefusedTypes(t *testing.T) {
	type loop struct{ Next []loop }
	_ = loop{}
	type hidden struct{ a int }
	_ = hidden{1}.a
	for want, make := range map[string]func(){
		"float64 is float64: floating-point numbers":      func() { wire.New[float64]() },
		"reading.Price is float32":                        func() { type reading struct{ Price float32 }; wire.New[reading]() },
		"outer.List[].Wh is float64":                      func() { type outer struct{ List []struct{ Wh float64 } }; wire.New[outer]() },
		"Next[] is wire_test.loop, which contains itself": func() { wire.New[loop]() },
		"hidden.a is not exported":                        func() { wire.New[hidden]() },
		"a pointer may only be an optional field":         func() { wire.New[*int]() },
		"[][]*int[][] is *int":                            func() { wire.New[[][]*int]() },
		"the keys of a map must be strings":               func() { wire.New[map[int]int]() },
		"of arrays only those of bytes":                   func() { wire.New[[3]int]() },
		"no bytes say nothing":                            func() { wire.New[struct{ A [0]byte }]() },
		"x.Any is interface {}, which can't be":           func() { type x struct{ Any any }; wire.New[x]() },
		"two.B has": func() {
			type two struct {
				A, B int `wire:"Nope"`
			}
			wire.New[two]()
		},
		`has two fields with the wire name "a"`: func() {
			type two struct {
				A int
				B int `wire:"a"`
			}
			wire.New[two]()
		},
		`has the unknown wire option "omitzero"`: func() {
			type one struct {
				A int `wire:"a,omitzero"`
			}
			wire.New[one]()
		},
		"is embedded":                                  func() { type Base struct{ A int }; type one struct{ Base }; wire.New[one]() },
		"is nested deeper than 8":                      func() { wire.New[[][][][][][][][]int]() },
		"which can't stand for the kind address":       func() { wire.New[badAddress]() },
		"func() is func(), which can't be on the wire": func() { wire.New[func()]() },
		"[]int can't be a key: []int is none of":       func() { wire.NewKey[[]int]() },
		"struct {} is a struct without fields":         func() { wire.NewKey[struct{}]() },
		"pair.B can't be a key: float64 is none of": func() {
			type pair struct {
				A int
				B float64
			}
			wire.NewKey[pair]()
		},
		"nil has no type":           func() { wire.Marshal(nil) },
		"Unmarshal needs a pointer": func() { wire.Unmarshal(nil, 3) },
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, want) {
					if want == "two.B has" && strings.Contains(got, "two.A has") {
						return
					}
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			make()
		}()
	}
}

type badAddress [19]byte

func (badAddress) WireKind() abi.Kind { return abi.KindAddress }

type page[T any] struct {
	Items []T
	Next  []byte `wire:",omitempty"`
}

// TestSchema: the spec's type keeps the author's order, docs and kinds.
func TestSchema(t *testing.T) {
	got := wire.New[page[everything]]().Type()
	if got.Name != "pageEverything" || got.Kind != abi.KindStruct || len(got.Fields) != 2 || !got.Fields[1].Optional {
		t.Fatalf("%+v", got)
	}
	var lines []string
	for _, f := range got.Fields[0].Type.Elem.Fields {
		line := f.Name + " " + f.Type.String()
		if f.Optional {
			line += "?"
		}
		lines = append(lines, line)
	}
	want := "on bool, small int8, big int, count uint32, huge uint, name text, state text, raw bytes, device_id address, until time, " +
		"list list of struct, table map of struct, inner struct, parent uint?, why text?, and_more list of text?"
	if s := strings.Join(lines, ", "); s != want {
		t.Errorf("%s\nwant\n%s", s, want)
	}
	if doc := got.Fields[0].Type.Elem.Fields[4].Doc; doc != "may be large" {
		t.Error(doc)
	}
}

// FuzzDecode: never panics, what is accepted encodes to the bytes that came,
// but for optional zeros that were said, and another library reads the same.
func FuzzDecode(f *testing.F) {
	codec := wire.New[everything]()
	rapid.Check(f, func(t *rapid.T) {
		b, err := codec.Append(nil, anything().Draw(t, "v"))
		if err != nil {
			t.Fatal(err)
		}
		if len(b) < 300 {
			f.Add(b)
		}
	})
	row, _ := wire.Marshal(plain{Count: 1 << 20, Wh: -7, Name: "metered", Last: "the courier comes at nine"})
	f.Add(row)
	f.Fuzz(func(t *testing.T, b []byte) {
		differently[plain](t, b)
		v, err := differently[everything](t, b)
		if err != nil {
			return
		}
		again, err := codec.Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := codec.Decode(again)
		if err != nil || !reflect.DeepEqual(v, twice) {
			t.Fatalf("%+v became %+v, %v", v, twice, err)
		}
		if len(again) > len(b) || len(again) == len(b) && !bytes.Equal(again, b) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}

type key struct {
	Owner address
	Name  string
	N     int16
	Seq   uint64
	Raw   []byte
	On    bool
	I     int
}

func anyKey() *rapid.Generator[key] {
	// Few different bytes, so that equal beginnings and zeros are common.
	narrow := rapid.SampledFrom([]byte{0, 1, 0xff, 'a'})
	return rapid.Custom(func(t *rapid.T) key {
		k := key{
			Name: string(rapid.SliceOfN(narrow, 0, 4).Draw(t, "name")), N: rapid.Int16().Draw(t, "n"), Seq: rapid.Uint64().Draw(t, "seq"),
			Raw: rapid.SliceOfN(narrow, 0, 4).Draw(t, "raw"), On: rapid.Bool().Draw(t, "on"), I: rapid.Int().Draw(t, "i"),
		}
		k.Owner[19] = narrow.Draw(t, "owner")
		if len(k.Raw) == 0 {
			k.Raw = nil
		}
		return k
	})
}

func (k key) compare(o key) int {
	boolean := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	for _, c := range []int{
		bytes.Compare(k.Owner[:], o.Owner[:]), strings.Compare(k.Name, o.Name), int(k.N) - int(o.N), compare(k.Seq, o.Seq),
		bytes.Compare(k.Raw, o.Raw), boolean(k.On) - boolean(o.On), compare(k.I, o.I),
	} {
		if c != 0 {
			return c
		}
	}
	return 0
}

func compare[T int | uint64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// TestKeys: order is kept, no key begins another, and each reads back.
func TestKeys(t *testing.T) {
	codec := wire.NewKey[key]()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyKey().Draw(t, "a"), anyKey().Draw(t, "b")
		x, y := codec.Append(nil, a), codec.Append(nil, b)
		if sign(bytes.Compare(x, y)) != sign(a.compare(b)) {
			t.Fatalf("%+v and %+v compare as %d, their keys %x and %x as %d", a, b, a.compare(b), x, y, bytes.Compare(x, y))
		}
		if a.compare(b) != 0 && (bytes.HasPrefix(x, y) || bytes.HasPrefix(y, x)) {
			t.Fatalf("%x begins like %x", x, y)
		}
		back, err := codec.Decode(x)
		if err != nil || !reflect.DeepEqual(back, a) {
			t.Fatalf("%+v, %v; was %+v", back, err, a)
		}
		for n := range len(x) {
			if _, err := codec.Decode(x[:n]); err == nil {
				t.Fatalf("the first %d bytes of %x are a key too", n, x)
			}
		}
	})
}

func sign(n int) int { return compare(n, 0) }

func TestKeyBytes(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{hex.EncodeToString(wire.NewKey[string]().Append(nil, "a\x00")), "6100ff0001"},
		{hex.EncodeToString(wire.NewKey[int8]().Append(nil, -1)), "7f"},
		{hex.EncodeToString(wire.NewKey[int]().Append(nil, math.MinInt64)), "0000000000000000"},
		{hex.EncodeToString(wire.NewKey[uint]().Append(nil, 5)), "0000000000000005"},
		{hex.EncodeToString(wire.After([]byte{1, 0xff, 0xff})), "02"},
		{hex.EncodeToString(wire.After([]byte{0xff})), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
	if _, err := wire.NewKey[bool]().Decode([]byte{2}); err == nil {
		t.Error("2 is a bool")
	}
	if _, err := wire.NewKey[string]().Decode([]byte{'a', 0, 2}); err == nil {
		t.Error("00 02 is in a string")
	}
	if _, err := wire.NewKey[bool]().Decode([]byte{1, 1}); err == nil {
		t.Error("a key with a byte too many")
	}
}

func TestBegins(t *testing.T) {
	type two struct {
		Owner address
		Name  state
	}
	type nested struct {
		Two two
		N   int16
	}
	type wrong struct {
		Owner [19]byte
		Name  string
	}
	whole := wire.NewKey[key]()
	for name, c := range map[string]struct{ got, want bool }{
		"one":      {wire.Begins(wire.NewKey[address](), whole), true},
		"two":      {wire.Begins(wire.NewKey[two](), whole), true},
		"nested":   {wire.Begins(wire.NewKey[nested](), whole), true},
		"all":      {wire.Begins(whole, whole), true},
		"too long": {wire.Begins(whole, wire.NewKey[two]()), false},
		"wrong":    {wire.Begins(wire.NewKey[wrong](), whole), false},
		"text":     {wire.Begins(wire.NewKey[string](), whole), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}

func FuzzKey(f *testing.F) {
	codec := wire.NewKey[key]()
	f.Add(codec.Append(nil, key{Name: "a\x00b", Raw: []byte{0}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := codec.Decode(b)
		if err != nil {
			return
		}
		if again := codec.Append(nil, k); !bytes.Equal(again, b) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	codec, v := wire.New[grant](), sample()
	buf := make([]byte, 0, 256)
	for b.Loop() {
		buf, _ = codec.Append(buf[:0], v)
	}
}

func BenchmarkDecode(b *testing.B) {
	codec := wire.New[grant]()
	buf, _ := codec.Append(nil, sample())
	for b.Loop() {
		if _, err := codec.Decode(buf); err != nil {
			b.Fatal(err)
		}
	}
}
