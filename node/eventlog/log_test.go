package eventlog

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
)

// tester is a test of the testing package or of rapid.
type tester interface {
	Helper()
	Fatal(...any)
}

// event makes an event with one text attribute.
func event(contract, name, attribute string) receipt.Event {
	b := cbor.AppendMap(nil, 1)
	b = cbor.AppendText(cbor.AppendText(b, "object"), attribute)
	return receipt.Event{Contract: contract, Name: name, Attributes: b}
}

func text(s string) []byte { return cbor.AppendText(nil, s) }

// id is a transaction id that is recognised in a failure.
func id(n byte) [32]byte { return [32]byte{31: n} }

// block makes a block whose hash and root are told by its height.
func block(height uint64, receipts ...receipt.Receipt) Block {
	return Block{
		Height: height, Time: 1_000 + int64(height),
		Hash: fmt.Appendf(nil, "hash-%d", height), Root: fmt.Appendf(nil, "root-%d", height),
		Receipts: receipts,
	}
}

func tx(n byte, code receipt.Code, events ...receipt.Event) receipt.Receipt {
	return receipt.Receipt{TxID: id(n), Code: code, Contract: "access", Method: "use", GasUsed: uint64(n), GasLimit: 1000, Events: events}
}

func opened(t tester, db state.DB) *Log {
	t.Helper()
	l, err := Open(db)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func appended(t tester, l *Log, b Block) {
	t.Helper()
	if err := l.Append(b); err != nil {
		t.Fatal(err)
	}
}

func raised(t tester, l *Log, height uint64) {
	t.Helper()
	if err := l.Raise(height); err != nil {
		t.Fatal(err)
	}
}

// all reads the log to its end through pages of the given size.
func all(t tester, l *Log, f Filter, after receipt.Cursor, limit int) (found []Entry) {
	t.Helper()
	for {
		page, err := l.Events(f, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, page.Entries...)
		after = page.Next
		if !page.More {
			return found
		}
	}
}

func cursors(entries []Entry) string {
	var s []string
	for _, e := range entries {
		s = append(s, e.Cursor.String())
	}
	return strings.Join(s, " ")
}

func TestNothingIsSeenBeforeRaise(t *testing.T) {
	l := opened(t, state.NewMemory())
	appended(t, l, block(1, tx(1, receipt.OK, event("access", "granted", "door/1"))))
	appended(t, l, block(2, tx(2, receipt.OK, event("access", "granted", "door/2"))))
	raised(t, l, 1)

	if got := cursors(all(t, l, Filter{}, receipt.Cursor{}, 10)); got != "1.0.0" {
		t.Errorf("events are %q, want only those of height 1", got)
	}
	if rec, err := l.Tx(id(2)); rec != nil || err != nil {
		t.Errorf("Tx of an unpublished block is %v, %v", rec, err)
	}
	if h, err := l.Block(2); h != nil || err != nil {
		t.Errorf("unpublished Block is %v, %v", h, err)
	}
	if rs, err := l.Receipts(2, 0, 10); rs != nil || err != nil {
		t.Errorf("unpublished Receipts are %v, %v", rs, err)
	}
	if e, err := l.At(receipt.Cursor{Height: 2}); e != nil || err != nil {
		t.Errorf("unpublished At is %v, %v", e, err)
	}
	if c, err := l.Floor(EndOf(9)); c != (receipt.Cursor{Height: 1}) || err != nil {
		t.Errorf("Floor is %v, %v", c, err)
	}
	if p, known, err := l.Prev(Filter{}, receipt.Cursor{Height: 3}); p != (receipt.Cursor{Height: 1}) || !known || err != nil {
		t.Errorf("Prev is %v, %v, %v", p, known, err)
	}
	raised(t, l, 2)
	if got := cursors(all(t, l, Filter{}, receipt.Cursor{}, 10)); got != "1.0.0 2.0.0" {
		t.Errorf("after Raise events are %q", got)
	}
}

// A crash between the event log and the state: the log is a block ahead, the engine
// replays that block, and no reader ever notices.
func TestCrashBetweenLogAndState(t *testing.T) {
	db := state.NewMemory()
	l := opened(t, db)
	one := block(1, tx(1, receipt.OK, event("access", "granted", "door/1")))
	two := block(2, tx(2, receipt.OverQuota), tx(3, receipt.OK, event("access", "granted", "door/2")))
	appended(t, l, one)
	raised(t, l, 1)
	appended(t, l, two)
	rows := db.Len()

	l = opened(t, db)
	if got := cursors(all(t, l, Filter{}, receipt.Cursor{}, 10)); got != "" {
		t.Errorf("before the first Raise events are %q", got)
	}
	raised(t, l, 1)
	if got := cursors(all(t, l, Filter{}, receipt.Cursor{}, 10)); got != "1.0.0" {
		t.Errorf("after the restart events are %q", got)
	}
	two.Receipts[0].Reason = "worded differently by a newer binary"
	appended(t, l, two)
	if db.Len() != rows {
		t.Errorf("appending again made %d rows of %d", db.Len(), rows)
	}
	raised(t, l, 2)
	if got := cursors(all(t, l, Filter{}, receipt.Cursor{}, 10)); got != "1.0.0 2.1.0" {
		t.Errorf("after the replay events are %q", got)
	}
	tally := l.Tally()
	if tally.Events != 1 || tally.Txs[receipt.OK] != 1 || tally.Txs[receipt.OverQuota] != 1 {
		t.Errorf("tally is %v, want the replayed block", tally)
	}
}

func TestAppendRefuses(t *testing.T) {
	l := opened(t, state.NewMemory())
	for h := uint64(5); h <= 7; h++ {
		appended(t, l, block(h, tx(byte(h), receipt.OK)))
	}
	other := block(6, tx(6, receipt.OK))
	other.Hash, other.Root = []byte{0xaa}, []byte{0xbb}
	results := block(6, tx(6, receipt.Failed))
	long := block(8)
	long.Events = []receipt.Event{{Contract: strings.Repeat("x", 65), Name: "n"}}
	root := block(8)
	root.Root = make([]byte, 65)
	for _, c := range []struct {
		name string
		b    Block
		want string
	}{
		{"another block", other, "height 6 holds block 686173682d36 with root 726f6f742d36, refusing block aa with root bb"},
		{"other results", results, "refusing the same with other results"},
		{"a gap", block(9), "block 9 does not follow: the next is 8"},
		{"before the first", block(4), "block 4 does not follow"},
		{"height 0", block(0), "heights start at 1"},
		{"a long name", long, "contract of 65 and name of 1 bytes, limit 64"},
		{"a long root", root, "root of 65 bytes, limit 64"},
	} {
		if err := l.Append(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want %q", c.name, err, c.want)
		}
	}
	var m *Mismatch
	if err := l.Append(other); !errors.As(err, &m) || m.Have.Height != 6 {
		t.Errorf("another block is not a Mismatch: %v", err)
	}
	if err := l.Raise(8); err == nil || !strings.Contains(err.Error(), "the log ends at 7") {
		t.Errorf("raising beyond the log: %v", err)
	}
	if err := l.Raise(3); err == nil || !strings.Contains(err.Error(), "the log begins at 5") {
		t.Errorf("raising below the log: %v", err)
	}
	appended(t, l, block(8)) // none of it did harm
}

func TestOtherFormat(t *testing.T) {
	db := state.NewMemory()
	b := new(state.Batch)
	b.Set([]byte{tableVersion}, seal([]byte{tableVersion}, []byte{2}))
	if err := db.Write(b, true); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(db); err == nil || !strings.Contains(err.Error(), "format version is 02, this program knows 1") {
		t.Errorf("opening another format: %v", err)
	}
}

// A node that joined from a snapshot has no history, and says where its own begins.
func TestHistoryBeginsLater(t *testing.T) {
	l := opened(t, state.NewMemory())
	if l.First() != 1 {
		t.Errorf("First of a new log is %d", l.First())
	}
	raised(t, l, 40)
	if l.First() != 41 || l.Height() != 40 {
		t.Errorf("First, Height are %d, %d", l.First(), l.Height())
	}
	if err := l.Append(block(40)); err == nil {
		t.Error("a block below the snapshot was taken")
	}
	appended(t, l, block(41, tx(1, receipt.OK, event("access", "granted", "door/1"))))
	raised(t, l, 41)
	if _, known, err := l.Prev(Filter{}, receipt.Cursor{Height: 41}); known || err != nil {
		t.Errorf("what came before the log is known: %v, %v", known, err)
	}
}

func TestExecutedReplacesRefused(t *testing.T) {
	type step struct {
		code   receipt.Code
		height uint64 // where Tx should find it afterwards
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"executed stays", []step{{receipt.OK, 1}, {receipt.Replayed, 1}, {receipt.BadSignature, 1}}},
		{"executed replaces", []step{{receipt.BadSignature, 1}, {receipt.Failed, 2}, {receipt.Replayed, 2}}},
		{"the first refusal stays", []step{{receipt.BadSignature, 1}, {receipt.Busy, 1}, {receipt.OK, 3}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := opened(t, state.NewMemory())
			before := uint64(0)
			for i, s := range c.steps {
				appended(t, l, block(uint64(i+1), tx(7, s.code)))
				if rec, err := l.Tx(id(7)); err != nil || (rec == nil) != (before == 0) || rec != nil && rec.Height != before {
					t.Fatalf("step %d shows before it is published: %+v, %v", i, rec, err)
				}
				raised(t, l, uint64(i+1))
				rec, err := l.Tx(id(7))
				if err != nil || rec == nil || rec.Height != s.height {
					t.Fatalf("after step %d the receipt is %+v, %v, want height %d", i, rec, err, s.height)
				}
				before = s.height
			}
		})
	}
	t.Run("in one block", func(t *testing.T) {
		l := opened(t, state.NewMemory())
		appended(t, l, block(1, tx(7, receipt.BadSignature), tx(7, receipt.OK, event("access", "used", "door/1")), tx(7, receipt.Replayed)))
		raised(t, l, 1)
		rec, err := l.Tx(id(7))
		if err != nil || rec == nil || rec.Tx != 1 || rec.Receipt.Code != receipt.OK || len(rec.Receipt.Events) != 1 || rec.Time != 1001 {
			t.Errorf("the receipt is %+v, %v", rec, err)
		}
		if rec, err := l.Tx([32]byte{}); rec != nil || err != nil {
			t.Errorf("the zero id has a receipt: %+v, %v", rec, err)
		}
	})
}

