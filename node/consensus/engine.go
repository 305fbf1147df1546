package consensus

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/config"
	cs "github.com/cometbft/cometbft/consensus"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/types"
	"golang.org/x/sync/singleflight"

	"github.com/wardledger/ward/node/durable"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

// Engine is a consensus engine that has caught up with its application. Submit,
// Status and Backlog may be called by anybody at any time.
type Engine struct {
	config    Config
	node      *node.Node
	state     *cs.State
	validator signer
	stores    []*store
	checks    singleflight.Group // of what is submitted, by its hash

	mu      sync.Mutex
	started bool
	stopped bool
	err     error // why it stopped by itself
	reason  string

	dialing sync.WaitGroup
	hangUp  context.CancelFunc // ends dialing

	ending  atomic.Bool   // Stop was called
	done    chan struct{} // closed when consensus has ended by itself
	watched chan struct{} // closed when watch has returned
}

// New opens the engine's stores and brings the application to the engine's height: a
// new chain is begun, blocks that the application has not committed are executed again.
// That can take long; ctx ends it between two blocks.
//
// app is called from several goroutines: CheckTx, the methods of consensus and
// queries each by one at a time, but beside each other.
func New(ctx context.Context, c Config, app abci.Application) (e *Engine, err error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("consensus: %w", err)
	}
	c = c.withDefaults()
	e = &Engine{config: c, done: make(chan struct{}), watched: make(chan struct{})}
	defer func() {
		// The engine panics where its stores and the application disagree.
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
		if err != nil {
			err = errors.Join(fmt.Errorf("consensus: %w", err), e.closeStores())
			e = nil
		}
	}()

	if err := sweep(c.ValidatorState); err != nil {
		return e, err
	}
	if e.validator, err = loadValidator(c.ValidatorKey, c.ValidatorState); err != nil {
		return e, err
	}
	nodeKey, err := loadNodeKey(c.NodeKey)
	if err != nil {
		return e, err
	}
	for _, file := range exposed(c.ValidatorKey, c.NodeKey) {
		c.Logger.Warn("a secret key can be read by other users of this machine", "file", file, "remedy", "chmod 600")
	}
	engine := c.engine()
	if err := engine.ValidateBasic(); err != nil {
		return e, err
	}
	e.node, err = node.NewNodeWithContext(ctx, engine, e.validator, nodeKey,
		// Not the plain local creator: its single lock would let a slow query hold up consensus.
		proxy.NewConnSyncLocalClientCreator(app),
		// Asked for only when a chain begins: it takes a second to encode one with many contracts.
		func() (*types.GenesisDoc, error) { return document(c.Genesis) },
		e.openStore,
		node.DefaultMetricsProvider(engine.Instrumentation),
		logger{to: c.Logger, failed: e.failed, stopping: e.ending.Load},
	)
	if err != nil {
		return e, err
	}
	if err := sameChain(e.node.GenesisDoc(), c.Genesis); err != nil {
		return e, err
	}
	env, err := e.node.ConfigureRPC()
	if err != nil {
		return e, err
	}
	var ok bool
	// The engine shows its consensus state through its RPC alone.
	if e.state, ok = env.ConsensusState.(*cs.State); !ok {
		return e, fmt.Errorf("the engine's consensus state is a %T", env.ConsensusState)
	}
	return e, nil
}

