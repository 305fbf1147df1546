package tx

import "github.com/wardledger/ward/runtime/gas"

// Bounds of a transaction, each checked by Decode before anything is done with what
// it bounds.
const (
	// MaxSize is the largest ordinary transaction, in bytes: room for a batch of some
	// hundred readings, little enough that a block holds many.
	MaxSize = 64 << 10
	// MaxDeploySize is the largest transaction to DeployContract, in bytes: 4 MiB of
	// Wasm, which is plain Go with much of its library, and an ordinary transaction
	// around it.
	MaxDeploySize = 4<<20 + MaxSize
	// MaxChain is the longest chain id, in bytes.
	MaxChain = 64
	// MaxContract is the longest contract name, in bytes, as receipt.MaxName.
	MaxContract = 64
	// MaxMethod is the longest method name, in bytes, as receipt.MaxName.
	MaxMethod = 64
	// MaxGas is the highest gas limit.
	MaxGas = gas.MaxLimit
	// MaxAAD is the longest external AAD of a message, in bytes: a name, not data.
	MaxAAD = 64
)

// DeployContract is the contract that admits code, the only one whose transactions
// may be larger than MaxSize.
const DeployContract = "code"

// AAD is the external AAD under which transactions are signed, and nothing else is.
const AAD = "ward-tx-v1"
