package host

import (
	"bytes"
	"slices"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
)

// ReadParameters returns the chain's parameters, an encoded abi.Parameters.
func (c *Call) ReadParameters() ([]byte, error) {
	if err := c.Charge(gas.Read); err != nil {
		return nil, err
	}
	var p abi.Parameters
	if c.Parameters != nil {
		var err error
		if p, err = c.Parameters.Parameters(); err != nil {
			return nil, err
		}
	}
	encoded := p.Encode()
	return encoded, c.Charge(gas.ReadByte * uint64(len(encoded)))
}

// ChangeParameters changes the chain's parameters to an encoded abi.Parameters.
func (c *Call) ChangeParameters(encoded []byte) (abi.Status, error) {
	const name = "parameters_set"
	if err := c.mayChange(name); err != nil {
		return 0, err
	}
	if err := c.may(name, abi.CapabilityParameters); err != nil {
		return 0, err
	}
	if err := bound(name, "parameters", len(encoded), abi.MaxMessage); err != nil {
		return 0, err
	}
	if err := c.Charge(gas.Write + gas.WriteByte*uint64(len(encoded))); err != nil {
		return 0, err
	}
	p, err := abi.DecodeParameters(bytes.Clone(encoded)) // aliases what it reads, which is the contract's memory
	if err != nil {
		c.Note(name + ": " + err.Error())
		return 0, Stopf(receipt.Trapped, "%s: the argument is not a chain's parameters", name)
	}
	if err := p.Check(); err != nil {
		c.Note(name + ": " + err.Error())
		return abi.StatusNotParameters, nil
	}
	if t := c.Trace; t != nil {
		t.step(Step{Op: name, Value: t.keep(encoded)})
	}
	return abi.StatusOK, c.Parameters.SetParameters(p)
}

// PermitCode permits a deployment as an encoded abi.Permit says. A contract hands out no capability that it does not
// have itself: or the power to admit code would be the power over everything.
func (c *Call) PermitCode(encoded []byte) (abi.Status, error) {
	const name = "code_permit"
	if err := c.mayPermit(name, "permit", len(encoded), abi.MaxMessage); err != nil {
		return 0, err
	}
	if err := c.Charge(gas.Permit + gas.WriteByte*uint64(len(encoded))); err != nil {
		return 0, err
	}
	p, err := abi.DecodePermit(bytes.Clone(encoded)) // aliases what it reads, which is the contract's memory
	if err != nil {
		c.Note(name + ": " + err.Error())
		return 0, Stopf(receipt.Trapped, "%s: the argument is not a permit", name)
	}
	if err := p.Check(); err != nil {
		c.Note(name + ": " + err.Error())
		return abi.StatusNotAPermit, nil
	}
	for _, capability := range p.Capabilities {
		if !slices.Contains(c.Capabilities, capability) {
			c.Note(name + ": the capability " + capability + " is not this contract's to hand out")
			return abi.StatusNotYours, nil
		}
	}
	if t := c.Trace; t != nil {
		t.step(Step{Op: name, Value: t.keep(encoded)})
	}
	return c.Permits.Permit(c.Contract, p)
}

// WithdrawCode takes back what PermitCode permitted for a name.
func (c *Call) WithdrawCode(name []byte) (abi.Status, error) {
	const function = "code_withdraw"
	if err := c.mayPermit(function, "name", len(name), abi.MaxContractName); err != nil {
		return 0, err
	}
	if err := c.Charge(gas.Permit); err != nil {
		return 0, err
	}
	if t := c.Trace; t != nil {
		t.step(Step{Op: function, Key: t.keep(name)})
	}
	return c.Permits.Withdraw(string(name))
}

// mayPermit ends the call if the contract can't decide on code here, or what it hands over is too large.
func (c *Call) mayPermit(function, what string, size, limit int) error {
	if err := c.mayChange(function); err != nil {
		return err
	}
	if err := c.may(function, abi.CapabilityCode); err != nil {
		return err
	}
	return bound(function, what, size, limit)
}
