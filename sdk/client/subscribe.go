package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/wardledger/ward/runtime/receipt"
)

const (
	// maxFrame bounds one frame of the stream, in bytes: an event's 64 KiB of attributes
	// as JSON, doubled by hex and again by names, and room.
	maxFrame = 1 << 20

	// pingEvery is how often a quiet connection is probed, and deadAfter how long it may be
	// silent before it counts as lost. Mobile networks forget a quiet connection after
	// about a minute.
	pingEvery = 20 * time.Second
	deadAfter = 50 * time.Second

	// dialTimeout bounds one attempt to connect.
	dialTimeout = 15 * time.Second

	// firstPause and lastPause bound the pause between attempts; it doubles in between,
	// with a random half so that a site's devices don't come back all at once.
	firstPause = 50 * time.Millisecond
	lastPause  = 10 * time.Second
)

// Filter says which events are wanted. Empty fields match everything.
type Filter struct {
	Contract string
	Event    string
	// Attributes gives values that attributes must have, at most 8, as node/stream spells
	// them: text as it is, addresses as ward1..., bytes as 0x and hex, numbers in decimal.
	Attributes map[string]string
}

func (f Filter) query() url.Values {
	q := url.Values{}
	if f.Contract != "" {
		q.Set("contract", f.Contract)
	}
	if f.Event != "" {
		q.Set("event", f.Event)
	}
	for name, value := range f.Attributes {
		q.Set("attr."+name, value)
	}
	return q
}

// Places to subscribe from, beside the text of a cursor.
const (
	FromStart = "start" // the first event of the log
	FromNow   = ""      // what is committed from now on
)

// NoticeKind says what a Notice is about.
type NoticeKind string

// The kinds of notices.
const (
	Connected    NoticeKind = "connected"    // a connection is up; Height is the node's
	Live         NoticeKind = "live"         // history is done: from here on events arrive as they happen
	Lagging      NoticeKind = "lagging"      // this client reads so slowly that it is Behind blocks behind
	Gap          NoticeKind = "gap"          // the node doesn't have the events of the blocks From to To
	Disconnected NoticeKind = "disconnected" // a connection was lost or not made, for Err; another attempt follows
)

// A Notice tells how a subscription fares. Nothing has to be done about any but a Gap:
// another node may have those events.
type Notice struct {
	Kind     NoticeKind
	Height   uint64 // Connected, Live
	Behind   uint64 // Lagging
	From, To uint64 // Gap
	Reason   string // Gap, for people
	Err      error  // Disconnected
}

// GapError means that the stream is not whole, and the node didn't say so: an event
// doesn't follow the one before. The subscription has ended.
type GapError struct {
	Last   receipt.Cursor  // of the last event delivered, or where the subscription began
	Prev   *receipt.Cursor // what the node says came before, nil if it doesn't know
	Cursor receipt.Cursor  // of the event that doesn't fit; it wasn't delivered
}

// Error names the three cursors.
func (g *GapError) Error() string {
	prev := "an unknown one"
	if g.Prev != nil {
		prev = g.Prev.String()
	}
	return fmt.Sprintf("events are missing or doubled: the last was %s, the next is %s and says that it follows %s", g.Last, g.Cursor, prev)
}

// Subscription delivers the events that match a filter in the ledger's order, each once,
// whatever happens to the connection. It is for one goroutine; Close may come from any.
type Subscription struct {
	client *Client
	filter Filter
	notify func(Notice)

	after string         // where the next connection starts
	last  receipt.Cursor // the last event delivered, or where the subscription began
	exact bool           // last is the event before the next, not just some place before it
	first bool           // no event came on this connection yet
	chain string         // that the first connection found
	pause time.Duration  // before the attempt to connect that was the last

	mu     sync.Mutex
	link   *link // nil while there is none
	closed bool
}

