package stream_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wardledger/ward/node/stream"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
)

// TestBoundary appends blocks while 50 subscribers with different filters connect, break off
// and resume at random moments. Each must see each of its events exactly once, in order, and
// with the right prev, however the border between history and live falls.
func TestBoundary(t *testing.T) {
	const blocks, subscribers = 400, 50
	s := newSite(t, newLog(t, state.NewMemory()), stream.Config{})
	filters := []struct {
		query   string
		matches func(i int) bool
	}{
		{"", func(int) bool { return true }},
		{"contract=access", func(int) bool { return true }},
		{"event=used", func(i int) bool { return i%3 == 0 }},
		{"contract=access&event=granted", func(i int) bool { return i%3 != 0 }},
		{"contract=access&event=granted&attr.object=door%2F1", func(i int) bool { return i%3 != 0 && i%7 == 1 }},
	}
	// The blocks' events are a function of their height, so that everybody knows what to expect.
	eventsOf := func(height uint64) (events []receipt.Event, numbers []int) {
		r := rand.New(rand.NewPCG(height, 1))
		for range r.IntN(6) {
			i := r.IntN(1000)
			numbers = append(numbers, i)
			if i%3 == 0 {
				events = append(events, used(fmt.Sprint(i)))
			} else {
				events = append(events, granted(uint64(i), fmt.Sprint("door/", i%7)))
			}
		}
		return events, numbers
	}
	expected := make([][]string, len(filters))
	for h := uint64(1); h <= blocks; h++ {
		_, numbers := eventsOf(h)
		for j, i := range numbers {
			for k, f := range filters {
				if f.matches(i) {
					expected[k] = append(expected[k], cursor(h, 0, j))
				}
			}
		}
	}

	var work sync.WaitGroup
	work.Go(func() {
		for h := uint64(1); h <= blocks; h++ {
			events, _ := eventsOf(h)
			add(t, s.log, events...)
		}
	})
	for n := range subscribers {
		work.Go(func() {
			k := n % len(filters)
			r := rand.New(rand.NewPCG(uint64(n), 2))
			if err := s.collect(filters[k].query, expected[k], r); err != nil {
				t.Errorf("subscriber %d, %q: %v", n, filters[k].query, err)
			}
		})
	}
	work.Wait()
}

// collect reads until it has all that is expected, over as many connections as chance wants.
func (s *site) collect(query string, expected []string, r *rand.Rand) error {
	if len(expected) == 0 {
		return errors.New("nothing is expected: the test is empty")
	}
	got, after := 0, "start"
	for got < len(expected) {
		f := s.dial(query + "&after=" + after)
		leave := r.IntN(60) // frames until this connection breaks
		for {
			fr, err := f.read()
			if err != nil {
				return err
			}
			switch fr.Type {
			case "event":
				prev := ""
				if got > 0 {
					prev = expected[got-1]
				}
				if got == len(expected) || fr.Cursor != expected[got] || fr.Prev == nil || *fr.Prev != prev {
					return fmt.Errorf("event %d is %s after %v, want %s after %q", got, fr.Cursor, fr.Prev, expected[min(got, len(expected)-1)], prev)
				}
				got, after = got+1, fr.Cursor
			case "live":
				// A live cursor lies behind everything sent and is as good to resume from.
				if r.IntN(2) == 0 {
					after = fr.Cursor
				}
			case "hello", "lagging":
			default:
				return errors.New(fr.raw)
			}
			if leave--; leave < 0 || got == len(expected) {
				break
			}
		}
		_ = f.ws.Close()
	}
	return nil
}

// TestFromNow subscribes without a cursor while blocks are made: what comes must be an
// unbroken end of the expected, beginning right behind hello.
func TestFromNow(t *testing.T) {
	s := newSite(t, newLog(t, state.NewMemory()), stream.Config{})
	const blocks = 200
	var expected []string
	for h := uint64(1); h <= blocks; h++ {
		expected = append(expected, cursor(h, 0, 0), cursor(h, 0, 1))
	}
	start := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		for h := range uint64(blocks) {
			if h == blocks/4 {
				close(start)
			}
			add(t, s.log, granted(h, "door/1"), used("a"))
		}
	})
	<-start
	for range 20 {
		f := s.dial("contract=access")
		work.Go(func() {
			hello, err := f.read()
			if err != nil || hello.Type != "hello" {
				t.Errorf("%v %v", hello, err)
				return
			}
			at := slices.Index(expected, hello.Cursor) + 1
			for at < len(expected) {
				fr, err := f.read()
				if err != nil {
					t.Error(err)
					return
				}
				if fr.Type != "event" {
					continue
				}
				if fr.Cursor != expected[at] || fr.Prev == nil || *fr.Prev != strings.Join(expected[max(at-1, 0):at], "") {
					t.Errorf("after hello %s: event %s, want %s", hello.Cursor, fr.raw, expected[at])
					return
				}
				at++
			}
		})
	}
	work.Wait()
}
