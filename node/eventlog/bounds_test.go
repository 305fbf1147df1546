package eventlog

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
)

// wide is an event with so many attributes, k000 and on.
func wide(attributes int) receipt.Event {
	b := cbor.AppendMap(nil, attributes)
	for i := range attributes {
		b = cbor.AppendUint(cbor.AppendText(b, fmt.Sprintf("k%03x", i)), 1)
	}
	return receipt.Event{Contract: "access", Name: "used", Attributes: b}
}

// published is a log of one block, with a transaction for each event.
func published(t *testing.T, db state.DB, events ...receipt.Event) *Log {
	t.Helper()
	l := opened(t, db)
	b := block(1)
	for i, e := range events {
		r := tx(1, receipt.OK, e)
		r.TxID[0], r.TxID[1] = byte(i), byte(i>>8)
		b.Receipts = append(b.Receipts, r)
	}
	appended(t, l, b)
	if err := l.Raise(1); err != nil {
		t.Fatal(err)
	}
	return l
}

func repeated(n int, e receipt.Event) []receipt.Event {
	all := make([]receipt.Event, n)
	for i := range all {
		all[i] = e
	}
	return all
}

// Anybody may look for what isn't there: what that takes for an event doesn't grow with its attributes.
func TestNoMatchAllocates(t *testing.T) {
	one := Attribute{Name: "zzzzz", Values: [][]byte{text("x")}}
	there := Attribute{Name: "k00f", Values: [][]byte{cbor.AppendUint(nil, 1)}}
	for _, f := range []Filter{
		{Attributes: []Attribute{one}}, {Contract: "access", Attributes: []Attribute{there, one}}, {Event: "else"},
	} {
		var took [2]float64
		for i, attributes := range []int{16, 1024} {
			l := published(t, state.NewMemory(), repeated(100, wide(attributes))...)
			took[i] = testing.AllocsPerRun(5, func() {
				if page, err := l.Events(f, receipt.Cursor{}, MaxPage); err != nil || len(page.Entries) > 0 || page.More {
					t.Fatal(page, err)
				}
			})
		}
		if took[1] > 1.5*took[0] {
			t.Errorf("%+v: %v allocations for events of 16 attributes, %v for 1024", f, took[0], took[1])
		}
	}
}

// One call looks at so many bytes at most, whatever of it is there.
func TestScanBytes(t *testing.T) {
	e := wide(1360) // some 8 KiB
	const events = 2*MaxScanBytes/8192 + 100
	l := published(t, state.NewMemory(), repeated(events, e)...)
	never := []Attribute{{Name: "never", Values: [][]byte{text("x")}}}
	for _, f := range []Filter{{Attributes: never}, {Contract: "access", Attributes: never}} {
		seen, last := 0, uint32(0)
		for after, more := (receipt.Cursor{}), true; more; {
			page, err := l.Events(f, after, MaxPage)
			if err != nil {
				t.Fatal(err)
			}
			more, after = page.More, page.Next
			looked := int(min(after.Tx, events-1) - last)
			if last = after.Tx; looked*len(e.Attributes) > MaxScanBytes+len(e.Attributes) {
				t.Errorf("one call looked at %d events of %d bytes", looked, len(e.Attributes))
			}
			seen++
		}
		if seen < 3 {
			t.Errorf("all of %d events was seen in %d calls", events, seen)
		}
		if prev, known, err := l.Prev(f, EndOf(1)); known || err != nil {
			t.Errorf("looking back found %v, known is %v, %v", prev, known, err)
		}
	}
	page, err := l.Events(Filter{Contract: "access", Attributes: []Attribute{{Name: "k00f", Values: [][]byte{cbor.AppendUint(nil, 1)}}}}, receipt.Cursor{}, 3)
	if err != nil || len(page.Entries) != 3 {
		t.Errorf("of those that match there are %d, %v", len(page.Entries), err)
	}
}

// crowded counts the scans that have come far, and stops them there until it is open.
type crowded struct {
	state.DB
	far, most atomic.Int64
	open      chan struct{}
}

func (c *crowded) Scan(start, end []byte, reverse bool, visit func(key, value []byte) bool) error {
	visited := 0
	return c.DB.Scan(start, end, reverse, func(key, value []byte) bool {
		if visited++; visited == freeScan+2 {
			if n := c.far.Add(1); n > c.most.Load() {
				c.most.Store(n) // nearly: they come one after the other
			}
			defer c.far.Add(-1)
			<-c.open
		}
		return visit(key, value)
	})
}

// However many look through history, no more than two on each processor do at a time. Who looks at a few events doesn't wait for them.
func TestReadersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &crowded{DB: state.NewMemory(), open: make(chan struct{})}
		l := published(t, db, repeated(2*freeScan, wide(1))...)
		var readers sync.WaitGroup
		for range 10 * runtime.GOMAXPROCS(0) {
			readers.Go(func() {
				if page, err := l.Events(Filter{Event: "never"}, receipt.Cursor{}, 1); err != nil || len(page.Entries) != 0 || page.More {
					t.Error(page, err)
				}
			})
			synctest.Wait()
		}
		if got, want := db.most.Load(), int64(2*runtime.GOMAXPROCS(0)); got != want {
			t.Errorf("%d readers came far at a time, want %d", got, want)
		}
		if page, err := l.Events(Filter{}, receipt.Cursor{}, freeScan); err != nil || len(page.Entries) != freeScan {
			t.Error(page, err)
		}
		close(db.open)
		readers.Wait()
		if len(l.walking) != 0 {
			t.Errorf("%d turns did not end", len(l.walking))
		}
	})
}

// The list of a block's transactions shows nothing of what they returned: it is not kept, and not all of it is read in one call.
func TestReceiptsAreBounded(t *testing.T) {
	l := opened(t, state.NewMemory())
	b := block(1)
	const receipts, size = 600, 64 << 10
	for i := range receipts {
		r := tx(1, receipt.OK)
		r.TxID[0], r.TxID[1] = byte(i), byte(i>>8)
		r.Return = cbor.AppendBytes(nil, make([]byte, size-5))
		b.Receipts = append(b.Receipts, r)
	}
	appended(t, l, b)
	raised(t, l, 1)
	calls := 0
	for from := 0; from < receipts; calls++ {
		page, err := l.Receipts(1, uint32(from), 1000)
		if err != nil || len(page) == 0 || (len(page)-1)*size > MaxScanBytes {
			t.Fatalf("from %d: %d receipts, %v", from, len(page), err)
		}
		for i, r := range page {
			if r.Tx != uint32(from+i) || len(r.Receipt.Return) > 0 {
				t.Fatalf("receipt %d is %d, with %d bytes", from+i, r.Tx, len(r.Receipt.Return))
			}
		}
		from += len(page)
	}
	if calls != 3 {
		t.Errorf("%d bytes of receipts took %d calls", receipts*size, calls)
	}
}
