package api

import (
	"container/list"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

func cpus() int { return runtime.GOMAXPROCS(0) }

// maxAddresses bounds the table of limiters; some 3 MiB when full. Beyond, the address that
// has been quiet longest is forgotten, which refills its bucket.
const maxAddresses = 16 << 10

// limiter is a token bucket per address.
type limiter struct {
	rate  rate.Limit
	burst int

	mu    sync.Mutex
	table map[netip.Prefix]*list.Element
	order *list.List // of *bucket, the last used first
}

type bucket struct {
	address netip.Prefix
	tokens  *rate.Limiter
}

// newLimiter returns nil, which allows everything, for a negative rate.
func newLimiter(perSecond float64, burst int) *limiter {
	if perSecond < 0 {
		return nil
	}
	return &limiter{rate: rate.Limit(perSecond), burst: burst, table: make(map[netip.Prefix]*list.Element), order: list.New()}
}

func (l *limiter) allow(address netip.Prefix, now time.Time) bool {
	if l == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.table[address]
	if ok {
		l.order.MoveToFront(e)
	} else {
		if len(l.table) >= maxAddresses {
			last := l.order.Back()
			delete(l.table, l.order.Remove(last).(*bucket).address)
		}
		e = l.order.PushFront(&bucket{address, rate.NewLimiter(l.rate, l.burst)})
		l.table[address] = e
	}
	return e.Value.(*bucket).tokens.AllowN(now, 1)
}

// bounded accepts no more connections at a time than it has slots; others wait in the
// kernel's queue.
type bounded struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func bound(l net.Listener, n int) net.Listener {
	return &bounded{Listener: l, slots: make(chan struct{}, n), closed: make(chan struct{})}
}

func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.slots <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.slots
		return nil, err
	}
	return &slotConn{Conn: c, release: sync.OnceFunc(func() { <-b.slots })}, nil
}

func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

// slotConn gives its slot back when it is closed. It keeps the two powers of a TCP
// connection that the stream uses.
type slotConn struct {
	net.Conn
	release func()
}

func (c *slotConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}

func (c *slotConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *slotConn) SetWriteBuffer(bytes int) error {
	if tcp, ok := c.Conn.(interface{ SetWriteBuffer(int) error }); ok {
		return tcp.SetWriteBuffer(bytes)
	}
	return nil
}
