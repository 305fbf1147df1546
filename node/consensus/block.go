package consensus

import (
	"fmt"
	"math"
)

// Transactions are those of a committed block, in order: none if the store doesn't have the block, or is closed. It may be
// called by anybody at any time.
func (e *Engine) Transactions(height uint64) (txs [][]byte, err error) {
	if height == 0 || height > math.MaxInt64 {
		return nil, nil
	}
	defer func() {
		// The store panics over what it can't read.
		if r := recover(); r != nil {
			txs, err = nil, fmt.Errorf("consensus: block %d: %v", height, r)
		}
	}()
	block := e.node.BlockStore().LoadBlock(int64(height))
	if block == nil {
		return nil, nil
	}
	return block.Txs.ToSliceOfBytes(), nil
}
