package build

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// viewing is a contract with the view look, to whose source a test adds.
const viewing = `package main

import "github.com/wardledger/ward/sdk"

type args struct{ N uint64 }

type book struct{ open bool }

var (
	last  = sdk.NewItem[uint64]("last")
	rows  = sdk.NewMap[uint64, uint64]("rows")
	keys  = sdk.NewSet[uint64]("keys")
	count = sdk.NewCounter("count")
	by    = sdk.NewIndex(rows, "by", func(_, n uint64) (uint64, bool) { return n, true })
	said  = sdk.Event[args]("said", "Something was said.")
	shelf book
)

func init() {
	sdk.View("look", look, "Looks.")
	sdk.Method("mend", mend, "Mends.")
}

func mend(c *sdk.Ctx, a args) (uint64, error) { note(c, a.N); return find(c, a.N, true), nil }

func note(c *sdk.Ctx, n uint64) { remember(c, n) }

func remember(c *sdk.Ctx, n uint64) {
	last.Set(c, n)
}

func find(c *sdk.Ctx, n uint64, mend bool) uint64 {
	m, ok := rows.Get(c, n)
	if !ok && mend {
		remember(c, n)
	}
	return m
}

`

// What a view calls is refused if it writes whatever happens, and nothing else is. Of a line of the table, %s is the file.
func TestViewsThatCallWhatWrites(t *testing.T) {
	const through = "the view look writes: through "
	for _, c := range []struct{ name, look, more, want string }{
		{"a function", "note(c, 1)", "", through + "note -> remember: last.Set at %s:29 would end it as not permitted; a method that writes is declared with sdk.Method"},
		{"what is returned", "return keep(c), nil", "func keep(c *sdk.Ctx) uint64 { return count.Next(c) }", through + "keep: count.Next at %s:"},
		{"an argument", "find(c, keep(c), false)", "func keep(c *sdk.Ctx) uint64 { return count.Add(c, 2) }", through + "keep: count.Add at %s:"},
		{"an operand on the left", "if keep(c) && a.N > 1 {\n}", "func keep(c *sdk.Ctx) bool { return last.Delete(c) }", through + "keep: last.Delete at %s:"},
		{"an operand on the right", "if a.N > 1 && keep(c) {\n}", "func keep(c *sdk.Ctx) bool { return last.Delete(c) }", ""},
		{"a condition of an if", "if n := keep(c); n > 1 {\n}", "func keep(c *sdk.Ctx) uint64 { return count.Sub(c, 2) }", through + "keep: count.Sub at %s:"},
		{"where a switch looks", "switch keep(c) {\n}", "func keep(c *sdk.Ctx) uint64 { return count.Next(c) }", through + "keep: "},
		{"what a loop ranges over", "for range keep(c) {\n}", "func keep(c *sdk.Ctx) uint64 { return count.Next(c) }", through + "keep: "},
		{"a variable", "var n = keep(c); _ = n", "func keep(c *sdk.Ctx) uint64 { return count.Next(c) }", through + "keep: "},
		{"a block", "{\n note(c, 1)\n}", "", through + "note"},
		{"deferred", "defer note(c, 1)", "", through + "note"},
		{"deferred, its argument", "defer find(c, keep(c), false)", "func keep(c *sdk.Ctx) uint64 { return count.Next(c) }", through + "keep"},
		{"a method of a type", "shelf.put(c)", "func (b *book) put(c *sdk.Ctx) { b.write(c) }\nfunc (*book) write(c *sdk.Ctx) { rows.Set(c, 1, 2) }",
			through + "put -> write: rows.Set at %s:"},
		{"a method of what is embedded", "var l library; l.put(c)", "type library struct{ book }\nfunc (book) put(c *sdk.Ctx) { rows.Delete(c, 1) }", through + "put: rows.Delete"},
		{"a method expression", "book.put(shelf, c)", "func (book) put(c *sdk.Ctx) { rows.Delete(c, 1) }", through + "put: rows.Delete"},
		{"a generic helper", "keep(c, a)", "func keep[T any](c *sdk.Ctx, v T) { said.Emit(c, args{}) }", through + "keep: said.Emit"},
		{"a generic helper, instantiated", "keep[args](c, a)", "func keep[T any](c *sdk.Ctx, v T) { said.Emit(c, args{}) }", through + "keep: said.Emit"},
		{"a method of a generic type", "var b box[args]; b.keep(c)", "type box[T any] struct{ v T }\nfunc (b box[T]) keep(c *sdk.Ctx) { said.Emit(c, args{}) }",
			through + "keep: said.Emit"},
		{"in a cycle", "ping(c)", "func ping(c *sdk.Ctx) { pong(c); remember(c, 1) }\nfunc pong(c *sdk.Ctx) { ping(c) }", through + "ping -> remember"},
		{"through a cycle", "pong(c)", "func ping(c *sdk.Ctx) { pong(c); remember(c, 1) }\nfunc pong(c *sdk.Ctx) { ping(c) }", through + "pong -> ping -> remember"},
		{"a cycle without a write", "ping(c)", "func ping(c *sdk.Ctx) { pong(c) }\nfunc pong(c *sdk.Ctx) { ping(c); find(c, 1, false) }", ""},
		{"behind an if", "if a.N > 1 {\n}\nnote(c, 1)", "", through + "note"},

		{"a helper that writes for a method", "find(c, 1, false)", "", ""},
		{"under a condition of the view", "if a.N > 1 {\n note(c, 1)\n}", "", ""},
		{"in a loop", "for range a.N {\n note(c, 1)\n}", "", ""},
		{"in a case", "switch {\ncase a.N > 1:\n note(c, 1)\n}", "", ""},
		{"in a case of a select", "select {\ndefault:\n note(c, 1)\n}", "", ""},
		{"behind a return of the view", "if a.N > 1 {\n return 1, nil\n}\nnote(c, 1)", "", ""},
		{"behind a return", "keep(c)", "func keep(c *sdk.Ctx) {\n if c.CalledByContract() {\n return\n}\nremember(c, 1) }", ""},
		{"a write behind a return", "keep(c)", "func keep(c *sdk.Ctx) {\n if c.CalledByContract() {\n return\n}\nlast.Set(c, 1) }", ""},
		{"before a return", "keep(c)", "func keep(c *sdk.Ctx) {\n remember(c, 1)\n if c.CalledByContract() {\n return\n}\n}", through + "keep -> remember"},
		{"a return of another function", "keep(c)", "func keep(c *sdk.Ctx) {\n f := func() { return }\n f()\nremember(c, 1) }", through + "keep -> remember"},
		{"behind a goto", "keep(c)", "func keep(c *sdk.Ctx) {\n if c.CalledByContract() {\n goto end\n}\nremember(c, 1)\nend:\n}", ""},
		{"in a function that nobody may call", "keep(c)", "func keep(c *sdk.Ctx) { f := func() { remember(c, 1) }; _ = f }", ""},
		{"in a goroutine", "keep(c)", "func keep(c *sdk.Ctx) { go remember(c, 1) }", ""},
		{"a variable of the same name", "keep(c)", "type own struct{}\nfunc (own) Set(*sdk.Ctx, uint64) {}\nfunc keep(c *sdk.Ctx) { last := own{}; last.Set(c, 1) }", ""},
		{"an argument of the same name", "keep(c, own{})", "type own struct{}\nfunc (own) Set(*sdk.Ctx, uint64) {}\nfunc keep(c *sdk.Ctx, last own) { last.Set(c, 1) }", ""},
		{"a function of the same name", "note := func(*sdk.Ctx, uint64) {}\nnote(c, 1)", "", ""},
		{"a field of the same name", "var b struct{ last own }\nb.last.Set(c, 1)", "type own struct{}\nfunc (own) Set(*sdk.Ctx, uint64) {}", ""},
		{"a method of another type", "var o own; o.note(c, 1)", "type own struct{}\nfunc (own) note(*sdk.Ctx, uint64) {}", ""},
		{"a method of an interface", "keep(c, &shelf)", "type putter interface{ put(*sdk.Ctx) }\nfunc (*book) put(c *sdk.Ctx) { last.Set(c, 1) }\nfunc keep(c *sdk.Ctx, p putter) { p.put(c) }", ""},
		{"a function in a variable", "f := find\n_ = f", "", ""},
		{"a set that may have the key already", "keep(c)", "func keep(c *sdk.Ctx) { keys.Add(c, 1) }", ""},
		{"an index that may have nothing to fill", "keep(c)", "func keep(c *sdk.Ctx) { by.Fill(c, nil, 1) }", ""},
		{"a set in the view itself", "keys.Add(c, 1)", "", "the view look writes: keys.Add would end it"},
		{"what is recovered from", "keep(c)", "func keep(c *sdk.Ctx) { defer rescue(); check(c); remember(c, 1) }\nfunc rescue() { recover() }\nfunc check(*sdk.Ctx) { panic(1) }", ""},
		{"a condition in the view itself", "if a.N > 1 {\n last.Set(c, 1)\n}", "", "the view look writes: last.Set would end it"},
		{"a view that a method calls, too, under a condition", "if a.N > 1 {\n last.Set(c, 1)\n}", "func store(c *sdk.Ctx) { look(c, args{2}) }", ""},
		{"a view that a method calls, too, whatever happens", "last.Set(c, 1)", "func store(c *sdk.Ctx) { look(c, args{2}) }", "the view look writes: last.Set would end it"},
		{"reads", "last.Get(c)\nrows.Has(c, 1)", "", ""},
	} {
		file, got := viewSays(t, viewing+"func look(c *sdk.Ctx, a args) (uint64, error) {\n"+c.look+"\nreturn 0, nil\n}\n\n"+c.more+"\n\nfunc main() {}\n")
		switch {
		case c.want == "" && got != nil:
			t.Errorf("%s: %v", c.name, got)
		case c.want != "" && got == nil:
			t.Errorf("%s: nothing is said", c.name)
		case c.want != "":
			want := c.want
			if strings.Contains(want, "%s") {
				want = fmt.Sprintf(want, file)
			}
			if s := got.Error(); !strings.HasPrefix(s, file+":") || !strings.Contains(s, want) || strings.Contains(s, "\n") {
				t.Errorf("%s: got\n%s\nwant\n%s", c.name, s, want)
			}
		}
	}
}

