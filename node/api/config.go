package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/node/stream"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
)

// Chain answers from committed state: a *runtime.Runtime.
type Chain interface {
	Contract(name string) (info runtime.ContractInfo, found bool, err error)
	Contracts(after string, limit int) ([]registry.Instance, error)
	Key(kid address.Address, time int64) (info runtime.KeyInfo, found bool, err error)
	View(ctx context.Context, q runtime.Query) (receipt.Receipt, uint64, error)
	Tracer
}

// Tracer tells what calls do, and leaves nothing behind.
type Tracer interface {
	Simulate(ctx context.Context, t runtime.Trial) (runtime.Traced, error)
	TraceTx(ctx context.Context, h runtime.Header, first [][]byte) (runtime.Traced, error)
}

var _ Chain = (*runtime.Runtime)(nil)

// Engine is the node's way into consensus.
type Engine interface {
	// Submit offers a transaction to the mempool. OK means that it waits for a block, or did
	// before; another code is a refusal with its reason. An error means that the node takes
	// nothing any more.
	Submit(ctx context.Context, raw []byte) (receipt.Receipt, error)
	// Transactions are those of a committed block, in order; none if the engine doesn't keep that block any more.
	Transactions(height uint64) ([][]byte, error)
	// Condition tells how the node is doing, at once.
	Condition() Condition
}

// Condition is how the node is doing, beside what the event log knows.
type Condition struct {
	Node         string // its name among its peers
	CatchingUp   bool   // it is fetching blocks that others have
	Authority    []byte // its voting key
	Validator    bool   // that key is an authority's: it votes
	Authorities  []Authority
	Deciding     *Deciding // the decision on a block that is under way; nil while there is none
	Peers        []Peer
	Waiting      int    // transactions in the mempool
	WaitingBytes int64  // their bytes
	Earliest     uint64 // first height whose state can be asked
	Stopped      error  // why the engine or the application has stopped; nil while they run

	Contracts Readiness
}

// Readiness is how far a node is with the contracts that were there when it started. A call of one that isn't
// ready waits for it.
type Readiness struct {
	Ready int
	Of    int // 0 before the first block, or while they are being counted
}

// Authority is one of those that decide blocks, as this node sees it.
type Authority struct {
	Key     []byte // 32 bytes Ed25519
	Name    string // for people; may be empty
	Signed  uint64 // the newest of the last ten blocks that its vote has decided, 0 for none
	Missing bool   // it takes no part
}

// Deciding is a decision on a block.
type Deciding struct {
	Height uint64
	Round  int       // how often it was tried already
	Since  time.Time // of the first vote
	Voted  int       // authorities that have given the vote that this try waits for
	Needed int       // how many must
}

// Peer is another node that this one is connected with.
type Peer struct {
	ID   string
	Name string // what it calls itself
}

// Config is what a Server is made of. Zero fields mean their defaults; Chain, Engine, Log and
// ChainID are required.
type Config struct {
	Chain   Chain
	Engine  Engine
	Log     *eventlog.Log
	ChainID string
	Version string // of this program, for /v1/status

	// Origins are the origins whose browser pages may use this API and its streams, such as
	// "https://panel.example"; "*" means all. Default none but the node's own.
	Origins []string

	// Rate is how many requests per second an address may make, and Burst how many at once.
	// Defaults 500 and 1000: a gateway with a few hundred devices. A negative Rate means no
	// limit.
	Rate  float64
	Burst int

	// MaxConnections bounds the open connections, streams among them. Default 4096.
	MaxConnections int
	// MaxWaiting bounds the requests that wait for a commit. Default 1024.
	MaxWaiting int
	// MaxViews bounds the views that run at a time. Default 2 per CPU.
	MaxViews int
	// MaxTraces bounds the simulations and traces that run at a time; who comes then is told to come again. Default 1 per CPU.
	MaxTraces int
	// ViewTimeout is how long a view may take, waiting for its turn included, and a simulation or trace. Default 5 s.
	ViewTimeout time.Duration

	// MaxSubscribers and MaxPerAddress bound the event streams; see stream.Config.
	MaxSubscribers, MaxPerAddress int

	// DataDir is the folder whose disk must have MinFree bytes free for the node to be
	// healthy. Default for MinFree 512 MiB: some hours of a busy chain. Without DataDir the
	// disk is not looked at.
	DataDir string
	MinFree uint64
	// StallAfter is how old the newest block may be while transactions wait, and QuietAfter how
	// old at all. Defaults 30 s and 180 s: the engine makes a block a minute without any.
	StallAfter, QuietAfter time.Duration

	Clock  func() time.Time // default time.Now
	Logger *slog.Logger     // default slog.Default()
}

// Validate reports the first field that makes no sense.
func (c Config) Validate() error {
	switch {
	case c.Chain == nil || c.Engine == nil || c.Log == nil:
		return errors.New("api: Chain, Engine and Log are required")
	case c.ChainID == "":
		return errors.New("api: ChainID is required")
	case c.Burst < 0 || c.MaxConnections < 0 || c.MaxWaiting < 0 || c.MaxViews < 0 || c.MaxTraces < 0:
		return fmt.Errorf("api: burst %d, connections %d, waiting %d, views %d, traces %d: must not be negative",
			c.Burst, c.MaxConnections, c.MaxWaiting, c.MaxViews, c.MaxTraces)
	case c.ViewTimeout < 0 || c.StallAfter < 0 || c.QuietAfter < 0:
		return fmt.Errorf("api: view timeout %s, stall after %s, quiet after %s: must not be negative", c.ViewTimeout, c.StallAfter, c.QuietAfter)
	}
	for _, o := range c.Origins {
		if err := stream.CheckOrigin(o); err != nil {
			return fmt.Errorf("api: %w", err)
		}
	}
	return nil
}

func (c Config) withDefaults() Config {
	orDefault(&c.Rate, 500)
	orDefault(&c.Burst, 1000)
	orDefault(&c.MaxConnections, 4096)
	orDefault(&c.MaxWaiting, 1024)
	orDefault(&c.MaxViews, 2*cpus())
	orDefault(&c.MaxTraces, cpus())
	orDefault(&c.ViewTimeout, 5*time.Second)
	orDefault(&c.MinFree, 512<<20)
	orDefault(&c.StallAfter, 30*time.Second)
	orDefault(&c.QuietAfter, 180*time.Second)
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
