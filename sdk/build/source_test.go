package build_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/wardledger/ward/sdk/build"
)

// good is a contract with nothing wrong, on which the mistakes below are made.
const good = `package main

import "github.com/wardledger/ward/sdk"

type Slot struct {
	Label string
	Parts []Part
}

type Part struct {
	Share uint64
}

type args struct{ Slot uint64 }

var (
	slots = sdk.NewMap[uint64, Slot]("slots")
	taken = sdk.Event[Slot]("taken", "A slot was taken.")
	full  = sdk.Error(2, "full", "There is no slot left.")
)

func init() {
	sdk.Describe("slots", "Slots.")
	sdk.Method("take", take, "Take a slot.")
	sdk.View("slot", slot, "Look at a slot.")
}

func take(c *sdk.Ctx, a args) (sdk.None, error) {
	if slots.Has(c, a.Slot) {
		return sdk.None{}, full
	}
	slots.Set(c, a.Slot, Slot{})
	taken.Emit(c, Slot{})
	return sdk.None{}, nil
}

func slot(c *sdk.Ctx, a args) (Slot, error) {
	s, _ := slots.Get(c, a.Slot)
	return s, nil
}

func main() {}
`

// Each mistake stops the build with the place and what to do.
func TestContractSaysWhereItIsWrong(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOPROXY", "off")
	for _, c := range []struct{ name, from, to, want string }{
		{"nothing", "", "", ""},
		{"a type that can't be on the wire", "Share uint64", "Share chan int",
			"main.go:11:2: |Slot.Parts[].Share is chan int, which can't be on the wire"},
		{"a float in what is stored", "Share uint64", "Share float64",
			"main.go:11:2: |Slot.Parts[].Share is float64: floating-point numbers are not the same on every machine, use an integer with its unit in the name"},
		{"a float as an item", `full  = `, "rate = sdk.NewItem[float32](\"rate\")\n\tfull  = ",
			"main.go:19: |float32 is float32: floating-point numbers"},
		{"a field that would be lost", "Share uint64", "share uint64",
			"main.go:11:2: |Slot.Parts[].share is not exported, so it would be lost silently: export it or tag it"},
		{"a method twice", `sdk.View("slot"`, `sdk.View("take"`, "main.go:25: the view take is declared twice"},
		{"a view without a doc", `"Look at a slot."`, `""`, "main.go:25: the view slot has no doc: say in a sentence what it does"},
		{"no doc", `"Take a slot."`, `""`, "main.go:24: the method take has no doc: say in a sentence what it does"},
		{"a view that writes", "return s, nil", "slots.Set(c, a.Slot, s)\n\treturn s, nil",
			"main.go:39:2: the view slot writes: slots.Set would end it as not permitted; a method that writes is declared with sdk.Method"},
		{"a view that emits", "return s, nil", "if s.Label != \"\" {\n\t\ttaken.Emit(c, s)\n\t}\n\treturn s, nil",
			"main.go:40:3: the view slot writes: taken.Emit would end it as not permitted"},
		{"a view that calls what writes", "return s, nil", "note(c, s)\n\treturn s, nil\n}\n\nfunc note(c *sdk.Ctx, s Slot) {\n\ttaken.Emit(c, s)",
			"main.go:39:2: the view slot writes: through note: taken.Emit at |main.go:44 would end it as not permitted; a method that writes is declared with sdk.Method"},
		{"a variable of its own", "s, _ := slots.Get(c, a.Slot)", "s, _ := slots.Get(c, a.Slot)\n\tslots := setter{}\n\tslots.Set()", ""},
		{"a function that there isn't", "func main() {}", "//go:wasmimport ward get_all\nfunc getAll()\n\nfunc main() { getAll() }",
			`main.go:42:1: the import "ward"."get_all": there is no such function in version `},
		{"a name that is none", "Label string", "Größe string",
			"main.go:6:2: |Slot.Größe has the wire name \"größe\": a lower-case letter, then"},
		{"no description", `sdk.Describe("slots", "Slots.")`, "", "main.go:42:1: |the contract does not say what it is: call sdk.Describe in func init\n"},
		{"no main", "func main() {}", "", "|func main() {} is missing: a contract has an empty one"},
		{"another package", "package main", "package door", "|what is compiled to a contract is package main"},
		{"a reserved code", "sdk.Error(2,", "sdk.Error(1,", "main.go:19: |error full has the code 1, which stands for errors without a code"},
		{"code of its own that panics", "func main() {}", "func init() {\n\tvar none []int\n\t_ = none[len(none)]\n}\n\nfunc main() {}",
			"main.go:44: runtime error: index out of range [0] with length 0"},
		{"what does not compile", "return s, nil", "return t, nil", "main.go:39:9: undefined: t"},
	} {
		dir := filepath.Join(t.TempDir(), "slots")
		write(t, dir, "main.go", strings.Replace(good, c.from, c.to, 1))
		pkg, _, _ := strings.Cut(strings.Replace(good, c.from, c.to, 1), "\n")
		write(t, dir, "setter.go", pkg+"\n\ntype setter struct{}\n\nfunc (setter) Set() {}\n")
		write(t, dir, "go.mod", "module example.com/some/slots\n\ngo 1.26.0\n\nrequire github.com/wardledger/ward v0.0.0\n\n"+
			"replace github.com/wardledger/ward => "+root+"\n")
		_, err := build.Contract(t.Context(), build.Options{Dir: dir})
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "":
			place, what, _ := strings.Cut(c.want, "|")
			if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, place)) || !strings.Contains(err.Error()+"\n", what) {
				t.Errorf("%s: got\n%v\nwant\n%s", c.name, err, filepath.Join(dir, c.want))
			}
		}
	}
}

// A go.mod for a later Go names itself.
func TestContractForALaterGo(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "main.go", "package main\n\nfunc main() {}\n")
	write(t, dir, "go.mod", "module example.com/late\n\ngo 1.999\n")
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOTOOLCHAIN", "local")
	_, err := build.Contract(t.Context(), build.Options{Dir: dir})
	want := filepath.Join(dir, "go.mod") + ":3: "
	if !build.IsSetup(err) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "1.999") {
		t.Errorf("got %v, want something with %s", err, want)
	}
}
