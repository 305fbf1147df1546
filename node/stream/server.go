package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/wardledger/ward/node/eventlog"
)

// Config says what is streamed and how much one may take. Zero fields mean their defaults.
type Config struct {
	Log   *eventlog.Log
	Types *Types
	Chain string // the chain's id

	// Origins are the origins whose browser pages may connect, such as
	// "https://panel.example"; "*" means all. Pages of the node's own origin always may, and
	// so may everything that isn't a browser.
	Origins []string

	// MaxSubscribers bounds the streams at a time. Default 1024: with all of them stuck, some
	// 600 MiB, most of it in the kernel.
	MaxSubscribers int
	// MaxPerAddress bounds the streams of one address, see Peer. Default 128: a site behind
	// one router, or a gateway that follows each of its devices.
	MaxPerAddress int

	// WriteTimeout is how long a client may take to accept one write. Default 10 s.
	WriteTimeout time.Duration
	// PingEvery is how often a client is asked whether it is there, and PongTimeout how long it
	// may be silent. Defaults 20 s and 60 s: three chances, and shorter than the two minutes
	// after which routers forget a quiet connection.
	PingEvery, PongTimeout time.Duration
	// Linger is how long a client has to take its last frame. Default 1 s.
	Linger time.Duration

	Logger *slog.Logger // default: slog.Default()
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if c.MaxSubscribers == 0 {
		c.MaxSubscribers = 1024
	}
	if c.MaxPerAddress == 0 {
		c.MaxPerAddress = 128
	}
	set(&c.WriteTimeout, 10*time.Second)
	set(&c.PingEvery, 20*time.Second)
	set(&c.PongTimeout, 60*time.Second)
	set(&c.Linger, time.Second)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// Validate reports the first field that makes no sense.
func (c Config) Validate() error {
	switch c = c.withDefaults(); {
	case c.Log == nil || c.Types == nil:
		return errors.New("stream: no event log or no types")
	case c.MaxSubscribers < 0 || c.MaxPerAddress < 0:
		return fmt.Errorf("stream: at most %d subscribers, %d per address: must not be negative", c.MaxSubscribers, c.MaxPerAddress)
	case c.WriteTimeout < 0 || c.Linger < 0 || c.PingEvery < 0 || c.PongTimeout <= c.PingEvery:
		return fmt.Errorf("stream: write timeout %s, linger %s, ping every %s, pong timeout %s: must be positive, and the last longer than the one before",
			c.WriteTimeout, c.Linger, c.PingEvery, c.PongTimeout)
	}
	for _, o := range c.Origins {
		if err := CheckOrigin(o); err != nil {
			return fmt.Errorf("stream: %w", err)
		}
	}
	return nil
}

// CheckOrigin reports why s is not an origin that can be allowed.
func CheckOrigin(s string) error {
	if s == "*" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != s {
		return fmt.Errorf("origin %q: must be scheme://host[:port] or *", s)
	}
	return nil
}

// Server serves streams. It is an http.Handler; Close ends every stream.
type Server struct {
	config   Config
	upgrader websocket.Upgrader
	done     context.Context // is cancelled by Close
	stop     context.CancelFunc
	running  sync.WaitGroup
	frames   atomic.Uint64
	rendered rendered

	mu        sync.Mutex
	closed    bool
	total     int
	addresses map[netip.Prefix]int
	ended     map[string]uint64
}

// Stats counts since the server was made, but for Subscribers.
type Stats struct {
	Subscribers int               // now
	Frames      uint64            // sent
	Closed      map[string]uint64 // streams ended, by why: "client", "slow" or an Error's code
}

// New returns a server.
func New(c Config) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Server{
		config:    c.withDefaults(),
		addresses: make(map[netip.Prefix]int),
		ended:     make(map[string]uint64),
	}
	s.done, s.stop = context.WithCancel(context.Background())
	s.upgrader = websocket.Upgrader{
		WriteBufferPool: new(sync.Pool),
		WriteBufferSize: 4 << 10,
		CheckOrigin:     func(*http.Request) bool { return true }, // ServeHTTP has looked
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			refuse(w, status, "bad_request", 1001, reason.Error())
		},
	}
	return s, nil
}

