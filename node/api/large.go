package api

import (
	"net/http"
	"sync"
)

const (
	// smallAnswer is what may be sent to each connection at a time, in bytes: about what the kernel takes off our hands.
	smallAnswer = 64 << 10
	// maxSending is how many bytes of larger answers may wait for those who asked to read them. One can have some megabytes, and a client
	// has more than a minute for it: without a bound a few thousand connections could have a node hold gigabytes.
	maxSending = 128 << 20
)

// answer sends what may be large, or says that too much is being sent.
func (s *Server) answer(w http.ResponseWriter, v any) error {
	doc := encodeJSON(v)
	if n := int64(len(doc)); n > smallAnswer {
		defer s.sending.Add(-n)
		if s.sending.Add(n) > maxSending {
			return unavailable.because("answers of more than %d MiB are being sent already", maxSending>>20)
		}
	}
	writeBytes(w, http.StatusOK, doc)
	return nil
}

// inTurn has documents put together by a few at a time: each holds some megabytes meanwhile, and takes a processor from who
// executes the next block. The turn ends before the answer is sent, which may take long.
func (s *Server) inTurn(slots chan struct{}, h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		select {
		case slots <- struct{}{}:
		case <-r.Context().Done():
			return r.Context().Err()
		}
		t := &turn{w, sync.OnceFunc(func() { <-slots })}
		defer t.end()
		return h(t, r)
	}
}

// turn ends as soon as an answer begins.
type turn struct {
	http.ResponseWriter
	end func()
}

func (t *turn) WriteHeader(status int) {
	t.end()
	t.ResponseWriter.WriteHeader(status)
}

func (t *turn) Write(b []byte) (int, error) {
	t.end()
	return t.ResponseWriter.Write(b)
}

func (t *turn) Unwrap() http.ResponseWriter { return t.ResponseWriter }
