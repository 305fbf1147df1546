// Notes keeps a text and a colour under each name, for the tests of upgrades: its second version.
package main

import "github.com/wardledger/ward/sdk"

type Put struct {
	Name   string `doc:"of the note"`
	Text   string `doc:"what it says"`
	Colour string `wire:",omitempty" doc:"of the paper; white, if nothing is said"`
}

type Get struct {
	Name string `doc:"of the note"`
}

type Written struct{ Name, Colour string }

type Note struct{ Text, Colour string }

type Migrated struct {
	From  uint32
	Notes uint64
}

var (
	old      = sdk.NewMap[string, string]("notes") // as version 1 wrote them
	notes    = sdk.NewMap[string, Note]("coloured")
	written  = sdk.Event[Written]("written", "A note was written.")
	migrated = sdk.Event[Migrated]("migrated", "Notes of the version before have a colour now.")
	missing  = sdk.Error(2, "missing", "There is no such note.")
	poisoned = sdk.Error(3, "poisoned", "A note can't be brought over.")
)

func init() {
	sdk.Describe("notes", "Keeps notes on coloured paper.")
	sdk.Upgrade(upgrade, "Gives white paper to the notes of version 1.")
	sdk.Method("put", func(c *sdk.Ctx, a Put) (sdk.None, error) {
		if a.Colour == "" {
			a.Colour = "white"
		}
		notes.Set(c, a.Name, Note{a.Text, a.Colour})
		written.Emit(c, Written{a.Name, a.Colour})
		return sdk.None{}, nil
	}, "Writes a note.")
	sdk.View("get", func(c *sdk.Ctx, a Get) (string, error) {
		n, err := note(c, a.Name)
		return n.Text, err
	}, "What a note says.")
	sdk.View("colour", func(c *sdk.Ctx, a Get) (string, error) {
		n, err := note(c, a.Name)
		return n.Colour, err
	}, "What a note is written on.")
}

func note(c *sdk.Ctx, name string) (Note, error) {
	n, ok := notes.Get(c, name)
	if !ok {
		return n, missing
	}
	return n, nil
}

// upgrade does what is left to do, whatever the number: after a rollback to version 1 there may be notes of that again.
func upgrade(c *sdk.Ctx, from uint32) error {
	var names []string
	for name, text := range old.All().Each(c) {
		switch text {
		case "poison":
			return poisoned.Because("%q is poison", name)
		case "crash":
			panic("as told")
		}
		notes.Set(c, name, Note{text, "white"})
		names = append(names, name)
	}
	for _, name := range names {
		old.Delete(c, name)
	}
	migrated.Emit(c, Migrated{from, uint64(len(names))})
	return nil
}

func main() {}
