package stream_test

import (
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/wardledger/ward/node/db"
	"github.com/wardledger/ward/node/stream"
	"github.com/wardledger/ward/runtime/receipt"
)

// BenchmarkFanOut publishes blocks of 100 events to 100 subscribers on this machine and waits
// until each has received all of it: the time of an operation is a block's.
func BenchmarkFanOut(b *testing.B) {
	for name, query := range map[string]string{"all": "", "filtered": "contract=access&event=granted"} {
		b.Run(name, func(b *testing.B) { fanOut(b, query) })
	}
}

func fanOut(b *testing.B, query string) {
	const subscribers, events = 100, 100
	d, err := db.Open(b.TempDir(), db.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	log := newLog(b, d)
	s := newSite(b, log, stream.Config{})
	var block []receipt.Event
	for i := range uint64(events) {
		block = append(block, grantedTo(i, "site/building/7/door/1", alice))
	}
	var round, readers sync.WaitGroup
	for range subscribers {
		f := s.dial(query)
		f.untilLive()
		readers.Go(func() {
			if err := f.ws.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
				b.Error(err)
			}
			for n := 1; ; n++ {
				kind, _, err := f.ws.NextReader()
				if err != nil || kind != websocket.TextMessage {
					return
				}
				if n%events == 0 {
					round.Done()
				}
			}
		})
	}
	for b.Loop() {
		round.Add(subscribers)
		add(b, log, block...)
		round.Wait()
	}
	b.ReportMetric(float64(b.N)*subscribers*events/b.Elapsed().Seconds(), "frames/s")
	s.server.Close()
	readers.Wait()
}