// openStore opens one of the engine's databases and remembers it: the engine closes its
// stores when it stops, but not when it never started.
func (e *Engine) openStore(c *config.DBContext) (dbm.DB, error) {
	dir := c.Config.DBDir()
	// A process that is killed while a database is being made would leave one that can't be opened.
	err := durable.MakeDir(filepath.Join(dir, c.ID+".db"), func(tmp string) error {
		db, err := dbm.NewDB(strings.TrimSuffix(filepath.Base(tmp), ".db"), dbm.GoLevelDBBackend, dir)
		if err != nil {
			return err
		}
		return db.Close()
	})
	var db dbm.DB
	if err == nil {
		db, err = dbm.NewDB(c.ID, dbm.GoLevelDBBackend, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", filepath.Join(dir, c.ID+".db"), err)
	}
	s := &store{DB: db}
	e.stores = append(e.stores, s)
	return s, nil
}

func (e *Engine) closeStores() error {
	var errs []error
	for _, s := range e.stores { // closed already, mostly
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// Start lets the engine listen, vote and propose. Before the genesis time it waits for
// that, or for ctx; otherwise it returns at once.
func (e *Engine) Start(ctx context.Context) error {
	if wait := time.Until(e.config.Genesis.Time); wait > 0 {
		// The engine would wait too, deaf to everybody.
		e.config.Logger.Info("waiting for the chain's first moment", "genesis_time", e.config.Genesis.Time)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.started || e.stopped {
		return errors.New("consensus: started twice or after it was stopped")
	}
	if err := e.start(); err != nil {
		return fmt.Errorf("consensus: %w", err)
	}
	e.started = true
	go e.watch()
	var dialing context.Context
	dialing, e.hangUp = context.WithCancel(context.Background())
	for _, peer := range e.config.Peers {
		e.dialing.Go(func() { e.keepConnected(dialing, peer) })
	}
	return nil
}

func (e *Engine) start() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return e.node.Start()
}

// watch returns when consensus has ended, by Stop or by a failure.
func (e *Engine) watch() {
	defer close(e.watched)
	e.state.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.stopped {
		e.err = fmt.Errorf("consensus: the engine has halted: %s", e.reason)
		close(e.done)
	}
}

// failed is called by the engine's log, just before consensus ends.
func (e *Engine) failed(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.reason == "" {
		e.reason = reason
	}
}

// Done is closed when consensus has ended without being told to. It is not closed by Stop.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Err says why Done is closed.
func (e *Engine) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// Stop ends the engine and returns when nothing of it calls the application any more.
// A block that is being committed is finished first. Stop may be called twice, and on
// an engine that never started.
func (e *Engine) Stop() error {
	e.mu.Lock()
	if e.stopped {
		e.mu.Unlock()
		return nil
	}
	e.stopped = true
	e.ending.Store(true)
	started := e.started
	e.mu.Unlock()

	var err error
	if started {
		e.hangUp()
		e.dialing.Wait()
		voting := !e.node.ConsensusReactor().WaitSync()
		if err = e.node.Stop(); err == nil {
			e.node.Wait()
		}
		if voting { // a node that is still catching up never began to, and watch waits for ever
			<-e.watched
		}
		// The mempool catches up with the last block in a goroutine of its own, which holds
		// this lock and asks the application about every transaction that still waits.
		pool := e.node.Mempool()
		pool.Lock()
		waiting := pool.Size()
		pool.Unlock()
		e.config.Logger.Debug("engine has stopped", "waiting", waiting)
	} else {
		err = e.node.EventBus().Stop()
	}
	if err = errors.Join(err, e.closeStores()); err != nil {
		return fmt.Errorf("consensus: stop: %w", err)
	}
	return nil
}

// Submit offers raw to this node's mempool. OK means that it waits for a block here and
// is passed on to peers, or that it did so before: the same bytes may be submitted any
// number of times. Any other code is a refusal with its reason. The receipt holds TxID,
// Code and Reason only. An error means that the node takes nothing any more.
func (e *Engine) Submit(ctx context.Context, raw []byte) (receipt.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return receipt.Receipt{}, err
	}
	e.mu.Lock()
	running, err := e.started && !e.stopped, e.err
	e.mu.Unlock()
	if err != nil {
		return receipt.Receipt{}, err
	}
	if !running {
		return receipt.Receipt{}, errors.New("consensus: not running")
	}
	// One at a time: the mempool knows bytes as soon as it begins to check them, and would
	// tell the second who brings them so, whatever the first is told in the end.
	hash := sha256.Sum256(raw)
	r, err, _ := e.checks.Do(string(hash[:]), func() (any, error) { return e.check(raw) })
	return r.(receipt.Receipt), err
}

// check is Submit, for bytes that nobody else submits meanwhile.
func (e *Engine) check(raw []byte) (receipt.Receipt, error) {
	var answer *abci.ResponseCheckTx
	// The application lives in this process: the callback has run when CheckTx returns.
	err := e.node.Mempool().CheckTx(raw, func(r *abci.ResponseCheckTx) { answer = r }, mempool.TxInfo{})
	var (
		full   mempool.ErrMempoolIsFull
		large  mempool.ErrTxTooLarge
		before mempool.ErrPreCheck
	)
	switch {
	case err == nil && answer != nil:
		out := receipt.Receipt{Code: receipt.Code(answer.Code), Reason: answer.Log}
		copy(out.TxID[:], answer.Data)
		return out, nil
	case errors.Is(err, mempool.ErrTxInCache):
		// Refused bytes are not remembered, so these were accepted; or a peer has sent them too
		// and they are being checked, and may be refused yet, like any that wait.
		t, err := tx.Decode(raw)
		if err != nil {
			return receipt.Receipt{}, fmt.Errorf("consensus: accepted bytes can't be decoded: %w", err)
		}
		return receipt.Receipt{TxID: t.ID(), Reason: "known already"}, nil
	case errors.As(err, &full):
		return receipt.Receipt{Code: receipt.Busy, Reason: fmt.Sprintf("%d transactions of %d bytes wait already", full.NumTxs, full.TxsBytes)}, nil
	case errors.Is(err, mempool.ErrRecheckFull):
		return receipt.Receipt{Code: receipt.Busy, Reason: "the transactions that wait are still being checked against the last block"}, nil
	case errors.As(err, &large):
		return receipt.Receipt{Code: receipt.TooLarge, Reason: fmt.Sprintf("transaction is %d bytes, limit %d", large.Actual, large.Max)}, nil
	case errors.As(err, &before):
		return receipt.Receipt{Code: receipt.TooLarge, Reason: before.Error()}, nil
	}
	return receipt.Receipt{}, fmt.Errorf("consensus: submit: %w", err)
}

// Backlog is how many transactions wait for a block, and their bytes.
func (e *Engine) Backlog() (txs int, bytes int64) {
	pool := e.node.Mempool()
	return pool.Size(), pool.SizeBytes()
}
