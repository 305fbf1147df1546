package testnet_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/wardledger/ward/node/db"
	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/wire"
)

// BenchmarkWay is the way of one signed transaction, a recorded use of a front door
// by P-256, step by step on real parts and a real disk, one transaction a block. Each step is a
// metric, in microseconds.
func BenchmarkWay(b *testing.B) {
	open := func(name string) *db.DB {
		d, err := db.Open(b.TempDir()+"/"+name, db.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { d.Close() })
		return d
	}
	rows, events := open("state"), open("events")
	s, err := state.Open(rows, state.Options{})
	if err != nil {
		b.Fatal(err)
	}
	log, err := eventlog.Open(events)
	if err != nil {
		b.Fatal(err)
	}
	engine, err := vm.New(vm.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Close()
	r, err := runtime.New(runtime.Config{State: s, Engine: engine})
	if err != nil {
		b.Fatal(err)
	}
	doc := labGenesis(b)
	now := time.Now().Unix()
	if _, err := r.InitChain(doc.State(), runtime.Header{Height: 1, Time: now}); err != nil {
		b.Fatal(err)
	}
	pool := r.NewPool()
	defer pool.Close()

	steps := []string{"sign", "decode", "check", "apply", "seal", "log", "commit", "raise"}
	spent := make([]time.Duration, len(steps))
	measure := func(step int, f func() error) {
		began := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		spent[step] += time.Since(began)
	}
	object := owner.Public().Address().String() + "/door"
	sequence := uint64(0)
	way := func(method string, args any) {
		var raw []byte
		var stage *runtime.Stage
		var block *runtime.Block
		measure(0, func() (err error) {
			var encoded []byte
			if encoded, err = wire.Marshal(args); err != nil {
				return err
			}
			sequence++
			raw, err = tx.Sign(&tx.Tx{Chain: doc.Chain, Sequence: sequence, GasLimit: usualGas, Contract: "access", Method: method, Args: encoded}, owner)
			return err
		})
		measure(1, func() error { _, err := tx.Decode(raw); return err })
		if r.Height() > 0 {
			measure(2, func() error {
				rec, err := pool.Check(raw, false)
				if err == nil && rec.Code != receipt.OK {
					err = fmt.Errorf("check: %s", rec.Reason)
				}
				return err
			})
		}
		now++
		header := runtime.Header{Height: r.Height() + 1, Time: now}
		var err error
		if block, err = r.Begin(header); err != nil {
			b.Fatal(err)
		}
		measure(3, func() error {
			rec, err := block.Apply(raw)
			if err == nil && rec.Code != receipt.OK {
				err = fmt.Errorf("apply: %s", rec.Reason)
			}
			return err
		})
		measure(4, func() (err error) { stage, err = block.Seal(); return err })
		measure(5, func() error {
			return log.Append(eventlog.Block{Height: header.Height, Time: now, Hash: make([]byte, 32), Root: stage.Root, Receipts: stage.Receipts, Events: stage.Events})
		})
		measure(6, stage.Commit)
		measure(7, func() error { return log.Raise(header.Height) })
		if err := pool.Reset(header); err != nil {
			b.Fatal(err)
		}
	}
	way("register", struct{ Name string }{"door"})
	way("use", struct{ Object, Relation string }{object, "open"})
	clear(spent)
	b.ReportAllocs()
	for b.Loop() {
		way("use", struct{ Object, Relation string }{object, "open"})
	}
	for i, step := range steps {
		b.ReportMetric(float64(spent[i].Microseconds())/float64(b.N), step+"-us")
	}
}

// BenchmarkNode is the same transaction over HTTP to a running node, from before it is signed
// until its receipt is there (ns/op) and until its event has reached a WebSocket (event-us).
func BenchmarkNode(b *testing.B) {
	n := start(b)
	ctx := context.Background()
	c := connect(b, n)
	if _, err := c.Call(ctx, owner, "access", "register", struct{ Name string }{"door"}, client.Options{}); err != nil {
		b.Fatal(err)
	}
	events, err := connect(b, n).Subscribe(ctx, client.Filter{}, client.FromNow, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer events.Close()
	object := owner.Public().Address().String() + "/door"
	var streamed time.Duration
	for b.Loop() {
		began := time.Now()
		seen := make(chan error, 1)
		go func() { _, err := events.Next(ctx); seen <- err }()
		if _, err := c.Call(ctx, owner, "access", "use", struct{ Object, Relation string }{object, "open"}, client.Options{}); err != nil {
			b.Fatal(err)
		}
		if err := <-seen; err != nil {
			b.Fatal(err)
		}
		streamed += time.Since(began)
	}
	b.ReportMetric(float64(streamed.Microseconds())/float64(b.N), "event-us")
}
