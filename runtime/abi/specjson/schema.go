package specjson

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/wardledger/ward/runtime/abi"
)

// Schema returns a JSON Schema (draft 2020-12) of what a contract takes and gives, for editors, form builders and validators
// of other people. The document itself describes a call, {"method": ..., "args": ...}; under $defs stand "NAME.args" and
// "NAME.result" of each method, "NAME.event" of each event, and one schema for each kind of scalar and each size that there is.
//
// It accepts what [ToCBOR] takes and [ToJSON] gives, and more only where a schema can't say it: the checksum of an address, a
// number in text that is beyond its kind, a day or a fraction of a second that there isn't, a whole number that is written as 1.0 or 1e3.
func Schema(s *abi.Spec) []byte {
	defs := definitions{}
	for kind, def := range scalars {
		defs[kind.String()] = def
	}
	calls := []schema{}
	for _, m := range s.Methods {
		properties := map[string]schema{"method": {Const: m.Name}}
		required := []string{"method"}
		args := schema{Type: "object", Closed: closed}
		if m.Args != nil {
			args = defs.of(m.Args, "")
		}
		args.Doc = m.Doc
		defs[m.Name+".args"] = args
		properties["args"] = schema{Ref: "#/$defs/" + m.Name + ".args"}
		if len(args.Required) > 0 {
			required = append(required, "args")
		}
		calls = append(calls, schema{Type: "object", Properties: properties, Required: required, Closed: closed})
		if m.Result != nil {
			defs[m.Name+".result"] = defs.of(m.Result, "")
		} else {
			defs[m.Name+".result"] = schema{Type: "null"}
		}
	}
	for _, e := range s.Events {
		defs[e.Name+".event"] = defs.of(&abi.Type{Kind: abi.KindStruct, Fields: e.Fields}, e.Doc)
	}
	doc := schema{Dialect: "https://json-schema.org/draft/2020-12/schema", Title: s.Name, Doc: s.Doc, AnyOf: calls, Defs: defs}
	b, err := json.Marshal(doc)
	if err != nil {
		panic("BUG: specjson: a schema that is no JSON: " + err.Error())
	}
	return b
}

// schema is the part of JSON Schema that is used here. Maps are marshalled in the order of their keys.
type schema struct {
	Dialect    string            `json:"$schema,omitempty"`
	Title      string            `json:"title,omitempty"`
	Doc        string            `json:"description,omitempty"`
	Ref        string            `json:"$ref,omitempty"`
	Type       string            `json:"type,omitempty"`
	Const      string            `json:"const,omitempty"`
	Pattern    string            `json:"pattern,omitempty"`
	MinLength  uint64            `json:"minLength,omitempty"`
	MaxLength  uint64            `json:"maxLength,omitempty"`
	Minimum    json.Number       `json:"minimum,omitempty"`
	Maximum    json.Number       `json:"maximum,omitempty"`
	Items      *schema           `json:"items,omitempty"`
	Properties map[string]schema `json:"properties,omitempty"`
	Required   []string          `json:"required,omitempty"`
	Closed     any               `json:"additionalProperties,omitempty"`
	AnyOf      []schema          `json:"anyOf,omitempty"`
	Defs       map[string]schema `json:"$defs,omitempty"`
}

// closed is that no other property may be there.
var closed = new(bool)

const (
	wholePattern = `^(-?[1-9][0-9]*|-?0)$`
	timePattern  = `^(-?[1-9][0-9]*|-?0|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{1,2}:[0-9]{2}:[0-9]{2}([.,]0+)?(Z|[+-][0-9]{2}:[0-9]{2}))$`
	// As time.ParseDuration reads them.
	durationPattern = `^(-?[1-9][0-9]*|[-+]?(0|([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))*))$`
)

// scalars are the kinds without parts, as they come in and go out.
var scalars = map[abi.Kind]schema{
	abi.KindBool:    {Type: "boolean"},
	abi.KindText:    {Type: "string"},
	abi.KindBytes:   {Type: "string", Pattern: "^0x([0-9a-fA-F]{2})*$", Doc: "bytes in hexadecimal"},
	abi.KindAddress: {Type: "string", Pattern: "^([wW][aA][rR][dD]1[0-9a-zA-Z]{38})$", Doc: "an address"},
	abi.KindInt: {Doc: "a whole number of 64 bits with a sign; as text beyond 2^53", AnyOf: []schema{
		{Type: "integer", Minimum: "-9223372036854775808", Maximum: "9223372036854775807"}, {Type: "string", Pattern: wholePattern}}},
	abi.KindUint: {Doc: "a whole number of 64 bits; as text beyond 2^53", AnyOf: []schema{
		{Type: "integer", Minimum: "0", Maximum: "18446744073709551615"}, {Type: "string", Pattern: `^(0|[1-9][0-9]*)$`}}},
	abi.KindTime: {Doc: "unix seconds, or as in 2026-03-01T08:00:00Z", AnyOf: []schema{
		{Type: "integer", Minimum: "-9223372036854775808", Maximum: "9223372036854775807"}, {Type: "string", Pattern: timePattern}}},
	abi.KindDuration: {Doc: "seconds, or as in 1h30m", AnyOf: []schema{
		{Type: "integer", Minimum: "-9223372036854775808", Maximum: "9223372036854775807"}, {Type: "string", Pattern: durationPattern}}},
}

// definitions are what stands under $defs, by name.
type definitions map[string]schema

// of is the schema of a type. A scalar's is defined once.
func (defs definitions) of(t *abi.Type, doc string) schema {
	switch t.Kind {
	case abi.KindList:
		elem := defs.of(t.Elem, "")
		return schema{Doc: doc, Type: "array", Items: &elem}
	case abi.KindMap:
		return schema{Doc: doc, Type: "object", Closed: defs.of(t.Elem, "")}
	case abi.KindStruct:
		s := schema{Doc: doc, Title: t.Name, Type: "object", Properties: map[string]schema{}, Closed: closed}
		for _, f := range t.Fields {
			property := defs.of(f.Type, f.Doc)
			if f.Optional {
				property = schema{Doc: f.Doc, AnyOf: []schema{defs.of(f.Type, ""), {Type: "null"}}}
			} else {
				s.Required = append(s.Required, f.Name)
			}
			s.Properties[f.Name] = property
		}
		return s
	}
	name := t.Kind.String()
	if t.Size != 0 {
		name += strconv.FormatUint(t.Size, 10) // not t.String(): "bytes[32]" can't stand in a reference as it is
		defs[name] = sized(t)
	}
	return schema{Doc: doc, Ref: "#/$defs/" + name}
}

// sized is a scalar with a size.
func sized(t *abi.Type) schema {
	s := scalars[t.Kind]
	if t.Kind == abi.KindBytes {
		s.Doc = fmt.Sprintf("%d bytes in hexadecimal", t.Size)
		s.MinLength, s.MaxLength = 2+2*t.Size, 2+2*t.Size
		return s
	}
	least, most := bounds(t)
	s.Doc = fmt.Sprintf("a whole number from %s to %s", least, most)
	s.AnyOf = slices.Clone(s.AnyOf)
	s.AnyOf[0].Minimum, s.AnyOf[0].Maximum = json.Number(least), json.Number(most)
	return s
}