func TestReceiptsInPages(t *testing.T) {
	l := opened(t, state.NewMemory())
	var receipts []receipt.Receipt
	for i := range byte(10) {
		receipts = append(receipts, tx(i+1, receipt.OK, event("access", "used", "door")))
	}
	appended(t, l, block(1, receipts...))
	raised(t, l, 1)
	for _, c := range []struct{ from, limit, want int }{{0, 4, 4}, {4, 4, 4}, {8, 4, 2}, {10, 4, 0}, {0, 0, 0}, {0, 1000, 10}} {
		rs, err := l.Receipts(1, uint32(c.from), c.limit)
		if err != nil || len(rs) != c.want || c.want > 0 && rs[0].Receipt.TxID != id(byte(c.from+1)) {
			t.Errorf("from %d limit %d: %d receipts, %v", c.from, c.limit, len(rs), err)
		}
	}
}

func TestSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := opened(t, state.NewMemory())
		woken := make(chan uint64)
		height, raisedSignal := l.Signal()
		if height != 0 {
			t.Errorf("height is %d", height)
		}
		go func() {
			<-raisedSignal
			woken <- l.Height()
		}()
		appended(t, l, block(1))
		synctest.Wait()
		select {
		case h := <-woken:
			t.Fatalf("Append woke a reader at height %d", h)
		default:
		}
		raised(t, l, 1)
		if h := <-woken; h != 1 {
			t.Errorf("woken at height %d", h)
		}
		_, again := l.Signal()
		raised(t, l, 1)
		synctest.Wait()
		select {
		case <-again:
			t.Error("raising to the same height woke a reader")
		default:
		}
	})
}

