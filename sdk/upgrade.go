package sdk

import "github.com/wardledger/ward/runtime/abi"

// upgradeArgs is what the chain gives to the hook.
type upgradeArgs struct {
	From uint32 `doc:"the version of the code until now"`
}

// Upgrade declares what runs once each time when this code takes the place of other code of the same contract, in the transaction that does it:
// the place to bring rows into the form that this code expects. from is the number of the code that the contract had until then, as
// "ward contract history" counts. If it returns an error, or traps, or runs out of gas, nothing has happened: the contract has its
// old code and its old rows. The sender is the contract's admin.
//
// It also runs when the contract is rolled back to this code, with a from that is higher than the number of this code. Whoever wants rollbacks to
// work does nothing about numbers that they don't know; whoever wants to prevent them returns an error.
//
// It does not run when the contract is created: that is [Init].
func Upgrade(fn func(c *Ctx, from uint32) error, doc string) {
	declare(abi.MethodUpgrade, doc, false, func(c *Ctx, a upgradeArgs) (None, error) { return None{}, fn(c, a.From) })
}

// isUpgrade reports whether a method called "upgrade" is the hook: a method of that name could not be called.
func isUpgrade(m method) bool {
	fields := m.args.Type().Fields
	return !m.view && len(fields) == 1 && fields[0].Name == "from" && nothing(m.result)
}
