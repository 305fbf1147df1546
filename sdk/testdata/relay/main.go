// Relay does what it is told, step by step, for the tests of calls between contracts.
package main

import (
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/wire"
)

type Step struct {
	Do       string `doc:"set, emit, call, shut, authorities, parameters, permit, withdraw, spin or fail"`
	Text     string `wire:",omitempty" doc:"what is set or emitted, or why it fails"`
	Contract string `wire:",omitempty"`
	Method   string `wire:",omitempty"`
	Script   []byte `wire:",omitempty" doc:"what the called contract does: an encoded Script"`
}

type Script struct{ Steps []Step }

type Run struct {
	Script []byte `wire:",omitempty"`
}

type Said struct{ Text string }

// Done is what came of a script: a line for each step.
type Done struct {
	Sender, Origin sdk.Address
	Lines          []string `wire:",omitempty"`
}

var (
	word    = sdk.NewItem[string]("word")
	said    = sdk.Event[Said]("said", "It was told to say something.")
	refused = sdk.Error(7, "told_to", "It was told to fail.")
	scripts = wire.New[Script]()

	remote = map[string]sdk.RemoteMethod[Run, Done]{}
)

func init() {
	for _, method := range []string{"run", "look", "init", "deploy", "nothing_such"} {
		remote[method] = sdk.Remote[Run, Done](method)
	}
	sdk.Describe("relay", "Does what it is told.")
	sdk.Method("run", run, "Does every step.")
	sdk.View("look", run, "Does every step, as a view.")
	sdk.View("word", func(c *sdk.Ctx, _ sdk.None) (string, error) {
		w, _ := word.Get(c)
		return w, nil
	}, "What was set last.")
}

func run(c *sdk.Ctx, r Run) (Done, error) {
	done := Done{Sender: c.Sender(), Origin: c.Origin()}
	var script Script
	if len(r.Script) > 0 {
		var err error
		if script, err = scripts.Decode(r.Script); err != nil {
			return done, err
		}
	}
	for _, s := range script.Steps {
		switch s.Do {
		case "set":
			word.Set(c, s.Text)
		case "emit":
			said.Emit(c, Said{s.Text})
		case "shut":
			if err := c.Accounts().Shut(c.Origin()); err != nil {
				return done, err
			}
		case "authorities":
			var keys []sdk.PublicKey
			for at := 0; at < len(s.Script); at += 32 {
				keys = append(keys, s.Script[at:min(at+32, len(s.Script))])
			}
			if err := c.Authorities().Set(keys); err != nil {
				return done, refused.Because("%s", err)
			}
		case "parameters":
			p := sdk.Parameters{Deploy: s.Text}
			for at := 0; at < len(s.Script); at += 20 {
				p.Deployers = append(p.Deployers, sdk.Address(s.Script[at:at+20]))
			}
			done.Lines = append(done.Lines, came(c.SetParameters(p)))
			p = c.Parameters()
			line := "deploy " + p.Deploy
			for _, a := range p.Deployers {
				line += " " + a.String()
			}
			done.Lines = append(done.Lines, line)
		case "permit":
			p := sdk.Permit{Hash: s.Script, Name: s.Contract, Admin: c.Sender()}
			if s.Text != "" {
				p.Capabilities = []string{"code", s.Text} // in whatever order
			}
			done.Lines = append(done.Lines, came(c.Code().Permit(p)))
		case "withdraw":
			err := c.Code().Withdraw(s.Contract)
			line := came(err)
			if err == sdk.NoPermit {
				line = "no permit"
			}
			done.Lines = append(done.Lines, line)
		case "spin":
			for {
				c.SHA256(s.Script)
			}
		case "fail":
			return done, refused.Because("%s", s.Text)
		case "call":
			answer, err := remote[s.Method].Call(c, s.Contract, Run{s.Script})
			if err == nil {
				done.Lines = append(done.Lines, s.Contract+": done for "+answer.Sender.String()+", from "+answer.Origin.String())
				done.Lines = append(done.Lines, answer.Lines...)
				continue
			}
			e := err.(*sdk.CallError)
			done.Lines = append(done.Lines, sdk.Text("%s: %d/%d %s", s.Contract, int64(e.Code), int64(e.ContractCode), e.Reason))
			if sdk.NoContract(err) {
				done.Lines = append(done.Lines, "nobody there")
			}
		}
	}
	return done, nil
}

// came is what came of it, as a line.
func came(err error) string {
	if err != nil {
		return err.Error()
	}
	return "done"
}

func main() {}
