package site

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk/client"
)

// patience is how long the dashboard, or a node, may lag behind the receipts before what it does not have counts as lost: much
// longer than any machine is busy with something else.
const patience = 20 * time.Second

// memory is for how many blocks an event is remembered whose receipt hasn't come yet.
const memory = 1000

// dashboard follows every event of the chain and holds the stream against the
// receipts: each event that a receipt names must come exactly once, in order.
type dashboard struct {
	node *client.Client
	sub  *client.Subscription
	done chan struct{} // the stream has ended

	mu       sync.Mutex
	last     receipt.Cursor
	count    int
	got      map[receipt.Cursor]bool
	expected map[receipt.Cursor]string // cursor -> contract.event
	wrong    []string
	arrived  chan struct{} // closed and made anew with each event
}

// watch begins to follow, from now on.
func watch(ctx context.Context, url string) (*dashboard, error) {
	d := &dashboard{
		node: &client.Client{URL: url}, done: make(chan struct{}),
		got: map[receipt.Cursor]bool{}, expected: map[receipt.Cursor]string{}, arrived: make(chan struct{}),
	}
	var err error
	if d.sub, err = d.node.Subscribe(ctx, client.Filter{}, client.FromNow, nil); err != nil {
		return nil, err
	}
	go d.follow(context.WithoutCancel(ctx))
	return d, nil
}

// follow takes events until close.
func (d *dashboard) follow(ctx context.Context) {
	defer close(d.done)
	for e, err := range d.sub.Events(ctx) {
		d.mu.Lock()
		if err != nil {
			if !errors.Is(err, client.ErrClosed) {
				d.wrong = append(d.wrong, fmt.Sprintf("the stream ended: %v", err))
			}
			d.mu.Unlock()
			return
		}
		if e.Cursor.Compare(d.last) <= 0 {
			d.wrong = append(d.wrong, fmt.Sprintf("the stream delivered event %s after %s", e.Cursor, d.last))
		}
		d.last = e.Cursor
		d.count++
		d.got[e.Cursor] = true
		close(d.arrived)
		d.arrived = make(chan struct{})
		d.mu.Unlock()
	}
}

// expect notes the events that a receipt names.
func (d *dashboard) expect(r *client.Receipt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range r.Events {
		d.expected[e.Cursor] = e.Contract + "." + e.Name
	}
}

// missing returns an expected event that hasn't come, or "", and what tells of the next
// arrival.
func (d *dashboard) missing() (lost string, arrived <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for cursor := range d.got { // events of others, whose receipts nobody shows us
		if cursor.Height+memory < d.last.Height {
			delete(d.got, cursor)
		}
	}
	for cursor, name := range d.expected {
		if d.got[cursor] { // settled: forget it, a site runs for days
			delete(d.expected, cursor)
			delete(d.got, cursor)
		} else if lost == "" {
			lost = fmt.Sprintf("the stream did not deliver event %s (%s) within %s", cursor, name, patience)
		}
	}
	return lost, d.arrived
}

// settle waits for the expected events and says what is missing.
func (d *dashboard) settle() []string {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		lost, arrived := d.missing()
		if lost == "" {
			return nil
		}
		select {
		case <-arrived:
		case <-d.done:
			if lost, _ = d.missing(); lost == "" {
				return nil
			}
			return []string{lost}
		case <-late.C:
			return []string{lost}
		}
	}
}

// finish returns all that was wrong. With all it waits for what must still come.
func (d *dashboard) finish(all bool) (wrong []string) {
	if all {
		wrong = d.settle()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return append(wrong, d.wrong...)
}

// seen is how many events came, and the height of the last.
func (d *dashboard) seen() (count int, height uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count, d.last.Height
}

func (d *dashboard) close() {
	d.sub.Close()
	<-d.done
	d.node.Close()
}
