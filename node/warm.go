package node

import (
	"context"
	"errors"
	goruntime "runtime"
	"sync"
	"time"

	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/vm"
)

const (
	// maxWarm bounds the contracts that are made ready ahead; the engine keeps as many, whatever their size.
	maxWarm = 64
	// maxWarmers bounds how many are made ready at a time: what is not in the cache takes some 100 MB while it compiles.
	maxWarmers = 4
	// warmEvery is after how long whoever watches the log is told how far it is.
	warmEvery = time.Second
)

// warmth is how far the contracts are that were there when the node started.
type warmth struct {
	mu        sync.Mutex
	ready, of int
}

func (w *warmth) expect(of int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.of = of
}

// add notes that one more is ready.
func (w *warmth) add() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready++
}

func (w *warmth) read() (ready, of int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ready, w.of
}

// warm makes the contracts ready while the node serves already, so that the first call of each
// doesn't wait for it: a block that comes meanwhile waits for its own contracts alone. Doing it
// ahead changes no result: it is what the first call would do. It returns when ctx ends, which
// what has begun delays by a second, or when everything is ready.
func (n *Node) warm(ctx context.Context) {
	for { // a new chain has no contracts before its first block
		height, raised := n.log.Signal()
		if height > 0 {
			break
		}
		select {
		case <-raised:
		case <-ctx.Done():
			return
		}
	}
	list, err := n.runtime.Contracts("", maxWarm)
	if err != nil { // whoever calls a contract is told again
		n.config.Logger.Warn("contracts are not made ready ahead", "error", err)
		return
	}
	if len(list) == 0 {
		return
	}
	n.warmth.expect(len(list))
	began := time.Now()
	n.config.Logger.Info("making contracts ready", "contracts", len(list))

	todo := make(chan registry.Instance)
	var workers sync.WaitGroup
	for range min(goruntime.GOMAXPROCS(0), maxWarmers, len(list)) {
		workers.Go(func() {
			for instance := range todo {
				n.warmOne(instance)
			}
		})
	}
	tell := time.NewTicker(warmEvery)
	defer tell.Stop()
	for at := 0; at < len(list) && ctx.Err() == nil; {
		select {
		case todo <- list[at]:
			at++
		case <-tell.C:
			ready, of := n.warmth.read()
			n.config.Logger.Info("making contracts ready", "ready", ready, "of", of)
		case <-ctx.Done():
		}
	}
	close(todo)
	workers.Wait()
	ready, of := n.warmth.read()
	n.config.Logger.Info("contracts are ready", "ready", ready, "of", of, "took", time.Since(began).Round(time.Millisecond))
}

// warmOne makes one contract ready.
func (n *Node) warmOne(instance registry.Instance) {
	began := time.Now()
	// Read before the engine is asked: a block may be waiting for the same code, and
	// must not be told that this goroutine could not read it.
	code, err := n.code(instance.Code)
	if err == nil {
		err = n.machine.Prepare(vm.Code{Hash: instance.Code, Load: func() ([]byte, error) { return code, nil }})
	}
	if err != nil { // whoever calls it is told again
		n.config.Logger.Warn("a contract is not made ready ahead", "contract", instance.Name, "error", err)
		return
	}
	n.warmth.add()
	n.config.Logger.Debug("contract is ready", "contract", instance.Name, "took", time.Since(began))
}

// code reads a contract's code from the newest state.
func (n *Node) code(hash [32]byte) ([]byte, error) {
	s, err := n.state.At(0)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	code, found, err := registry.New(s.Overlay()).Code(hash)
	if err == nil && !found {
		err = errors.New("the state has an instance of it, but not the code")
	}
	return code, err
}
