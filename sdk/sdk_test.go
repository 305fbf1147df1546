package sdk

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/sdk/wire"
)

// TestAddressText: a contract prints and reads addresses as the runtime does.
func TestAddressText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Address(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "address"))
		text := a.String()
		if want := address.Address(a).String(); text != want {
			t.Fatalf("%s, the runtime prints %s", text, want)
		}
		back, err := ParseAddress(text)
		if err != nil || back != a {
			t.Fatalf("%s, %v; was %s", back, err, a)
		}
		// Up to four changed characters are always found.
		b := []byte(text)
		for range rapid.IntRange(1, 4).Draw(t, "errors") {
			i := rapid.IntRange(5, len(b)-1).Draw(t, "at")
			b[i] = rapid.SampledFrom([]byte(bech32Alphabet)).Draw(t, "char")
		}
		if back, err := ParseAddress(string(b)); err == nil && back != a {
			t.Fatalf("%s reads as %s", b, back)
		}
	})
	for text, want := range map[string]string{
		"":      "is not ward1 and 38 more",
		"ward1": "is not ward1 and 38 more",
		"ward1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqsl7elw":   "has a wrong checksum",
		"ward1bqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqsl7elv":   "has the character 'b'",
		"WARD1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQSL7ELV":   "is not ward1",
		"warx1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqsl7elv":   "is not ward1",
		"ward1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqsl7elvqq": "is not ward1",
	} {
		if _, err := ParseAddress(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	var a Address
	if !a.IsZero() {
		t.Error("the zero address is not zero")
	}
	b, _ := Address{1}.MarshalText()
	if err := a.UnmarshalText(b); err != nil || a != (Address{1}) {
		t.Error(a, err)
	}
}

func TestTime(t *testing.T) {
	for range 20_000 {
		s := rand.Int64N(253402300800+62167219200) - 62167219200
		if got, want := Time(s).String(), time.Unix(s, 0).UTC().Format(time.RFC3339); got != want {
			t.Fatalf("%d is %s, want %s", s, got, want)
		}
	}
	for s, want := range map[Time]string{
		0: "1970-01-01T00:00:00Z", 951782400: "2000-02-29T00:00:00Z", -62167219200: "0000-01-01T00:00:00Z", 253402300799: "9999-12-31T23:59:59Z",
		math.MaxInt64: "9223372036854775807 s", math.MinInt64: "-9223372036854775808 s",
	} {
		if got := s.String(); got != want {
			t.Errorf("%d is %s, want %s", int64(s), got, want)
		}
	}
	for _, c := range []struct{ got, want any }{
		{Time(5).Add(Hour), Time(3605)},
		{Time(math.MaxInt64 - 1).Add(Hour), Time(math.MaxInt64)},
		{Time(math.MinInt64 + 1).Add(-Hour), Time(math.MinInt64)},
		{Time(5).Sub(7), Duration(-2)},
		{Time(math.MaxInt64).Sub(-1), Duration(math.MaxInt64)},
		{Time(math.MinInt64).Sub(1), Duration(math.MinInt64)},
		{Duration(0).String(), "0s"},
		{(26*Hour + 5).String(), "1d2h5s"},
		{(-90 * Second).String(), "-1m30s"},
		{Duration(math.MinInt64).String(), "-106751991167300d15h30m8s"},
	} {
		if c.got != c.want {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
}

func TestText(t *testing.T) {
	type named string
	type number uint16
	for _, c := range []struct{ got, want string }{
		{Text("plain 100%"), "plain 100%"},
		{Text("%d%% of %s, %v, %q", 5, "a", true, "b\n"), `5% of a, true, "b\n"`},
		{Text("%s %s %s %s", named("n"), number(7), int8(-1), Time(0)), "n 7 -1 1970-01-01T00:00:00Z"},
		{Text("%s %v", []byte{1, 0xab}, Hash{}), "01ab " + strings.Repeat("00", 32)},
		{Text("%v", []named{"a", "b"}), "[a b]"},
		{Text("%s", KeyExists), "the key is already known"},
		{Text("%s and %s", "one"), "one and (missing)"},
		{Text("%s", nil), "nothing"},
		{Text("%s", struct{}{}), "a struct {}"},
		{clip("aé", 2), "a"},
		{clip("aé", 3), "aé"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// TestImports: what the sdk imports from the host is the table of runtime/abi, no
// more, no less, and each function has the parameters that the table says.
func TestImports(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "host_wasip1.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	words := map[string][]string{"string": {abi.I32, abi.I32}, "uint32": {abi.I32}, "int32": {abi.I32}, "int64": {abi.I64}, "unsafe.Pointer": {abi.I32}}
	flat := func(list *ast.FieldList) (types []string) {
		if list == nil {
			return nil
		}
		for _, f := range list.List {
			name := ""
			switch x := f.Type.(type) {
			case *ast.Ident:
				name = x.Name
			case *ast.SelectorExpr:
				name = x.X.(*ast.Ident).Name + "." + x.Sel.Name
			}
			if words[name] == nil {
				t.Fatalf("a parameter has the type %s, which this test does not know", name)
			}
			for range max(1, len(f.Names)) {
				types = append(types, words[name]...)
			}
		}
		return types
	}
	found := map[string]string{}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Doc == nil {
			continue
		}
		for _, line := range f.Doc.List {
			if name, ok := strings.CutPrefix(line.Text, "//go:wasmimport "+abi.Module+" "); ok {
				found[name] = strings.Join(flat(f.Type.Params), " ") + " -> " + strings.Join(flat(f.Type.Results), " ")
			}
		}
	}
	for _, f := range abi.Table() {
		var params []string
		for _, p := range f.Params {
			params = append(params, p.Type)
		}
		want := strings.Join(params, " ") + " -> " + strings.Join(f.Results, " ")
		if found[f.Name] != want {
			t.Errorf("%s is imported as %q, the table has %q", f.Name, found[f.Name], want)
		}
		delete(found, f.Name)
	}
	for name := range found {
		t.Errorf("%s is imported, but not in the table", name)
	}
}

// TestExamples: every exported function and type has an example, or is made or taken apart in one; every method, constant and variable
// stands in one.
func TestExamples(t *testing.T) {
	set := token.NewFileSet()
	parse := func(pattern string, wanted func(string) bool) (files []*ast.File) {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if !wanted(name) {
				continue
			}
			file, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		return files
	}
	examples, selected := map[string]bool{}, map[string]bool{}
	for _, file := range parse("example*_test.go", func(string) bool { return true }) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if name, ok := strings.CutPrefix(n.Name.Name, "Example"); ok {
					examples[name] = true
				}
			case *ast.SelectorExpr:
				selected[n.Sel.Name] = true
			}
			return true
		})
	}
	// Methods that somebody else calls: package wire, an encoder, whoever prints.
	silent := map[string]bool{
		"WireKind": true, "WireUnit": true, "MarshalText": true, "UnmarshalText": true, "MarshalJSON": true, "UnmarshalJSON": true, "String": true, "Error": true, "Unwrap": true,
	}
	for _, file := range parse("*.go", func(name string) bool { return !strings.HasSuffix(name, "_test.go") && name != "host_other.go" }) {
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				name := d.Name.Name
				switch {
				case !d.Name.IsExported() || d.Recv != nil && silent[name]:
				case d.Recv == nil && !examples[name] && !strings.HasPrefix(name, "New"), !selected[name]:
					t.Errorf("%s: %s stands in no example", set.Position(d.Pos()), name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						if name := s.Name.Name; s.Name.IsExported() && !examples[name] && !selected[name] {
							t.Errorf("%s: %s has no example", set.Position(s.Pos()), name)
						}
					case *ast.ValueSpec:
						for _, name := range s.Names {
							if name.IsExported() && !selected[name.Name] && !strings.HasPrefix(name.Name, "Max") && !strings.HasPrefix(name.Name, "Default") && days[name.Name] == 0 {
								t.Errorf("%s: %s stands in no example", set.Position(name.Pos()), name.Name)
							}
						}
					}
				}
			}
		}
	}
	if len(examples) < 50 {
		t.Errorf("%d examples: this test reads the wrong files", len(examples))
	}
}