// A view may be a function of a type, instantiated, or made where it is declared; what is a method's too is left alone.
func TestViewsOfAnyShape(t *testing.T) {
	for _, c := range []struct {
		declared, more string
		writes         bool
	}{
		{`sdk.View("see", shelf.see, "Sees.")`, "func (book) see(c *sdk.Ctx, _ sdk.None) (uint64, error) { note(c, 1); return 0, nil }", true},
		{`sdk.View("see", see[uint64], "Sees.")`, "func see[T any](c *sdk.Ctx, _ sdk.None) (t T, err error) { note(c, 1); return }", true},
		{`sdk.View[sdk.None, uint64]("see", see, "Sees.")`, "func see(c *sdk.Ctx, _ sdk.None) (t uint64, err error) { note(c, 1); return }", true},
		{`sdk.View("see", func(c *sdk.Ctx, _ sdk.None) (uint64, error) { note(c, 1); return 0, nil }, "Sees.")`, "", true},
		{`sdk.View("see", mend, "Sees.")`, "", false},
		{`sdk.View("see", seen, "Sees.")`, "var seen = func(c *sdk.Ctx, _ sdk.None) (uint64, error) { return 0, nil }", false},
	} {
		source := viewing + "func look(*sdk.Ctx, args) (uint64, error) { return 0, nil }\n\nfunc init() { " + c.declared + " }\n\n" + c.more + "\n\nfunc main() {}\n"
		if _, got := viewSays(t, source); (got != nil) != c.writes {
			t.Errorf("%s: %v", c.declared, got)
		}
	}
}

