package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

const (
	// maxUnderWay bounds the transactions that are due and not yet committed, and by that the memory
	// of a load: 100,000 of some 150 bytes. It is several times what nodes let wait, so that
	// it is always they who refuse first.
	maxUnderWay = 100_000
	// DefaultUnderWay is how many transactions are under way when the load is the most that
	// is taken: a full block of checks, and so a backlog at all times, but a short one, for what
	// waits is checked again after each block.
	DefaultUnderWay = 500
	// MaxUnderWay is the most that can be asked for: fewer than the 16,000 that a node lets
	// wait, so that nothing is refused for want of room.
	MaxUnderWay = 10_000
	// maxSenders bounds the transactions that are being handed over at a time.
	maxSenders = 512
	// perDevice bounds how many of one key are handed over at a time, and how many are
	// under way when the load is the most: half the 256 by which they may overtake each other.
	perDevice = 128
	// grace is how long after the schedule's end what is under way may be committed.
	grace = 30 * time.Second
	// step is the shortest rest of the schedule. What falls due meanwhile is handed
	// over together, at most so much late, which its latency contains.
	step = 500 * time.Microsecond
	// MaxRate is the highest rate, in transactions a second: beyond it the schedule itself would be
	// most of the work.
	MaxRate = 100_000
	// MaxFor is the longest schedule.
	MaxFor = 24 * time.Hour
)

// Schedule says when transactions are due.
type Schedule struct {
	// Rate is how many are due in a second; 0 means as many as are committed.
	Rate float64
	// For is how long they are due.
	For time.Duration
	// UnderWay is how many are under way at any moment if Rate is 0; default DefaultUnderWay. Few
	// devices may not have so many.
	UnderWay int
	// Progress, unless nil, is told about each second how many were due and how many were
	// committed.
	Progress func(offered, committed uint64)
}

func (s Schedule) validate() error {
	switch {
	case !(s.Rate >= 0 && s.Rate <= MaxRate): // not a number is neither
		return fmt.Errorf("bench: rate %v, must be at most %d a second, or 0 for as many as are committed", s.Rate, MaxRate)
	case s.For <= 0 || s.For > MaxFor:
		return fmt.Errorf("bench: for %v, must be more than 0 and at most %v", s.For, MaxFor)
	case s.UnderWay < 0 || s.UnderWay > MaxUnderWay:
		return fmt.Errorf("bench: %d under way, must be at most %d, or 0 for %d", s.UnderWay, MaxUnderWay, DefaultUnderWay)
	}
	return nil
}

// A target is what is measured.
type target interface {
	// send makes the transaction number n, tells its id, and hands it over. A refusal means
	// that it never will be committed; after another error it may be. It is called from many
	// goroutines.
	send(ctx context.Context, n uint64, expect func(key)) error
	// idle tells whether nothing waits for a block.
	idle(ctx context.Context) bool
	// ask is what became of a transaction that no block seems to have: a code, or "".
	ask(ctx context.Context, id key) string
}

// refusal is the code with which a target turns a transaction away.
type refusal string

func (r refusal) Error() string { return "refused: " + string(r) }

// load is how a target is driven.
type load struct {
	rate     float64       // transactions a second; 0: as many as come back
	length   time.Duration // of the schedule
	senders  int           // how many are handed over at a time
	underWay int           // with rate 0: how many are under way
	progress func(offered, committed uint64)
}

// job is a transaction that is due.
type job struct {
	n   uint64
	due time.Time
}

// load is how a target is driven by so many devices.
func (s Schedule) load(devices int) load {
	l := load{rate: s.Rate, length: s.For, progress: s.Progress, senders: min(maxSenders, perDevice*devices)}
	if s.Rate == 0 {
		l.underWay = min(cmp.Or(s.UnderWay, DefaultUnderWay), perDevice*devices)
	}
	return l
}