// Subscribe begins a subscription after the cursor of an earlier event (or what Cursor
// gave), FromStart or FromNow. It returns once the node has accepted it: a bad filter or
// cursor, and a node that can't be reached, are errors here. From then on connections are
// made anew for as long as Next is called. notify, unless nil, is called from Subscribe and
// Next, between events. Close it when done.
func (c *Client) Subscribe(ctx context.Context, f Filter, after string, notify func(Notice)) (*Subscription, error) {
	s := &Subscription{client: c, filter: f, after: after, notify: notify}
	if s.notify == nil {
		s.notify = func(Notice) {}
	}
	switch after {
	case FromStart: // last is the zero cursor
		s.exact = true // nothing comes before the first event
	case FromNow:
	default:
		cursor, err := receipt.ParseCursor(after)
		if err != nil {
			return nil, err
		}
		s.last = cursor
	}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Events is Next as an iterator, which ends after the first error.
func (s *Subscription) Events(ctx context.Context) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		for {
			e, err := s.Next(ctx)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Next waits for the next event. It connects again by itself, for as long as ctx lasts;
// the errors that it gives are final: ctx's, ErrClosed, *GapError, the node's refusal to go
// on (*Unserved), and that another chain has moved in. After ctx's alone Next may be called
// again.
func (s *Subscription) Next(ctx context.Context) (*Event, error) {
	for {
		e, err := s.read(ctx)
		for err != nil {
			if err := s.give(ctx, err); err != nil {
				return nil, err
			}
			s.pause = min(max(2*s.pause, firstPause), lastPause)
			if err := sleep(ctx, s.pause/2+rand.N(s.pause/2)); err != nil {
				return nil, err
			}
			err = s.connect(ctx)
		}
		if e != nil {
			return e, nil
		}
	}
}

// give decides about a failure: nil means to connect again.
func (s *Subscription) give(ctx context.Context, err error) error {
	s.drop()
	switch {
	case s.isClosed():
		return ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	case !transient(err):
		_ = s.Close()
		return err
	}
	s.notify(Notice{Kind: Disconnected, Err: err})
	return nil
}

func (s *Subscription) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// ErrClosed is what Next gives after Close.
var ErrClosed = errors.New("the subscription is closed")

// Cursor is where a later Subscribe goes on with nothing lost or doubled: at the last event
// that Next delivered, or later if the node said that none follow.
func (s *Subscription) Cursor() string { return s.after }

// Close ends the subscription and its connection. It is safe to call twice.
func (s *Subscription) Close() error {
	s.mu.Lock()
	s.closed = true
	l := s.link
	s.link = nil
	s.mu.Unlock()
	if l != nil {
		farewell := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
		_ = l.conn.WriteControl(websocket.CloseMessage, farewell, time.Now().Add(time.Second))
		l.close()
	}
	return nil
}

// lost is a failure of the connection, which another may not meet.
type lost struct{ error }

func (l lost) Unwrap() error { return l.error }

// transient tells whether another connection is worth trying.
func transient(err error) bool {
	if u, ok := err.(*Unserved); ok {
		return u.Temporary()
	}
	_, ok := err.(lost)
	return ok
}

// connect makes a connection that starts after s.after and reads its hello.
func (s *Subscription) connect(ctx context.Context) error {
	query := s.filter.query()
	if s.after != FromNow {
		query.Set("after", s.after)
	}
	u, err := s.client.address("/v1/events/stream", query)
	if err != nil {
		return err
	}
	u.Scheme = map[string]string{"http": "ws", "https": "wss"}[u.Scheme]
	dialer := websocket.Dialer{HandshakeTimeout: dialTimeout, Proxy: http.ProxyFromEnvironment}
	if t, ok := s.client.http().Transport.(*http.Transport); ok && t != nil {
		dialer.Proxy, dialer.NetDialContext = t.Proxy, t.DialContext
		if t.TLSClientConfig != nil {
			dialer.TLSClientConfig = t.TLSClientConfig.Clone()
			dialer.TLSClientConfig.NextProtos = []string{"http/1.1"} // a Transport offers HTTP/2 first, which has no Upgrade
		}
	}
	conn, resp, err := dialer.DialContext(ctx, u.String(), nil)
	if err != nil {
		if resp == nil {
			return lost{err}
		}
		answer, _ := io.ReadAll(resp.Body) // gorilla keeps 1,024 bytes of it
		return decodeError(resp.StatusCode, resp.Header, answer)
	}
	l := newLink(conn)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		l.close()
		return ErrClosed
	}
	s.link = l
	s.mu.Unlock()

	f, err := l.frame(ctx)
	if err == nil {
		err = s.hello(f)
	}
	if err != nil {
		s.drop()
		return err
	}
	s.notify(Notice{Kind: Connected, Height: f.Height})
	return nil
}

// hello takes the first frame of a connection.
func (s *Subscription) hello(f *frame) error {
	switch {
	case f.Type == "error":
		return f.unserved()
	case f.Type != "hello":
		return fmt.Errorf("the stream began with a frame %.40q, not hello", f.Type)
	case s.chain != "" && s.chain != f.Chain:
		return fmt.Errorf("the node is on chain %.80q now, it was on %q", f.Chain, s.chain)
	}
	if s.after == FromNow {
		// Named from now on: if this connection breaks before its first event, the next
		// one must begin where this one did.
		begin, err := receipt.ParseCursor(f.Cursor)
		if err != nil {
			return fmt.Errorf("hello: %w", err)
		}
		s.last, s.after = begin, f.Cursor
	}
	s.chain, s.first = f.Chain, true
	return nil
}

// drop closes the connection, if there is one.
func (s *Subscription) drop() {
	s.mu.Lock()
	l := s.link
	s.link = nil
	s.mu.Unlock()
	if l != nil {
		l.close()
	}
}

// read gives the next event of the present connection.
func (s *Subscription) read(ctx context.Context) (*Event, error) {
	s.mu.Lock()
	l := s.link
	s.mu.Unlock()
	if l == nil {
		return nil, lost{errors.New("no connection")}
	}
	for {
		f, err := l.frame(ctx)
		if err != nil {
			return nil, err
		}
		s.pause = 0 // this connection works
		switch f.Type {
		case "event":
			e, err := f.event()
			if err != nil {
				return nil, err
			}
			if err := s.follow(e); err != nil {
				return nil, err
			}
			return e, nil
		case "live":
			if err := s.skip(f.Cursor); err != nil {
				return nil, err
			}
			s.notify(Notice{Kind: Live, Height: f.Height})
		case "lagging":
			s.notify(Notice{Kind: Lagging, Behind: f.Behind})
		case "gap":
			if to := lastOf(f.To); to.Compare(s.last) > 0 {
				s.last, s.exact = to, false
			}
			s.notify(Notice{Kind: Gap, From: f.From, To: f.To, Reason: f.Reason})
		case "error":
			return nil, f.unserved()
		}
		// Frames of a kind that this version doesn't know are for newer clients.
	}
}

// follow accepts an event as the next one, or says what is wrong with it.
func (s *Subscription) follow(e *Event) error {
	fits := s.first // not known is an answer that only the first event of a connection may give
	if e.Prev != nil {
		fits = *e.Prev == s.last || !s.exact && e.Prev.Compare(s.last) < 0
	}
	if !fits || e.Cursor.Compare(s.last) <= 0 {
		return &GapError{Last: s.last, Prev: e.Prev, Cursor: e.Cursor}
	}
	s.last, s.exact, s.first, s.after = e.Cursor, true, false, e.Cursor.String()
	return nil
}

// skip moves the place to resume from over events that don't match.
func (s *Subscription) skip(to string) error {
	cursor, err := receipt.ParseCursor(to)
	if err != nil {
		return fmt.Errorf("live: %w", err)
	}
	if cursor.Compare(s.last) > 0 {
		s.after = to
	}
	return nil
}

// A link is one connection and the goroutine that probes it.
type link struct {
	conn *websocket.Conn
	done chan struct{}
	end  sync.Once
	ping sync.WaitGroup
}

func newLink(conn *websocket.Conn) *link {
	l := &link{conn: conn, done: make(chan struct{})}
	conn.SetReadLimit(maxFrame)
	alive := func() error { return conn.SetReadDeadline(time.Now().Add(deadAfter)) }
	conn.SetPongHandler(func(string) error { return alive() })
	pong := conn.PingHandler()
	conn.SetPingHandler(func(data string) error { return errors.Join(alive(), pong(data)) })
	l.ping.Go(func() {
		ticker := time.NewTicker(pingEvery)
		defer ticker.Stop()
		for {
			select {
			case <-l.done:
				return
			case <-ticker.C:
				if conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(pingEvery)) != nil {
					return // the reader will meet the same failure, and say so
				}
			}
		}
	})
	return l
}

// close ends the connection and waits for the goroutine. It is safe to call twice.
func (l *link) close() {
	l.end.Do(func() {
		close(l.done)
		_ = l.conn.Close()
	})
	l.ping.Wait()
}

// frame reads one frame. Cancelling ctx closes the connection.
func (l *link) frame(ctx context.Context) (*frame, error) {
	stop := context.AfterFunc(ctx, func() { _ = l.conn.Close() })
	defer stop()
	if err := l.conn.SetReadDeadline(time.Now().Add(deadAfter)); err != nil {
		return nil, lost{err}
	}
	_, data, err := l.conn.ReadMessage()
	if err != nil {
		return nil, lost{err}
	}
	return decodeFrame(data)
}
