// Package specdoc writes a contract's spec as Markdown tables: its methods, types,
// events and codes. A contract's README holds them between two markers, and a test
// that calls [Check] keeps them true.
package specdoc

import (
	"fmt"
	"os"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
)

// The lines between which a README holds the tables.
const (
	Begin = "<!-- spec: written by go test -update -->"
	End   = "<!-- end of spec -->"
)

// Markdown returns the tables. The order is the spec's.
func Markdown(s *abi.Spec) string {
	d := doc{named: map[string]bool{}}
	d.line("### Methods\n")
	d.line("A `?` marks what may be left out. A view needs no transaction.\n")
	d.line("| method | takes | answers | what it does |")
	d.line("|---|---|---|---|")
	for _, m := range s.Methods {
		name := "`" + m.Name + "`"
		if m.View {
			name += " (view)"
		}
		d.line("| %s | %s | %s | %s |", name, d.fields(m.Args), d.result(m.Result), cell(m.Doc))
	}
	d.line("\n### Arguments\n")
	d.line("| method | field | what it is |")
	d.line("|---|---|---|")
	for _, m := range s.Methods {
		if m.Args != nil {
			d.rows(m.Name, m.Args.Fields)
		}
	}
	if len(d.types) > 0 {
		d.line("\n### Types\n")
		d.line("| type | field | what it is |")
		d.line("|---|---|---|")
		for i := 0; i < len(d.types); i++ { // grows: a type may name others
			d.rows(d.types[i].Name, d.types[i].Fields)
		}
	}
	if len(s.Events) > 0 {
		d.line("\n### Events\n")
		d.line("| event | attributes | when |")
		d.line("|---|---|---|")
		for _, e := range s.Events {
			d.line("| `%s` | %s | %s |", e.Name, d.list(e.Fields), cell(e.Doc))
		}
	}
	d.line("\n### Codes\n")
	d.line("| code | name | meaning |")
	d.line("|---|---|---|")
	for _, e := range s.Errors {
		d.line("| %d | `%s` | %s |", e.Code, e.Name, cell(e.Doc))
	}
	return d.String()
}

// doc is the text so far, and the struct types that it has named.
type doc struct {
	strings.Builder
	types []*abi.Type
	named map[string]bool
}

func (d *doc) line(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

// rows writes a line for each field; the owner's name stands in the first only.
func (d *doc) rows(owner string, fields []abi.Field) {
	for i, f := range fields {
		first := ""
		if i == 0 {
			first = "`" + owner + "`"
		}
		d.line("| %s | %s | %s |", first, d.field(f), cell(f.Doc))
	}
}

func (d *doc) fields(t *abi.Type) string {
	if t == nil {
		return ""
	}
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = "`" + f.Name + mark(f) + "`"
	}
	return strings.Join(names, ", ")
}

func (d *doc) list(fields []abi.Field) string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = d.field(f)
	}
	return strings.Join(list, ", ")
}

func (d *doc) field(f abi.Field) string { return "`" + f.Name + mark(f) + "` " + d.name(f.Type) }

func mark(f abi.Field) string {
	if f.Optional {
		return "?"
	}
	return ""
}

// result is a small struct spelled out, or what another type is called.
func (d *doc) result(t *abi.Type) string {
	switch {
	case t == nil:
		return ""
	case t.Kind == abi.KindStruct && len(t.Fields) <= 2:
		return d.list(t.Fields)
	}
	return d.name(t)
}

// name is how a type is called; a struct's fields come in the table of types.
func (d *doc) name(t *abi.Type) string {
	switch t.Kind {
	case abi.KindList:
		return "list of " + d.name(t.Elem)
	case abi.KindMap:
		return "map to " + d.name(t.Elem)
	case abi.KindStruct:
		if t.Name == "" {
			return "{" + d.list(t.Fields) + "}"
		}
		if !d.named[t.Name] {
			d.named[t.Name] = true
			d.types = append(d.types, t)
		}
		return t.Name
	}
	return t.String()
}

// cell is text that stays in its cell.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}

// Check reports whether the README at path holds the tables of a spec between its markers. With
// update it writes them there instead.
func Check(path string, s *abi.Spec, update bool) error {
	readme, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(readme), Begin+"\n")
	if !ok {
		return fmt.Errorf("%s has no line %q", path, Begin)
	}
	old, after, ok := strings.Cut(rest, End)
	if !ok {
		return fmt.Errorf("%s has no line %q", path, End)
	}
	tables := "\n" + Markdown(s) + "\n"
	if tables == old {
		return nil
	}
	if !update {
		return fmt.Errorf("%s does not say what the contract is: run its tests with -update. It must hold\n%s", path, tables)
	}
	return os.WriteFile(path, []byte(before+Begin+"\n"+tables+End+after), 0o644)
}
