package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

// Log is the durable memory of what happened; see node/eventlog.
type Log interface {
	// Append keeps a block; a block that is there already is no error.
	Append(eventlog.Block) error
	// Raise publishes every block up to height.
	Raise(height uint64) error
}

var _ Log = (*eventlog.Log)(nil)

// Config is what an App is made of.
type Config struct {
	Runtime *runtime.Runtime // required; the App is the only one to begin and commit blocks
	Log     Log              // required; raised to the runtime's height already
	Genesis *genesis.Genesis // required

	// PoolTxs and PoolBytes bound what may wait for a block. Priority transactions may use
	// all of it, ordinary ones four fifths. Required.
	PoolTxs   int
	PoolBytes int64

	// Clock is this node's own clock. Its readings need the monotonic part that time.Now
	// gives them. Default time.Now.
	Clock func() time.Time
	// Logger gets one line for each block at debug level, and what is wrong. Default: nothing.
	Logger *slog.Logger
}

// Backlog tells how many transactions, and how many bytes of them, wait for a block.
type Backlog func() (txs int, bytes int64)

// App is an ABCI application. It is made for the engine alone; Close it after the engine
// has stopped.
type App struct {
	abci.BaseApplication // answers what Ward has no use for, such as vote extensions

	config  Config
	runtime *runtime.Runtime
	pool    *runtime.Pool
	ahead   *ahead
	closing sync.Once
	backlog atomic.Pointer[Backlog]

	// last is the last committed block.
	last atomic.Pointer[committed]
	// poolTime is the instant at which the pool was set on its committed height, in
	// nanoseconds of the node's clock since the App was made.
	poolTime atomic.Int64
	began    time.Time

	// These belong to the engine's consensus calls, of which there is one at a time.
	stage *staged
	clock clock

	failure sync.Once
	failed  chan struct{}
	err     error // written before failed is closed
}

var _ abci.Application = (*App)(nil)

// committed is a block that has happened.
type committed struct {
	height uint64
	root   []byte
	time   int64 // of the block, unix seconds; 0 where this process did not see the block
}

// staged is a block that was executed and has not happened yet.
type staged struct {
	*runtime.Stage
	hash []byte
}

