package specjson_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
)

// What the schema says of a document, by a validator of other people, is what ToCBOR says.
func TestSchema(t *testing.T) {
	all := record("All",
		may("b", kind(abi.KindBool)), may("i", kind(abi.KindInt)), may("u", kind(abi.KindUint)), may("t", kind(abi.KindText)),
		may("y", kind(abi.KindBytes)), may("a", kind(abi.KindAddress)), may("at", kind(abi.KindTime)), may("d", kind(abi.KindDuration)),
		may("l", list(kind(abi.KindUint))), may("m", dict(list(kind(abi.KindInt)))), may("g", grant),
		may("i8", sized(abi.KindInt, 8)), may("u16", sized(abi.KindUint, 16)), may("y2", sized(abi.KindBytes, 2)), may("ys", list(sized(abi.KindBytes, abi.MaxArgs))))
	spec := &abi.Spec{ABI: 1, Name: "doors", Doc: "Opens doors.", Methods: []abi.Method{
		{Name: "all", Doc: "Takes anything.", Args: all, Result: all},
		{Name: "grant", Args: grant},
		{Name: "nothing"},
	}, Events: []abi.EventSpec{{Name: "granted", Doc: "Somebody may.", Fields: grant.Fields}}}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(specjson.Schema(spec)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("ward.json", doc); err != nil {
		t.Fatal(err)
	}
	compile := func(part string) *jsonschema.Schema {
		s, err := c.Compile("ward.json" + part)
		if err != nil {
			t.Fatal(err) // also if it is no schema
		}
		return s
	}
	valid := func(s *jsonschema.Schema, in string) bool {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(in))
		return err == nil && s.Validate(v) == nil
	}
	args := compile("#/$defs/all.args")
	for _, in := range []string{
		`{}`, `{"b":true}`, `{"b":1}`, `{"b":"true"}`, `{"b":null}`,
		`{"i":-1}`, `{"i":"-1"}`, `{"i":-0}`, `{"i":1.5}`, `{"i":"01"}`, `{"i":"+1"}`, `{"i":""}`, `{"i":9223372036854775807}`, `{"i":9223372036854775808}`,
		`{"u":18446744073709551615}`, `{"u":"18446744073709551615"}`, `{"u":18446744073709551616}`, `{"u":-1}`, `{"u":[]}`,
		`{"t":""}`, `{"t":5}`, `{"y":"0x"}`, `{"y":"0x00fF"}`, `{"y":"ff"}`, `{"y":"0xf"}`,
		`{"a":"` + somebody + `"}`, `{"a":"ward1qqqq"}`, `{"a":{}}`,
		`{"at":1772352000}`, `{"at":"1772352000"}`, `{"at":"2026-03-01T08:00:00Z"}`, `{"at":"2026-03-01T09:00:00.000+01:00"}`, `{"at":"2026-03-01T8:00:00Z"}`, `{"at":"tomorrow"}`, `{"at":"2026-03-01T08:00:00.5Z"}`,
		`{"d":90}`, `{"d":"1m30s"}`, `{"d":"-1m30s"}`, `{"d":"long"}`,
		`{"l":[]}`, `{"l":[1,"2"]}`, `{"l":[1,-2]}`, `{"l":{}}`, `{"m":{}}`, `{"m":{"x":[1]}}`, `{"m":{"x":1}}`,
		`{"g":{"object":"o","subject":"` + somebody + `"}}`, `{"g":{"object":"o"}}`, `{"g":{"object":"o","subject":"` + somebody + `","windows":[{}]}}`, `{"x":1}`, `[]`,
		`{"i8":-128}`, `{"i8":127}`, `{"i8":128}`, `{"i8":-129}`, `{"i8":"5"}`, `{"i8":null}`, `{"u16":65535}`, `{"u16":65536}`, `{"u16":-1}`,
		`{"y2":"0x00fF"}`, `{"y2":"0xff"}`, `{"y2":"0xffffff"}`, `{"y2":"00ff00"}`, `{"y2":""}`, `{"ys":[]}`, `{"ys":["0x"]}`,
	} {
		_, err := specjson.ToCBOR(all, []byte(in))
		if got := valid(args, in); got != (err == nil) {
			t.Errorf("%s: the schema says %v, ToCBOR says %v", in, got, err)
		}
	}
	call := compile("")
	for in, want := range map[string]bool{
		`{"method":"nothing"}`: true, `{"method":"nothing","args":{}}`: true, `{"method":"nothing","args":{"a":1}}`: false,
		`{"method":"grant"}`: false, `{"method":"grant","args":{"object":"o","subject":"` + somebody + `"}}`: true,
		`{"method":"never"}`: false, `{}`: false,
	} {
		if got := valid(call, in); got != want {
			t.Errorf("call %s: %v, want %v", in, got, want)
		}
	}
	if !valid(compile("#/$defs/granted.event"), `{"object":"o","subject":"`+somebody+`","expires":7}`) || !valid(compile("#/$defs/grant.result"), "null") {
		t.Error("events or results")
	}
}
