package host

import (
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
)

// OpenAccount opens a key as an encoded abi.OpenAccount says.
func (c *Call) OpenAccount(encoded []byte) (abi.Status, error) {
	const name = "account_open"
	if err := c.mayManage(name); err != nil {
		return 0, err
	}
	if err := bound(name, "account", len(encoded), abi.MaxMessage); err != nil {
		return 0, err
	}
	if err := c.Charge(gas.Account + gas.WriteByte*uint64(len(encoded))); err != nil {
		return 0, err
	}
	o, err := abi.DecodeOpenAccount(encoded)
	if err != nil {
		c.Note(name + ": " + err.Error())
		return 0, Stopf(receipt.Trapped, "%s: the argument is not an account to open", name)
	}
	o.Key = append([]byte(nil), o.Key...) // aliases the contract's memory, like the next two
	o.Account = append([]byte(nil), o.Account...)
	o.Owner = append([]byte(nil), o.Owner...)
	if t := c.Trace; t != nil {
		t.step(Step{Op: name, Value: t.keep(encoded)})
	}
	return c.Accounts.OpenKey(o)
}

// ShutAccount shuts a key.
func (c *Call) ShutAccount(kid address.Address) (abi.Status, error) {
	if err := c.managing("account_shut", kid); err != nil {
		return 0, err
	}
	return c.Accounts.ShutKey(kid)
}

// ReopenAccount opens a shut key again.
func (c *Call) ReopenAccount(kid address.Address) (abi.Status, error) {
	if err := c.managing("account_reopen", kid); err != nil {
		return 0, err
	}
	return c.Accounts.ReopenKey(kid)
}

// RetireAccount shuts a key for ever.
func (c *Call) RetireAccount(kid address.Address) (abi.Status, error) {
	if err := c.managing("account_retire", kid); err != nil {
		return 0, err
	}
	return c.Accounts.RetireKey(kid)
}

// mayManage ends the call if the contract can't manage accounts here.
func (c *Call) mayManage(function string) error {
	if err := c.mayChange(function); err != nil {
		return err
	}
	return c.may(function, abi.CapabilityAccounts)
}

// managing is mayManage, paid for.
func (c *Call) managing(function string, kid address.Address) error {
	if err := c.mayManage(function); err != nil {
		return err
	}
	if err := c.Charge(gas.Account); err != nil {
		return err
	}
	if t := c.Trace; t != nil {
		t.step(Step{Op: function, Key: t.keep(kid[:])})
	}
	return nil
}
