package eventlog

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
)

var (
	someContracts = []string{"a", "ab", "access", "devices"}
	someNames     = []string{"b", "granted", "used"}
	someValues    = [][]byte{text("x"), text("y"), cbor.AppendUint(nil, 1), cbor.AppendBool(nil, true)}
)

func anEvent(t *rapid.T) receipt.Event {
	b := cbor.AppendMap(nil, 2)
	b = append(cbor.AppendText(b, "k"), rapid.SampledFrom(someValues).Draw(t, "k")...)
	b = append(cbor.AppendText(b, "l"), rapid.SampledFrom(someValues).Draw(t, "l")...)
	return receipt.Event{
		Contract: rapid.SampledFrom(someContracts).Draw(t, "contract"),
		Name:     rapid.SampledFrom(someNames).Draw(t, "name"), Attributes: b,
	}
}

func aFilter(t *rapid.T) Filter {
	var f Filter
	if rapid.Bool().Draw(t, "by contract") {
		f.Contract = rapid.SampledFrom(append(someContracts, "none")).Draw(t, "contract")
	}
	if rapid.Bool().Draw(t, "by event") {
		f.Event = rapid.SampledFrom(append(someNames, "none")).Draw(t, "event")
	}
	for range rapid.IntRange(0, 2).Draw(t, "attributes") {
		a := Attribute{Name: rapid.SampledFrom([]string{"k", "l", "m"}).Draw(t, "attribute")}
		a.Values = rapid.SliceOfN(rapid.SampledFrom(someValues), 1, 2).Draw(t, "values")
		f.Attributes = append(f.Attributes, a)
	}
	return f
}

// wanted is Filter.Matches written by somebody who had another idea.
func wanted(f Filter, e receipt.Event) bool {
	ok := (f.Contract == "" || f.Contract == e.Contract) && (f.Event == "" || f.Event == e.Name)
	for _, a := range f.Attributes {
		ok = ok && slices.ContainsFunc(a.Values, func(v []byte) bool {
			return bytes.Contains(e.Attributes, append(text(a.Name), v...))
		})
	}
	return ok
}

// TestOracle appends random blocks, raises and reopens at random, and compares every
// question with a plain slice of everything that was published.
func TestOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		db := state.NewMemory()
		l := opened(t, db)
		var log []Entry // everything appended
		var height, published uint64
		pick := func(name string) receipt.Cursor {
			return receipt.Cursor{
				Height: rapid.Uint64Range(0, height+1).Draw(t, name), Tx: rapid.Uint32Range(0, 3).Draw(t, "tx"), Index: rapid.Uint32Range(0, 3).Draw(t, "index"),
			}
		}
		shown := func(f Filter) (entries []Entry) {
			for _, e := range log {
				if e.Cursor.Height <= published && wanted(f, e.Event) {
					entries = append(entries, e)
				}
			}
			return entries
		}
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				height++
				b := Block{Height: height, Time: int64(height), Hash: []byte{byte(height)}}
				for i := range rapid.Uint32Range(0, 3).Draw(t, "transactions") {
					r := receipt.Receipt{TxID: [32]byte{byte(height), byte(i), 1}}
					for j := range rapid.Uint32Range(0, 3).Draw(t, "events") {
						e := anEvent(t)
						r.Events = append(r.Events, e)
						log = append(log, Entry{Cursor: receipt.Cursor{Height: height, Tx: i, Index: j}, Time: b.Time, TxID: r.TxID, Event: e})
					}
					b.Receipts = append(b.Receipts, r)
				}
				for j := range rapid.Uint32Range(0, 1).Draw(t, "loose") {
					e := anEvent(t)
					b.Events = append(b.Events, e)
					log = append(log, Entry{Cursor: receipt.Cursor{Height: height, Tx: uint32(len(b.Receipts)), Index: j}, Time: b.Time, Loose: true, Event: e})
				}
				for range rapid.IntRange(1, 2).Draw(t, "times") {
					if err := l.Append(b); err != nil {
						t.Fatal(err)
					}
				}
			},
			"raise": func(t *rapid.T) {
				published = rapid.Uint64Range(published, height).Draw(t, "to")
				if err := l.Raise(published); err != nil {
					t.Fatal(err)
				}
			},
			"reopen": func(t *rapid.T) {
				l = opened(t, db)
				if err := l.Raise(published); err != nil {
					t.Fatal(err)
				}
			},
			"events": func(t *rapid.T) {
				f, after, limit := aFilter(t), pick("after"), rapid.IntRange(1, 5).Draw(t, "limit")
				want := slices.DeleteFunc(shown(f), func(e Entry) bool { return e.Cursor.Compare(after) <= 0 })
				if got := all(t, l, f, after, limit); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("%+v after %s: %v, want %v", f, after, got, want)
				}
			},
			"prev": func(t *rapid.T) {
				f, bound := aFilter(t), pick("bound")
				var want receipt.Cursor
				for _, e := range shown(f) {
					if e.Cursor.Compare(bound) < 0 {
						want = e.Cursor
					}
				}
				if got, known, err := l.Prev(f, bound); got != want || !known || err != nil {
					t.Fatalf("%+v before %s: %s, %v, %v, want %s", f, bound, got, known, err, want)
				}
			},
			"floor": func(t *rapid.T) {
				c := pick("cursor")
				var want receipt.Cursor
				for _, e := range shown(Filter{}) {
					if e.Cursor.Compare(c) <= 0 {
						want = e.Cursor
					}
				}
				if got, err := l.Floor(c); got != want || err != nil {
					t.Fatalf("floor of %s: %s, %v, want %s", c, got, err, want)
				}
			},
		})
	})
}

