package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"

	"github.com/wardledger/ward/node/api"
	"github.com/wardledger/ward/node/app"
	"github.com/wardledger/ward/node/consensus"
	"github.com/wardledger/ward/node/db"
	"github.com/wardledger/ward/node/durable"
	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/vm"
)

// Node is a running node.
type Node struct {
	config  Config
	genesis *genesis.Genesis
	state   *state.State
	machine *vm.Engine
	runtime *runtime.Runtime
	log     *eventlog.Log
	app     *app.App
	engine  *consensus.Engine
	address net.Addr
	warmth  warmth

	served chan struct{} // closed when HTTP has ended
	httpEr error         // why, written before served is closed

	closing sync.Once
	closers []closer // in the order of opening
	closed  error
}

// closer takes down one part.
type closer struct {
	what string
	down func() error
}

// opened notes how to take down what has just been opened.
func (n *Node) opened(what string, down func() error) {
	n.closers = append(n.closers, closer{what, down})
}

// Run runs a node until ctx ends or the node can't go on, takes it down, and says why it
// ended: nil after ctx.
func Run(ctx context.Context, c Config) error {
	n, err := New(ctx, c)
	if err != nil {
		return err
	}
	return errors.Join(n.Wait(ctx), n.Close())
}

// New opens a home, repeats the blocks that its state lacks, and starts voting and
// serving. The node runs when New returns; ctx only bounds New itself. Close the node.
func New(ctx context.Context, c Config) (n *Node, err error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	n = &Node{config: c.withDefaults(), served: make(chan struct{})}
	if err := n.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("node: %w", err), n.Close())
	}
	return n, nil
}

func (n *Node) open(ctx context.Context) error {
	c := n.config
	h, err := openHome(c.Home)
	if err != nil {
		return err
	}
	if n.genesis, err = h.readGenesis(); err != nil { // before the lock makes anything in a folder that is no home
		return err
	}
	lock, err := takeLock(h)
	if err != nil {
		return err
	}
	n.opened("home", lock.release)
	if c.Cache == "" {
		n.config.Cache = h.cache()
	}
	for _, dir := range []string{h.engine(), n.config.Cache} {
		if err := os.MkdirAll(dir, modeDir); err != nil {
			return err
		}
	}
	// Early: a port that is taken should not cost the replay of a chain.
	listener, err := net.Listen("tcp", c.HTTP)
	if err != nil {
		return err
	}
	n.address = listener.Addr()
	n.opened("listener", func() error {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) { // HTTP has closed it, mostly
			return err
		}
		return nil
	})
	if err := n.openStores(h); err != nil {
		return err
	}
	if err := n.openChain(ctx, h); err != nil {
		return err
	}
	return n.serve(h, listener)
}

// openDB opens a database, which is made where needed. A process that is killed while one is
// being made would leave a folder that can't be opened.
func (n *Node) openDB(what, dir string, o db.Options) (*db.DB, error) {
	err := durable.MakeDir(dir, func(dir string) error {
		rows, err := db.Open(dir, o)
		if err != nil {
			return err
		}
		return rows.Close()
	})
	if err != nil {
		return nil, err
	}
	rows, err := db.Open(dir, o)
	if err == nil {
		n.opened(what, rows.Close)
	}
	return rows, err
}

// eventOptions: events are written in order and read in order, which takes little memory, and are full of text.
var eventOptions = db.Options{CacheMiB: 32, BufferMiB: 8, Compress: true}

// openStores opens state and event log, and the runtime on them.
func (n *Node) openStores(h home) error {
	rows, err := n.openDB("state", h.state(), db.Options{})
	if err != nil {
		return err
	}
	if n.state, err = state.Open(rows, state.Options{Keep: n.config.Keep}); err != nil {
		return err
	}
	n.startPruning()
	events, err := n.openDB("event log", h.events(), eventOptions)
	if err != nil {
		return err
	}
	if n.log, err = eventlog.Open(events); err != nil {
		return err
	}
	if err := n.log.Raise(n.state.Height()); err != nil {
		return err
	}

	machine, err := vm.New(vm.Options{Interpreter: n.config.Interpreter, CacheDir: n.config.Cache})
	if err != nil {
		return err
	}
	n.opened("contracts", machine.Close)
	n.machine = machine
	n.runtime, err = runtime.New(runtime.Config{State: n.state, Engine: machine})
	return err
}

// openChain opens consensus, which repeats the blocks that the state lacks, and starts it.
func (n *Node) openChain(ctx context.Context, h home) error {
	c := n.config
	var err error
	n.app, err = app.New(app.Config{
		Runtime: n.runtime, Log: n.log, Genesis: n.genesis,
		PoolTxs: consensus.PoolTxs, PoolBytes: consensus.PoolBytes(n.genesis),
		Logger: c.Logger.With("part", "app"),
	})
	if err != nil {
		return err
	}
	n.opened("application", func() error { n.app.Close(); return nil })
	rpc := c.RPC
	if rpc == None {
		rpc = ""
	}
	n.engine, err = consensus.New(ctx, consensus.Config{
		Genesis: n.genesis, Dir: h.engine(),
		ValidatorKey: h.validatorKey(), ValidatorState: h.validatorState(), NodeKey: h.nodeKey(),
		Listen: c.P2P, External: c.External, RPC: rpc, Peers: c.Peers, Name: c.Name,
		EmptyInterval: c.EmptyInterval, TimeoutPropose: c.TimeoutPropose,
		Logger: c.Logger.With("part", "engine"),
	}, n.app)
	if err != nil {
		return err
	}
	n.opened("consensus", n.engine.Stop)
	n.app.Attach(n.engine.Backlog)
	if err := n.engine.Start(ctx); err != nil {
		return err
	}
	return n.firstBlock(ctx)
}

