package stream

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// corkSize is how much is gathered before it is written, in bytes: what one system call
// moves well. It is held only while there is something to send.
const corkSize = 32 << 10

var corks = sync.Pool{New: func() any { return new([corkSize]byte) }}

// corked is a connection that gathers what is written to it until flush, because the
// WebSocket library makes a system call for each frame and a block can have hundreds.
//
// gorilla writes from two goroutines (frames from one, pongs from the other), so there is a
// mutex; it is held while writing, for no longer than the write deadline.
type corked struct {
	net.Conn

	writing sync.Mutex
	cork    *[corkSize]byte // nil when nothing is gathered
	n       int

	deadlines sync.Mutex
	limit     time.Time // no write may last longer than this, once set
}

func (c *corked) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.n+len(p) > corkSize {
		if err := c.flush(); err != nil {
			return 0, err
		}
		if len(p) > corkSize {
			return c.Conn.Write(p)
		}
	}
	if c.cork == nil {
		c.cork = corks.Get().(*[corkSize]byte)
	}
	c.n += copy(c.cork[c.n:], p)
	return len(p), nil
}

// Flush writes what has been gathered.
func (c *corked) Flush() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.flush()
}

func (c *corked) flush() error {
	if c.cork == nil {
		return nil
	}
	_, err := c.Conn.Write(c.cork[:c.n])
	corks.Put(c.cork)
	c.cork, c.n = nil, 0
	return err
}

// SetWriteDeadline sets the deadline, but none later than hurry allows.
func (c *corked) SetWriteDeadline(t time.Time) error {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	if !c.limit.IsZero() && (t.IsZero() || t.After(c.limit)) {
		t = c.limit
	}
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline is for gorilla, which clears the HTTP server's deadlines with it.
func (c *corked) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// hurry lets no write, also one that is under way, last beyond t.
func (c *corked) hurry(t time.Time) {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	c.limit = t
	_ = c.Conn.SetWriteDeadline(t) // a connection that is closed needs no deadline
}

// drain reads and forgets what the client still sends, until it closes or the time is over.
// Closing a socket with unread input would reset it, and the client might lose the frame that
// says why.
func (c *corked) drain(until time.Time) {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // best effort, like the rest
	}
	if c.SetReadDeadline(until) == nil {
		_, _ = io.Copy(io.Discard, c.Conn)
	}
}

// hijacker lets gorilla take over the connection through whatever wraps the response, and
// corks it.
type hijacker struct {
	http.ResponseWriter
	conn *corked
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if tcp, ok := conn.(interface{ SetWriteBuffer(int) error }); ok {
		// Otherwise the kernel takes megabytes for a client that doesn't read, and it would be
		// long until anybody notices.
		_ = tcp.SetWriteBuffer(sendBuffer)
	}
	h.conn = &corked{Conn: conn}
	return h.conn, rw, nil
}

// sendBuffer is what the kernel keeps for a subscriber, in bytes (Linux doubles it).
const sendBuffer = 64 << 10