// Every row of a log is damaged in turn, by a flipped bit, a cut, another row's value and
// its loss. Reading everything then gives the right answer or an error, never a wrong
// answer and never a panic; and where rows are changed the error names one.
func TestDamage(t *testing.T) {
	build := func(db *state.Memory) {
		l := opened(t, db)
		appended(t, l, block(1, tx(1, receipt.BadSignature), tx(2, receipt.OK, event("access", "used", "door/1"), event("access", "opened", "door/1"))))
		two := block(2, tx(1, receipt.OK, event("access", "used", "door/2")))
		two.Events = []receipt.Event{event("authority", "joined", "d")}
		appended(t, l, two)
	}
	read := func(db *state.Memory) (string, error) {
		var out strings.Builder
		l, err := Open(db)
		if err != nil {
			return "", err
		}
		if err := l.Raise(2); err != nil {
			return "", err
		}
		for _, f := range []Filter{{}, {Contract: "access"}, {Contract: "access", Event: "used"}, {Contract: "authority"}, {Event: "joined"}} {
			page, err := l.Events(f, receipt.Cursor{}, 10)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&out, "%v\n", page)
			p, known, err := l.Prev(f, EndOf(2))
			if err != nil {
				return "", err
			}
			fmt.Fprintln(&out, p, known)
		}
		for h := uint64(1); h <= 2; h++ {
			b, err := l.Block(h)
			if err != nil {
				return "", err
			}
			rs, err := l.Receipts(h, 0, 10)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&out, "%v %v\n", b, rs)
		}
		for n := byte(1); n <= 3; n++ {
			rec, err := l.Tx(id(n))
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&out, "%v\n", rec)
		}
		return out.String(), nil
	}
	whole := state.NewMemory()
	build(whole)
	want, err := read(whole)
	if err != nil {
		t.Fatal(err)
	}
	type row struct{ key, value []byte }
	var rows []row
	if err := whole.Scan(nil, nil, false, func(key, value []byte) bool {
		rows = append(rows, row{bytes.Clone(key), bytes.Clone(value)})
		return true
	}); err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		for _, c := range []struct {
			name  string
			value []byte
		}{
			{"a bit flipped in the checksum", flip(r.value, 0)},
			{"a bit flipped at the end", flip(r.value, len(r.value)-1)},
			{"cut", r.value[:len(r.value)-1]},
			{"emptied", []byte{}},
			{"another row's value", rows[(i+1)%len(rows)].value},
			{"an honest checksum over nonsense", seal(r.key, []byte("nonsense"))},
		} {
			db := state.NewMemory()
			build(db)
			b := new(state.Batch)
			b.Set(r.key, c.value)
			if err := db.Write(b, true); err != nil {
				t.Fatal(err)
			}
			got, err := read(db)
			switch index := r.key[0] == tableContract || r.key[0] == tableName; {
			case err == nil && got != want:
				t.Errorf("%s, %s: a wrong answer\n%s", rowName(r.key), c.name, got)
			case err == nil && !index:
				t.Errorf("%s, %s: not noticed", rowName(r.key), c.name)
			case err != nil && r.key[0] != tableVersion && (!IsDamaged(err) || !strings.Contains(err.Error(), rowName(r.key))):
				t.Errorf("%s, %s: error is %v", rowName(r.key), c.name, err)
			}
		}
		db := state.NewMemory()
		build(db)
		b := new(state.Batch)
		b.Delete(r.key)
		if err := db.Write(b, true); err != nil {
			t.Fatal(err)
		}
		switch _, err := read(db); r.key[0] {
		case tableEvent, tableReceipt:
			if !IsDamaged(err) {
				t.Errorf("%s lost: error is %v", rowName(r.key), err)
			}
		}
	}
}

func flip(b []byte, at int) []byte {
	c := bytes.Clone(b)
	c[at] ^= 0x10
	return c
}
