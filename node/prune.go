package node

import (
	"context"
	"sync"
	"time"
)

// pruneEvery is how often the node looks whether heights have left the window: about once a block.
const pruneEvery = time.Second

// startPruning takes old heights out of the state beside the blocks, one after the other, so that a commit never waits for
// more than one.
func (n *Node) startPruning() {
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(pruneEvery)
		defer tick.Stop()
		failed := false
		for {
			more, err := n.state.Prune(1)
			if err != nil && !failed {
				n.config.Logger.Error("Old heights stay on disk.", "err", err)
			}
			failed = err != nil
			if more && !failed && ctx.Err() == nil {
				continue
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	n.opened("pruning", func() error {
		stop()
		done.Wait()
		return nil
	})
}