// days need not each stand in an example.
var days = map[string]Days{"Tuesday": Tuesday, "Wednesday": Wednesday, "Thursday": Thursday, "Saturday": Saturday, "EveryDay": EveryDay}

// TestOutside: natively a contract's package compiles, and says where it belongs.
func TestOutside(t *testing.T) {
	for name, call := range map[string]func(){
		"Sender": func() { new(Ctx).Sender() },
		"Get":    func() { NewItem[uint64]("outside").Get(nil) },
		"Open":   func() { new(Ctx).Accounts().Open(OpenKey{}) },
	} {
		func() {
			defer func() {
				if s, _ := recover().(string); !strings.Contains(s, "runs only inside Ward") {
					t.Errorf("%s: %q", name, s)
				}
			}()
			call()
		}()
	}
}

// TestDeclarations: what is declared wrongly panics when it is declared, which is when the contract is built. The panic names the
// type and field, and says what to do.
func TestDeclarations(t *testing.T) {
	type args struct{ A uint64 }
	type price struct{ Cents float64 }
	type feed struct{ Prices []price }
	type inbox struct{ Next chan int }
	type hook struct{ Then func() }
	type loose struct{ Any any }
	type table struct{ ByNumber map[int]string }
	type route struct{ Stops [2]string }
	type pair struct {
		A string
		B []string
	}
	type secret struct{ pin uint64 }
	_ = secret{}.pin
	none := func(*Ctx, None) (None, error) { return None{}, nil }
	method := func(*Ctx, args) (None, error) { return None{}, nil }
	for _, c := range []struct {
		want    string
		declare func()
	}{
		// Names.
		{`"Door" is not a contract's name: it is a lower-case letter, then`, func() { Describe("Door", "A door.") }},
		{`"Open" is not a method's name: it is a lower-case letter, then`, func() { Method("Open", method, "Opens.") }},
		{`"Open" is not a view's name: it is a lower-case letter, then`, func() { View("Open", method, "Opens.") }},
		{`"Opened" is not an event's name: it is a lower-case letter, then`, func() { Event[args]("Opened", "Opened.") }},
		{`"C" is not a collection's name: it is a lower-case letter, then`, func() { NewItem[uint64]("C") }},
		{"only the chain calls a method upgrade", func() { Method("upgrade", method, "Upgrades.") }},
		{`"Far" is not a method's name`, func() { Remote[None, None]("Far") }},

		// Twice.
		{"described twice, as one and as two", func() { Describe("one", "One."); Describe("two", "Two.") }},
		{"the view open is declared twice: give one another name", func() { Method("open", method, "Opens."); View("open", method, "Opens.") }},
		{"the method open is declared twice", func() { View("open", method, "Opens."); Method("open", method, "Opens.") }},
		{"the method init is declared twice", func() {
			Init(func(*Ctx, None) error { return nil }, "Begins.")
			Init(func(*Ctx, None) error { return nil }, "Begins.")
		}},
		{"the event opened is declared twice: give one another name", func() { Event[args]("opened", "Opened."); Event[None]("opened", "Opened.") }},
		{"the errors late and early both have the code 7: give the newer one a number that was never used", func() { Error(7, "late", "Late."); Error(7, "early", "Early.") }},
		{"the error late is declared twice, with the codes 7 and 8", func() { Error(7, "late", "Late."); Error(8, "late", "Late.") }},
		{"the collection c is declared twice: each item, map, set, index and counter has one to itself", func() { NewItem[uint64]("c"); NewMap[string, None]("c") }},
		{"the collection d is declared twice", func() { NewSet[string]("d"); NewCounter("d") }},
		{"the collection e is declared twice", func() {
			NewIndex("e", NewMap[string, uint64]("e"), func(_ string, n uint64) (uint64, bool) { return n, true })
		}},

		// Codes.
		{"the error e has the code 0, which says that nothing failed: count from 2", func() { Error(0, "e", "E.") }},
		{"the error e has the code 1, which stands for errors without a code: count from 2", func() { Error(1, "e", "E.") }},
		{"the error e has the code 4294967295, which is reserved: count from 2", func() { Error(abi.FailUnknownMethod, "e", "E.") }},

		// No doc.
		{"the contract door has no doc: say in a sentence", func() { Describe("door", "") }},
		{"the method open has no doc: say in a sentence", func() { Method("open", none, "") }},
		{"the view open has no doc: say in a sentence", func() { View("open", none, "") }},
		{"open is declared with nil for its function", func() { Method[args, None]("open", nil, "Opens.") }},
		{"the event opened has no doc: say in a sentence", func() { Event[args]("opened", "") }},
		{"the error late has no doc: say in a sentence", func() { Error(7, "late", "") }},

		// Types.
		{"what the method f answers: float64 is float64: floating-point numbers are not the same on every machine, use an integer", func() {
			Method("f", func(*Ctx, args) (float64, error) { return 0, nil }, "F.")
		}},
		{"what the view f takes: price.Cents is float64: floating-point numbers", func() {
			View("f", func(*Ctx, price) (None, error) { return None{}, nil }, "F.")
		}},
		{"what the view f answers: float64 is float64: floating-point numbers", func() {
			View("f", func(*Ctx, args) (float64, error) { return 0, nil }, "F.")
		}},
		{"the rows of feeds: feed.Prices[].Cents is float64: floating-point numbers", func() { NewMap[string, feed]("feeds") }},
		{"the rows of state: price.Cents is float64: floating-point numbers", func() { NewItem[price]("state") }},
		{`what the method put takes: inbox.Next is chan int, which can't be on the wire: leave it out, a field by the tag wire:"-"`, func() {
			Method("put", func(*Ctx, inbox) (None, error) { return None{}, nil }, "Puts.")
		}},
		{`what the event hooked says: hook.Then is func(), which can't be on the wire: leave it out`, func() { Event[hook]("hooked", "Hooked.") }},
		{"the rows of anything: loose.Any is interface {}, which can't be on the wire: whoever reads it could not know what it is, name one type", func() {
			NewItem[loose]("anything")
		}},
		{"the rows of numbers: table.ByNumber is map[int]string: the keys of a map must be strings; rows by other keys are an sdk.Map", func() {
			NewItem[table]("numbers")
		}},
		{"the rows of routes: route.Stops is [2]string: of arrays only those of bytes are on the wire, use a slice", func() { NewItem[route]("routes") }},
		{`the rows of pins: secret.pin is not exported, so it would be lost silently: export it or tag it wire:"-"`, func() { NewItem[secret]("pins") }},
		{"the keys of pairs: pair.B can't be a key: []string is none of bools, integers, strings, bytes and structs of these", func() {
			NewSet[pair]("pairs")
		}},
		{"what by_price finds rows by: price.Cents can't be a key: float64 is none of", func() {
			NewIndex("by_price", NewMap[string, uint64]("goods"), func(string, uint64) (price, bool) { return price{}, true })
		}},
		{"what the remote method far answers: price.Cents is float64", func() { Remote[None, price]("far") }},
		{"the method n takes uint: it must be a struct, whose fields have names", func() {
			Method("n", func(*Ctx, uint64) (None, error) { return None{}, nil }, "N.")
		}},
		{"the view n takes uint8: it must be a struct, whose fields have names", func() {
			View("n", func(*Ctx, uint8) (None, error) { return None{}, nil }, "N.")
		}},
		{"event e is uint: it must be a struct", func() { Event[uint64]("e", "E.") }},
		{"the keys of g do not start with the parts to find rows by, uint64: these must be the first field of the key", func() { By[uint64](NewMap[string, None]("g")) }},

		// Too late.
		{"the collection late is declared during a call: declare it as a package variable or in func init", func() { declared.complete = true; NewItem[uint64]("late") }},
		{"the view late is declared during a call", func() { declared.complete = true; View("late", method, "Late.") }},
		{"the error late is declared during a call", func() { declared.complete = true; Error(7, "late", "Late.") }},
	} {
		func() {
			saved := declared
			defer func() {
				declared = saved
				if s, _ := recover().(string); !strings.Contains(s, c.want) {
					t.Errorf("panic %q, want %q", s, c.want)
				}
			}()
			c.declare()
		}()
	}
}