// Close tells every client that the node stops, waits until all streams have ended, and lets
// no new one begin. It takes a little longer than Linger at most.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.running.Wait()
}

// Stats returns the present counts.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Subscribers: s.total, Frames: s.frames.Load(), Closed: maps.Clone(s.ended)}
}

// Peer is the address that limits count by: the IPv4 address, or the /64 of an IPv6 address,
// which is what one customer gets. All requests without an IP address count as one.
func Peer(r *http.Request) netip.Prefix {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	ip := at.Addr().Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// Allowed reports whether a request may come from its origin: it isn't a browser's, it is the
// node's own, or it is one of origins.
func Allowed(r *http.Request, origins []string) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(origins, "*") || slices.Contains(origins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && u.Host == r.Host
}

// ServeHTTP serves one stream, from the handshake to its end.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !websocket.IsWebSocketUpgrade(r) {
		w.Header().Set("Upgrade", "websocket")
		refuse(w, http.StatusUpgradeRequired, "upgrade_required", 1013, "this is a WebSocket: connect with ws:// or wss://")
		return
	}
	if !Allowed(r, s.config.Origins) {
		refuse(w, http.StatusForbidden, "forbidden_origin", 1012, fmt.Sprintf("origin %s is not allowed by this node's configuration", shown(r.Header.Get("Origin"))))
		return
	}
	if !s.begin() {
		refuse(w, http.StatusServiceUnavailable, "unavailable", 1007, "the node is shutting down")
		return
	}
	defer s.running.Done()

	peer := Peer(r)
	no := s.admit(peer)
	if no == nil {
		defer s.leave(peer)
	}
	var sub Subscription
	if no == nil {
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			no = badParameter.because("query string: %v", err)
		} else if sub, no = Parse(query, s.config.Types); no == nil {
			no = sub.CheckCursor(s.config.Log.Height())
		}
	}
	h := &hijacker{ResponseWriter: w}
	ws, err := s.upgrader.Upgrade(h, r, nil)
	if err != nil {
		if h.conn != nil {
			_ = h.conn.Close()
		}
		return // the client has been told, or is gone
	}
	c := s.newClient(ws, h.conn)
	why := c.serve(sub, no)
	s.mu.Lock()
	s.ended[why]++
	s.mu.Unlock()
	s.config.Logger.Debug("event stream ended", "peer", r.RemoteAddr, "why", why)
}

// begin counts a handler in, unless the server is closed.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.running.Add(1)
	}
	return !s.closed
}

func (s *Server) admit(peer netip.Prefix) *Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= s.config.MaxSubscribers {
		return tooManySubscribers.because("this node has %d streams, its limit", s.total)
	}
	if n := s.addresses[peer]; n >= s.config.MaxPerAddress {
		return tooManySubscribers.because("your address has %d streams, the limit of one", n)
	}
	s.total++
	s.addresses[peer]++
	return nil
}

func (s *Server) leave(peer netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.addresses[peer]--; s.addresses[peer] == 0 {
		delete(s.addresses, peer)
	}
}

// refuse answers in plain HTTP. Its body is that of node/api's errors.
func refuse(w http.ResponseWriter, status int, code string, number int, reason string) {
	type body struct {
		Code   string `json:"code"`
		Number int    `json:"number"`
		Reason string `json:"reason"`
	}
	b, err := json.Marshal(map[string]body{"error": {code, number, reason}})
	if err != nil {
		panic("BUG: stream: an error that is no JSON: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // a client that is gone needs no answer
}

// recovered turns a panic of a stream's goroutine into an error, so that it costs one
// stream and not the node.
func (s *Server) recovered(err *error) {
	if p := recover(); p != nil {
		s.config.Logger.Error("event stream panicked", "panic", p, "stack", string(debug.Stack()))
		*err = fmt.Errorf("panic: %v", p)
	}
}
