package stream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/runtime/receipt"
)

const (
	// pageSize is how many events a subscriber reads at once.
	pageSize = 256
	// lagBlocks is how many blocks a live client may be behind before it is told.
	lagBlocks = 16
	// pingBurst and pingRate bound the control frames of a client: it needs one pong every 20 s,
	// and some libraries ping by themselves.
	pingBurst = 60
	pingRate  = 1 // per second
)

// Why a stream ends, beside an *Error.
var (
	errGone = errors.New("the client is gone")
	errSlow = errors.New("the client does not read")
)

// client is one connection. One goroutine runs serve and does all the writing but pongs, the
// other runs listen.
type client struct {
	server  *Server
	ws      *websocket.Conn
	conn    *corked
	ping    *time.Ticker
	control *rate.Limiter
}

func (s *Server) newClient(ws *websocket.Conn, conn *corked) *client {
	return &client{server: s, ws: ws, conn: conn, control: rate.NewLimiter(pingRate, pingBurst)}
}

// serve runs the stream and returns why it ended. With refusal it only says that.
func (c *client) serve(sub Subscription, refusal *Error) (why string) {
	config := &c.server.config
	defer c.conn.Close()
	ctx, end := context.WithCancelCause(c.server.done)
	defer end(nil)
	defer context.AfterFunc(ctx, func() { c.conn.hurry(time.Now().Add(config.Linger)) })()

	c.ping = time.NewTicker(config.PingEvery)
	defer c.ping.Stop()
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		end(c.listen())
	}()

	var err error
	if refusal != nil {
		err = refusal
	} else {
		err = c.follow(ctx, sub)
	}
	if ctx.Err() != nil { // the reason is elsewhere: in listen, or the node stops
		if err = context.Cause(ctx); c.server.done.Err() != nil {
			err = shuttingDown.because("the node is shutting down; resume with your last cursor")
		}
	}
	end(err)
	return c.leave(err, listening)
}

// leave tells the client why the stream ends, if there is somebody to tell, and waits a
// little for it to take that in.
func (c *client) leave(err error, listening <-chan struct{}) (why string) {
	var e *Error
	switch {
	case errors.As(err, &e):
		why = e.Code
	case errors.Is(err, errSlow):
		why = "slow"
	case errors.Is(err, errGone):
		why = "client"
	case eventlog.IsDamaged(err):
		c.server.config.Logger.Error("event stream stopped by a damaged log", "error", err)
		e = logDamaged.because("the log of this node is damaged; ask another node")
		why = e.Code
	default:
		c.server.config.Logger.Error("event stream failed", "error", err)
		e = internal.because("a fault of this node; ask another node")
		why = e.Code
	}
	until := time.Now().Add(c.server.config.Linger)
	c.conn.hurry(until)
	if e != nil && c.send(encode(errorFrame{"error", e.Code, e.Number, e.Reason})) == nil {
		message := websocket.FormatCloseMessage(e.close, e.Code)
		if c.ws.WriteControl(websocket.CloseMessage, message, until) == nil && c.conn.Flush() == nil {
			_ = c.conn.SetReadDeadline(until) // wakes listen, whatever the client does
			<-listening
			c.conn.drain(until)
		}
	} else {
		_ = c.conn.Flush() // an answer to the client's close frame
	}
	_ = c.conn.Close()
	<-listening
	return why
}

// listen reads until there is something that ends the stream. A client has nothing to say
// but pongs and goodbye: of a data frame not even the payload is read.
func (c *client) listen() (err error) {
	defer c.server.recovered(&err)
	alive := func() error { return c.ws.SetReadDeadline(time.Now().Add(c.server.config.PongTimeout)) }
	flooded := unexpectedFrame.because("more than %d pings or pongs in a minute", pingBurst)
	c.ws.SetPongHandler(func(string) error {
		if !c.control.Allow() {
			return flooded
		}
		return alive()
	})
	c.ws.SetPingHandler(func(data string) error {
		if !c.control.Allow() {
			return flooded
		}
		err := c.ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(c.server.config.WriteTimeout))
		if err == nil {
			err = c.conn.Flush()
		}
		return errors.Join(err, alive())
	})
	// No read limit: NextReader returns with a frame's head, and no payload is ever read. With
	// a limit, gorilla would close with a code of its own before we can say why.
	if err := alive(); err != nil {
		return errGone
	}
	kind, _, err := c.ws.NextReader()
	var flood *Error
	switch {
	case errors.As(err, &flood):
		return flood
	case err == nil, errors.Is(err, websocket.ErrReadLimit): // the latter: a length beyond 63 bits
		name := map[int]string{websocket.BinaryMessage: "binary"}[kind]
		if name == "" {
			name = "text"
		}
		return unexpectedFrame.because("a %s frame came from the client: this stream takes none, its query string is the whole subscription", name)
	case timedOut(err):
		return errSlow // no pong
	}
	return errGone
}

