package specjson_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
)

func kind(k abi.Kind) *abi.Type { return &abi.Type{Kind: k} }

func sized(k abi.Kind, size uint64) *abi.Type { return &abi.Type{Kind: k, Size: size} }

func list(elem *abi.Type) *abi.Type { return &abi.Type{Kind: abi.KindList, Elem: elem} }

func dict(elem *abi.Type) *abi.Type { return &abi.Type{Kind: abi.KindMap, Elem: elem} }

func record(name string, fields ...abi.Field) *abi.Type {
	return &abi.Type{Kind: abi.KindStruct, Name: name, Fields: fields}
}

func must(name string, t *abi.Type) abi.Field { return abi.Field{Name: name, Type: t} }

func may(name string, t *abi.Type) abi.Field { return abi.Field{Name: name, Type: t, Optional: true} }

var (
	window = record("Window", must("from", kind(abi.KindTime)), may("until", kind(abi.KindTime)))
	grant  = record("Grant",
		must("object", kind(abi.KindText)),
		must("subject", kind(abi.KindAddress)),
		may("expires", kind(abi.KindTime)),
		may("windows", list(window)),
		may("labels", dict(kind(abi.KindText))),
	)
	somebody = address.FromKey([]byte("somebody")).String()
)

// Each case goes both ways; out is what comes back when it is not what went in.
func TestBothWays(t *testing.T) {
	for _, c := range []struct {
		t             *abi.Type
		in, cbor, out string
	}{
		{kind(abi.KindBool), "true", "f5", ""},
		{kind(abi.KindBool), " false ", "f4", "false"},
		{kind(abi.KindInt), "0", "00", ""},
		{kind(abi.KindInt), "-0", "00", "0"},
		{kind(abi.KindInt), "-1", "20", ""},
		{kind(abi.KindInt), `"-1"`, "20", "-1"},
		{kind(abi.KindInt), "9007199254740991", "1b001fffffffffffff", ""},
		{kind(abi.KindInt), "9007199254740992", "1b0020000000000000", `"9007199254740992"`},
		{kind(abi.KindInt), "-9007199254740992", "3b001fffffffffffff", `"-9007199254740992"`},
		{kind(abi.KindInt), `"9223372036854775807"`, "1b7fffffffffffffff", ""},
		{kind(abi.KindInt), `"-9223372036854775808"`, "3b7fffffffffffffff", ""},
		{kind(abi.KindUint), `"18446744073709551615"`, "1bffffffffffffffff", ""},
		{kind(abi.KindUint), "18446744073709551615", "1bffffffffffffffff", `"18446744073709551615"`},
		{sized(abi.KindInt, 8), "-128", "387f", ""},
		{sized(abi.KindInt, 8), "127", "187f", ""},
		{sized(abi.KindInt, 32), `"-2147483648"`, "3a7fffffff", "-2147483648"},
		{sized(abi.KindUint, 8), "255", "18ff", ""},
		{sized(abi.KindUint, 16), "65535", "19ffff", ""},
		{sized(abi.KindUint, 32), "4294967295", "1affffffff", ""},
		{sized(abi.KindBytes, 2), `"0x00FF"`, "4200ff", `"0x00ff"`},
		{kind(abi.KindText), `""`, "60", ""},
		{kind(abi.KindText), `"a\"\\\n\u0001é😀"`, "6b61225c0a01c3a9f09f9880", ""},
		{kind(abi.KindText), `"\u00e9\ud83d\ude00\/\b\f\r\t"`, "6bc3a9f09f98802f080c0d09", `"é😀/\u0008\u000c\u000d\u0009"`},
		{kind(abi.KindText), `"\u2028\u2029"`, "66e280a8e280a9", ""},
		{kind(abi.KindText), `"\u007f"`, "617f", ""},
		{kind(abi.KindBytes), `"0x"`, "40", ""},
		{kind(abi.KindBytes), `"0x00FF"`, "4200ff", `"0x00ff"`},
		{kind(abi.KindTime), "1772352000", "1a69a3f200", ""},
		{kind(abi.KindTime), `"1772352000"`, "1a69a3f200", "1772352000"},
		{kind(abi.KindTime), `"2026-03-01T08:00:00Z"`, "1a69a3f200", "1772352000"},
		{kind(abi.KindTime), `"2026-03-01T09:00:00.000+01:00"`, "1a69a3f200", "1772352000"},
		{kind(abi.KindDuration), "90", "185a", ""},
		{kind(abi.KindDuration), `"1m30s"`, "185a", "90"},
		{kind(abi.KindDuration), `"-1m30s"`, "3859", "-90"},
		{list(kind(abi.KindUint)), "[]", "80", ""},
		{list(kind(abi.KindUint)), "[1, 2 ,3]", "83010203", "[1,2,3]"},
		{dict(kind(abi.KindUint)), "{}", "a0", ""},
		{dict(kind(abi.KindUint)), `{"bb":1,"a":2}`, "a261610262626201", `{"a":2,"bb":1}`},
		{window, `{"from":1,"until":2}`, "a26466726f6d0165756e74696c02", ""},
		{window, `{"until":null,"from":1}`, "a16466726f6d01", `{"from":1}`},
		{nil, "", "a0", "{}"},
		{nil, " null", "a0", "{}"},
		{nil, "{}", "a0", "{}"},
		{record(""), "", "a0", "{}"},
	} {
		got, err := specjson.ToCBOR(c.t, []byte(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if hex.EncodeToString(got) != c.cbor {
			t.Errorf("%s: got %x, want %s", c.in, got, c.cbor)
		}
		if c.out == "" {
			c.out = c.in
		}
		back, err := specjson.ToJSON(c.t, got)
		if err != nil || string(back) != c.out {
			t.Errorf("%s comes back as %s, %v; want %s", c.in, back, err, c.out)
		}
		var v any
		if err := json.Unmarshal(back, &v); err != nil {
			t.Errorf("%s: no JSON: %v", back, err)
		}
	}
}

func TestStructKeepsTheAuthorsOrder(t *testing.T) {
	in := `{"object":"door-1","subject":"` + somebody + `","expires":5,"windows":[{"from":1},{"from":2,"until":3}],"labels":{"a":"b"}}`
	item, err := specjson.ToCBOR(grant, []byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if err := cbor.Valid(item); err != nil {
		t.Fatal(err)
	}
	out, err := specjson.ToJSON(grant, item)
	if err != nil || string(out) != in {
		t.Errorf("got %s, %v; want %s", out, err, in)
	}
}

// Anybody may send a document to a node: what it takes grows as its length does, also if one long key leads to many items.
func TestLongPath(t *testing.T) {
	of := dict(list(kind(abi.KindUint)))
	const items = 30 << 10
	doc := []byte(`{"` + strings.Repeat("k", items) + `":[0` + strings.Repeat(",0", items-1) + `]}`)
	item, err := specjson.ToCBOR(of, doc)
	if err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]func(){
		"ToCBOR":   func() { specjson.ToCBOR(of, doc) },
		"ToJSON":   func() { specjson.ToJSON(of, item) },
		"Readable": func() { specjson.Readable(of, doc) },
	} {
		if n := testing.AllocsPerRun(1, run); n > 500 {
			t.Errorf("%s of %d numbers allocates %v times", name, items, n)
		}
	}
}

func TestToCBORRefuses(t *testing.T) {
	g := func(more string) string { return `{"object":"o","subject":"` + somebody + `"` + more + `}` }
	for _, c := range []struct {
		t        *abi.Type
		in, want string
	}{
		{kind(abi.KindBool), "1", "the number 1, must be true or false"},
		{kind(abi.KindBool), `"true"`, `the text "true", must be true or false`},
		{kind(abi.KindInt), "1.0", `"1.0" is not a whole number`},
		{kind(abi.KindInt), "1e3", `"1e3" is not a whole number`},
		{kind(abi.KindInt), `"+1"`, `"+1" is not a whole number`},
		{kind(abi.KindInt), `"01"`, `"01" is not a whole number`},
		{kind(abi.KindInt), `""`, `"" is not a whole number`},
		{kind(abi.KindInt), "9223372036854775808", "9223372036854775808 is not between -9223372036854775808 and 9223372036854775807"},
		{kind(abi.KindInt), "null", "null, must be whole number"},
		{kind(abi.KindUint), "-1", "-1 is not between 0 and 18446744073709551615"},
		{kind(abi.KindUint), "18446744073709551616", "18446744073709551616 is not between"},
		{kind(abi.KindUint), "[]", "an array, must be whole number from 0"},
		{sized(abi.KindUint, 8), "300", "300 does not fit uint8, whose largest value is 255"},
		{sized(abi.KindUint, 8), `"256"`, "256 does not fit uint8, whose largest value is 255"},
		{sized(abi.KindUint, 8), "-1", "-1 does not fit uint8, whose smallest value is 0"},
		{sized(abi.KindUint, 16), "65536", "65536 does not fit uint16, whose largest value is 65535"},
		{sized(abi.KindUint, 32), "4294967296", "4294967296 does not fit uint32, whose largest value is 4294967295"},
		{sized(abi.KindUint, 32), "18446744073709551616", "18446744073709551616 does not fit uint32, whose largest"},
		{sized(abi.KindInt, 8), "128", "128 does not fit int8, whose largest value is 127"},
		{sized(abi.KindInt, 8), "-129", "-129 does not fit int8, whose smallest value is -128"},
		{sized(abi.KindInt, 16), "-32769", "-32769 does not fit int16, whose smallest value is -32768"},
		{sized(abi.KindInt, 32), "-9223372036854775809", "-9223372036854775809 does not fit int32, whose smallest value is -2147483648"},
		{sized(abi.KindUint, 8), "true", "true, must be whole number from 0 to 255"},
		{sized(abi.KindInt, 16), "{}", "an object, must be whole number from -32768 to 32767"},
		{list(sized(abi.KindUint, 8)), "[1,300]", "[1]: 300 does not fit uint8, whose largest value is 255"},
		{record("Put", must("box", sized(abi.KindUint, 8))), `{"box":300}`, "box: 300 does not fit uint8, whose largest value is 255"},
		{record("Put", must("box", sized(abi.KindUint, 8))), `{}`, "missing box (whole number from 0 to 255)"},
		{kind(abi.KindText), "5", "the number 5, must be text"},
		{kind(abi.KindText), `"\ud800"`, "half a surrogate pair"},
		{kind(abi.KindText), `"\ud800\u0041"`, "half a surrogate pair"},
		{kind(abi.KindText), `"\udc00\ud800"`, "half a surrogate pair"},
		{kind(abi.KindText), "\"\xff\"", "document is not UTF-8"},
		{kind(abi.KindBytes), `"ff"`, `"ff" is not hexadecimal with 0x before it`},
		{kind(abi.KindBytes), `"0xf"`, `"0xf" is not hexadecimal: `},
		{sized(abi.KindBytes, 2), `"0xff"`, "1 bytes, must be 2"},
		{sized(abi.KindBytes, 2), `"0x"`, "0 bytes, must be 2"},
		{sized(abi.KindBytes, 2), `"0xffffff"`, "3 bytes, must be 2"},
		{sized(abi.KindBytes, 32), "5", "the number 5, must be 0x and 64 hexadecimal digits"},
		{kind(abi.KindAddress), `"ward1qqqq"`, `address "ward1qqqq"`},
		{kind(abi.KindAddress), `{}`, `an object, must be address, ward1...`},
		{kind(abi.KindTime), `"tomorrow"`, `"tomorrow" is not a time: RFC 3339`},
		{kind(abi.KindTime), `"2026-03-01T08:00:00.5Z"`, `"2026-03-01T08:00:00.5Z" has a fraction of a second`},
		{kind(abi.KindTime), "1.5", `"1.5" is not a time`},
		{kind(abi.KindDuration), `"1.5s"`, `"1.5s" has a fraction of a second`},
		{kind(abi.KindDuration), `"long"`, `"long" is not a duration`},
		{list(kind(abi.KindUint)), "[1,-2]", "[1]: -2 is not between"},
		{list(list(kind(abi.KindUint))), "[[],[1,true]]", "[1][1]: true, must be whole number from 0"},
		{list(kind(abi.KindUint)), "{}", "an object, must be list of uint"},
		{dict(kind(abi.KindUint)), `{"a":1,"a":1}`, `"a" is there twice`},
		{dict(kind(abi.KindUint)), `{"a":1,"\u0061":1}`, `"a" is there twice`},
		{dict(kind(abi.KindUint)), `{"a":null}`, "a: null, must be whole number from 0"},
		{grant, `{}`, "missing object (text), subject (address, ward1...)"},
		{grant, `[]`, "an array, must be object Grant"},
		{grant, g(`,"expire":1`), `unknown field "expire": known are object, subject, expires, windows, labels`},
		{grant, g(`,"object":"p"`), `"object" is there twice`},
		{grant, g(`,"expires":null,"expires":1`), `"expires" is there twice`},
		{grant, g(`,"expires":"soon"`), `expires: "soon" is not a time`},
		{grant, g(`,"windows":[{"from":1},{}]`), "windows[1]: missing from (time, RFC 3339 or unix seconds)"},
		{grant, g(`,"windows":[{"from":1,"x":[]}]`), `windows[0]: unknown field "x": known are from, until`},
		{grant, g(`,"labels":{"k":1}`), "labels.k: the number 1, must be text"},
		{grant, "", "missing object"},
		{nil, `{"a":1}`, `unknown field "a": there are none`},
		{nil, `[]`, "an array, must be object"},
		{grant, `{"object":`, "not JSON: unexpected end"},
		{grant, `{} {}`, "not JSON: "},
		{kind(abi.KindUint), ``, "not JSON: "},
		{kind(abi.KindText), `"` + strings.Repeat("a", specjson.MaxJSON) + `"`, "document is 524290 bytes, limit 524288"},
		{dict(kind(abi.KindUint)), strings.Repeat("[", 100_000), "not JSON: "},
	} {
		_, err := specjson.ToCBOR(c.t, []byte(c.in))
		var e *specjson.Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%.60s: got %v, want %s", c.in, err, c.want)
		}
	}
}

func TestToJSONRefuses(t *testing.T) {
	for _, c := range []struct {
		t        *abi.Type
		in, want string
	}{
		{kind(abi.KindUint), "20", "found"},
		{kind(abi.KindUint), "1800", "not canonical CBOR"},
		{kind(abi.KindUint), "0000", "not canonical CBOR"},
		{kind(abi.KindAddress), "4100", "address is 1 bytes, must be 20"},
		{sized(abi.KindUint, 8), "190100", "256 does not fit uint8, whose largest value is 255"},
		{sized(abi.KindUint, 8), "20", "found"},
		{sized(abi.KindInt, 8), "1880", "128 does not fit int8, whose largest value is 127"},
		{sized(abi.KindInt, 8), "3880", "-129 does not fit int8, whose smallest value is -128"},
		{list(sized(abi.KindBytes, 2)), "824200ff4100", "[1]: 1 bytes, must be 2"},
		{window, "a0", "missing from (time"},
		{window, "a2616101" + "6466726f6d01", `unknown field "a"`},
		{window, "a10101", "key: "},
		{list(window), "81a16466726f6d6161", "[0].from: "},
		{dict(kind(abi.KindText)), "a1616101", "a: "},
		{&abi.Type{}, "00", "type has no kind"},
	} {
		in, _ := hex.DecodeString(c.in)
		out, err := specjson.ToJSON(c.t, in)
		if err == nil {
			t.Errorf("%s: rendered as %s", c.in, out)
		} else if c.want != "found" && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.in, err, c.want)
		}
	}
	if out, err := specjson.ToJSON(kind(abi.KindUint), nil); err != nil || string(out) != "null" {
		t.Errorf("no result: %s, %v", out, err)
	}
}

