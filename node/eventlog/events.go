package eventlog

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
)

// Bounds of one call.
const (
	// MaxPage is the most events that Events returns at once.
	MaxPage = 1000
	// MaxPageBytes is how many bytes of attributes a page collects before it ends; its last
	// event may go beyond. It bounds what a subscriber costs in memory.
	MaxPageBytes = 256 << 10
	// MaxScan is how many candidates one call of Events or Prev looks at, so that a filter
	// that matches nothing cannot hold a reader for the whole history.
	MaxScan = 10_000
	// MaxScanBytes is how many bytes of candidates one call looks at, the last of which may go beyond: events of 1.6 KiB,
	// if there are MaxScan of them. One can have 8 KiB.
	MaxScanBytes = 16 << 20
	// freeScan is how many candidates a call looks at without a turn: who follows what is new doesn't wait for those who look
	// through history.
	freeScan = 100
	// MaxAttributes is the most attributes that a filter names.
	MaxAttributes = 8
)

// Filter says which events are wanted. The zero Filter wants all; what is set must all hold.
type Filter struct {
	Contract   string
	Event      string
	Attributes []Attribute
}

// Attribute is the wish that an event has an attribute of this name with one of the values.
type Attribute struct {
	Name   string
	Values [][]byte // each one canonical CBOR item
}

// Matches reports whether the filter wants e.
func (f *Filter) Matches(e *receipt.Event) bool {
	return f.names(e.Contract, e.Name) && has(cbor.NewReader(e.Attributes), f.wishes())
}

func (f *Filter) names(contract, event string) bool {
	return (f.Contract == "" || f.Contract == contract) && (f.Event == "" || f.Event == event)
}

// wish is an Attribute whose name is encoded as events have it.
type wish struct {
	name   []byte
	values [][]byte
}

// wishes are the filter's attributes in the order in which events have theirs.
func (f *Filter) wishes() []wish {
	var wishes []wish
	for _, a := range f.Attributes {
		wishes = append(wishes, wish{cbor.AppendText(nil, a.Name), a.Values})
	}
	slices.SortFunc(wishes, func(a, b wish) int { return bytes.Compare(a.name, b.name) })
	return wishes
}

// has reads the attributes of an event, as far as it must, and reports whether they are as wished. It keeps nothing: an event
// can have thousands of attributes, and a filter that matches nothing looks at thousands of events.
func has(r *cbor.Reader, wishes []wish) bool {
	n, err := r.Map()
	for ; n > 0 && len(wishes) > 0 && err == nil; n-- {
		var name, value []byte
		if name, err = r.Raw(); err != nil {
			break
		}
		if bytes.Compare(name, wishes[0].name) > 0 {
			return false // names ascend: it isn't there
		}
		if value, err = r.Raw(); err != nil {
			break
		}
		for len(wishes) > 0 && bytes.Equal(name, wishes[0].name) {
			if !slices.ContainsFunc(wishes[0].values, func(v []byte) bool { return bytes.Equal(v, value) }) {
				return false
			}
			wishes = wishes[1:]
		}
	}
	return err == nil && len(wishes) == 0
}

// passes reports whether the filter wants the event in a row, or the row can't be read so easily and must be decoded.
func (f *Filter) passes(payload []byte, wishes []wish) bool {
	r := cbor.NewReader(payload)
	_, err := r.Array()
	err = errors.Join(err, r.Skip(), r.Skip()) // time and transaction
	_, open := r.Array()
	contract, first := r.Text()
	event, second := r.Text()
	if errors.Join(err, open, first, second) != nil {
		return true
	}
	return f.names(contract, event) && has(r, wishes)
}

// Entry is an event in its place.
type Entry struct {
	Cursor receipt.Cursor
	Time   int64    // unix seconds, the block's time
	TxID   [32]byte // the transaction; zero if Loose
	Loose  bool     // it belongs to no transaction
	Event  receipt.Event
}

// Page is a piece of the log as a filter shows it.
type Page struct {
	Entries []Entry
	// Next is where to go on: nothing that matches lies between the last entry and it.
	Next receipt.Cursor
	// More is false if everything published when the page was read has been seen. With
	// More, the page may still be empty: it ended because of MaxScan or MaxScanBytes.
	More bool
	// Height is the published height when the page was read.
	Height uint64
}

// EndOf is the last place of a height, behind all of its events.
func EndOf(height uint64) receipt.Cursor {
	return receipt.Cursor{Height: height, Tx: math.MaxUint32, Index: math.MaxUint32}
}

// index picks the rows that a filter reads: its prefix, and whether they are the events
// themselves or only their cursors.
func (f *Filter) index() (prefix []byte, events bool) {
	switch {
	case f.Contract != "" && f.Event != "":
		return namePrefix(f.Contract, f.Event), false
	case f.Contract != "":
		return contractPrefix(f.Contract), false
	}
	return []byte{tableEvent}, true
}

// Check reports why the filter is not one that the log can serve, nil if it is.
func (f *Filter) Check() error {
	if len(f.Contract) > receipt.MaxName || len(f.Event) > receipt.MaxName {
		return fmt.Errorf("contract of %d and event of %d bytes, limit %d", len(f.Contract), len(f.Event), receipt.MaxName)
	}
	if n := len(f.Attributes); n > MaxAttributes {
		return fmt.Errorf("%d attributes, limit %d", n, MaxAttributes)
	}
	return nil
}