// A file for other machines than the chain has other functions of the same names.
func TestViewsOfAnotherMachine(t *testing.T) {
	dir := t.TempDir()
	put := func(name, source string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("main.go", viewing+"func look(c *sdk.Ctx, a args) (uint64, error) { keep(c); return 0, nil }\n")
	put("keep.go", "//go:build !wasip1\n\npackage main\n\nimport \"github.com/wardledger/ward/sdk\"\n\nfunc keep(c *sdk.Ctx) { remember(c, 1) }\n")
	put("keep_wasip1.go", "package main\n\nimport \"github.com/wardledger/ward/sdk\"\n\nfunc keep(*sdk.Ctx) {}\n")
	if err := readSource(dir).check(); err != nil {
		t.Error(err)
	}
}

func viewSays(t interface {
	TempDir() string
	Fatal(...any)
}, source string) (file string, said error) {
	dir := t.TempDir()
	file = filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	s := readSource(dir)
	if len(s.files) != 1 {
		t.Fatal("not Go:\n" + source)
	}
	return file, s.check()
}

// step is a statement of a made-up function, which the test can both print and run.
type step struct {
	kind   string // write, call, return, if, else, for, switch, block, defer, literal
	fn     int    // that is called
	flag   int    // that is the condition
	inside []step
}

func steps(depth int) *rapid.Generator[[]step] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		kinds := []string{"write", "call", "call", "return", "defer", "literal", "read"}
		if depth > 0 {
			kinds = append(kinds, "if", "else", "for", "switch", "block")
		}
		s := step{kind: rapid.SampledFrom(kinds).Draw(t, "kind"), fn: rapid.IntRange(0, functions-1).Draw(t, "fn"), flag: rapid.IntRange(0, flags-1).Draw(t, "flag")}
		if strings.Contains("if else for switch block", s.kind) {
			s.inside = steps(depth-1).Draw(t, "inside")
		}
		return s
	}), 0, 4)
}

