// Package link is what a contract's test and the engine that runs it say to each other.
//
//	sdktest (in the test)  ── In ──►  machine.Machine (runtime, engine)
//	                       ◄── Out ─
//
// In Ward's own tests both are in one process. An author's module has no engine, which would need modules from elsewhere: there
// the machine is in a `ward contract serve-test` that the test has started, and [Client] and [Serve] carry the same values over its
// input and output, as gob.
package link

import (
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
)

// Version is that of the values below. A test made for another one is told to take the SDK of its ward.
const Version = 1

// AnyContract in a scope stands for every contract, as in runtime.
const AnyContract = "*"

// A Module is a contract that was built.
type Module struct {
	Name      string
	Wasm      []byte
	Hash      [32]byte
	Spec      *abi.Spec
	Toolchain string
	Size      int
}

// Code says where the code of a contract comes from; exactly one is given.
type Code struct {
	Dir      string // absolute
	Standard string // the name of a standard contract
	Wasm     []byte
}

// A Contract is one that exists from the first block on.
type Contract struct {
	Code         Code
	Name         string
	Admin        address.Address
	Capabilities []string
	Init         []byte
}

// Genesis is how a chain begins.
type Genesis struct {
	Chain     string // its id
	Operator  Key
	Quota     uint64
	Time      int64
	Contracts []Contract
}

// Begun is a chain with its first block. If an init refused, there is none but Refused.
type Begun struct {
	Number  int // what the chain is called from now on
	Refused string
	Tip     Tip
	Events  []receipt.Event
	Updates []Update
	BuiltIn map[string]*abi.Spec // of the contracts that every chain has
}

// Tip is where a chain is.
type Tip struct {
	Height uint64
	Root   []byte
}

// A Key is one that follows from a seed.
type Key struct {
	P256 bool
	Seed []byte
}

// Open opens an account's key between two blocks.
type Open struct {
	Number  int
	Account abi.OpenAccount
}

// Opened says why a key was not opened; StatusOK if it was.
type Opened struct {
	Status abi.Status
	Tip    Tip
}

// Sign asks for a transaction.
type Sign struct {
	Key              Key
	Chain            string
	Sequences        [2]uint64 // the key's next ones, by lane
	LastValid        uint64
	GasLimit         uint64
	Contract, Method string
	Args             []byte
}

// Signed is a transaction, and the lane whose sequence it took.
type Signed struct {
	Raw  []byte
	Lane int
}

// Message asks for a COSE_Sign1 that is no transaction.
type Message struct {
	Key     Key
	AAD     string
	Payload []byte
}

// Block is transactions to execute and commit.
type Block struct {
	Number       int
	Time         int64
	Transactions [][]byte
}

// Executed is what became of a block.
type Executed struct {
	Receipts []receipt.Receipt
	Events   []receipt.Event // of no transaction
	Updates  []Update
	Tip      Tip
}

// Update is a change of the chain's authorities.
type Update struct {
	Key   []byte // Ed25519, 32 bytes
	Power int64  // 1: it is an authority from now on; 0: it is none any more
}

// View is a question to a contract.
type View struct {
	Number           int
	Height           uint64 // 0 for the last
	Time             int64
	Contract, Method string
	Args             []byte
	Sender           address.Address
}

// Tx is a transaction that was executed.
type Tx struct {
	Number int
	Height uint64
	Index  int
}

// Mark is a state to come back to.
type Mark struct{ Number, Mark int }
