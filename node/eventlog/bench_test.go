package eventlog

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/wardledger/ward/node/db"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
)

func onDisk(b *testing.B) *db.DB {
	b.Helper()
	d, err := db.Open(b.TempDir(), db.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { d.Close() })
	return d
}

// busy makes a block of 50 transactions with 2 events each, of some 150 bytes.
func busy(height uint64) Block {
	b := block(height)
	for i := range uint64(50) {
		r := tx(0, receipt.OK)
		binary.BigEndian.PutUint64(r.TxID[:], height)
		r.TxID[31] = byte(i + 1)
		for j := range uint64(2) {
			a := cbor.AppendMap(nil, 3)
			a = cbor.AppendUint(cbor.AppendText(a, "id"), height*100+i*2+j)
			a = cbor.AppendText(cbor.AppendText(a, "object"), fmt.Sprintf("site/building/%d/door/%d", i, j))
			a = cbor.AppendBytes(cbor.AppendText(a, "subject"), make([]byte, 20))
			r.Events = append(r.Events, receipt.Event{Contract: "access", Name: "used", Attributes: a})
		}
		b.Receipts = append(b.Receipts, r)
	}
	return b
}

// BenchmarkAppend writes blocks of 100 events. The floor writes the same rows as one synced
// batch without knowing what they are; without sync shows what is left when the disk is not
// waited for.
func BenchmarkAppend(b *testing.B) {
	b.Run("log", func(b *testing.B) {
		l := opened(b, onDisk(b))
		height := uint64(0)
		for b.Loop() {
			height++
			if err := l.Append(busy(height)); err != nil {
				b.Fatal(err)
			}
			if err := l.Raise(height); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, sync := range []bool{true, false} {
		b.Run(fmt.Sprintf("floor/sync=%v", sync), func(b *testing.B) {
			d := onDisk(b)
			l := opened(b, d)
			height := uint64(0)
			for b.Loop() {
				height++
				blk := busy(height)
				h, err := blk.header()
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				batch, err := l.rows(&blk, h)
				if err != nil {
					b.Fatal(err)
				}
				raw := new(state.Batch)
				batch.Each(raw.Set)
				b.StartTimer()
				if err := d.Write(raw, sync); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEvents reads pages of 256 events out of 100,000.
func BenchmarkEvents(b *testing.B) {
	l := opened(b, onDisk(b))
	for h := uint64(1); h <= 1000; h++ {
		if err := l.Append(busy(h)); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Raise(1000); err != nil {
		b.Fatal(err)
	}
	for _, f := range []Filter{
		{},
		{Contract: "access", Event: "used"},
		{Contract: "access", Event: "used", Attributes: []Attribute{{Name: "object", Values: [][]byte{text("site/building/7/door/1")}}}},
	} {
		b.Run(fmt.Sprintf("contract=%s/attributes=%d", f.Contract, len(f.Attributes)), func(b *testing.B) {
			n := 0
			after := receipt.Cursor{}
			for b.Loop() {
				page, err := l.Events(f, after, 256)
				if err != nil {
					b.Fatal(err)
				}
				n += len(page.Entries)
				if after = page.Next; !page.More {
					after = receipt.Cursor{}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
		})
	}
}
