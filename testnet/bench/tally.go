package bench

import (
	"context"
	"maps"
	"sync"
	"time"
)

// Codes of what came to nothing, beside those of the chain (runtime/receipt).
const (
	codeNotSent      = "not_sent"      // the schedule said so, but as many as may be were under way already
	codeNoAnswer     = "no_answer"     // the node gave none, and no block had it at the end
	codeNotCommitted = "not_committed" // taken by the node, but in no block at the end
	codeDenied       = "denied"        // committed, but the contract's answer was no
)

// key names a transaction: its id, or whatever the target knows it by.
type key [32]byte

// tally keeps the books: what was scheduled, what is under way, what came of it.
// What was offered is at all times what was committed, what failed, and what is under way.
type tally struct {
	room chan struct{} // if not nil: gets one for each that ends

	mu        sync.Mutex
	offered   uint64
	committed uint64
	failed    map[string]uint64 // by code
	errors    uint64            // the sum of failed
	most      uint64            // of those under way at a time
	latency   histogram
	last      time.Time           // when the last was committed
	pending   map[key]transaction // handed over, or about to be
	ended     chan struct{}       // closed when nothing more is offered and nothing is under way
	complete  bool                // nothing more is offered
}

// transaction is one that is under way.
type transaction struct {
	due      time.Time
	answered bool // the node has taken it
}

func newTally(room chan struct{}) *tally {
	return &tally{room: room, failed: map[string]uint64{}, pending: map[key]transaction{}, ended: make(chan struct{})}
}

// offer notes that a transaction is due. If as many are under way as may be, it has failed, and
// offer returns false.
func (t *tally) offer(most uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.offered++
	if t.underWay() > most {
		t.fail(codeNotSent)
		return false
	}
	t.most = max(t.most, t.underWay())
	return true
}

func (t *tally) underWay() uint64 { return t.offered - t.committed - t.errors }

// done notes that nothing more will be offered.
func (t *tally) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.complete = true
	t.check()
}

// check closes ended when it is time. The caller holds mu.
func (t *tally) check() {
	if t.complete && t.underWay() == 0 {
		select {
		case <-t.ended:
		default:
			close(t.ended)
		}
	}
}

// fail counts one that was under way as an error. The caller holds mu.
func (t *tally) fail(code string) {
	t.failed[code]++
	t.errors++
	t.release()
	t.check()
}

func (t *tally) release() {
	if t.room != nil {
		t.room <- struct{}{} // has room for all that can be under way
	}
}

// expect notes the id of a transaction before it is handed over: its commit may be seen before the
// node's answer.
func (t *tally) expect(id key, due time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pending[id] = transaction{due: due}
}

// answered notes that a node has taken a transaction, which may be committed by now.
func (t *tally) answered(id key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p, ok := t.pending[id]; ok {
		p.answered = true
		t.pending[id] = p
	}
}

// refused notes that a transaction which is expected never will be committed. One that was
// seen to be stays so: the answer may have been given to a copy.
func (t *tally) refused(id key, code string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.pending[id]; ok {
		delete(t.pending, id)
		t.fail(code)
	}
}

// unsent notes that a transaction that is due, but not expected, was not handed over.
func (t *tally) unsent(code string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fail(code)
}

// commit notes that a transaction was seen in a block at that moment, with what came of it: "" for
// what was meant to, or the code of what else. Those that nobody expects are others', or have
// been told before.
func (t *tally) commit(id key, at time.Time, code string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, ok := t.pending[id]
	if !ok {
		return
	}
	delete(t.pending, id)
	if code != "" {
		t.fail(code)
		return
	}
	t.committed++
	t.latency.add(at.Sub(p.due))
	t.last = at
	t.release()
	t.check()
}

// close counts what is still under way as errors. Ask may know what became of one, or says
// ""; it is asked about a few at most, and for a few seconds.
func (t *tally) close(ctx context.Context, ask func(context.Context, key) string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	t.room = nil // nobody takes it any more
	unsent := t.underWay() - uint64(len(t.pending))
	for range unsent {
		t.fail(codeNotSent)
	}
	asked := 0
	for id, p := range t.pending {
		code := ""
		if asked < maxAsked && ctx.Err() == nil {
			code = ask(ctx, id)
			asked++
		}
		switch {
		case code != "":
		case p.answered:
			code = codeNotCommitted
		default:
			code = codeNoAnswer
		}
		t.fail(code)
	}
	clear(t.pending)
}

// maxAsked is about how many transactions that are missing at the end a node is asked, and
// askFor for how long.
const (
	maxAsked = 200
	askFor   = 5 * time.Second
)

// progress is how many were offered and committed up to now, and how many are under way.
func (t *tally) progress() (offered, committed, underWay uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.offered, t.committed, t.underWay()
}

// measure is the result, for a load that began at start and was scheduled for so long.
func (t *tally) measure(start time.Time, length time.Duration) Measure {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := Measure{
		Offered: t.offered, Committed: t.committed, Errors: t.errors, Codes: maps.Clone(t.failed), most: t.most,
		OfferedTPS: float64(t.offered) / length.Seconds(),
		P50:        t.latency.quantile(500), P95: t.latency.quantile(950), P99: t.latency.quantile(990), Most: t.latency.most,
	}
	// At least as long as was offered: a short run whose last commit comes early has committed no faster.
	if took := max(t.last.Sub(start), length); t.committed > 0 && took > 0 {
		m.Took = took
		m.CommittedTPS = float64(t.committed) / took.Seconds()
	}
	return m
}

// Measure is what came of a load.
type Measure struct {
	Offered   uint64 // transactions that were due; all of them were committed or are errors
	Committed uint64
	Errors    uint64
	Codes     map[string]uint64 // the errors by code

	OfferedTPS   float64       // by the schedule's length
	CommittedTPS float64       // by Took
	Took         time.Duration // from the beginning to the last commit

	// P50, P95 and P99 are not exceeded by so many percent of the latencies of what was committed,
	// each from the moment at which the transaction was due; Most is the longest.
	P50, P95, P99, Most time.Duration

	most uint64 // under way at a time
}
