package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wardledger/ward/node/stream"
	"github.com/wardledger/ward/runtime/abi"
)

// Times and sizes of one HTTP exchange.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second // header and body: 4 MiB at 140 kB/s
	writeTimeout  = readTimeout + maxWait + 15*time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 16 << 10 // bytes
	// shutdownTimeout is how long requests under way may take to end.
	shutdownTimeout = 5 * time.Second
)

// Server is the HTTP surface. Use it with Serve, or as an http.Handler and then Close.
type Server struct {
	config  Config
	types   *stream.Types
	stream  *stream.Server
	mux     *http.ServeMux
	limiter *limiter
	metrics *metrics
	started time.Time

	waiting chan struct{} // a slot for each request that waits for a commit
	views   chan struct{} // a slot for each view that runs
	traces  chan struct{} // a slot for each simulation or trace that runs
	uploads chan struct{} // a slot for each body larger than an ordinary transaction
	reads   chan struct{} // a slot for each document that is put together
	pages   chan struct{} // a slot for each page of events: who looks through history holds up no other documents
	sending atomic.Int64  // bytes of large answers that are being sent

	closing context.Context // is done when requests must come to an end
	stop    context.CancelFunc
}

// maxUploads bounds the large bodies held at a time: 4 deployments of 4 MiB.
const maxUploads = 4

// New returns a server.
func New(c Config) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	s := &Server{
		config:  c,
		types:   stream.NewTypes(c.Chain, c.Log),
		mux:     http.NewServeMux(),
		limiter: newLimiter(c.Rate, c.Burst),
		started: c.Clock(),
		waiting: make(chan struct{}, c.MaxWaiting),
		views:   make(chan struct{}, c.MaxViews),
		traces:  make(chan struct{}, c.MaxTraces),
		uploads: make(chan struct{}, maxUploads),
		reads:   make(chan struct{}, 2*cpus()),
		pages:   make(chan struct{}, 2*cpus()),
	}
	var err error
	s.stream, err = stream.New(stream.Config{
		Log: c.Log, Types: s.types, Chain: c.ChainID, Origins: c.Origins,
		MaxSubscribers: c.MaxSubscribers, MaxPerAddress: c.MaxPerAddress, Logger: c.Logger,
	})
	if err != nil {
		return nil, err
	}
	s.closing, s.stop = context.WithCancel(context.Background())
	s.metrics = newMetrics(s)
	for pattern, h := range s.handlers() {
		s.mux.Handle(pattern, h)
	}
	return s, nil
}

// handler answers a request, or says why not.
type handler func(w http.ResponseWriter, r *http.Request) error

// handlers are what is served, by pattern. sdk/WIRE.md tells clients of each.
func (s *Server) handlers() map[string]http.Handler {
	all := map[string]http.Handler{
		"GET " + streamPath: s.stream,
		"GET /metrics":      s.metrics.handler(),
	}
	for pattern, h := range map[string]handler{
		"GET /{$}":                                    s.index,
		"POST /v1/tx":                                 s.postTx,
		"GET /v1/tx/{id}":                             s.inTurn(s.reads, s.getTx),
		"GET /v1/tx/{id}/trace":                       s.getTrace,
		"GET /v1/blocks/{height}":                     s.inTurn(s.reads, s.getBlock),
		"GET /v1/contracts":                           s.inTurn(s.reads, s.getContracts),
		"GET /v1/contracts/{name}":                    s.inTurn(s.reads, s.getContract),
		"POST /v1/contracts/{name}/query/{method}":    s.postQuery,
		"POST /v1/contracts/{name}/simulate/{method}": s.postSimulate,
		"GET /v1/keys/{kid}":                          s.getKey,
		"GET /v1/events":                              s.inTurn(s.pages, s.getEvents),
		"GET /v1/status":                              s.getStatus,
		"GET /healthz":                                s.getHealth,
	} {
		all[pattern] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				s.failed(r, err).write(w)
			}
		})
	}
	return all
}

const streamPath = "/v1/events/stream"

// response remembers what was answered. Whoever needs the connection itself unwraps it.
type response struct {
	http.ResponseWriter
	status int
}

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ServeHTTP answers one request, whatever it is and whatever happens.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	out := &response{ResponseWriter: w}
	route := "none"
	defer func() {
		p := recover()
		if p != nil && p != http.ErrAbortHandler {
			s.config.Logger.Error("request panicked", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			if out.status == 0 && route != streamPath {
				internal.because("a fault of this node; its log has the details").write(out)
				p = nil
			}
		}
		if out.status == 0 && route == streamPath {
			out.status = http.StatusSwitchingProtocols
		}
		s.metrics.observe(route, out.status, time.Since(began))
		s.config.Logger.Debug("request", "method", r.Method, "path", r.URL.Path, "status", out.status, "peer", r.RemoteAddr, "took", time.Since(began))
		if p != nil {
			panic(http.ErrAbortHandler) // half an answer: cut it off rather than pass it for a whole
		}
	}()

	if s.cors(out, r) { // first, so that a page can read that it was limited
		return
	}
	if !s.limiter.allow(stream.Peer(r), s.config.Clock()) {
		rateLimited.because("more than %v requests a second from your address", s.config.Rate).write(out)
		return
	}
	h, pattern := s.mux.Handler(r)
	if pattern == "" {
		s.noRoute(out, r, h)
		return
	}
	_, route, _ = strings.Cut(pattern, " ")
	s.mux.ServeHTTP(out, r)
}

