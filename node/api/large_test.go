package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/wardledger/ward/node/api"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
)

// stuck is a client that does not read until it is told to.
type stuck struct {
	httptest.ResponseRecorder
	read <-chan struct{}
	held *atomic.Int64
}

func (s *stuck) Write(b []byte) (int, error) {
	s.held.Add(int64(len(b)))
	defer s.held.Add(-int64(len(b)))
	<-s.read
	return s.ResponseRecorder.Write(b)
}

// However many ask for what is large and don't read it, a node holds so much of it at most, and what is small is answered.
func TestSlowReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, api.Config{})
		defer s.server.Close()
		raw, id := signed(t, 1, nil)
		if _, err := s.chain.Submit(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
		s.chain.block(t, func(r *receipt.Receipt) {
			for i := range 32 {
				a := cbor.AppendText(cbor.AppendText(cbor.AppendMap(nil, 1), "a"), strings.Repeat("\x01", 8000))
				r.Events = append(r.Events, receipt.Event{Contract: "access", Name: fmt.Sprint("e", i), Attributes: a})
			}
		})
		const readers, limit = 120, 128 << 20
		var (
			held    atomic.Int64
			busy    atomic.Int64
			waiting sync.WaitGroup
			read    = make(chan struct{})
		)
		for range readers {
			waiting.Go(func() {
				w := &stuck{read: read, held: &held, ResponseRecorder: *httptest.NewRecorder()}
				s.server.ServeHTTP(w, httptest.NewRequest("GET", "/v1/tx/"+id.String(), nil))
				if w.Code == http.StatusServiceUnavailable {
					busy.Add(1)
				}
			})
		}
		synctest.Wait()
		if n := held.Load(); n > limit+readers*1024 || n < limit/2 {
			t.Errorf("%d bytes are held for those who don't read", n)
		}
		if a := s.direct("GET", "/v1/blocks/1", ""); a.status != http.StatusOK {
			t.Errorf("a small answer is %d %s", a.status, a.body)
		}
		s.refused("a large one", s.direct("GET", "/v1/tx/"+id.String(), ""), 503, "unavailable", "answers of more than 128 MiB are being sent already")
		close(read)
		waiting.Wait()
		if n := busy.Load(); n == 0 || n == readers {
			t.Errorf("%d of %d were told to come again", n, readers)
		}
		if a := s.direct("GET", "/v1/tx/"+id.String(), ""); a.status != http.StatusOK {
			t.Errorf("afterwards a large answer is %d", a.status)
		}
	})
}

// However many ask, a few documents are put together at a time.
func TestReadersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, api.Config{})
		defer s.server.Close()
		var running, most atomic.Int64
		open := make(chan struct{})
		s.chain.asked = func() {
			if n := running.Add(1); n > most.Load() {
				most.Store(n) // they come one after the other
			}
			defer running.Add(-1)
			<-open
		}
		var readers sync.WaitGroup
		for range 10 * runtime.GOMAXPROCS(0) {
			readers.Go(func() {
				if a := s.direct("GET", "/v1/contracts/access", ""); a.status != http.StatusOK {
					t.Errorf("%d %s", a.status, a.body)
				}
			})
			synctest.Wait()
		}
		if got, want := most.Load(), int64(2*runtime.GOMAXPROCS(0)); got != want {
			t.Errorf("%d at a time, want %d", got, want)
		}
		close(open)
		readers.Wait()
	})
}
