package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"
)

// server is a target that answers as it is told to. Its transactions are committed by
// commits.
type server struct {
	t      *tally
	answer func(n uint64, since time.Duration) (wait time.Duration, commit bool, err error)
	start  time.Time
	empty  bool // nothing waits
}

func number(n uint64) (id key) {
	binary.BigEndian.PutUint64(id[:], n)
	return id
}

func (s *server) send(ctx context.Context, n uint64, expect func(key)) error {
	expect(number(n))
	wait, commit, err := s.answer(n, time.Since(s.start))
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return ctx.Err()
	}
	if commit {
		s.t.commit(number(n), time.Now(), "")
	}
	return err
}

func (s *server) idle(context.Context) bool { return s.empty }

func (s *server) ask(_ context.Context, id key) string {
	if id == number(7) {
		return "expired"
	}
	return ""
}

// drive runs a load against a server in a world where time passes only while everybody waits.
func drive(t *testing.T, l load, answer func(uint64, time.Duration) (time.Duration, bool, error)) (m Measure) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &server{t: l.newTally(), answer: answer, start: time.Now()}
		var err error
		if m, err = l.run(t.Context(), s, s.t, nil); err != nil {
			t.Fatal(err)
		}
	})
	if m.Committed+m.Errors != m.Offered {
		t.Errorf("%d committed and %d errors of %d offered", m.Committed, m.Errors, m.Offered)
	}
	var sum uint64
	for _, n := range m.Codes {
		sum += n
	}
	if sum != m.Errors {
		t.Errorf("%d errors by code, %d in all", sum, m.Errors)
	}
	return m
}

func about(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want-2*step || got > want+want>>subBits+2*step {
		t.Errorf("%s is %v, want about %v", what, got, want)
	}
}

// A server that answers at once is measured as it is.
func TestOpenLoop(t *testing.T) {
	m := drive(t, load{rate: 250, length: 4 * time.Second, senders: 8}, func(uint64, time.Duration) (time.Duration, bool, error) {
		return 10 * time.Millisecond, true, nil
	})
	if m.Offered != 1000 || m.OfferedTPS != 250 || m.Committed != 1000 || len(m.Codes) != 0 {
		t.Errorf("%+v", m)
	}
	about(t, "the median", m.P50, 10*time.Millisecond)
	about(t, "the longest", m.Most, 10*time.Millisecond)
	about(t, "the time to the last commit", m.Took, 4*time.Second-4*time.Millisecond+10*time.Millisecond)
	if want := 1000 / m.Took.Seconds(); m.CommittedTPS != want {
		t.Errorf("%v committed a second, want %v", m.CommittedTPS, want)
	}
}

// A server that stands still for two of ten seconds makes a fifth of the transactions
// late, by up to two seconds, whether or not anybody was free to send them. A client that
// waited for each answer would have met the standstill once per sender.
func TestNoCoordinatedOmission(t *testing.T) {
	for _, senders := range []int{1, 4} {
		m := drive(t, load{rate: 100, length: 10 * time.Second, senders: senders}, func(_ uint64, at time.Duration) (time.Duration, bool, error) {
			if at >= 4*time.Second && at < 6*time.Second {
				return 6*time.Second - at, true, nil
			}
			return time.Millisecond, true, nil
		})
		if m.Offered != 1000 || m.Errors != 0 {
			t.Errorf("%d senders: %+v", senders, m)
		}
		about(t, "the median", m.P50, time.Millisecond)
		// 200 of 1000 are late by an evenly spread 0 to 2 s: 50 by more than 1.5 s, 10 by more
		// than 1.9 s, and what is queued then is sent a millisecond each.
		for _, c := range []struct {
			name      string
			got, want time.Duration
		}{{"p95", m.P95, 1500 * time.Millisecond}, {"p99", m.P99, 1900 * time.Millisecond}, {"the longest", m.Most, 2 * time.Second}} {
			if c.got < c.want || c.got > c.want+200*time.Millisecond {
				t.Errorf("%d senders: %s is %v, want %v and what it takes to catch up", senders, c.name, c.got, c.want)
			}
		}
	}
}

