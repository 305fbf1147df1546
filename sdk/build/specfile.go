package build

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
)

// specFile is a spec.json, for saying where in it something stands.
type specFile struct {
	path string
	doc  []byte
}

func (f specFile) mistake(at int, format string, args ...any) string {
	line := 1 + bytes.Count(f.doc[:min(at, len(f.doc))], []byte("\n"))
	return fmt.Sprintf("%s:%d: %s", f.path, line, fmt.Sprintf(format, args...))
}

var (
	unknownField = regexp.MustCompile(`json: unknown field ("[^"]*")`)
	// partOf is how an error begins that is about a method, an event or an error, with its name.
	partOf = regexp.MustCompile(`^spec: (method|view|event|error) "?([^\s:"]+)"?`)
	// detail is what it says to be wrong there, from the end.
	detail = regexp.MustCompile(`^.*(?:no kind|field) "?([^\s:"]+)"?`)
)

// place is where the error of a spec that was read from the file stands, as a line with what it says; 0 is the beginning, which is where it is
// looked for if nothing better is known.
func (f specFile) place(err error) string {
	at := int(specjson.Offset(err))
	said := err.Error()
	if m := unknownField.FindStringSubmatch(said); m != nil {
		at = max(0, bytes.Index(f.doc, []byte(m[1])))
	} else if m := partOf.FindStringSubmatch(said); m != nil {
		list := m[1] + "s"
		if m[1] == "view" {
			list = "methods"
		}
		found := f.parts(list, m[2])
		switch {
		case len(found) == 0:
		case strings.HasSuffix(said, "is there twice"):
			at = found[len(found)-1].from
		default:
			at = found[0].from
			if d := detail.FindStringSubmatch(said); d != nil {
				at += max(0, bytes.Index(f.doc[found[0].from:found[0].to], []byte(`"`+d[1]+`"`)))
			}
		}
	}
	return f.mistake(at, "%s", said)
}

// undocumented is a line for each thing that has no doc, as the SDK has it of a contract in Go.
func (f specFile) undocumented(s *abi.Spec) (mistakes []string) {
	lack := func(doc, what, list, name string) {
		if found := f.parts(list, name); doc == "" && len(found) > 0 {
			mistakes = append(mistakes, f.mistake(found[0].from, "the %s %s has no doc: say in a sentence what it does, which --help, the API and the dashboard show", what, name))
		}
	}
	for _, m := range s.Methods {
		what := "method"
		if m.View {
			what = "view"
		}
		lack(m.Doc, what, "methods", m.Name)
	}
	for _, e := range s.Events {
		lack(e.Doc, "event", "events", e.Name)
	}
	for _, e := range s.Errors {
		lack(e.Doc, "error", "errors", e.Name)
	}
	return mistakes
}

// method is where a method is named.
func (f specFile) method(name string) int {
	if found := f.parts("methods", name); len(found) > 0 {
		return found[0].from
	}
	return 0
}

// span is a part of the file, from its name to its end.
type span struct{ from, to int }

// parts finds those of a list of the spec that have a name, such as its methods.
func (f specFile) parts(list, name string) (found []span) {
	d := json.NewDecoder(bytes.NewReader(f.doc))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil
		}
		if key != list {
			var skipped json.RawMessage
			if d.Decode(&skipped) != nil {
				return found
			}
			continue
		}
		if t, err := d.Token(); err != nil || t != json.Delim('[') {
			return nil
		}
		for d.More() {
			var part json.RawMessage
			if d.Decode(&part) != nil {
				return found
			}
			to := int(d.InputOffset())
			from := to - len(part)
			var named struct{ Name string }
			if json.Unmarshal(part, &named) == nil && named.Name == name {
				if at := bytes.Index(part, []byte(`"`+name+`"`)); at >= 0 {
					from += at
				}
				found = append(found, span{from, to})
			}
		}
		return found
	}
	return found
}
