// My-blank is where a contract begins.
package main

import "github.com/wardledger/ward/sdk"

// Changed is what was said.
type Changed struct {
	By   sdk.Address `doc:"whose key signed"`
	Text string      `doc:"what it says now"`
}

// Text is what to say.
type Text struct {
	Text string `doc:"what it shall say"`
}

var (
	text    = sdk.NewItem[string]("text")
	changed = sdk.Event[Changed]("changed", "It says something else from now on.")
	empty   = sdk.Error(2, "empty", "There is something to say.")
)

func init() {
	sdk.Describe("my-blank", "A text that anybody may change.")
	sdk.Method("say", say, "Have it say something.")
	sdk.View("said", said, "What it says.")
}

func say(c *sdk.Ctx, t Text) (sdk.None, error) {
	if t.Text == "" {
		return sdk.None{}, empty
	}
	text.Set(c, t.Text)
	changed.Emit(c, Changed{c.Sender(), t.Text})
	return sdk.None{}, nil
}

func said(c *sdk.Ctx, _ sdk.None) (string, error) {
	t, _ := text.Get(c)
	return t, nil
}

func main() {}