// New returns the application on the runtime's last committed height.
func New(c Config) (*App, error) {
	if c.Runtime == nil || c.Log == nil || c.Genesis == nil || c.PoolTxs <= 0 || c.PoolBytes <= 0 {
		return nil, errors.New("app: runtime, log, genesis and the bounds of the pool are required")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	a := &App{config: c, runtime: c.Runtime, pool: c.Runtime.NewPool(), ahead: newAhead(), failed: make(chan struct{}), began: c.Clock()}
	a.last.Store(&committed{height: c.Runtime.Height(), root: c.Runtime.Root()})
	if err := a.resetPool(); err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	go a.runAhead()
	return a, nil
}

// Attach lets the App know what waits in the mempool. Until then it takes the mempool to
// be empty.
func (a *App) Attach(b Backlog) { a.backlog.Store(&b) }

func (a *App) waiting() (txs int, bytes int64) {
	if b := a.backlog.Load(); b != nil {
		return (*b)()
	}
	return 0, 0
}

// Close lets go of the state, once nothing is being made ready any more. The engine must have stopped. It may be called
// again.
func (a *App) Close() {
	a.closing.Do(func() {
		a.ahead.close()
		a.pool.Close()
	})
}

// Failed is closed when this node is broken and must not go on.
func (a *App) Failed() <-chan struct{} { return a.failed }

// Err says why Failed is closed; before, it is nil.
func (a *App) Err() error {
	select {
	case <-a.failed:
		return a.err
	default:
		return nil
	}
}

// fail records the first error after which this node must not go on, and returns it.
func (a *App) fail(err error) error {
	a.failure.Do(func() {
		a.err = fmt.Errorf("app: this node can't go on: %w", err)
		a.config.Logger.Error("this node can't go on", "error", err)
		close(a.failed)
	})
	return a.err
}

// Info tells the engine up to which block the state has come, so that it hands in those
// that follow.
func (a *App) Info(context.Context, *abci.RequestInfo) (*abci.ResponseInfo, error) {
	last := a.last.Load()
	return &abci.ResponseInfo{
		Data:             "ward",
		AppVersion:       runtime.Version,
		LastBlockHeight:  int64(last.height),
		LastBlockAppHash: last.root,
	}, nil
}

// InitChain begins the chain. It writes nothing to disk: the first block commits genesis
// with itself, and until then the engine calls again after a crash.
func (a *App) InitChain(_ context.Context, r *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	g, err := genesis.Parse(r.AppStateBytes)
	if err != nil {
		return nil, a.fail(err)
	}
	if got, want := g.Digest(), a.config.Genesis.Digest(); got != want || r.ChainId != g.Chain || r.InitialHeight != 1 {
		return nil, a.fail(fmt.Errorf("the engine begins chain %q at height %d with genesis %x, this node has genesis %x of chain %q",
			r.ChainId, r.InitialHeight, got[:8], want[:8], a.config.Genesis.Chain))
	}
	root, err := a.runtime.InitChain(g.State(), runtime.Header{Height: 1, Time: r.Time.Unix()})
	if err != nil {
		return nil, a.fail(err)
	}
	return &abci.ResponseInitChain{AppHash: root}, nil
}

// FinalizeBlock executes a decided block. Nothing of it is on disk yet.
func (a *App) FinalizeBlock(_ context.Context, r *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	if err := a.Err(); err != nil {
		return nil, err
	}
	for _, m := range r.Misbehavior {
		a.config.Logger.Warn("an authority has signed twice", "height", m.Height, "authority", fmt.Sprintf("%X", m.Validator.Address), "kind", m.Type.String())
	}
	began := a.config.Clock()
	block, err := a.runtime.Begin(runtime.Header{Height: uint64(r.Height), Time: r.Time.Unix()})
	if err != nil {
		return nil, a.fail(err)
	}
	results := make([]*abci.ExecTxResult, 0, len(r.Txs))
	var gas uint64
	for _, raw := range r.Txs {
		watch := time.AfterFunc(slow, func() { a.tellSlow(r.Height, raw) })
		rec, err := block.Apply(raw)
		watch.Stop()
		if err != nil {
			return nil, a.fail(err)
		}
		results = append(results, &abci.ExecTxResult{
			// These four are what LastResultsHash is made of.
			Code: uint32(rec.Code), Data: rec.Data(), GasWanted: int64(rec.GasLimit), GasUsed: int64(rec.GasUsed),
			Log: rec.Reason,
		})
		gas += rec.GasUsed
	}
	stage, err := block.Seal()
	if err != nil {
		return nil, a.fail(err)
	}
	a.stage = &staged{Stage: stage, hash: r.Hash}
	a.config.Logger.Debug("executed", "height", r.Height, "txs", len(r.Txs), "gas", gas, "time", r.Time.Unix(),
		"took", a.config.Clock().Sub(began))
	return &abci.ResponseFinalizeBlock{TxResults: results, AppHash: stage.Root, ValidatorUpdates: validatorUpdates(stage.Updates)}, nil
}

// validatorUpdates tells the engine who decides blocks from two heights later on. It panics,
// on every node, on a key twice, on an unknown one that is removed, and on an empty set:
// the runtime's difference of two sets has none of these.
func validatorUpdates(updates []runtime.AuthorityUpdate) (out []abci.ValidatorUpdate) {
	for _, u := range updates {
		power := int64(0) // leaves
		if u.Power > 0 {
			power = genesis.Power
		}
		out = append(out, abci.Ed25519ValidatorUpdate(u.Key, power))
	}
	return out
}

// slow is how long a transaction may execute before whoever watches this node is told which
// it is. It changes nothing: only gas ends a transaction, on every node alike.
const slow = 5 * time.Second

func (a *App) tellSlow(height int64, raw []byte) {
	t, err := tx.Decode(raw)
	if err != nil {
		return // it is refused without running
	}
	a.config.Logger.Warn("a block takes long", "height", height, "tx", t.ID().String(), "calls", t.Contract+"."+t.Method, "running", slow)
}

// Commit makes the executed block true: event log, then state, and only then does anybody
// hear of it. The mempool is locked meanwhile, so no CheckTx runs.
func (a *App) Commit(context.Context, *abci.RequestCommit) (*abci.ResponseCommit, error) {
	if err := a.Err(); err != nil {
		return nil, err
	}
	s := a.stage
	if s == nil {
		return nil, a.fail(errors.New("the engine commits a block that was not executed"))
	}
	a.stage = nil
	if err := a.config.Log.Append(eventlog.Block{
		Height: s.Header.Height, Time: s.Header.Time, Hash: s.hash, Root: s.Root, Receipts: s.Receipts, Events: s.Events,
	}); err != nil {
		return nil, a.fail(err)
	}
	if err := s.Commit(); err != nil {
		return nil, a.fail(err)
	}
	a.last.Store(&committed{height: s.Header.Height, root: s.Root, time: s.Header.Time})
	if err := a.resetPool(); err != nil {
		return nil, a.fail(err)
	}
	txs, _ := a.waiting() // the block's own are still among them
	a.clock.committed(a.config.Clock(), len(s.Receipts) == 0 && txs > 0)
	if err := a.config.Log.Raise(s.Header.Height); err != nil {
		return nil, a.fail(err)
	}
	return &abci.ResponseCommit{}, nil
}

// Query refuses: Ward's own HTTP surface answers queries.
func (a *App) Query(context.Context, *abci.RequestQuery) (*abci.ResponseQuery, error) {
	return &abci.ResponseQuery{Code: uint32(receipt.UnknownMethod), Log: "ask Ward's HTTP interface; the engine's answers only for blocks"}, nil
}

// OfferSnapshot refuses: Ward has no snapshots yet, a new node executes every block.
func (a *App) OfferSnapshot(context.Context, *abci.RequestOfferSnapshot) (*abci.ResponseOfferSnapshot, error) {
	return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_ABORT}, nil
}

// ApplySnapshotChunk refuses, as OfferSnapshot.
func (a *App) ApplySnapshotChunk(context.Context, *abci.RequestApplySnapshotChunk) (*abci.ResponseApplySnapshotChunk, error) {
	return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ABORT}, nil
}

// InsertTx refuses: it belongs to a kind of mempool that is not in use.
func (a *App) InsertTx(context.Context, *abci.RequestInsertTx) (*abci.ResponseInsertTx, error) {
	return &abci.ResponseInsertTx{Code: uint32(receipt.Busy)}, nil
}
