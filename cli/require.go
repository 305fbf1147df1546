package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime/abi"
)

var requireFlag = &urfave.StringSliceFlag{Name: "require", Usage: "exit with 4 unless this `FIELD` of the result is true, or FIELD=VALUE; repeat it for several"}

// A requirement is what a script wants a result to say before it goes on: that a contract
// answers "no" is no failure of the call.
type requirement struct{ field, value string }

// parseRequirement reads FIELD, which is FIELD=true, or FIELD=VALUE.
func parseRequirement(s string) requirement {
	field, value, has := strings.Cut(s, "=")
	if !has {
		value = "true"
	}
	return requirement{field, value}
}

// check tells, before anything is sent, whether a method's result can meet the requirement.
func (r requirement) check(m *abi.Method) error {
	if m.Result == nil || m.Result.Kind != abi.KindStruct {
		return usagef("--require %s: what %s answers has no fields", r.field, m.Name)
	}
	i := slices.IndexFunc(m.Result.Fields, func(f abi.Field) bool { return f.Name == r.field })
	if i < 0 {
		var names []string
		for _, f := range m.Result.Fields {
			names = append(names, f.Name)
		}
		return usagef("--require %s: what %s answers has no such field, but %s", r.field, m.Name, strings.Join(names, ", "))
	}
	if kind := m.Result.Fields[i].Type.Kind; kind == abi.KindBool && r.value != "true" && r.value != "false" {
		return usagef("--require %s=%s: it is true or false", r.field, r.value)
	} else if kind != abi.KindBool && r.value == "true" {
		return usagef("--require %s: it is %s, so write %s=VALUE", r.field, kind, r.field)
	}
	return nil
}

// An unmetError is a result, already printed, that isn't what --require asks for.
type unmetError struct {
	requirement
	got string
}

func (e *unmetError) Error() string {
	return fmt.Sprintf("done, but %s is %s, not %s", e.field, e.got, e.value)
}

// unmet finds the first requirement that a result doesn't meet. A field that isn't there
// meets none.
func unmet(result json.RawMessage, require []requirement) error {
	if len(require) == 0 {
		return nil
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(result, &fields) // no object has no fields
	for _, r := range require {
		got := "absent"
		raw, there := fields[r.field]
		if there {
			got = plain(raw)
		}
		if !there || got != r.value {
			return &unmetError{r, got}
		}
	}
	return nil
}

// plain is a JSON value as it is written in FIELD=VALUE: a string without its quotes.
func plain(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil && !bytes.Equal(raw, []byte("null")) {
		return s
	}
	return string(raw)
}
