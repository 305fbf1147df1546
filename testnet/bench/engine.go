package bench

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/wardledger/ward/node/consensus"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
)

const (
	// MaxAuthorities bounds the authorities of a benchmark: all of them share one machine.
	MaxAuthorities = 16
	// minSize is the smallest transaction of the engine alone, in bytes: its number and chance.
	minSize = 16
	// ready is how long engines may take to find each other and make a block.
	ready = 30 * time.Second
)

// EngineConfig says what Engine measures.
type EngineConfig struct {
	// Dir is an empty folder for the engines' files. Required.
	Dir string
	// Authorities is how many engines there are.
	Authorities int
	// Devices is how many devices the load is one of; see Config. It bounds what is handed
	// over at a time.
	Devices int
	// Size is that of a transaction, in bytes; at least 16.
	Size int

	Schedule
	// Logger gets what the engines say. Default: nobody.
	Logger *slog.Logger
}

// Validate reports the first field that makes no sense.
func (c EngineConfig) Validate() error {
	switch {
	case !filepath.IsAbs(c.Dir):
		return fmt.Errorf("bench: folder %q is not an absolute path", c.Dir)
	case c.Authorities < 1 || c.Authorities > MaxAuthorities:
		return fmt.Errorf("bench: %d authorities, must be 1 to %d", c.Authorities, MaxAuthorities)
	case c.Devices < 1:
		return fmt.Errorf("bench: %d devices, must be at least 1", c.Devices)
	case c.Size < minSize || c.Size > genesis.MaxDeploy:
		return fmt.Errorf("bench: transactions of %d bytes, must be %d to %d", c.Size, minSize, genesis.MaxDeploy)
	}
	return c.Schedule.validate()
}

// Engine measures the consensus engine alone: as many authorities as asked for, in this
// process and on loopback, configured as a node configures its own, with an application that does
// nothing. Transactions are handed over by a call, without HTTP, and are of no meaning; they are
// committed when the application of the first authority hears so.
func Engine(ctx context.Context, c EngineConfig) (m Measure, err error) {
	if err := c.Validate(); err != nil {
		return Measure{}, err
	}
	l := c.load(c.Devices)
	e := &engines{size: c.Size}
	var t *tally // nil until the load begins; blocks before hold nothing
	begun := make(chan struct{})
	defer func() { err = errors.Join(err, e.stop()) }()
	err = e.start(ctx, c, func(txs [][]byte) {
		select {
		case <-begun:
		default:
			return
		}
		now := time.Now()
		for _, raw := range txs {
			t.commit(engineKey(raw), now, "")
		}
	})
	if err != nil {
		return Measure{}, fmt.Errorf("bench: the engine alone: %w", err)
	}
	t = l.newTally()
	close(begun)
	failed := make(chan error, 1)
	watching, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-e.all[0].Done():
			failed <- e.all[0].Err()
		case <-watching.Done():
		}
	}()
	m, err = l.run(ctx, e, t, failed)
	stop()
	<-watched
	return m, err
}

// engines are a network of engines as a target.
type engines struct {
	all  []*consensus.Engine
	apps []*consensus.Noop
	size int
}

var _ target = (*engines)(nil)

func (e *engines) start(ctx context.Context, c EngineConfig, committed func([][]byte)) error {
	configs, err := engineHomes(c)
	if err != nil {
		return err
	}
	for i, config := range configs {
		hear := func([][]byte) {}
		if i == 0 {
			hear = committed
		}
		app := consensus.NewNoop(hear)
		engine, err := consensus.New(ctx, config, app)
		if err != nil {
			return err
		}
		e.all, e.apps = append(e.all, engine), append(e.apps, app)
	}
	for _, engine := range e.all {
		if err := engine.Start(ctx); err != nil {
			return err
		}
	}
	return e.together(ctx)
}

// together waits until every engine is connected with all others and has made a block.
func (e *engines) together(ctx context.Context) error {
	late := time.NewTimer(ready)
	defer late.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for i := 0; i < len(e.all); {
		if s := e.all[i].Status(); len(s.Peers) == len(e.all)-1 && e.apps[i].Height() > 0 && !s.CatchingUp {
			i++
			continue
		}
		select {
		case <-look.C:
		case <-e.all[i].Done():
			return e.all[i].Err()
		case <-late.C:
			return fmt.Errorf("engine %d of %d made no block within %v: %+v", i, len(e.all), ready, e.all[i].Status())
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (e *engines) stop() error {
	var errs []error
	for _, engine := range e.all {
		errs = append(errs, engine.Stop())
	}
	return errors.Join(errs...)
}

// engineHomes makes a home for each authority of a new chain.
func engineHomes(c EngineConfig) ([]consensus.Config, error) {
	g := &genesis.Genesis{Chain: "ward-bench-engine", Time: time.Now().UTC()}
	var configs []consensus.Config
	var ids []string
	for i := range c.Authorities {
		keys, err := consensus.GenerateKeys()
		if err != nil {
			return nil, err
		}
		dir := filepath.Join(c.Dir, fmt.Sprintf("engine%d", i))
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, err
		}
		config := consensus.Config{
			Genesis: g, Dir: dir, Listen: "127.0.0.1:0", Logger: c.Logger,
			ValidatorKey:   filepath.Join(dir, "validator.json"),
			ValidatorState: filepath.Join(dir, "validator-state.json"),
			NodeKey:        filepath.Join(dir, "node.json"),
		}
		if c.Authorities > 1 {
			if config.Listen, err = unused(); err != nil {
				return nil, err
			}
		}
		for file, b := range map[string][]byte{config.ValidatorKey: keys.Validator, config.ValidatorState: keys.ValidatorState, config.NodeKey: keys.Node} {
			if err := os.WriteFile(file, b, 0o600); err != nil {
				return nil, err
			}
		}
		g.Authorities = append(g.Authorities, genesis.Authority{Name: fmt.Sprintf("engine %d", i), Key: keys.Authority})
		if i == 0 { // somebody must be the operator; the application asks nobody
			g.Operator = address.FromKey(keys.Authority)
			g.Accounts = []genesis.Account{{Key: keys.Authority, Scope: genesis.Everything()}}
		}
		configs, ids = append(configs, config), append(ids, keys.NodeID)
	}
	for i := range configs {
		for j := range configs {
			if i != j {
				configs[i].Peers = append(configs[i].Peers, ids[j]+"@"+configs[j].Listen)
			}
		}
	}
	return configs, nil
}

// unused is an address of this machine on which nobody listens at the moment.
func unused() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// engineKey is the number of a transaction of the engine alone, which is in its first bytes.
func engineKey(raw []byte) (id key) {
	copy(id[:8], raw)
	return id
}

func (e *engines) send(ctx context.Context, n uint64, expect func(key)) error {
	raw := make([]byte, e.size)
	_, _ = rand.Read(raw[8:]) // never fails; chance, as a signature is, that nothing can compress
	binary.BigEndian.PutUint64(raw, n)
	expect(engineKey(raw))
	r, err := e.all[n%uint64(len(e.all))].Submit(ctx, raw)
	if err == nil && r.Code != receipt.OK {
		return refusal(r.Code.Name())
	}
	return err
}

func (e *engines) idle(context.Context) bool {
	for _, engine := range e.all {
		if txs, _ := engine.Backlog(); txs > 0 {
			return false
		}
	}
	return true
}

func (e *engines) ask(context.Context, key) string { return "" }