func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}

// send writes a frame, into the cork.
func (c *client) send(frame []byte) error {
	if err := c.ws.SetWriteDeadline(time.Now().Add(c.server.config.WriteTimeout)); err != nil {
		return errGone
	}
	err := c.ws.WriteMessage(websocket.TextMessage, frame)
	if err == nil {
		c.server.frames.Add(1)
	}
	return lost(err)
}

func (c *client) flush() error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(c.server.config.WriteTimeout)); err != nil {
		return errGone
	}
	return lost(c.conn.Flush())
}

// lost says what a failed write means.
func lost(err error) error {
	switch {
	case err == nil:
		return nil
	case timedOut(err):
		return errSlow
	}
	return errGone
}

// probe pings if it is time to.
func (c *client) probe() error {
	select {
	case <-c.ping.C:
		return c.sendPing()
	default:
		return nil
	}
}

func (c *client) sendPing() error {
	return lost(c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.server.config.WriteTimeout)))
}

// follow sends hello, history and what comes, until the context or the connection ends.
func (c *client) follow(ctx context.Context, sub Subscription) (err error) {
	defer c.server.recovered(&err)
	log := c.server.config.Log
	height := log.Height()
	at := sub.After
	if sub.Absent {
		at = eventlog.EndOf(height)
	}
	floor, err := log.Floor(at)
	if err != nil {
		return err
	}
	begin := at
	if sub.Absent {
		begin = floor
	}
	if err := c.send(encode(helloFrame{"hello", c.server.config.Chain, height, begin})); err != nil {
		return err
	}
	if from, to, reason := Gap(log, sub); to != 0 {
		if err := c.send(encode(gapFrame{"gap", from, to, reason})); err != nil {
			return err
		}
	}
	var (
		live = false
		prev *Prev // of the next event; nil until one has been looked for
	)
	for {
		height, raised := log.Signal()
		if behind := height - min(height, at.Height); live && behind >= lagBlocks {
			live = false
			if err := c.send(encode(laggingFrame{"lagging", behind})); err != nil {
				return err
			}
		}
		page, err := log.Events(sub.Filter, at, pageSize)
		if err != nil {
			return err
		}
		for i := range page.Entries {
			e := &page.Entries[i]
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := c.probe(); err != nil {
				return err
			}
			if prev == nil {
				if prev, err = Before(log, &sub, e.Cursor); err != nil {
					return err
				}
			}
			if err := c.send(eventFrame(*prev, c.server.members(e, page.Height))); err != nil {
				return err
			}
			*prev = Prev{e.Cursor, true}
		}
		at = page.Next
		if err := ctx.Err(); err != nil {
			return err
		}
		if page.More {
			if err := errors.Join(c.probe(), c.flush()); err != nil {
				return err
			}
			continue
		}
		if !live {
			live = true
			if floor, err = log.Floor(at); err != nil {
				return err
			}
			if err := c.send(encode(liveFrame{"live", floor, page.Height})); err != nil {
				return err
			}
		}
		if err := c.sleep(ctx, raised); err != nil {
			return err
		}
	}
}

// sleep flushes and waits for the next block, pinging meanwhile.
func (c *client) sleep(ctx context.Context, raised <-chan struct{}) error {
	for {
		if err := c.flush(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-raised:
			return nil
		case <-c.ping.C:
			if err := c.sendPing(); err != nil {
				return err
			}
		}
	}
}

// Before finds what the first event of a connection or page has as prev. If the client
// resumes behind an event that matches, it is that one; otherwise the log is searched
// backwards from the event's cursor.
func Before(log *eventlog.Log, sub *Subscription, cursor receipt.Cursor) (*Prev, error) {
	if !sub.Absent {
		e, err := log.At(sub.After)
		if err != nil {
			return nil, err
		}
		if e != nil && sub.Filter.Matches(&e.Event) {
			return &Prev{sub.After, true}, nil
		}
	}
	at, known, err := log.Prev(sub.Filter, cursor)
	return &Prev{at, known}, err
}

// Gap says which heights the subscription asks for but the log doesn't have, because it
// begins later; to is 0 if there are none.
func Gap(log *eventlog.Log, sub Subscription) (from, to uint64, reason string) {
	first := log.First()
	if sub.Absent || first == 1 || sub.After.Height >= first {
		return 0, 0, ""
	}
	return max(sub.After.Height, 1), first - 1, fmt.Sprintf("the event log of this node begins at height %d", first)
}
