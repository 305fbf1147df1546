package network

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk/client"
)

const (
	// watchEvery is how often a watch compares what is new.
	watchEvery = time.Second
	// maxReferences is for how many heights a watch remembers what the first node said. Nodes
	// that come back from further behind are held against another node instead.
	maxReferences = 10_000
	// maxWrong bounds what a watch tells in sentences: the first few are those that matter.
	maxWrong = 20
	// streamPatience is how long a stream may lag behind the blocks of its node before an
	// event counts as lost.
	streamPatience = 10 * time.Second
)

// Watch holds the nodes of a network against each other while they run: each block must have
// the same hash and the same state root on all, and each node's stream must deliver each event
// of its blocks exactly once, and the same ones in the same order as the others.
type Watch struct {
	network *Network
	from    uint64 // compared from the block after this one
	end     context.CancelFunc
	work    sync.WaitGroup

	compare    sync.Mutex // held by who compares: the ticking, or Finish
	followers  []*follower
	references map[uint64]*reference
	oldest     uint64 // of references

	mu    sync.Mutex
	wrong []string
	more  int // what did not fit into wrong
}

// Report is what a watch has found.
type Report struct {
	From  uint64       `json:"from"` // the first height compared
	To    uint64       `json:"to"`   // the last; From > To if there was none
	Root  string       `json:"root"` // after the last
	Nodes []NodeReport `json:"nodes"`
	Wrong []string     `json:"wrong,omitempty"` // one sentence each
}

// NodeReport is how far one node was compared.
type NodeReport struct {
	Node     int    `json:"node"`
	Running  bool   `json:"running"`  // at the end; others have been compared as far as they came
	Compared uint64 `json:"compared"` // the last height
	Events   uint64 `json:"events"`   // that its stream delivered of the heights compared
}

// reference is what the first node said of a height, for the others to agree with.
type reference struct {
	node   int
	block  *client.Block
	events *tally // what the first node streamed of it
	stream int    // which node that was
}

// tally is what a stream delivered of one height.
type tally struct {
	count uint32
	sum   [32]byte // over what identifies each event, in order
}

func (t *tally) add(e *client.Event) {
	t.count++
	id := fmt.Sprintf("%s %s %s.%s", e.Cursor, e.Tx, e.Contract, e.Name)
	t.sum = sha256.Sum256(append(t.sum[:], id...))
}

// follower watches one node.
type follower struct {
	process *process
	client  *client.Client
	checked uint64            // the last height compared
	due     map[uint64]uint32 // events of heights compared that the stream has yet to be held against
	events  uint64            // delivered, of heights compared

	mu      sync.Mutex
	got     map[uint64]*tally // by height, until compared
	arrived chan struct{}     // closed and made anew with each event
	broken  bool              // the stream has ended for good; it was said why
}

// Watch begins to compare from now on, once all nodes agree, for which it waits as long as ctx
// lasts. End it with Finish or Close, not by ending ctx: what is under way when a network is told to end
// must still be seen to arrive.
func (n *Network) Watch(ctx context.Context) (*Watch, error) {
	height, _, err := n.Agree(ctx, 0)
	if err != nil {
		return nil, err
	}
	w := &Watch{network: n, from: height, references: map[uint64]*reference{}, oldest: height + 1}
	ctx, w.end = context.WithCancel(context.WithoutCancel(ctx))
	w.compare.Lock()
	w.followAll(ctx)
	w.compare.Unlock()
	w.work.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			w.compare.Lock()
			w.followAll(ctx)
			w.advance(ctx, math.MaxUint64)
			w.compare.Unlock()
		}
	})
	return w, nil
}

// followAll begins to follow the nodes that are new.
func (w *Watch) followAll(ctx context.Context) {
	for _, p := range w.network.all()[len(w.followers):] {
		f := &follower{
			process: p, client: &client.Client{URL: "http://" + p.http}, checked: w.from,
			due: map[uint64]uint32{}, got: map[uint64]*tally{}, arrived: make(chan struct{}),
		}
		w.followers = append(w.followers, f)
		w.work.Go(func() {
			if err := w.stream(ctx, f); err != nil && ctx.Err() == nil {
				f.mu.Lock()
				f.broken = true
				f.mu.Unlock()
				w.say("the stream of node %d: %v", p.index, err)
			}
		})
	}
}

// stream counts the events of a node until ctx ends. The client would connect again by itself
// when the node is back, but pauses longer and longer, up to ten seconds; here the node is known
// to be on this machine, and looked for again and again.
func (w *Watch) stream(ctx context.Context, f *follower) error {
	after := receipt.Cursor{Height: w.from, Tx: math.MaxUint32, Index: math.MaxUint32}.String()
	for {
		// A node that is new, or away, must first have come as far.
		_, err := f.client.Block(ctx, w.from)
		if err == nil {
			if after, err = w.connection(ctx, f, after); err != nil && !passing(err) {
				return err
			}
		} else if !passing(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookEvery):
		}
	}
}

// passing tells whether what a node answered, or that it didn't, may be otherwise next time.
func passing(err error) bool {
	var gap *client.GapError
	no, answered := errors.AsType[*client.Unserved](err)
	return !errors.As(err, &gap) && (!answered || no.FutureHeight() || no.Temporary())
}

// connection counts the events of one connection, and returns where the next begins.
func (w *Watch) connection(ctx context.Context, f *follower, after string) (string, error) {
	connected, lost := context.WithCancel(ctx)
	defer lost()
	sub, err := f.client.Subscribe(connected, client.Filter{}, after, func(n client.Notice) {
		if n.Kind == client.Disconnected {
			lost()
		}
	})
	if err != nil {
		return after, err
	}
	defer sub.Close()
	for {
		e, err := sub.Next(connected)
		if err != nil {
			return sub.Cursor(), err
		}
		f.count(e)
	}
}