func TestUntyped(t *testing.T) {
	for in, want := range map[string]string{
		"":                   "null",
		"f6":                 "null",
		"f5":                 "true",
		"1bffffffffffffffff": `"18446744073709551615"`,
		"3b7fffffffffffffff": `"-9223372036854775808"`,
		"4200ff":             `"0x00ff"`,
		"83016161f4":         `[1,"a",false]`,
		"a261610261628102":   `{"a":2,"b":[2]}`,
		"a201026161a0":       `[[1,2],["a",{}]]`,
		"a1410001":           `[["0x00",1]]`,
		"1800":               `"0x1800"`, // not canonical
		"ff":                 `"0xff"`,
	} {
		item, _ := hex.DecodeString(in)
		if got := specjson.Untyped(item); string(got) != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestEventJSON(t *testing.T) {
	spec := &abi.Spec{Events: []abi.EventSpec{{Name: "opened", Fields: []abi.Field{
		must("object", kind(abi.KindText)), must("by", kind(abi.KindAddress))}}}}
	by, _ := address.Parse(somebody)
	typed := cbor.AppendMap(nil, 2)
	typed = cbor.AppendBytes(cbor.AppendText(typed, "by"), by[:])
	typed = cbor.AppendText(cbor.AppendText(typed, "object"), "door")
	untyped := `{"by":"0x` + hex.EncodeToString(by[:]) + `","object":"door"}`
	for _, c := range []struct {
		what  string
		spec  *abi.Spec
		name  string
		attrs []byte
		want  string
	}{
		{"as declared", spec, "opened", typed, `{"object":"door","by":"` + somebody + `"}`},
		{"no spec", nil, "opened", typed, untyped},
		{"not declared", spec, "closed", typed, untyped},
		{"not as declared", spec, "opened", []byte{0xa1, 0x61, 'a', 1}, `{"a":1}`},
		{"no attributes", spec, "closed", nil, `{}`},
	} {
		if got := specjson.EventJSON(c.spec, c.name, c.attrs); string(got) != c.want {
			t.Errorf("%s: got %s, want %s", c.what, got, c.want)
		}
	}
}

func TestFromText(t *testing.T) {
	for _, c := range []struct {
		t        *abi.Type
		in, cbor string
	}{
		{kind(abi.KindBool), "true", "f5"},
		{kind(abi.KindText), `"quoted"`, "682271756f74656422"},
		{kind(abi.KindInt), "-1", "20"},
		{kind(abi.KindBytes), "0x01", "4101"},
		{kind(abi.KindTime), "2026-03-01T08:00:00Z", "1a69a3f200"},
		{list(kind(abi.KindText)), "", "80"},
		{list(kind(abi.KindText)), "a,b", "8261616162"},
		{list(kind(abi.KindText)), `["a,b"]`, "8163612c62"},
		{list(window), `{"from":1}`, "81a16466726f6d01"},
		{window, `{"from":1}`, "a16466726f6d01"},
		{dict(kind(abi.KindUint)), `{"a":1}`, "a1616101"},
	} {
		got, err := specjson.FromText(c.t, c.in)
		if err != nil || hex.EncodeToString(got) != c.cbor {
			t.Errorf("%s: got %x, %v; want %s", c.in, got, err, c.cbor)
		}
	}
	for _, c := range []struct {
		t        *abi.Type
		in, want string
	}{
		{kind(abi.KindText), "\xff", "is not UTF-8"},
		{list(kind(abi.KindUint)), "1,x", `[1]: "x" is not a whole number`},
		{list(kind(abi.KindUint)), "[1,true]", "[1]: true, must be"},
		{list(list(kind(abi.KindUint))), "1,2", "must be a JSON array of lists"},
		{list(window), `{"from":"x"}`, `[0].from: "x" is not a time`},
		{window, "from=1", "not JSON"},
	} {
		_, err := specjson.FromText(c.t, c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.in, err, c.want)
		}
	}
}

func TestFromFlags(t *testing.T) {
	flags := func(pairs ...string) map[string][]string {
		m := map[string][]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = append(m[pairs[i]], pairs[i+1])
		}
		return m
	}
	got, err := specjson.FromFlags(grant, flags("subject", somebody, "object", "door",
		"windows", `{"from":1}`, "windows", `[{"from":2},{"from":3}]`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"object":"door","subject":"` + somebody + `","windows":[{"from":1},{"from":2},{"from":3}]}`
	if doc, err := specjson.ToJSON(grant, got); err != nil || string(doc) != want {
		t.Errorf("got %s, %v; want %s", doc, err, want)
	}
	if got, err := specjson.FromFlags(nil, nil); err != nil || !bytes.Equal(got, []byte{0xa0}) {
		t.Errorf("no arguments: %x, %v", got, err)
	}
	for _, c := range []struct {
		t     *abi.Type
		flags map[string][]string
		want  string
	}{
		{grant, flags("object", "door"), "missing subject (address, ward1...)"},
		{grant, flags("objct", "door"), `unknown field "objct": known are object,`},
		{grant, flags("object", "a", "object", "b"), "object: given 2 times"},
		{grant, flags("object", "a", "subject", "b"), `subject: address "b"`},
		{grant, flags("object", "a", "subject", somebody, "windows", `{"from":1}`, "windows", `{"from":"x"}`), `windows[1].from: "x" is not a time`},
		{nil, flags("a", "b"), `unknown field "a": there are none`},
	} {
		_, err := specjson.FromFlags(c.t, c.flags)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %s", c.flags, err, c.want)
		}
	}
}

func TestHelp(t *testing.T) {
	if got, want := specjson.Help(grant), "object text, subject address (ward1...), "+
		"expires time (RFC 3339 or unix seconds, optional), windows list of struct (optional), labels object with text values (optional)"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := specjson.Help(record("Put", must("box", sized(abi.KindUint, 8)), must("id", sized(abi.KindBytes, 32)), may("parts", list(sized(abi.KindInt, 16))))),
		"box uint8, id bytes[32] (0x and 64 hexadecimal digits), parts list of int16 (optional)"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := specjson.Help(nil); got != "nothing" {
		t.Errorf("got %s", got)
	}
}

// Times and durations are shown as people write them, at any depth; the rest as ToJSON shows it.
func TestReadable(t *testing.T) {
	at, long := kind(abi.KindTime), kind(abi.KindDuration)
	for _, c := range []struct {
		t         *abi.Type
		doc, want string
	}{
		{at, "1772352000", `"2026-03-01T08:00:00Z"`},
		{at, "0", `"1970-01-01T00:00:00Z"`},
		{at, "-62167219200", `"0000-01-01T00:00:00Z"`},
		{at, "-62167219201", "-62167219201"},
		{at, "253402300799", `"9999-12-31T23:59:59Z"`},
		{at, "253402300800", "253402300800"},
		{long, "0", `"0s"`},
		{long, "30", `"30s"`},
		{long, "60", `"1m"`},
		{long, "600", `"10m"`},
		{long, "3600", `"1h"`},
		{long, "36000", `"10h"`},
		{long, "5400", `"1h30m"`},
		{long, "3601", `"1h0m1s"`},
		{long, "-172800", `"-48h"`},
		{long, "9223372036", `"2562047h47m16s"`},
		{long, "9223372037", "9223372037"},
		{long, `"9223372036854775807"`, `"9223372036854775807"`},
		{list(at), "[1,2]", `["1970-01-01T00:00:01Z","1970-01-01T00:00:02Z"]`},
		{dict(long), `{"a":90}`, `{"a":"1m30s"}`},
		{record("", must("all", list(window)), must("n", kind(abi.KindInt))), `{"all":[{"from":1},{"from":1,"until":2}],"n":3}`,
			`{"all":[{"from":"1970-01-01T00:00:01Z"},{"from":"1970-01-01T00:00:01Z","until":"1970-01-01T00:00:02Z"}],"n":3}`},
		{window, `{"until":1}`, `{"until":1}`},   // not of the type
		{kind(abi.KindUint), `"0x00"`, `"0x00"`}, // nor this
		{window, "null", "null"},
		{nil, `{"from":1}`, `{"from":1}`},
	} {
		if got := specjson.Readable(c.t, []byte(c.doc)); string(got) != c.want {
			t.Errorf("%s: got %s, want %s", c.doc, got, c.want)
		}
	}
}

func TestSpec(t *testing.T) {
	got := specjson.Spec(&abi.Spec{ABI: 1, Name: "access", Methods: []abi.Method{
		{Name: "grant", Doc: "Grants.", Args: window, Result: list(kind(abi.KindUint))}},
		Events: []abi.EventSpec{{Name: "granted", Fields: []abi.Field{may("id", kind(abi.KindUint))}}},
		Errors: []abi.ErrorSpec{{Code: 1, Name: "not_owner"}}})
	want := `{"abi":1,"name":"access","methods":[{"name":"grant","doc":"Grants.",` +
		`"args":{"kind":"struct","name":"Window","fields":[{"name":"from","type":{"kind":"time"}},{"name":"until","type":{"kind":"time"},"optional":true}]},` +
		`"result":{"kind":"list","elem":{"kind":"uint"}}}],` +
		`"events":[{"name":"granted","fields":[{"name":"id","type":{"kind":"uint"},"optional":true}]}],` +
		`"errors":[{"code":1,"name":"not_owner"}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

var everything = record("Everything",
	may("flag", kind(abi.KindBool)), may("int", kind(abi.KindInt)), may("uint", kind(abi.KindUint)),
	may("text", kind(abi.KindText)), may("bytes", kind(abi.KindBytes)), may("address", kind(abi.KindAddress)),
	may("time", kind(abi.KindTime)), may("duration", kind(abi.KindDuration)),
	may("list", list(kind(abi.KindInt))), may("map", dict(kind(abi.KindText))), may("grants", dict(list(grant))),
	may("int8", sized(abi.KindInt, 8)), may("uint16", sized(abi.KindUint, 16)), may("uint32", sized(abi.KindUint, 32)), may("hash", sized(abi.KindBytes, 4)),
)

func FuzzToCBOR(f *testing.F) {
	f.Add([]byte(`{"flag":true,"int":-5,"uint":"18446744073709551615","text":"a\u00e9\ud83d\ude00","bytes":"0x00ff","time":"2026-03-01T08:00:00Z","duration":"1h"}`))
	f.Add([]byte(`{"list":[1,2,"3"],"map":{"b":"","a":"\u2028"},"grants":{"x":[{"object":"o","subject":"` + somebody + `","windows":[{"from":1}]}]}}`))
	f.Add([]byte(`{"address":"` + somebody + `","int":null}`))
	f.Add([]byte(`{"int8":-128,"uint16":65535,"uint32":"4294967295","hash":"0x00000000"}`))
	f.Add([]byte(`{"int8":128}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		item, err := specjson.ToCBOR(everything, in)
		if err != nil {
			return
		}
		if err := cbor.Valid(item); err != nil {
			t.Fatalf("%q gives %x: %v", in, item, err)
		}
		doc, err := specjson.ToJSON(everything, item)
		if err != nil || !json.Valid(doc) {
			t.Fatalf("%x gives %q, %v", item, doc, err)
		}
		again, err := specjson.ToCBOR(everything, doc)
		if err != nil || !bytes.Equal(again, item) {
			t.Fatalf("%q gives %x, then %q gives %x, %v", in, item, doc, again, err)
		}
		readable := specjson.Readable(everything, doc)
		if again, err := specjson.ToCBOR(everything, readable); err != nil || !bytes.Equal(again, item) {
			t.Fatalf("%s is shown as %s, which is %x, %v", doc, readable, again, err)
		}
	})
}

func FuzzToJSON(f *testing.F) {
	f.Add([]byte{0xa1, 0x63, 'i', 'n', 't', 0x20})
	f.Add([]byte{0xa1, 0x64, 'l', 'i', 's', 't', 0x81, 0x01})
	f.Add([]byte{0xa1, 0x64, 'i', 'n', 't', '8', 0x38, 0x80})
	f.Add([]byte{0xa1, 0x64, 'h', 'a', 's', 'h', 0x43, 0, 0, 0})
	f.Fuzz(func(t *testing.T, item []byte) {
		if doc := specjson.Untyped(item); !json.Valid(doc) {
			t.Fatalf("%x is rendered as %q", item, doc)
		}
		doc, err := specjson.ToJSON(everything, item)
		if err != nil || len(item) == 0 {
			return
		}
		again, err := specjson.ToCBOR(everything, doc)
		if err != nil || !bytes.Equal(again, item) {
			t.Fatalf("%x gives %q, which gives %x, %v", item, doc, again, err)
		}
	})
}

// What Spec writes, ParseSpec reads; what a person writes by hand is held against the same names.
func TestParseSpec(t *testing.T) {
	number := &abi.Type{Kind: abi.KindUint}
	want := &abi.Spec{
		ABI: abi.Version, Name: "count", Doc: "Counts.", Toolchain: "by hand",
		Methods: []abi.Method{
			{Name: "add", Doc: "Add.", Args: &abi.Type{Kind: abi.KindStruct, Name: "Add", Fields: []abi.Field{
				{Name: "by", Doc: "how much", Type: number},
				{Name: "notes", Type: &abi.Type{Kind: abi.KindList, Elem: &abi.Type{Kind: abi.KindText}}, Optional: true},
			}}},
			{Name: "total", View: true, Result: &abi.Type{Kind: abi.KindMap, Elem: number}},
			{Name: "part", View: true, Args: record("Part", must("box", sized(abi.KindUint, 8))), Result: sized(abi.KindBytes, 32)},
		},
		Events: []abi.EventSpec{{Name: "added", Fields: []abi.Field{{Name: "at", Type: &abi.Type{Kind: abi.KindTime}}}}},
		Errors: []abi.ErrorSpec{{Code: 2, Name: "too_much", Doc: "No."}},
	}
	got, err := specjson.ParseSpec(specjson.Spec(want))
	if err != nil || !bytes.Equal(got.Encode(), want.Encode()) {
		t.Errorf("%+v, %v", got, err)
	}
	if short, err := specjson.ParseSpec([]byte(`{"name":"a"}`)); err != nil || short.ABI != abi.Version {
		t.Errorf("%+v, %v", short, err)
	}
	for _, c := range []struct{ doc, want string }{
		{`{"name":1}`, "name: number where text must be"},
		{`{"name":"a","methods":[{"name":"m","result":{"kind":"uint","size":-8}}]}`, "methods.result.size: number -8 where a number from 0 on, without a fraction, must be"},
		{`{"nam":"a"}`, `unknown field "nam"`},
		{`{"name":"a"} {}`, "something stands behind its end"},
		{`{"name":"a"}}`, "something stands behind its end"},
		{`{"name":"a","methods":[{"name":"m","args":{"kind":"float"}}]}`, `method m: arguments: no kind "float"`},
		{`{"name":"a","methods":[{"name":"m","result":{"kind":"list","elem":{"kind":"invalid"}}}]}`, `method m: result: no kind "invalid"`},
		{`{"name":"a","methods":[{"name":"m","view":true,"result":{"kind":"list","elem":{"kind":"float"}}}]}`, `view m: result: no kind "float"`},
		{`{"name":"a","events":[{"name":"e","fields":[{"name":"f"}]}]}`, "event e: field f: has no type"},
	} {
		if _, err := specjson.ParseSpec([]byte(c.doc)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want something with %s", c.doc, err, c.want)
		}
	}
}

// Part shows what was kept of a document: by its type if that is all and fits.
func TestPart(t *testing.T) {
	number := &abi.Type{Kind: abi.KindUint, Size: 8}
	for _, c := range []struct {
		typ  *abi.Type
		kept string
		size int
		want string
	}{
		{number, "\x07", 1, "7"},
		{number, "\x61a", 2, `"a"`},
		{nil, "\x07", 1, "7"},
		{number, "", 0, "null"},
		{number, "\x58\x40a", 66, `"0x584061"`},
		{number, "", 9, `"0x"`},
	} {
		if got := specjson.Part(c.typ, []byte(c.kept), c.size); string(got) != c.want {
			t.Errorf("%v of %x, %d bytes: %s, want %s", c.typ, c.kept, c.size, got, c.want)
		}
	}
}