// walk visits the published events that match, from after (exclusive) on or, in reverse,
// from before (exclusive) back, until visit returns false or MaxScan candidates, or MaxScanBytes of them, have been
// looked at. It returns the last candidate and whether it stopped early.
func (l *Log) walk(f *Filter, bound receipt.Cursor, published uint64, reverse bool, visit func(e Entry) bool) (last receipt.Cursor, stopped bool, err error) {
	if err := f.Check(); err != nil {
		return last, false, fmt.Errorf("event log: filter: %w", err)
	}
	prefix, events := f.index()
	key := func(c receipt.Cursor) []byte { return appendCursor(bytes.Clone(prefix), c) }
	start, end := append(key(bound), 0), key(receipt.Cursor{Height: published + 1})
	if reverse {
		start, end = key(receipt.Cursor{}), key(minCursor(bound, receipt.Cursor{Height: published + 1}))
	}
	if bytes.Compare(start, end) >= 0 {
		return last, false, nil
	}
	scanned, size := 0, 0
	defer func() {
		if scanned > freeScan {
			<-l.walking
		}
	}()
	wishes := f.wishes()
	err = l.scan(start, end, reverse, func(key, value []byte) (bool, error) {
		c, ok := cursorAt(key)
		if !ok || len(key) != len(prefix)+cursorSize {
			return false, damaged(key, fmt.Errorf("key of %d bytes, must have %d", len(key), len(prefix)+cursorSize))
		}
		if scanned++; scanned == freeScan+1 {
			l.walking <- struct{}{}
		}
		if scanned > MaxScan || size >= MaxScanBytes {
			stopped = true
			return false, nil
		}
		last = c
		if !events {
			if _, err := open(key, value); err != nil {
				return false, err
			}
			key = eventKey(c)
			var err error
			if value, err = l.db.Get(key); err != nil {
				return false, fmt.Errorf("event log: %s: %w", rowName(key), err)
			}
			if value == nil {
				return false, damaged(key, errMissing)
			}
		}
		size += len(value)
		payload, err := open(key, value)
		if err != nil {
			return false, err
		}
		if !f.passes(payload, wishes) {
			return true, nil
		}
		e, err := l.entry(key, value)
		if err != nil {
			return false, err
		}
		if !visit(e) {
			stopped = true
			return false, nil
		}
		return true, nil
	})
	return last, stopped, err
}

func minCursor(a, b receipt.Cursor) receipt.Cursor {
	if a.Compare(b) < 0 {
		return a
	}
	return b
}

// entry reads an event's row.
func (l *Log) entry(key, value []byte) (Entry, error) {
	payload, err := open(key, value)
	if err != nil {
		return Entry{}, err
	}
	c, ok := cursorAt(key)
	if !ok || len(key) != 1+cursorSize {
		return Entry{}, damaged(key, fmt.Errorf("key of %d bytes, must have %d", len(key), 1+cursorSize))
	}
	e, err := decodeEvent(c, payload)
	if err != nil {
		return Entry{}, damaged(key, err)
	}
	return e, nil
}

// Events returns the published events that match and lie behind after, at most limit of
// them (and never more than MaxPage). The zero Cursor is the beginning. Events of blocks
// that are published while it reads are left for the next page.
func (l *Log) Events(f Filter, after receipt.Cursor, limit int) (Page, error) {
	limit = min(max(limit, 1), MaxPage)
	page := Page{Height: l.Height()}
	size := 0
	last, stopped, err := l.walk(&f, after, page.Height, false, func(e Entry) bool {
		page.Entries = append(page.Entries, e)
		size += len(e.Event.Attributes)
		return len(page.Entries) < limit && size < MaxPageBytes
	})
	if err != nil {
		return Page{}, err
	}
	page.More = stopped
	page.Next = last
	if !stopped {
		page.Next = EndOf(page.Height)
		if page.Next.Compare(after) < 0 { // the caller knows of a future that we don't
			page.Next = after
		}
	}
	return page, nil
}

// Prev returns the cursor of the newest published event before bound that matches, the zero
// Cursor if there is none. It gives up after MaxScan candidates, or MaxScanBytes of them: then known is false, as it
// is if nothing was found and the log lacks the chain's beginning.
func (l *Log) Prev(f Filter, bound receipt.Cursor) (prev receipt.Cursor, known bool, err error) {
	found := false
	_, stopped, err := l.walk(&f, bound, l.Height(), true, func(e Entry) bool {
		prev, found = e.Cursor, true
		return false
	})
	if err != nil {
		return receipt.Cursor{}, false, err
	}
	return prev, found || !stopped && l.First() <= 1, nil
}

// At returns the published event at this very cursor, nil if there is none.
func (l *Log) At(c receipt.Cursor) (*Entry, error) {
	if c.Height > l.Height() {
		return nil, nil
	}
	key := eventKey(c)
	value, err := l.db.Get(key)
	if err != nil {
		return nil, fmt.Errorf("event log: %s: %w", rowName(key), err)
	}
	if value == nil {
		return nil, nil
	}
	e, err := l.entry(key, value)
	if err != nil {
		return nil, err
	}
	return &e, nil
}

// Floor returns the cursor of the newest published event at or before c, the zero Cursor
// if there is none. Reading on after it is the same as reading on after c.
func (l *Log) Floor(c receipt.Cursor) (receipt.Cursor, error) {
	c = minCursor(c, EndOf(l.Height()))
	var floor receipt.Cursor
	err := l.scan([]byte{tableEvent}, append(eventKey(c), 0), true, func(key, _ []byte) (bool, error) {
		at, ok := cursorAt(key)
		if !ok || len(key) != 1+cursorSize {
			return false, damaged(key, fmt.Errorf("key of %d bytes, must have %d", len(key), 1+cursorSize))
		}
		floor = at
		return false, nil
	})
	return floor, err
}
