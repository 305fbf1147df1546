package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
)

func txCommand() *urfave.Command {
	wait := &urfave.BoolFlag{Name: "wait", Usage: "wait for its block, for up to a minute"}
	return &urfave.Command{
		Name: "tx", Usage: "show, trace, send or decode a transaction", ArgsUsage: "ID",
		Description: `  ward tx 9f86d081...            what became of it
  ward tx send signed.cose       send what "ward call --out" or a device has signed
  ward tx trace 9f86d081...      what it did, step by step
  ward tx decode signed.cose     show what is in it; no node is asked`,
		Flags:  []urfave.Flag{wait, nodeFlag, jsonFlag},
		Action: txShow,
		Subcommands: []*urfave.Command{
			{
				Name: "trace", Usage: "tell what a transaction did, step by step", ArgsUsage: "ID",
				Description: `The node executes the transaction's block again, up to it, on the state before: rows that were read and
written, events, log lines, calls within, how each of them ended, and what the gas went into, with its
share of the transaction's. It must be in a block, and the node must still keep that state.

  ward tx trace 9f86d081...
  ward tx trace 9f86d081... --json`,
				Flags:  []urfave.Flag{nodeFlag, jsonFlag},
				Action: txTrace,
			},
			{
				Name: "send", Usage: "send a signed transaction and wait for its block", ArgsUsage: "FILE",
				Description: "FILE holds the transaction's bytes; - is stdin. The same bytes may be sent again: they run once.",
				Flags: []urfave.Flag{
					&urfave.BoolFlag{Name: "no-wait", Usage: "don't wait for the block: print the transaction's id"}, nodeFlag, jsonFlag,
				},
				Action: txSend,
			},
			{
				Name: "decode", Usage: "show what is in a transaction's bytes", ArgsUsage: "FILE",
				Description: "FILE holds the transaction's bytes; - is stdin. The form is checked as the chain does it, the\n" +
					"signature only if --public is given.",
				Flags: []urfave.Flag{
					&urfave.StringFlag{Name: "public", Usage: "check the signature with this public `KEY` in hex"}, jsonFlag,
				},
				Action: txDecode,
			},
		},
	}
}

func txShow(c *urfave.Context) error {
	args, err := arguments(c, "ID")
	if err != nil {
		return err
	}
	id, err := tx.ParseID(args[0])
	if err != nil {
		return usagef("%w; or is it trace, send or decode?", err)
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	if !c.Bool("wait") {
		r, err := s.client.Receipt(s.ctx, id)
		if u, ok := errors.AsType[*client.Unserved](err); ok && u.NotFound() {
			return hint(err, "--wait, if it is on its way")
		} else if err != nil {
			return err
		}
		return s.printReceipt(r)
	}
	p := s.progress()
	p.say("waiting for the block")
	r, err := s.client.Wait(s.ctx, id)
	p.done()
	if r == nil {
		return err
	}
	return s.printReceipt(r)
}

func txSend(c *urfave.Context) error {
	args, err := arguments(c, "FILE")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	raw, err := readFrom(s.in, args[0], tx.MaxDeploySize)
	if err != nil {
		return err
	}
	id, err := s.client.Submit(s.ctx, raw)
	// A transaction that ran already is no failure: what became of it is what was asked.
	if r, ok := errors.AsType[*client.Refused](err); err != nil && !(ok && r.Code == receipt.Replayed && r.ID != (tx.ID{})) {
		return err
	} else if ok {
		if done, missing := s.client.Receipt(s.ctx, r.ID); missing == nil {
			return errors.Join(s.printReceipt(done), done.Err())
		}
		return err
	}
	if c.Bool("no-wait") {
		return s.print(map[string]any{"id": id, "status": "pending"}, func() { s.printf("%s\n", id) })
	}
	p := s.progress()
	p.say("waiting for the block")
	r, err := s.client.Wait(s.ctx, id)
	p.done()
	if r == nil {
		return s.lost(id, err)
	}
	return errors.Join(s.printReceipt(r), err)
}

func txDecode(c *urfave.Context) error {
	args, err := arguments(c, "FILE")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	raw, err := readFrom(s.in, args[0], tx.MaxDeploySize)
	if err != nil {
		return err
	}
	t, err := tx.Decode(raw)
	if err != nil {
		return &client.Refused{Code: tx.CodeOf(err), Reason: err.Error()}
	}
	verified := "not checked: give --public"
	if hex := c.String("public"); hex != "" {
		public, err := parsePublic(hex)
		if err != nil {
			return usagef("--public: %w", err)
		}
		if !t.Verify(public) {
			return &client.Refused{Code: receipt.BadSignature, Reason: fmt.Sprintf("the signature isn't %s's", public.Address()), ID: t.ID()}
		}
		verified = "good"
	}
	result := struct {
		ID        tx.ID           `json:"id"`
		Bytes     int             `json:"bytes"`
		Key       string          `json:"key"`
		Algorithm string          `json:"algorithm"`
		Signature string          `json:"signature"`
		Chain     string          `json:"chain"`
		Sequence  uint64          `json:"sequence"`
		LastValid uint64          `json:"last_valid,omitempty"`
		GasLimit  uint64          `json:"gas_limit"`
		Contract  string          `json:"contract"`
		Method    string          `json:"method"`
		Args      json.RawMessage `json:"args"`
	}{
		t.ID(), t.Size(), t.Key.String(), t.Alg.String(), verified, t.Chain, t.Sequence, t.LastValid, t.GasLimit,
		t.Contract, t.Method, specjson.Untyped(t.Args),
	}
	return s.print(result, func() {
		lastValid := "no end"
		if t.LastValid != 0 {
			lastValid = fmt.Sprint(t.LastValid)
		}
		s.table([][]string{
			{"id", t.ID().String()},
			{"size", fmt.Sprintf("%d bytes", t.Size())},
			{"key", fmt.Sprintf("%s, %s", t.Key, t.Alg)},
			{"signature", verified},
			{"chain", t.Chain},
			{"sequence", fmt.Sprint(t.Sequence)},
			{"last valid", lastValid},
			{"gas limit", fmt.Sprint(t.GasLimit)},
			{"calls", t.Contract + " " + t.Method},
			{"arguments", inline(result.Args)},
		})
	})
}