const functions, flags = 4, 4

func (s step) print(b *strings.Builder) {
	in := func(head string) {
		b.WriteString(head + " {\n")
		for _, s := range s.inside {
			s.print(b)
		}
		b.WriteString("}\n")
	}
	switch s.kind {
	case "write":
		b.WriteString("last.Set(c, 1)\n")
	case "read":
		b.WriteString("last.Get(c)\n")
	case "call":
		fmt.Fprintf(b, "f%d(c)\n", s.fn)
	case "return":
		b.WriteString("return\n")
	case "defer":
		fmt.Fprintf(b, "defer f%d(c)\n", s.fn)
	case "literal":
		fmt.Fprintf(b, "_ = func() { f%d(c) }\n", s.fn)
	case "if":
		in(fmt.Sprintf("if flag[%d]", s.flag))
	case "else":
		in(fmt.Sprintf("if flag[%d] {\n} else", s.flag))
	case "for":
		in(fmt.Sprintf("for i := 0; flag[%d] && i < 1; i++", s.flag))
	case "switch":
		fmt.Fprintf(b, "switch {\ncase flag[%d]:\n", s.flag)
		for _, s := range s.inside {
			s.print(b)
		}
		b.WriteString("}\n")
	case "block":
		in("")
	}
}

// run runs statements under conditions and reports whether something was written, or never ends, and whether the function returned.
func run(list []step, all [][]step, flag [flags]bool, depth int) (wrote, returned bool) {
	var deferred []int
	call := func(fn int) bool {
		if depth > functions {
			return true // one has called itself, and will for ever: no view that is good for anything
		}
		w, _ := run(all[fn], all, flag, depth+1)
		return w
	}
	for _, s := range list {
		on := s.kind == "block" || (strings.Contains("if for switch", s.kind) && flag[s.flag]) || s.kind == "else" && !flag[s.flag]
		switch {
		case s.kind == "write":
			wrote = true
		case s.kind == "call":
			wrote = call(s.fn) || wrote
		case s.kind == "return":
			returned = true
		case s.kind == "defer":
			deferred = append(deferred, s.fn)
		case on:
			// A block's deferred calls are the function's, which run later: whether is all that counts.
			w, r := run(s.inside, all, flag, depth)
			wrote, returned = wrote || w, r
		}
		if returned {
			break
		}
	}
	for _, fn := range deferred {
		wrote = call(fn) || wrote
	}
	return wrote, returned
}

// No view is refused that could end without a write, whatever its functions are made of: what is refused is held against running it under all conditions.
func TestViewsThatAreRefusedWrite(t *testing.T) {
	refused := 0
	rapid.Check(t, func(rt *rapid.T) {
		all := make([][]step, functions)
		var b strings.Builder
		b.WriteString("package main\n\nimport \"github.com/wardledger/ward/sdk\"\n\nvar last = sdk.NewItem[uint64](\"last\")\n\nvar flag [4]bool\n\n" +
			"func init() { sdk.View(\"look\", func(c *sdk.Ctx, _ sdk.None) (n uint64, err error) { f0(c); return }, \"Looks.\") }\n\nfunc main() {}\n")
		for i := range all {
			all[i] = steps(2).Draw(rt, "function")
			fmt.Fprintf(&b, "\nfunc f%d(c *sdk.Ctx) {\n", i)
			for _, s := range all[i] {
				s.print(&b)
			}
			b.WriteString("}\n")
		}
		_, said := viewSays(t, b.String())
		if said == nil {
			return
		}
		refused++
		for n := range 1 << flags {
			var flag [flags]bool
			for i := range flag {
				flag[i] = n>>i&1 == 1
			}
			if wrote, _ := run(all[0], all, flag, 0); !wrote {
				rt.Fatalf("%v\nbut it doesn't with %v:\n%s", said, flag, b.String())
			}
		}
	})
	if refused == 0 {
		t.Error("nothing was refused: the functions are too simple")
	}
}