// newTally is the books for the load, to which commits are told.
func (l *load) newTally() *tally {
	if l.rate > 0 {
		return newTally(nil)
	}
	room := make(chan struct{}, l.underWay)
	for range l.underWay {
		room <- struct{}{}
	}
	return newTally(room)
}

// run drives a target to the end of the schedule, waits for what is under way, and
// says what came of it. Failed ends it at once when there is something in it: whoever watches for commits
// can't any more.
func (l *load) run(ctx context.Context, to target, t *tally, failed <-chan error) (Measure, error) {
	sending, stop := context.WithCancel(ctx)
	defer stop()
	capacity := maxUnderWay
	if l.rate == 0 {
		capacity = l.underWay
	}
	queue := make(chan job, capacity) // has room for all that offer lets through
	var senders sync.WaitGroup
	for range l.senders {
		senders.Go(func() { l.sender(sending, to, t, queue) })
	}
	scheduled := make(chan struct{})
	start := time.Now()
	go func() {
		defer close(scheduled)
		defer close(queue)
		defer t.done()
		if l.rate > 0 {
			l.open(sending, t, queue, start)
		} else {
			l.closed(sending, t, queue, start)
		}
	}()

	err := l.wait(ctx, to, t, scheduled, failed)
	stop()
	<-scheduled
	senders.Wait()
	if err != nil {
		return Measure{}, err
	}
	t.close(ctx, to.ask)
	return t.measure(start, l.length), nil
}

// wait returns when everything that was scheduled has ended, or had its grace, or when nothing is
// left that could be committed: a node may have dropped what it had taken.
func (l *load) wait(ctx context.Context, to target, t *tally, scheduled <-chan struct{}, failed <-chan error) error {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var enough <-chan time.Time
	var idle uint64 // what was under way when the target was found idle last; 0: it wasn't
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-failed:
			return err
		case <-t.ended:
			return nil
		case <-enough:
			return nil
		case <-scheduled:
			scheduled = nil
			late := time.NewTimer(grace)
			defer late.Stop()
			enough = late.C
		case <-second.C:
			offered, committed, left := t.progress()
			if l.progress != nil {
				l.progress(offered, committed)
			}
			switch {
			case scheduled != nil || !to.idle(ctx):
				idle = 0
			case left == idle: // for a second, and nothing has come
				return nil
			default:
				idle = left
			}
		}
	}
}

// open offers transactions at the rate, evenly, whatever becomes of them.
func (l *load) open(ctx context.Context, t *tally, queue chan<- job, start time.Time) {
	total := uint64(math.Round(l.rate * l.length.Seconds()))
	rest := time.NewTimer(0)
	defer rest.Stop()
	for n := range total {
		due := start.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			rest.Reset(max(wait, step))
			select {
			case <-rest.C:
			case <-ctx.Done():
				return
			}
		}
		if t.offer(maxUnderWay) {
			queue <- job{n, due}
		}
	}
}

// closed offers a transaction whenever there is room for one more under way. It is due then.
func (l *load) closed(ctx context.Context, t *tally, queue chan<- job, start time.Time) {
	over := time.NewTimer(time.Until(start.Add(l.length)))
	defer over.Stop()
	for n := uint64(0); ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-over.C:
			return
		case <-t.room:
		}
		t.offer(maxUnderWay)
		queue <- job{n, time.Now()}
	}
}

// sender hands over what is due until the queue is closed.
func (l *load) sender(ctx context.Context, to target, t *tally, queue <-chan job) {
	for j := range queue {
		if ctx.Err() != nil {
			continue // counted at the end
		}
		var id key
		known := false
		err := to.send(ctx, j.n, func(of key) {
			id, known = of, true
			t.expect(id, j.due)
		})
		no, isNo := errors.AsType[refusal](err)
		switch {
		case !known: // it could not even be made
			t.unsent(codeNotSent)
		case err == nil:
			t.answered(id)
		case isNo:
			t.refused(id, string(no))
		}
	}
}
