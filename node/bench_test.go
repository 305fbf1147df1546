package node_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkCommit measures what one authority's client waits for over HTTP, from the request
// to the receipt of a committed block.
//
//	silence     after 1.2 s of it: two rounds, the first for the clock
//	alone       one client, the next transaction when the last is committed
//	loaded/N    N clients like that
func BenchmarkCommit(b *testing.B) {
	n := opened(b, config(b, newHome(b)))
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 256
	var sequences [accounts]atomic.Uint64
	send := func(key int) time.Duration {
		raw := knock(b, byte(key+1), sequences[key].Add(1))
		began := time.Now()
		if a, err := post(b.Context(), n.HTTP(), raw, "commit"); err != nil || a.Code != "unknown_contract" {
			b.Errorf("%+v, %v", a, err)
		}
		return time.Since(began)
	}
	report := func(b *testing.B, took []time.Duration) {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "tx/s")
	}
	b.Run("silence", func(b *testing.B) {
		var took []time.Duration
		for b.Loop() {
			time.Sleep(1200 * time.Millisecond)
			took = append(took, send(0))
		}
		report(b, took)
	})
	b.Run("alone", func(b *testing.B) {
		var took []time.Duration
		for b.Loop() {
			took = append(took, send(0))
		}
		report(b, took)
	})
	for _, clients := range []int{8, 64, 256} {
		b.Run(fmt.Sprintf("loaded/%d", clients), func(b *testing.B) {
			var (
				took  []time.Duration
				mu    sync.Mutex
				all   sync.WaitGroup
				goals = make(chan struct{})
			)
			for c := range clients {
				all.Go(func() {
					for range goals {
						d := send(c % accounts)
						mu.Lock()
						took = append(took, d)
						mu.Unlock()
					}
				})
			}
			for b.Loop() {
				goals <- struct{}{}
			}
			close(goals)
			all.Wait()
			report(b, took)
		})
	}
}
