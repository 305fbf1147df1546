package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/client/story"
)

// simulate is call without a transaction.
func (v *invocation) simulate() error {
	for _, name := range []string{"no-wait", "out", "last-valid", "sequence"} {
		if _, given := v.options[name]; given {
			return usagef("--%s is for a transaction: it doesn't go with --simulate", name)
		}
	}
	q := client.Question{Contract: v.contract, Method: v.method.Name, Args: v.args}
	var err error
	if q.Height, err = v.number("height"); err != nil {
		return err
	}
	limit, err := v.number("gas")
	if err != nil {
		return err
	}
	if q.Sender, err = v.caller(); err != nil {
		return err
	}
	r, err := v.client.Simulate(v.ctx, q, limit)
	if err != nil {
		return err
	}
	if err := v.printSimulation(r); err != nil {
		return err
	}
	if err := r.Err(); err != nil {
		return err
	}
	return unmet(r.Return, v.require)
}

// caller is the account of the key that would sign, or nobody if that could be any or none. Its passphrase isn't needed.
func (v *invocation) caller() (address.Address, error) {
	name := v.keyName
	if name == "" {
		names, err := v.keys().List()
		if err != nil || len(names) != 1 {
			return address.Address{}, err
		}
		name = names[0]
	}
	file, err := v.keyFile(name)
	if err != nil {
		return address.Address{}, err
	}
	kid := file.Public().Address()
	record, err := v.client.Key(v.ctx, kid)
	if u, ok := errors.AsType[*client.Unserved](err); ok && u.NotFound() {
		fmt.Fprintf(v.err, "the chain doesn't know the key %s: a transaction of it would be refused\n", name)
		return kid, nil
	} else if err != nil {
		return address.Address{}, err
	}
	return record.Account, nil
}

// The JSON of a simulation and a trace, in the words of node/api/README.md.
type (
	simulationJSON struct {
		Height        uint64                  `json:"height"`
		Time          int64                   `json:"time"`
		Clock         string                  `json:"clock"`
		Code          string                  `json:"code"`
		Number        uint32                  `json:"number"`
		ContractCode  uint32                  `json:"contract_code,omitempty"`
		ContractError string                  `json:"contract_error,omitempty"`
		Reason        string                  `json:"reason"`
		GasUsed       uint64                  `json:"gas_used"`
		GasLimit      uint64                  `json:"gas_limit"`
		Contract      string                  `json:"contract"`
		Method        string                  `json:"method"`
		Sender        string                  `json:"sender"`
		Return        json.RawMessage         `json:"return"`
		ReturnCBOR    client.Bytes            `json:"return_cbor,omitzero"`
		Events        []client.SimulatedEvent `json:"events"`
		GasAdmission  uint64                  `json:"gas_admission"`
		Trace         *client.CallTrace       `json:"trace"`
	}
	traceJSON struct {
		receiptJSON
		GasAdmission uint64            `json:"gas_admission"`
		Trace        *client.CallTrace `json:"trace"`
	}
)

func (s *session) printSimulation(r *client.Simulation) error {
	return s.print(simulationJSON{
		Height: r.Height, Time: r.Time.Unix(), Clock: r.Clock,
		Code: r.Code.Name(), Number: uint32(r.Code), ContractCode: r.ContractCode, ContractError: r.ContractError, Reason: r.Reason,
		GasUsed: r.GasUsed, GasLimit: r.GasLimit, Contract: r.Contract, Method: r.Method, Sender: addressText(r.Sender),
		Return: r.Return, ReturnCBOR: r.ReturnCBOR, Events: r.Events, GasAdmission: r.GasAdmission, Trace: r.Call,
	}, func() {
		s.printf("%s  %s %s  simulated in block %d at %s  gas %d of %d\n", verdict(r.Code.Name(), r.ContractCode, r.ContractError, r.Return),
			text(r.Contract), text(r.Method), r.Height, clock(r.Time), r.GasUsed, r.GasLimit)
		if r.Reason != "" {
			s.printf("reason  %s\n", text(r.Reason))
		}
		if r.Return != nil {
			s.printf("result  %s\n", s.result(r.Contract, r.Method, r.Return))
		}
		for _, e := range r.Events {
			s.printf("event   %s.%s  %s\n", text(e.Contract), text(e.Name), s.attributes(e.Contract, e.Name, e.Attributes))
		}
		s.printf("%s", story.Tell(r.Call, r.GasUsed, r.GasAdmission))
	})
}

func txTrace(c *urfave.Context) error {
	args, err := arguments(c, "ID")
	if err != nil {
		return err
	}
	id, err := tx.ParseID(args[0])
	if err != nil {
		return usagef("%w", err)
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	r, err := s.client.Trace(s.ctx, id)
	if u, ok := errors.AsType[*client.Unserved](err); ok && u.Code == "pruned" {
		return hint(err, "another --node: one that keeps more of the past")
	} else if err != nil {
		return err
	}
	if s.json {
		return s.print(traceJSON{newReceiptJSON(&r.Receipt), r.GasAdmission, r.Call}, nil)
	}
	if err := s.printReceipt(&r.Receipt); err != nil {
		return err
	}
	s.printf("%s", story.Tell(r.Call, r.GasUsed, r.GasAdmission))
	return nil
}
