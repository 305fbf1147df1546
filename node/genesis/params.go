package genesis

import (
	"fmt"
	"time"

	"github.com/wardledger/ward/runtime/tx"
)

const (
	// MaxDeploy is the largest transaction there is, in bytes: one that carries a
	// contract's code. Every block must have room for one.
	MaxDeploy = tx.MaxDeploySize
	// MinBlockBytes is the smallest bound of a block, in bytes: a mempool of the same
	// size must keep a fifth for priority transactions and still have room for one
	// deploying transaction there; the rest is for header, commit, evidence and PoolMargin.
	MinBlockBytes = 5*MaxDeploy + 2<<20
	// PoolMargin is by how many bytes the transactions that wait on a node stay below
	// what a block can hold: 128 KiB for the framing of 20,000 transactions, and 1 MiB
	// for those that peers hand in while others are being counted.
	PoolMargin = 1<<20 + 128<<10
	// MaxBlockBytes is the largest bound of a block, in bytes. It is the engine's.
	MaxBlockBytes = 100 << 20
	// DefaultBlockBytes is the bound of a block, in bytes, where genesis names none.
	DefaultBlockBytes = 24 << 20
	// MinBlockGas is the smallest bound of a block, in gas: one transaction of the
	// highest gas limit must fit, or it could be accepted and never run.
	MinBlockGas = tx.MaxGas
	// MaxBlockGas is the largest bound of a block, in gas: a block that takes a minute.
	MaxBlockGas = 60_000_000_000
	// DefaultBlockGas is the bound of a block, in gas, where genesis names none. A unit
	// of gas aims at a nanosecond, so the heaviest block takes about two seconds.
	DefaultBlockGas = 2_000_000_000
	// DefaultEvidenceAge is how long a double signature can still be brought forward.
	// It must outlast the time for which light clients trust a header.
	DefaultEvidenceAge = 14 * 24 * time.Hour
	// DefaultEvidenceBlocks is the same in blocks; evidence is too old when both have
	// passed. A busy chain makes a million blocks in a few hours, a quiet one in years.
	DefaultEvidenceBlocks = 1_000_000
	// MaxEvidenceBytes is the room in a block for evidence, in bytes: hundreds of
	// double signatures.
	MaxEvidenceBytes = 256 << 10
)

// Params bound every block of the chain. Zero means the default.
type Params struct {
	BlockBytes     uint64        // all of a block in bytes, default DefaultBlockBytes
	BlockGas       uint64        // sum of the gas limits of its transactions, default DefaultBlockGas
	EvidenceBlocks uint64        // default DefaultEvidenceBlocks
	EvidenceAge    time.Duration // whole seconds, default DefaultEvidenceAge
}

// WithDefaults is p with every zero field replaced by its default.
func (p Params) WithDefaults() Params {
	if p.BlockBytes == 0 {
		p.BlockBytes = DefaultBlockBytes
	}
	if p.BlockGas == 0 {
		p.BlockGas = DefaultBlockGas
	}
	if p.EvidenceBlocks == 0 {
		p.EvidenceBlocks = DefaultEvidenceBlocks
	}
	if p.EvidenceAge == 0 {
		p.EvidenceAge = DefaultEvidenceAge
	}
	return p
}

// overhead is what a block holds besides its transactions, in bytes: header, evidence
// and, for each of as many authorities as there may come to be, the largest signature that the
// engine provides for.
const overhead = 64<<10 + MaxEvidenceBytes + 4<<10*MaxAuthorities

// The smallest block leaves the mempool that room; this does not compile otherwise.
const _ = uint(MinBlockBytes - overhead - PoolMargin - 5*MaxDeploy)

// TxBytes is the room for transactions in a block, in bytes, however many authorities there
// come to be. The engine gives at least as much.
func (p Params) TxBytes() uint64 {
	p = p.WithDefaults()
	return p.BlockBytes - min(p.BlockBytes, overhead)
}

// PoolBytes is how many bytes of transactions a node lets wait, so that whoever
// proposes a block can see, and order, all of them.
func (p Params) PoolBytes() uint64 {
	n := p.TxBytes()
	return n - min(n, PoolMargin)
}

func (p Params) validate() error {
	switch {
	case p.BlockBytes < MinBlockBytes || p.BlockBytes > MaxBlockBytes:
		return fmt.Errorf("params.block_bytes: %d is not within [%d, %d]", p.BlockBytes, MinBlockBytes, MaxBlockBytes)
	case p.BlockGas < MinBlockGas || p.BlockGas > MaxBlockGas:
		return fmt.Errorf("params.block_gas: %d is not within [%d, %d]", p.BlockGas, MinBlockGas, uint64(MaxBlockGas))
	case p.EvidenceBlocks > 1<<40:
		return fmt.Errorf("params.evidence_blocks: %d is over the limit %d", p.EvidenceBlocks, uint64(1)<<40)
	case p.EvidenceAge < time.Hour || p.EvidenceAge > 10*365*24*time.Hour || p.EvidenceAge%time.Second != 0:
		return fmt.Errorf("params.evidence_age: %v is not whole seconds within [1h, 10 years]", p.EvidenceAge)
	}
	return nil
}
