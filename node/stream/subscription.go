package stream

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
)

// MaxValue is the longest value of an attribute filter, in bytes: longer than any name or
// hash that one filters by.
const MaxValue = 1024

// Subscription is what a client asks for: which events, from where on.
type Subscription struct {
	Filter eventlog.Filter
	After  receipt.Cursor // exclusive; the zero Cursor is the beginning
	Absent bool           // no place was named
}

// Parse reads a subscription from the parameters contract, event, attr.NAME and after. Any
// other parameter is refused, as is one given twice. The cursor is not held against the
// log's height: see CheckCursor.
func Parse(query url.Values, types *Types) (Subscription, *Error) {
	s := Subscription{Absent: true}
	attributes := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(query)) { // sorted, so that the same mistakes get the same answer
		values := query[name]
		if len(values) != 1 {
			return s, badParameter.because("parameter %s is given %d times", shown(name), len(values))
		}
		value := values[0]
		if len(value) > MaxValue || !utf8.ValidString(value) {
			return s, badParameter.because("parameter %s: its value is %d bytes or not UTF-8, limit %d", shown(name), len(value), MaxValue)
		}
		attribute, isAttribute := strings.CutPrefix(name, "attr.")
		switch {
		case name == "contract":
			if !abi.ValidContract(value) {
				return s, badParameter.because("contract %s: not a name of a contract", shown(value))
			}
			s.Filter.Contract = value
		case name == "event":
			if !abi.ValidEvent(value) {
				return s, badParameter.because("event %s: not a name of an event", shown(value))
			}
			s.Filter.Event = value
		case isAttribute:
			if !abi.ValidField(attribute) {
				return s, badParameter.because("parameter %s: not a name of an attribute", shown(name))
			}
			attributes[attribute] = value
		case name == "after":
			s.Absent = false
			if value == "start" {
				continue
			}
			after, err := receipt.ParseCursor(value)
			if err != nil {
				return s, badCursor.because("after: cursor %s: must be height.tx.index or start", shown(value))
			}
			s.After = after
		default:
			return s, badParameter.because("unknown parameter %s: there are contract, event, attr.NAME and after", shown(name))
		}
	}
	if len(attributes) > eventlog.MaxAttributes {
		return s, badParameter.because("%d attributes, limit %d", len(attributes), eventlog.MaxAttributes)
	}
	return s, s.resolve(attributes, types)
}

// resolve turns the attributes' texts into the CBOR that events carry.
func (s *Subscription) resolve(attributes map[string]string, types *Types) *Error {
	candidates, typed, err := s.candidates(types)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		var (
			value    = attributes[name]
			readings [][]byte
			found    = false
			wrong    error
		)
		for _, e := range candidates {
			i := slices.IndexFunc(e.Fields, func(f abi.Field) bool { return f.Name == name })
			if i < 0 {
				continue
			}
			found = true
			encoded, err := reading(e.Fields[i].Type, value)
			if err != nil {
				wrong = err
				continue
			}
			// A contract can have hundreds of events with this attribute, and each event of the log is held against each reading.
			if !slices.ContainsFunc(readings, func(r []byte) bool { return bytes.Equal(r, encoded) }) {
				readings = append(readings, encoded)
			}
		}
		switch {
		case !typed:
			readings = append(readings, guesses(value)...)
		case !found && s.Filter.Event != "":
			return unknownName.because("event %s of contract %s has no attribute %s: it has %s",
				shown(s.Filter.Event), shown(s.Filter.Contract), shown(name), fieldNames(candidates))
		case !found:
			return unknownName.because("no event of contract %s has an attribute %s", shown(s.Filter.Contract), shown(name))
		case len(readings) == 0:
			return badParameter.because("attr.%s: %v", name, wrong)
		}
		s.Filter.Attributes = append(s.Filter.Attributes, eventlog.Attribute{Name: name, Values: readings})
	}
	return nil
}

// candidates returns the kinds of event that can match. They are all that there are if
// typed; if not, events of other types may match as well.
func (s *Subscription) candidates(types *Types) (events []abi.EventSpec, typed bool, _ *Error) {
	contract, event := s.Filter.Contract, s.Filter.Event
	if event == abi.RefusedEvent {
		return []abi.EventSpec{abi.Refused()}, true, nil
	}
	if contract == "" {
		return nil, false, nil
	}
	spec, err := types.Spec(contract)
	if err != nil {
		return nil, false, internal.because("the spec of contract %s can't be read: %v", shown(contract), err)
	}
	if spec == nil { // not there yet, or without a spec
		return nil, false, nil
	}
	if event == "" {
		return append(slices.Clone(spec.Events), abi.Refused()), true, nil
	}
	e, ok := spec.Event(event)
	if !ok {
		var names []string
		for _, e := range spec.Events {
			names = append(names, e.Name)
		}
		return nil, false, unknownName.because("contract %s has no event %s: it has %s and refused",
			shown(contract), shown(event), list(names))
	}
	return []abi.EventSpec{e}, true, nil
}

// reading is the CBOR of a value of a known type.
func reading(t *abi.Type, value string) ([]byte, error) {
	switch t.Kind {
	case abi.KindList, abi.KindMap, abi.KindStruct:
		return nil, fmt.Errorf("a %s can't be filtered by", t.Kind)
	}
	return specjson.FromText(t, value)
}

// guesses is the CBOR of everything that a value of an unknown type could be.
func guesses(value string) [][]byte {
	all := [][]byte{cbor.AppendText(nil, value)}
	switch value {
	case "true", "false":
		all = append(all, cbor.AppendBool(nil, value == "true"))
	}
	if v, err := strconv.ParseInt(value, 10, 64); err == nil {
		all = append(all, cbor.AppendInt(nil, v))
	} else if v, err := strconv.ParseUint(value, 10, 64); err == nil {
		all = append(all, cbor.AppendUint(nil, v))
	}
	if t, err := time.Parse(time.RFC3339, value); err == nil {
		all = append(all, cbor.AppendInt(nil, t.Unix()))
	}
	if a, err := address.Parse(value); err == nil {
		all = append(all, cbor.AppendBytes(nil, a[:]))
	}
	if digits, ok := strings.CutPrefix(value, "0x"); ok {
		if b, err := hex.DecodeString(digits); err == nil {
			all = append(all, cbor.AppendBytes(nil, b))
		}
	}
	return all
}

// CheckCursor refuses a place beyond the newest block.
func (s *Subscription) CheckCursor(height uint64) *Error {
	if s.After.Height > height {
		return futureCursor.because("cursor %s is in the future: the newest block is %d", s.After, height)
	}
	return nil
}

func fieldNames(events []abi.EventSpec) string {
	var names []string
	for _, e := range events {
		for _, f := range e.Fields {
			names = append(names, f.Name)
		}
	}
	return list(names)
}

// list is some names for an error message.
func list(names []string) string {
	const most = 20
	if len(names) == 0 {
		return "none"
	}
	more := ""
	if len(names) > most {
		names, more = names[:most], ", ..."
	}
	return strings.Join(names, ", ") + more
}

// shown is a stranger's value for an error message: quoted, and not at full length.
func shown(s string) string {
	const most = 80
	if len(s) > most {
		return fmt.Sprintf("%.*q... (%d bytes)", most, s, len(s))
	}
	return strconv.Quote(s)
}