// TestSpec: what was declared is what the spec says.
func TestSpec(t *testing.T) {
	saved := declared
	defer func() { declared = saved }()
	declared.name, declared.methods, declared.events, declared.errors = "", nil, nil, nil

	type args struct {
		Who    Address  `doc:"who"`
		Until  Time     `wire:",omitempty"`
		For    Duration `wire:",omitempty"`
		Scopes []Scope  `wire:",omitempty"`
	}
	Describe("door", "A door.")
	Init(func(*Ctx, None) error { return nil }, "Builds it.")
	Method("open", func(*Ctx, args) (None, error) { return None{}, nil }, "Opens it.")
	View("count", func(*Ctx, None) (uint64, error) { return 0, nil }, "Counts.")
	type part struct {
		Box uint8
		Is  *Hash
	}
	View("part", func(*Ctx, part) (Hash, error) { return Hash{}, nil }, "Says.")
	Event[args]("opened", "It was opened.")
	closed := Error(7, "closed", "It is closed.")
	s, err := abi.DecodeSpec(spec())
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "door" || s.Doc != "A door." || s.ABI != abi.Version || !strings.HasPrefix(s.Toolchain, "go1.") {
		t.Errorf("%+v", s)
	}
	open, _ := s.Method("open")
	if len(s.Methods) != 4 || open.View || open.Result != nil || len(open.Args.Fields) != 4 {
		t.Fatalf("%+v", s.Methods)
	}
	for i, want := range []abi.Kind{abi.KindAddress, abi.KindTime, abi.KindDuration, abi.KindList} {
		if f := open.Args.Fields[i]; f.Type.Kind != want || f.Optional != (i > 0) {
			t.Errorf("%+v, want %s", f, want)
		}
	}
	if count, _ := s.Method("count"); !count.View || count.Args != nil || count.Result.Kind != abi.KindUint {
		t.Errorf("%+v", count)
	}
	if part, _ := s.Method("part"); part.Args.Fields[0].Type.String() != "uint8" || part.Args.Fields[1].Type.String() != "bytes[32]" || part.Result.String() != "bytes[32]" {
		t.Errorf("%+v", part)
	}
	if e, ok := s.Event("opened"); !ok || e.Fields[0].Doc != "who" {
		t.Errorf("%+v", e)
	}
	if e, _ := s.Error(7); e.Name != "closed" {
		t.Errorf("%+v", s.Errors)
	}
	if e, _ := s.Error(1); e.Name != "failed" {
		t.Errorf("%+v", s.Errors)
	}
	if err := closed.Because("it is %s", Time(0)); err.Error() != "it is 1970-01-01T00:00:00Z" {
		t.Error(err)
	}
}

// What an index of an earlier type left behind is refused, also if nothing is left of it for the key of a row.
func TestRowKey(t *testing.T) {
	x := &index{t: &table{collection: "places"}, by: wire.NewKeyPlan(reflect.TypeFor[uint32]())}
	if key := x.rowKey([]byte("four and more")); string(key) != " and more" {
		t.Errorf("it leads to %q", key)
	}
	for _, entry := range []string{"", "two", "four"} {
		func() {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.Contains(said, "a key of places can't be read") {
					t.Errorf("%q: %s", entry, said)
				}
			}()
			t.Errorf("%q leads to %q", entry, x.rowKey([]byte(entry)))
		}()
	}
}