// noRoute answers what no pattern matches. Only the mux knows whether that is the path's
// fault or the method's, so its own handler is asked.
func (s *Server) noRoute(w http.ResponseWriter, r *http.Request, h http.Handler) {
	if allow := allowed(h, r); allow != "" {
		w.Header().Set("Allow", allow)
		methodNotAllowed.because("%s does not take %s, but %s", shown(r.URL.Path), shown(r.Method), allow).write(w)
		return
	}
	notFound.because("there is nothing at %s; sdk/WIRE.md lists what there is", shown(r.URL.Path)).write(w)
}

// allowed is the Allow header of the mux's own 405, "" if its answer is another.
func allowed(h http.Handler, r *http.Request) string {
	var probe discard
	h.ServeHTTP(&probe, r)
	if probe.status != http.StatusMethodNotAllowed {
		return ""
	}
	return probe.Header().Get("Allow")
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header {
	if d.header == nil {
		d.header = make(http.Header)
	}
	return d.header
}
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// cors lets pages of allowed origins read answers, and answers preflights. It reports whether
// the request is dealt with. A page of another origin gets no header, so that its browser
// keeps the answer from it; and since neither transactions nor arguments are of a content type
// that a page may send unasked, it can't do anything either.
func (s *Server) cors(w http.ResponseWriter, r *http.Request) (done bool) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	open := stream.Allowed(r, s.config.Origins)
	if open {
		if slices.Contains(s.config.Origins, "*") {
			origin = "*"
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "Retry-After")
	}
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if open {
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// Serve answers on l until ctx ends, and then takes leave: new connections are refused,
// streams are told, requests that wait are answered. It returns nil after that, or why the
// listener failed. l is closed; so is the server.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	h := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return s.closing },
		ErrorLog:          slog.NewLogLogger(s.config.Logger.Handler(), slog.LevelDebug), // what clients break
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(bound(l, s.config.MaxConnections)) }()
	var err error
	select {
	case err = <-ended:
		err = fmt.Errorf("api: %w", err)
	case <-ctx.Done():
	}
	s.stop()
	grace, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	down := make(chan error, 1)
	go func() { down <- h.Shutdown(grace) }() // closes the listener first
	s.stream.Close()
	if shut := <-down; shut != nil {
		s.config.Logger.Warn("requests did not end in time", "error", shut)
		_ = h.Close()
	}
	if err == nil {
		if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
			err = fmt.Errorf("api: %w", e)
		}
	}
	return err
}

// Close ends the streams and what waits. Serve does it by itself.
func (s *Server) Close() {
	s.stop()
	s.stream.Close()
}

// index is for the person who opens the printed URL in a browser.
func (s *Server) index(w http.ResponseWriter, _ *http.Request) error {
	paths := []string{"/v1/status", "/v1/contracts", "/v1/events", "/v1/blocks/latest", "/healthz", "/metrics"}
	writeJSON(w, http.StatusOK, map[string]any{"chain": s.config.ChainID, "version": s.config.Version, "see": paths})
	return nil
}

// spec is the spec that a contract had after the block at a height, nil if there is none.
func (s *Server) spec(contract string, height uint64) (*abi.Spec, error) {
	if !abi.ValidContract(contract) {
		return nil, nil
	}
	return s.types.SpecAt(contract, height)
}

// parameters reads a query string in which nothing else than the names may occur, and
// nothing twice.
func parameters(r *http.Request, names ...string) (map[string]string, error) {
	query, err := queryOf(r)
	if err != nil {
		return nil, err
	}
	values := make(map[string]string)
	for name, v := range query {
		if !slices.Contains(names, name) {
			if len(names) == 0 {
				return nil, badRequest.because("unknown parameter %s: there is none here", shown(name))
			}
			return nil, badRequest.because("unknown parameter %s: there is %s", shown(name), strings.Join(names, ", "))
		}
		if len(v) != 1 {
			return nil, badRequest.because("parameter %s is given %d times", name, len(v))
		}
		values[name] = v[0]
	}
	return values, nil
}

// number reads an unsigned parameter in plain decimal; absent is the default.
func number(what, text string, present bool, least, most, standard uint64) (uint64, error) {
	if !present {
		return standard, nil
	}
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil || strconv.FormatUint(v, 10) != text || v < least || v > most {
		return 0, badRequest.because("%s %s: must be a number from %d to %d", what, shown(text), least, most)
	}
	return v, nil
}

// shown is a stranger's value for an error message: quoted, and not at full length.
func shown(v string) string {
	const most = 80
	if len(v) > most {
		return fmt.Sprintf("%.*q... (%d bytes)", most, v, len(v))
	}
	return strconv.Quote(v)
}