// count notes an event that was streamed.
func (f *follower) count(e *client.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.got[e.Height]
	if t == nil {
		t = new(tally)
		f.got[e.Height] = t
	}
	t.add(e)
	close(f.arrived)
	f.arrived = make(chan struct{})
}

// advance compares what is new up to a height, as far as each node has come. w.compare is held.
func (w *Watch) advance(ctx context.Context, height uint64) {
	for _, f := range w.followers {
		for f.checked < height {
			b, err := f.client.Block(ctx, f.checked+1)
			if err != nil { // not there yet, or the node is away
				break
			}
			if !w.agrees(ctx, f, b) {
				break
			}
		}
		w.settle(f)
	}
}

// agrees holds a node's block against the others'. It is false if there is nothing to hold it
// against at the moment.
func (w *Watch) agrees(ctx context.Context, f *follower, b *client.Block) bool {
	r := w.references[b.Height]
	switch {
	case r == nil && b.Height < w.oldest: // forgotten
		if r = w.elsewhere(ctx, f, b.Height); r == nil {
			return false
		}
	case r == nil:
		r = &reference{node: f.process.index, block: b}
		w.references[b.Height] = r
		if len(w.references) > maxReferences {
			delete(w.references, w.oldest)
			w.oldest++
		}
	}
	if *r.block != *b {
		w.say("node %d has block %.16s with root %.16s and %d events at height %d, node %d has %.16s with %.16s and %d",
			f.process.index, b.Hash, b.Root, b.Events, b.Height, r.node, r.block.Hash, r.block.Root, r.block.Events)
	}
	f.checked = b.Height
	f.due[b.Height] = b.Events
	return true
}

// elsewhere asks another node for a height that is remembered no more.
func (w *Watch) elsewhere(ctx context.Context, f *follower, height uint64) *reference {
	for _, other := range w.followers {
		if other != f {
			if b, err := other.client.Block(ctx, height); err == nil {
				return &reference{node: other.process.index, block: b}
			}
		}
	}
	return nil
}

// settle holds what the stream delivered against the blocks compared, as far as it is there.
func (w *Watch) settle(f *follower) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for height, events := range f.due {
		t := f.got[height]
		if t == nil {
			t = new(tally)
		}
		if t.count < events {
			continue // it may still come
		}
		if t.count > events {
			w.say("node %d streamed %d events of block %d, which has %d", f.process.index, t.count, height, events)
		}
		if r := w.references[height]; r != nil && r.events == nil {
			r.events, r.stream = t, f.process.index
		} else if r != nil && *r.events != *t {
			w.say("node %d streamed other events of block %d than node %d", f.process.index, height, r.stream)
		}
		f.events += uint64(t.count)
		delete(f.due, height)
		delete(f.got, height)
	}
	for height, t := range f.got {
		if _, due := f.due[height]; height <= f.checked && !due {
			w.say("node %d streamed %d events of block %d beside those that it has", f.process.index, t.count, height)
			delete(f.got, height)
		}
	}
}

// Close ends the watch without a last comparison. After Finish it does nothing.
func (w *Watch) Close() {
	w.end()
	w.work.Wait()
}

// Finish waits until all nodes that run have come as far as the first of them, compares what
// is left, and ends the watch. The error is ctx's; what is wrong is in the Report, which is
// valid with an error too.
func (w *Watch) Finish(ctx context.Context) (*Report, error) {
	defer w.work.Wait()
	defer w.end()
	height, root, err := w.network.Agree(ctx, 0)
	if err != nil {
		w.say("%v", err)
	}
	w.compare.Lock()
	defer w.compare.Unlock()
	w.advance(ctx, height)
	patient, cancel := context.WithTimeout(ctx, streamPatience)
	defer cancel()
	for _, f := range w.followers {
		w.await(patient, f)
		f.client.Close()
	}
	report := &Report{From: w.from + 1, To: height, Root: root}
	for _, f := range w.followers {
		running := f.process.pid() != 0
		if running && f.checked < height {
			w.say("node %d was compared to height %d only, the others to %d", f.process.index, f.checked, height)
		}
		report.Nodes = append(report.Nodes, NodeReport{f.process.index, running, f.checked, f.events})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	report.Wrong = append(report.Wrong, w.wrong...)
	if w.more > 0 {
		report.Wrong = append(report.Wrong, fmt.Sprintf("and %d more like these", w.more))
	}
	return report, ctx.Err()
}

// await waits for the events of a running node that its stream still owes.
func (w *Watch) await(ctx context.Context, f *follower) {
	for {
		f.mu.Lock()
		arrived, broken := f.arrived, f.broken
		f.mu.Unlock()
		w.settle(f)
		if len(f.due) == 0 || broken || f.process.pid() == 0 {
			return
		}
		select {
		case <-arrived:
			continue
		case <-ctx.Done():
		}
		for height, events := range f.due {
			f.mu.Lock()
			came := uint32(0)
			if t := f.got[height]; t != nil {
				came = t.count
			}
			f.mu.Unlock()
			w.say("node %d streamed %d of the %d events of block %d", f.process.index, came, events, height)
		}
		return
	}
}

// say notes something that is wrong.
func (w *Watch) say(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.wrong) < maxWrong {
		w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
	} else {
		w.more++
	}
}
