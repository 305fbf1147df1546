package host

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
)

// A Block is what a contract may know of the block that it runs in.
type Block struct {
	Height uint64
	Time   int64 // unix seconds, UTC
}

// Encode returns the block as the function "block" writes it.
func (b Block) Encode() []byte {
	e := binary.LittleEndian.AppendUint64(make([]byte, 0, abi.BlockSize), b.Height)
	return binary.LittleEndian.AppendUint64(e, uint64(b.Time))
}

// A Store is the rows of the whole chain: collections of keys in ascending
// order. state.Overlay is one. Errors mean that this node can't read its state.
type Store interface {
	// Get returns the value of a row, which may be empty, or nil if there is no row.
	Get(collection, key []byte) ([]byte, error)
	// Set stores a row. The store may keep value; collection and key are copied
	// by whoever keeps them.
	Set(collection, key, value []byte) error
	// Delete removes a row. That there is none is not an error.
	Delete(collection, key []byte) error
	// Scan visits the rows with start <= key < end, ascending or descending,
	// until visit returns false. An empty end is unbounded. What visit is given
	// is valid only until it returns, and visit changes nothing in the store. A
	// nil value tells of a row that is there no more but had to be passed over,
	// the same ones on every node.
	Scan(collection, start, end []byte, reverse bool, visit func(key, value []byte) bool) error
}

// Accounts are the chain's keys and accounts, for contracts that manage them.
// Errors mean that this node can't read or write its state.
type Accounts interface {
	// OpenKey opens a key as o says.
	OpenKey(o *abi.OpenAccount) (abi.Status, error)
	// ShutKey, ReopenKey and RetireKey change the state of a known key.
	ShutKey(kid address.Address) (abi.Status, error)
	ReopenKey(kid address.Address) (abi.Status, error)
	RetireKey(kid address.Address) (abi.Status, error)
}

// Authorities are who decides blocks, for the contract that says who they shall be.
// Errors mean that this node can't read or write its state.
type Authorities interface {
	// SetAuthorities makes the keys, which have been checked, the wanted set. It may answer
	// abi.StatusNotASet: a key is no point of the curve, or one that anybody can sign for.
	SetAuthorities(keys abi.AuthoritySet) (abi.Status, error)
}

// Parameters are what the chain decides about itself. Errors mean that this node can't read or write its state.
type Parameters interface {
	// Parameters returns those that are in force.
	Parameters() (abi.Parameters, error)
	// SetParameters changes them. They have been checked.
	SetParameters(abi.Parameters) error
}

// Permits are what may be deployed, for contracts that decide on it. Errors mean that this node can't read or write
// its state.
type Permits interface {
	// Permit permits what a permit says, in the name of the contract by, in place of what was permitted for the name. It has been
	// checked. It may answer abi.StatusNameTaken or abi.StatusTooMany.
	Permit(by string, p *abi.Permit) (abi.Status, error)
	// Withdraw takes the permit for a name back, or answers abi.StatusNoPermit.
	Withdraw(name string) (abi.Status, error)
}

// A Runner runs a call that another contract makes. The Call comes with everything but what
// only the runtime knows of the contract: it sets Capabilities, and View if the method is
// one. A Stop is how the call failed; then whatever it wrote has been undone. An error means that this
// node is broken.
type Runner func(inner *Call) (*Stop, error)

