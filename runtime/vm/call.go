package vm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
)

// Code names the code to run.
type Code struct {
	// Hash is the SHA-256 of the module.
	Hash [sha256.Size]byte
	// Load returns the module. It is called only if the engine doesn't have it
	// compiled. An error means that this node can't read its state.
	Load func() ([]byte, error)
}

// Result is how a call ended. If Code is OK, events and return value are in the
// host.Call; otherwise they don't count, and what the call wrote is to be reverted.
type Result struct {
	Code         receipt.Code
	ContractCode uint32 // the contract's own code if Code is Failed, else 0
	Reason       string // why Code is not OK; see runtime/host on reasons
}

// Call runs the method that c names in an instance of code, which must have
// been activated by a deployment. What the contract did is in c afterwards, and in the store that c brought.
//
// The contract's gas ends a call at the latest. A context that can be done ends it at the next host function (with the
// interpreter at the next loop, too): then the error wraps context.Cause(ctx), and
// what c holds is good for nothing. Any other error means that this node is broken.
func (e *Engine) Call(ctx context.Context, code Code, c *host.Call) (Result, error) {
	err := e.call(ctx, code, c)
	var stop *host.Stop
	switch {
	case err == nil:
		return Result{}, nil
	case errors.As(err, &stop):
		return Result{stop.Code, stop.ContractCode, stop.Reason}, nil
	}
	return Result{}, fmt.Errorf("contract %s, method %s: %w", c.Contract, c.Method, err)
}

func (e *Engine) call(ctx context.Context, code Code, c *host.Call) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	c.Enter(host.Machine)
	defer c.Leave() // where there is no instance
	if err := c.Charge(gas.Enter); err != nil {
		return err
	}
	mod, err := e.modules.acquire(code.Hash, from(code.Load))
	if err != nil {
		return err
	}
	defer e.modules.release(mod)
	if err := c.Charge(mod.enter - gas.Enter); err != nil {
		return err
	}
	i, err := e.modules.take(mod)
	if err != nil {
		return err
	}
	defer e.modules.give(mod, i)
	c.Leave()
	err = i.run(ctx, abi.ExportCall, calling, c)
	if len(i.call.frames) > 0 && !c.Trace.Nowhere() {
		where, broken := e.named(i.call.frames, code)
		if broken != nil {
			return broken
		}
		c.Trace.Where(where)
	}
	return err
}

// Prepare makes the engine ready for calls of code, which otherwise the first call has to wait for: a second for a contract in
// plain Go, a tenth of it if it is in the cache on disk.
// The error means that this node can't read its state, or is a [*Refused].
func (e *Engine) Prepare(code Code) error {
	mod, err := e.modules.acquire(code.Hash, from(code.Load))
	if err != nil {
		return err
	}
	e.modules.release(mod)
	return nil
}

// phase says which functions of the module "ward" answer.
type phase int

const (
	starting   phase = iota // none
	describing              // ret, log, fail
	calling                 // all
)