// A filter that matches nothing gives up in time and can be continued.
func TestScanIsBounded(t *testing.T) {
	l := opened(t, state.NewMemory())
	var events []receipt.Event
	for range 3000 {
		events = append(events, event("access", "used", "door/1"))
	}
	for h := uint64(1); h <= 5; h++ {
		appended(t, l, block(h, tx(byte(h), receipt.OK, events...)))
	}
	appended(t, l, block(6, tx(6, receipt.OK, event("access", "used", "door/2"))))
	raised(t, l, 6)
	rare := Filter{Contract: "access", Attributes: []Attribute{{"object", [][]byte{text("door/2")}}}}
	page, err := l.Events(rare, receipt.Cursor{}, 10)
	if err != nil || len(page.Entries) != 0 || !page.More || page.Next != (receipt.Cursor{Height: 4, Index: 999}) {
		t.Errorf("page is %+v, %v, want an empty one that ends after %d", page, err, MaxScan)
	}
	if got := cursors(all(t, l, rare, receipt.Cursor{}, 10)); got != "6.0.0" {
		t.Errorf("events are %q", got)
	}
	if _, known, err := l.Prev(rare, receipt.Cursor{Height: 6}); known || err != nil {
		t.Errorf("Prev knows after %d candidates: %v, %v", MaxScan, known, err)
	}
	page, err = l.Events(Filter{}, receipt.Cursor{}, 1<<30)
	if err != nil || len(page.Entries) != MaxPage || !page.More {
		t.Errorf("a page has %d events, %v", len(page.Entries), err)
	}
	if _, err := l.Events(Filter{Attributes: make([]Attribute, 9)}, receipt.Cursor{}, 1); err == nil {
		t.Error("9 attributes are served")
	}
}

// Rows come from a disk: whatever they hold, reading them ends in a value whose encoding
// is the row again, or in an error.
func FuzzRows(f *testing.F) {
	h := &Header{Height: 1, Time: 2, Hash: []byte{3}, Root: []byte{4}, Txs: 5, Events: 6}
	r := tx(1, receipt.OK, event("access", "used", "door/1"))
	p := place{refused: spot{1, 2}, executed: spot{3, 4}}
	f.Add(h.encode())
	f.Add(encodeReceipt(&r))
	f.Add(encodeEvent(7, &r.TxID, r.Events[0]))
	f.Add(encodeEvent(7, nil, r.Events[0]))
	f.Add(p.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := decodeHeader(1, b); err == nil && !bytes.Equal(h.encode(), b) {
			t.Errorf("header %x becomes %x", b, h.encode())
		}
		if p, err := decodePlace(b); err == nil && !bytes.Equal(p.encode(), b) {
			t.Errorf("place %x becomes %x", b, p.encode())
		}
		if e, err := decodeEvent(receipt.Cursor{}, b); err == nil {
			id := &e.TxID
			if e.Loose {
				id = nil
			}
			if again := encodeEvent(e.Time, id, e.Event); !bytes.Equal(again, b) {
				t.Errorf("event %x becomes %x", b, again)
			}
		}
		if r, n, err := decodeReceipt(b); err == nil && len(r.Events) == 0 {
			r.Events = make([]receipt.Event, min(n, 1000))
			if again := encodeReceipt(&r); n <= 1000 && !bytes.Equal(again, b) {
				t.Errorf("receipt %x becomes %x", b, again)
			}
		}
	})
}