// A Call is one call of one contract: what it was given, and, once it has run,
// what it gave. Whoever makes it sets the exported fields before the call and
// changes none afterwards. A Call serves once and belongs to one goroutine.
type Call struct {
	Chain    string
	Block    Block
	Contract string // the name of the instance: its rows and events are filed under it
	Method   string
	Args     []byte          // one canonical CBOR item
	Sender   address.Address // who calls
	Origin   address.Address // whose key signed the transaction
	// FromContract says that Sender is a contract, though no contract makes this call: it is the admin in whose name the runtime calls init or an upgrade's
	// hook. Of a call that a contract makes it is known anyway.
	FromContract bool
	// View makes every function that would change something end the call.
	View bool
	// Capabilities are the extra powers of the contract, such as abi.CapabilityAccounts.
	Capabilities []string
	// Seed is what the contract's random stream is derived from: the
	// transaction's id. It is public.
	Seed [32]byte

	Gas   *gas.Meter
	Store Store
	// Accounts, Authorities and Permits are needed only if the contract has the capability for
	// them, Parameters if it has that or reads them; nil reads as those of a chain where nobody ever said.
	Accounts    Accounts
	Authorities Authorities
	Parameters  Parameters
	Permits     Permits
	// Run runs the calls that this contract makes of others; nil: there are no others.
	Run Runner
	// Trace is told what the call does; nil, the ordinary, costs nothing.
	Trace *Trace

	outer     *Call // the call in which this one was made, or nil
	events    []receipt.Event
	eventSize int
	reply     []byte // what came of the last call that was made here
	result    []byte
	log       log
	prefix    []byte // of this contract's collections
}

// Events returns what the contract emitted, in order. They count only if the
// call succeeded.
func (c *Call) Events() []receipt.Event { return c.events }

// Result returns what the contract returned, one canonical CBOR item, or nil if
// it returned nothing. It counts only if the call succeeded.
func (c *Call) Result() []byte { return c.result }

// Log returns the debug lines of the contract, oldest first. They are this
// node's alone: no hash covers them, and they may be shortened.
func (c *Call) Log() []string { return c.log.list() }

// A Stop is the end of a call, decided by the contract (Failed) or by the
// machine. It is the same on every node.
type Stop struct {
	Code         receipt.Code // never OK
	ContractCode uint32       // the contract's own code if Code is Failed, else 0
	Reason       string       // UTF-8, at most abi.MaxReason bytes
}

func (s *Stop) Error() string {
	if s.Code == receipt.Failed {
		return fmt.Sprintf("%s %d: %s", s.Code.Name(), s.ContractCode, s.Reason)
	}
	return s.Code.Name() + ": " + s.Reason
}

// Stopf returns a Stop; the reason is cut to abi.MaxReason bytes.
func Stopf(code receipt.Code, format string, args ...any) *Stop {
	return &Stop{Code: code, Reason: text(fmt.Sprintf(format, args...), abi.MaxReason)}
}

// Charge pays for work that is about to be done; if there is too little gas
// left, the call ends as OutOfGas.
func (c *Call) Charge(n uint64) error {
	if !c.Gas.Charge(n) {
		return c.OutOfGas()
	}
	return nil
}

// OutOfGas is how a call ends for which there is too little gas left.
func (c *Call) OutOfGas() *Stop {
	return Stopf(receipt.OutOfGas, "the gas limit of %d is used up", c.Gas.Limit())
}

// Tell pays for telling the contract n bytes of what its Call says: method,
// arguments, sender, origin, contract, chain, block.
func (c *Call) Tell(n int) error { return c.Charge(gas.HostByte * uint64(n)) }

// CallerKind says what Sender is, as abi's caller_kind.
func (c *Call) CallerKind() int {
	switch {
	case c.outer != nil || c.FromContract:
		return abi.CallerContract
	case c.Sender == (address.Address{}):
		return abi.CallerNobody
	}
	return abi.CallerAccount
}

// InView is how the reason of a call ends that [receipt.NotPermitted] ended because it was a view and wrote.
const InView = " in a view: a view changes nothing"

// mayChange ends the call if function is called in a view.
func (c *Call) mayChange(function string) error {
	if c.View {
		return Stopf(receipt.NotPermitted, "%s%s", function, InView)
	}
	return nil
}

// may ends the call if the contract lacks a capability that function needs.
func (c *Call) may(function, capability string) error {
	if !slices.Contains(c.Capabilities, capability) {
		return Stopf(receipt.NotPermitted, "%s needs the capability %s, which contract %s does not have", function, capability, c.Contract)
	}
	return nil
}

// bound ends the call if what, handed to function, is larger than limit bytes.
func bound(function, what string, size, limit int) error {
	if size > limit {
		return Stopf(receipt.Trapped, "%s: %s is %d bytes, limit %d", function, what, size, limit)
	}
	return nil
}