// What is refused, lost or left over is counted under its name and is in no percentile.
func TestErrors(t *testing.T) {
	m := drive(t, load{rate: 100, length: 10 * time.Second, senders: 4}, func(n uint64, _ time.Duration) (time.Duration, bool, error) {
		switch {
		case n < 5:
			return 0, false, refusal("busy")
		case n == 5:
			return 0, false, errors.New("connection refused")
		case n == 6:
			return 0, true, errors.New("the answer was lost on its way") // the transaction wasn't
		case n == 7, n == 8:
			return 0, false, nil
		case n == 9:
			return time.Millisecond, true, refusal("replayed") // of a copy; this one is in a block
		}
		return time.Millisecond, true, nil
	})
	want := map[string]uint64{"busy": 5, codeNoAnswer: 1, "expired": 1, codeNotCommitted: 1}
	if m.Offered != 1000 || !maps.Equal(m.Codes, want) {
		t.Errorf("%+v, want the errors %v", m, want)
	}
	about(t, "the longest", m.Most, time.Millisecond)
}

// What is under way at the end has its grace, but not once nothing is left that could be committed.
func TestGrace(t *testing.T) {
	for empty, want := range map[bool]time.Duration{false: time.Second + grace, true: 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			l := load{rate: 10, length: time.Second, senders: 2}
			s := &server{t: l.newTally(), start: time.Now(), empty: empty}
			s.answer = func(n uint64, _ time.Duration) (time.Duration, bool, error) { return 0, n != 3, nil }
			m, err := l.run(t.Context(), s, s.t, nil)
			if err != nil || m.Committed != 9 || m.Codes[codeNotCommitted] != 1 {
				t.Errorf("%+v, %v", m, err)
			}
			if took := time.Since(s.start); took < want-time.Second || took > want {
				t.Errorf("nothing waits: %v; it took %v, want about %v", empty, took, want)
			}
		})
	}
}

// Memory is bounded: what is due while as many as may be are under way is an error.
func TestOpenLoopIsBounded(t *testing.T) {
	const rate, seconds = 50_000, 4
	m := drive(t, load{rate: rate, length: seconds * time.Second, senders: 2}, func(uint64, time.Duration) (time.Duration, bool, error) {
		return time.Hour, false, nil // a server that has gone to sleep
	})
	if m.Offered != rate*seconds || m.Committed != 0 || m.CommittedTPS != 0 || m.P99 != 0 {
		t.Errorf("%+v", m)
	}
	// Two were handed over and got no answer; the rest waited for a sender, or there was no room to.
	if want := map[string]uint64{codeNotSent: rate*seconds - 2, codeNoAnswer: 2}; !maps.Equal(m.Codes, want) {
		t.Errorf("errors %v, want %v", m.Codes, want)
	}
	if m.most > maxUnderWay {
		t.Errorf("%d were under way at a time, limit %d", m.most, maxUnderWay)
	}
}

// At most as many as agreed are under way, and the rate that comes out is theirs by the latency.
func TestClosedLoop(t *testing.T) {
	m := drive(t, load{length: 10 * time.Second, senders: 64, underWay: 20}, func(n uint64, _ time.Duration) (time.Duration, bool, error) {
		if n%100 == 99 {
			return 50 * time.Millisecond, false, refusal("busy")
		}
		return 50 * time.Millisecond, true, nil
	})
	if m.most != 20 {
		t.Errorf("%d were under way at a time, want 20", m.most)
	}
	if m.Offered < 3980 || m.Offered > 4020 || m.Codes["busy"] != m.Offered/100 {
		t.Errorf("%+v, want 20 each 50 ms, of which one percent is refused", m)
	}
	about(t, "the median", m.P50, 50*time.Millisecond)
}

// A watcher that fails ends the load at once, and so does the caller.
func TestLoadEnds(t *testing.T) {
	answer := func(uint64, time.Duration) (time.Duration, bool, error) { return time.Hour, true, nil }
	why := errors.New("the stream has a gap")
	for name, run := range map[string]func(context.Context, *load, *server) error{
		"watcher": func(ctx context.Context, l *load, s *server) error {
			failed := make(chan error, 1)
			time.AfterFunc(time.Second, func() { failed <- why })
			_, err := l.run(ctx, s, s.t, failed)
			return err
		},
		"caller": func(ctx context.Context, l *load, s *server) error {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(time.Second, func() { cancel(why) })
			_, err := l.run(ctx, s, s.t, nil)
			return err
		},
	} {
		for _, rate := range []float64{0, 1000} {
			synctest.Test(t, func(t *testing.T) {
				l := load{rate: rate, length: time.Hour, senders: 2, underWay: 5}
				s := &server{t: l.newTally(), answer: answer, start: time.Now()}
				if err := run(t.Context(), &l, s); !errors.Is(err, why) {
					t.Errorf("%s, rate %v: %v", name, rate, err)
				}
				if took := time.Since(s.start); took > time.Second+step {
					t.Errorf("%s, rate %v: it ended after %v", name, rate, took)
				}
			})
		}
	}
}
