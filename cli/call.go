package cli

import (
	"errors"
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
)

var argsFlag = &urfave.StringFlag{Name: "args", Usage: "all arguments as one `JSON` object, or @FILE, or @- for stdin"}

func callCommand() *urfave.Command {
	return &urfave.Command{
		Name: "call", Usage: "sign a call of a contract's method, send it, and wait for its block",
		ArgsUsage: "CONTRACT METHOD [--field value ...]",
		Description: `The fields are the method's own: the contract says what they are.

  ward call access --help                    the methods of access
  ward call access grant --help              what grant takes
  ward call access grant --subject @guest --object $OWNER/door/1 --relations open --expires +2h
  ward call access grant --args @grant.json --json

Here OWNER=$(ward key show owner --address), because objects are named after their first owner.
@NAME is the address of a key in the home, +2h is two hours from now. A list is given by
repeating its field or with commas, a map or an object as JSON. If a field has the name of an
option, the option goes before CONTRACT.

  ward call access use --relation open --object $DOOR --require allowed && open_door

What would it come to? --simulate makes the call on the node's state without effect and tells what it does, step by
step: rows, events, log lines, calls within, and what the gas goes into. Nothing is signed. Whether the key may call
is not asked. "ward tx trace ID" tells the same of a transaction that is in a block.

  ward call access grant --args @grant.json --simulate
  ward call access grant --args @grant.json --simulate --height 41 --json

The exit code is 3 if the chain or the contract refused; the receipt says why. An answer that says
no is no refusal: the exit code is 0, unless --require names what must be true in it, and then 4.`,
		SkipFlagParsing: true, // method.go reads it
		Flags: []urfave.Flag{
			keyFlag, argsFlag, requireFlag,
			&urfave.Uint64Flag{Name: "gas", Usage: "gas `LIMIT`; at least half of it is charged to the quota", DefaultText: "about 20 million"},
			&urfave.Uint64Flag{Name: "last-valid", Usage: "last block `HEIGHT` at which it may run", DefaultText: "no end"},
			&urfave.Uint64Flag{Name: "sequence", Usage: "`NUMBER` that this key hasn't used yet", DefaultText: "the next"},
			&urfave.BoolFlag{Name: "no-wait", Usage: "don't wait for the block: print the transaction's id"},
			&urfave.BoolFlag{Name: "simulate", Usage: "don't send anything: tell what would happen"},
			&urfave.Uint64Flag{Name: "height", Usage: "with --simulate: on the state after this block `HEIGHT`", DefaultText: "the newest"},
			&urfave.StringFlag{Name: "out", Usage: "sign only: write the transaction to `FILE` for \"ward tx send\""},
			nodeFlag, homeFlag, passFlag, jsonFlag,
		},
		Action: call,
	}
}

func call(c *urfave.Context) error {
	v, err := parseInvocation(c, false)
	if err != nil {
		return err
	}
	defer v.close()
	if v.help {
		return v.showHelp(c)
	}
	if v.has("simulate") {
		return v.simulate()
	}
	if v.options["height"] != "" {
		return usagef("--height is for --simulate: a transaction runs in the next block")
	}
	var o client.Options
	var errs [3]error
	o.GasLimit, errs[0] = v.number("gas")
	o.LastValid, errs[1] = v.number("last-valid")
	o.Sequence, errs[2] = v.number("sequence")
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	if len(v.require) > 0 && (v.has("no-wait") || v.options["out"] != "") {
		return usagef("--require needs the result: it doesn't go with --no-wait or --out")
	}
	key, err := v.signer()
	if err != nil {
		return err
	}
	if path := v.options["out"]; path != "" {
		return v.signTo(path, key, o)
	}
	return v.send(key, v.contract, v.method.Name, v.args, o, v.has("no-wait"), v.require...)
}

// send sends a call and prints what became of it. A result that doesn't have what is required
// is an *unmetError.
func (s *session) send(key tx.Signer, contract, method string, args client.Args, o client.Options, noWait bool, require ...requirement) error {
	if noWait {
		id, err := s.client.Send(s.ctx, key, contract, method, args, o)
		if err != nil {
			return s.lost(id, err)
		}
		return s.print(map[string]any{"id": id, "status": "pending"}, func() { s.printf("%s\n", id) })
	}
	r, err := s.wait(key, contract, method, args, o, nil)
	if err != nil {
		return err
	}
	return unmet(r.Return, require)
}

// wait sends a call, waits for its receipt and prints it. If the contract refused, the error is a *client.Refused, by the name that its spec has
// for it, or the one that is given: that of code whose own hook refuses to be put on the chain, which then doesn't know it.
func (s *session) wait(key tx.Signer, contract, method string, args client.Args, o client.Options, of *abi.Spec) (*client.Receipt, error) {
	p := s.progress()
	p.say("waiting for the block")
	r, err := s.client.Call(s.ctx, key, contract, method, args, o)
	p.done()
	if r == nil {
		return nil, s.lost(tx.ID{}, err)
	}
	if of != nil && r.Code == receipt.Failed {
		if e, ok := of.Error(r.ContractCode); ok {
			r.ContractError = e.Name
			if refused, ok := errors.AsType[*client.Refused](err); ok {
				refused.ContractError = e.Name
			}
		}
	}
	if printed := s.printReceipt(r); printed != nil {
		return r, printed
	}
	return r, err
}

// lost adds to an error without an answer how to find out what became of the transaction.
func (s *session) lost(id tx.ID, err error) error {
	if _, refused := errors.AsType[*client.Refused](err); refused || id == (tx.ID{}) {
		return err
	}
	return hint(err, "\"ward tx %s\": it may have arrived", id)
}

// signTo writes a signed transaction to a file.
func (v *invocation) signTo(path string, key tx.Signer, o client.Options) error {
	signed, err := v.client.Sign(v.ctx, key, v.contract, v.method.Name, v.args, o)
	if err != nil {
		return err
	}
	if err := overwrite(path, signed.Encode(), "a transaction", coseSign1); err != nil {
		return err
	}
	result := map[string]any{"id": signed.ID(), "file": path, "bytes": signed.Size(), "sequence": signed.Sequence}
	return v.print(result, func() {
		fmt.Fprintf(v.err, "%d bytes in %s; \"ward tx send %s\" sends them\n", signed.Size(), path, path)
		v.printf("%s\n", signed.ID())
	})
}