// firstBlock waits for the block that makes genesis true, where nobody else is needed for
// it: until then the node would turn every transaction away.
func (n *Node) firstBlock(ctx context.Context) error {
	if s := n.engine.Status(); !s.Votes || len(s.Authorities) > 1 {
		return nil
	}
	height, raised := n.log.Signal()
	if height > 0 {
		return nil
	}
	select {
	case <-raised:
		return nil
	case <-n.app.Failed():
		return n.app.Err()
	case <-n.engine.Done():
		return n.engine.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serve starts the HTTP surface.
func (n *Node) serve(h home, listener net.Listener) error {
	c := n.config
	server, err := api.New(api.Config{
		Chain: n.runtime, Engine: n, Log: n.log, ChainID: n.genesis.Chain, Version: c.Version,
		Origins: c.Origins, Rate: c.Rate, Burst: c.Burst, QuietAfter: 3 * c.EmptyInterval,
		DataDir: h.join("data"), Logger: c.Logger.With("part", "http"),
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		defer close(n.served)
		n.httpEr = server.Serve(ctx, listener)
	}()
	n.opened("HTTP", func() error {
		stop()
		<-n.served
		return nil // Wait tells, where it matters
	})
	warming := make(chan struct{})
	go func() {
		defer close(warming)
		n.warm(ctx)
	}()
	n.opened("warming", func() error {
		stop()
		<-warming
		return nil
	})
	c.Logger.Info("node is up", "chain", n.genesis.Chain, "height", n.state.Height(), "http", "http://"+n.address.String())
	return nil
}

// Wait blocks until ctx ends, which is no error, or until the node can't go on, and says
// why. The node is still open then.
func (n *Node) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-n.app.Failed():
		return n.app.Err()
	case <-n.engine.Done():
		if err := n.app.Err(); err != nil { // the cause, where the engine only saw the effect
			return err
		}
		return n.engine.Err()
	case <-n.served:
		if n.httpEr == nil {
			return errors.New("node: closed")
		}
		return n.httpEr
	}
}

// Close takes the node down: first no request comes in any more, then consensus ends, with
// the block that is being committed, then the stores are closed. It may be called again, and
// waits for whoever called first.
func (n *Node) Close() error {
	n.closing.Do(func() {
		var errs []error
		for _, c := range slices.Backward(n.closers) {
			if err := c.down(); err != nil {
				errs = append(errs, fmt.Errorf("node: close %s: %w", c.what, err))
			}
		}
		n.closed = errors.Join(errs...)
	})
	return n.closed
}

// HTTP is where the HTTP surface listens.
func (n *Node) HTTP() net.Addr { return n.address }

// Genesis is what the node's chain started from. It must not be changed.
func (n *Node) Genesis() *genesis.Genesis { return n.genesis }

// Runtime answers questions about committed state.
func (n *Node) Runtime() *runtime.Runtime { return n.runtime }

// Log is the memory of what happened on this chain.
func (n *Node) Log() *eventlog.Log { return n.log }

// Submit offers a transaction to this node; see [consensus.Engine.Submit].
func (n *Node) Submit(ctx context.Context, raw []byte) (receipt.Receipt, error) {
	return n.engine.Submit(ctx, raw)
}

// Transactions are those of a committed block; see [consensus.Engine.Transactions].
func (n *Node) Transactions(height uint64) ([][]byte, error) { return n.engine.Transactions(height) }

var _ api.Engine = (*Node)(nil)

// Condition tells how the node is doing.
func (n *Node) Condition() api.Condition {
	s := n.engine.Status()
	txs, size := n.engine.Backlog()
	stopped := n.app.Err()
	if stopped == nil {
		stopped = n.engine.Err()
	}
	c := api.Condition{
		Node: s.NodeID, CatchingUp: s.CatchingUp, Authority: s.Authority, Validator: s.Votes,
		Waiting: txs, WaitingBytes: size, Earliest: n.state.Earliest(), Stopped: stopped,
	}
	c.Contracts.Ready, c.Contracts.Of = n.warmth.read()
	for _, p := range s.Peers {
		c.Peers = append(c.Peers, api.Peer(p))
	}
	for _, a := range s.Authorities {
		c.Authorities = append(c.Authorities, api.Authority{Key: a.Key, Name: n.label(a.Key), Signed: a.Signed, Missing: a.Missing})
	}
	if d := s.Deciding; d != nil {
		c.Deciding = &api.Deciding{Height: d.Height, Round: int(d.Round), Since: d.Since, Voted: d.Voted, Needed: d.Needed}
	}
	return c
}

// label is the name that genesis gives an authority, "" if it came later.
func (n *Node) label(key []byte) string {
	for _, a := range n.genesis.Authorities {
		if bytes.Equal(a.Key, key) {
			return a.Name
		}
	}
	return ""
}
