// Notes keeps a text under each name, for the tests of upgrades: its first version.
package main

import "github.com/wardledger/ward/sdk"

type Put struct {
	Name string `doc:"of the note"`
	Text string `doc:"what it says"`
}

type Get struct {
	Name string `doc:"of the note"`
}

type Written struct{ Name string }

var (
	notes   = sdk.NewMap[string, string]("notes")
	written = sdk.Event[Written]("written", "A note was written.")
	missing = sdk.Error(2, "missing", "There is no such note.")
)

func init() {
	sdk.Describe("notes", "Keeps notes.")
	sdk.Method("put", func(c *sdk.Ctx, a Put) (sdk.None, error) {
		notes.Set(c, a.Name, a.Text)
		written.Emit(c, Written{a.Name})
		return sdk.None{}, nil
	}, "Writes a note.")
	sdk.View("get", func(c *sdk.Ctx, a Get) (string, error) {
		text, ok := notes.Get(c, a.Name)
		if !ok {
			return "", missing
		}
		return text, nil
	}, "What a note says.")
}

func main() {}
