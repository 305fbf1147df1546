package api_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardledger/ward/node/api"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/receipt"
)

// direct answers without a network. The peer is an address of one's own.
func (s *site) direct(method, path, peer string) answer {
	r := httptest.NewRequest(method, path, nil)
	if peer != "" {
		r.RemoteAddr = peer
	}
	w := httptest.NewRecorder()
	s.server.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), strings.TrimSpace(w.Body.String())}
}

func TestUnknownPaths(t *testing.T) {
	s := newSite(t, api.Config{})
	for _, path := range []string{"/v2/status", "/v1", "/v1/", "/v1/tx/a/b", "/favicon.ico", "/v1/contracts/access/query", "/../etc/passwd"} {
		s.refused(path, s.get(path), 404, "not_found", "there is nothing at ")
	}
	for path, allow := range map[string]string{"/v1/tx": "POST", "/v1/status": "GET, HEAD", "/v1/events/stream": "GET, HEAD"} {
		a := s.request("DELETE", path, "", nil)
		s.refused(path, a, 405, "method_not_allowed", `does not take "DELETE", but `+allow)
		if a.header.Get("Allow") != allow {
			t.Errorf("%s: Allow is %q", path, a.header.Get("Allow"))
		}
	}
	s.refused("a plain GET of the stream", s.get("/v1/events/stream"), 426, "upgrade_required", "WebSocket")
	if a := s.get("/"); a.status != 200 || !strings.Contains(a.body, "/v1/status") {
		t.Errorf("index is %d %s", a.status, a.body)
	}
	if a := s.request("HEAD", "/v1/status", "", nil); a.status != 200 || a.body != "" {
		t.Errorf("HEAD is %d %q", a.status, a.body)
	}
}

// A panic of ours is a 500 with a line in the log, and the server goes on.
func TestPanic(t *testing.T) {
	var logged bytes.Buffer
	s := newSite(t, api.Config{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	for range 3 {
		s.refused("a fault", s.get("/v1/contracts/panics"), 500, "internal", "a fault of this node")
	}
	if a := s.get("/v1/status"); a.status != 200 {
		t.Errorf("afterwards: %d", a.status)
	}
	s.server.Close()
	if got := logged.String(); strings.Count(got, "a fault of the node") != 3 || !strings.Contains(got, "site_test.go") {
		t.Errorf("the log has no panic with a stack: %s", got)
	}
}

func TestRateLimit(t *testing.T) {
	clock := time.Unix(1_760_000_000, 0)
	s := newServer(t, api.Config{Rate: 1, Burst: 3, Clock: func() time.Time { return clock }})
	defer s.server.Close()
	ask := func(peer string) answer { return s.direct("GET", "/v1/status", peer) }
	for range 3 {
		if a := ask("192.0.2.1:1000"); a.status != 200 {
			t.Fatalf("within the burst: %d", a.status)
		}
	}
	a := ask("192.0.2.1:2000")
	s.refused("the fourth", a, 429, "rate_limited", "more than 1 requests a second")
	if a.header.Get("Retry-After") != "1" {
		t.Errorf("headers are %v", a.header)
	}
	if a := ask("192.0.2.2:1000"); a.status != 200 {
		t.Errorf("another address: %d", a.status)
	}
	for i := range 3 { // one customer's IPv6 addresses are one
		if a := ask(sprint("[2001:db8::%d]:1000", i)); a.status != 200 {
			t.Fatalf("within the burst of a /64: %d", a.status)
		}
	}
	s.refused("a fourth of the /64", ask("[2001:db8::ffff]:1000"), 429, "rate_limited", "")
	if a := ask("[2001:db8:0:1::1]:1000"); a.status != 200 {
		t.Errorf("the next /64: %d", a.status)
	}
	clock = clock.Add(time.Second)
	if a := ask("192.0.2.1:1000"); a.status != 200 {
		t.Errorf("a second later: %d", a.status)
	}
	// A flood from everywhere does not grow the table without end; the buckets of the quiet ones are refilled.
	for i := range 20_000 {
		ask(sprint("10.%d.%d.%d:1", i>>16, i>>8&255, i&255))
	}
	if a := ask("192.0.2.1:1000"); a.status != 200 {
		t.Errorf("after a flood from everywhere: %d", a.status)
	}
}

func TestCORS(t *testing.T) {
	s := newSite(t, api.Config{Origins: []string{"https://panel.example"}})
	preflight := func(origin string) answer {
		return s.request("OPTIONS", "/v1/tx", "", nil, "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
	}
	a := preflight("https://panel.example")
	if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != "https://panel.example" ||
		a.header.Get("Access-Control-Allow-Headers") != "Content-Type" || a.header.Get("Access-Control-Allow-Methods") != "GET, POST" || a.header.Get("Vary") != "Origin" {
		t.Errorf("preflight: %d %v", a.status, a.header)
	}
	if a := preflight("https://evil.example"); a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a foreign preflight: %d %v", a.status, a.header)
	}
	for origin, want := range map[string]string{"https://panel.example": "https://panel.example", "https://evil.example": "", s.url: s.url, "": ""} {
		if a := s.request("GET", "/v1/status", "", nil, "Origin", origin); a.header.Get("Access-Control-Allow-Origin") != want {
			t.Errorf("origin %q: %v", origin, a.header)
		}
	}
	open := newSite(t, api.Config{Origins: []string{"*"}})
	if a := open.request("GET", "/v1/status", "", nil, "Origin", "null"); a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("an open node: %v", a.header)
	}
	for _, origin := range []string{"panel.example", "https://panel.example/", "https://*.example"} {
		_, err := api.New(api.Config{Chain: s.chain, Engine: s.chain, Log: s.chain.log, ChainID: "x", Origins: []string{origin}})
		if (err == nil) != strings.Contains(origin, "*") { // a pattern is a host name to us, and matches nothing
			t.Errorf("origin %q is configured: %v", origin, err)
		}
	}
}

func TestStatus(t *testing.T) {
	s := newSite(t, api.Config{})
	s.wants(s.get("/v1/status"), 200, `{"chain":"test","version":"v0","height":0,"time":0,"root":"","earliest":1,"lag_seconds":0,"catching_up":false,"node":"a1b2","validator":true,"validators":1,"peers":0,"mempool":{"transactions":0,"bytes":0},"subscribers":0,"contracts":{"ready":3,"of":20},"authority":"aabb","authorities":[{"key":"aabb","name":"north","signed":0,"missing":false}],"missing":[],"connected":[]}`)
	s.chain.block(t, nil)
	c := &s.chain.condition
	c.Waiting, c.WaitingBytes, c.CatchingUp = 2, 300, true
	c.Peers = []api.Peer{{ID: "c3d4"}, {ID: "b2c3", Name: "east"}}
	c.Authorities = []api.Authority{{Key: []byte{0xaa, 0xbb}, Name: "north", Signed: 1}, {Key: []byte{0xcc, 0xdd}, Missing: true}}
	c.Deciding = &api.Deciding{Height: 2, Round: 3, Since: time.Unix(1_760_000_088, 5e8), Voted: 1, Needed: 2}
	s.wants(s.get("/v1/status"), 200, `{"chain":"test","version":"v0","height":1,"time":1760000001,"root":"aa01","earliest":1,"lag_seconds":99,"catching_up":true,"node":"a1b2","validator":true,"validators":2,"peers":2,"mempool":{"transactions":2,"bytes":300},"subscribers":0,"contracts":{"ready":3,"of":20},`+
		`"authority":"aabb","authorities":[{"key":"aabb","name":"north","signed":1,"missing":false},{"key":"ccdd","signed":0,"missing":true}],"missing":["ccdd"],`+
		`"deciding":{"height":2,"round":3,"seconds":11.5,"voted":1,"needed":2},"connected":[{"node":"b2c3","name":"east"},{"node":"c3d4"}]}`)
}

func TestHealth(t *testing.T) {
	clock := time.Unix(1_760_000_011, 0)
	s := newServer(t, api.Config{Clock: func() time.Time { return clock }, DataDir: t.TempDir(), MinFree: 1})
	defer s.server.Close()
	health := func() answer { return s.direct("GET", "/healthz", "") }
	s.chain.block(t, nil)
	s.wants(health(), 200, `{"healthy":true,"problems":[]}`)
	s.chain.condition.Waiting = 12
	s.wants(health(), 200, `{"healthy":true,"problems":[]}`)
	clock = clock.Add(30 * time.Second)
	s.wants(health(), 503, `{"healthy":false,"problems":[{"code":"stalled","reason":"the newest block, 1, is 40 s old and 12 transactions wait"}]}`)
	s.chain.condition.Waiting = 0
	s.wants(health(), 200, `{"healthy":true,"problems":[]}`)
	clock = clock.Add(160 * time.Second)
	s.wants(health(), 503, `{"healthy":false,"problems":[{"code":"stalled","reason":"the newest block, 1, is 200 s old"}]}`)
	s.chain.condition.Deciding = &api.Deciding{Height: 2, Since: clock.Add(-31 * time.Second), Voted: 1, Needed: 2}
	s.chain.condition.Authorities = append(s.chain.condition.Authorities, api.Authority{Key: make([]byte, 32), Missing: true})
	s.wants(health(), 503, `{"healthy":false,"problems":[{"code":"stalled","reason":"the chain stands still since 31 s: 1 of 2 authorities vote on block 2, 2 are needed; missing: 00000000"}]}`)
	s.chain.condition.Deciding, s.chain.condition.CatchingUp = nil, true
	s.wants(health(), 503, `{"healthy":false,"problems":[{"code":"catching_up","reason":"the node is fetching blocks that others have; it stands at height 1"}]}`)
	clock = time.Unix(1_760_000_011, 0)
	s.chain.condition.CatchingUp, s.chain.condition.Stopped = false, errors.New("wal: no space left on device")
	s.wants(health(), 503, `{"healthy":false,"problems":[{"code":"stopped","reason":"wal: no space left on device"}]}`)

	full := newServer(t, api.Config{DataDir: t.TempDir(), MinFree: 1 << 60})
	defer full.server.Close()
	if a := full.direct("GET", "/healthz", ""); a.status != 503 || !strings.Contains(a.body, `{"code":"disk","reason":"`) || !strings.Contains(a.body, "less than 1099511627776") {
		t.Errorf("a full disk: %d %s", a.status, a.body)
	}
	gone := newServer(t, api.Config{DataDir: t.TempDir() + "/gone"})
	defer gone.server.Close()
	if a := gone.direct("GET", "/healthz", ""); a.status != 503 || !strings.Contains(a.body, `"code":"disk"`) {
		t.Errorf("no data folder: %d %s", a.status, a.body)
	}
}

func TestMetrics(t *testing.T) {
	s := newSite(t, api.Config{})
	raw, _ := signed(t, 1, nil)
	s.post("/v1/tx", raw)
	s.chain.block(t, granted)
	s.get("/nothing/here")
	s.get("/v1/tx/nothing")
	a := s.get("/metrics")
	for _, line := range []string{
		"ward_height 1", "ward_block_time_lag_seconds 99", `ward_transactions_total{code="ok"} 1`, "ward_events_total 1", "ward_mempool_transactions 0",
		"ward_subscribers 0", "ward_stream_frames_total 0", `ward_http_requests_total{route="/v1/tx",status="202"} 1`,
		`ward_http_requests_total{route="/v1/tx/{id}",status="400"} 1`, `ward_http_requests_total{route="none",status="404"} 1`,
		`ward_http_request_seconds_count{route="/v1/tx"} 1`, "go_goroutines ",
	} {
		if !strings.Contains(a.body, "\n"+line) {
			t.Errorf("metrics lack %q:\n%s", line, a.body)
		}
	}
}

// A view that takes too long is given up; those that wait for their turn are told.
func TestViewTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, api.Config{MaxViews: 1})
		defer s.server.Close()
		s.chain.block(t, nil)
		s.chain.view = func(ctx context.Context, _ runtime.Query) (receipt.Receipt, uint64, error) {
			<-ctx.Done()
			time.Sleep(time.Second) // it takes a while to notice
			return receipt.Receipt{}, 0, ctx.Err()
		}
		ask := func() answer { return s.direct("POST", "/v1/contracts/access/query/count", "") }
		first := make(chan answer, 1)
		go func() { first <- ask() }()
		synctest.Wait()
		began := time.Now()
		s.refused("the second", ask(), 503, "unavailable", "1 views run already")
		if d := time.Since(began); d != 5*time.Second {
			t.Errorf("the second waited for %s", d)
		}
		s.refused("the first", <-first, 504, "timed_out", "did not end within 5s")
	})
}

// Serve ends with its context: streams are told, waiting requests answered, new ones refused.
func TestServe(t *testing.T) {
	s := newServer(t, api.Config{MaxConnections: 2})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(ctx, l) }()

	stream, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := io.WriteString(stream, "GET /v1/events/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	var got string
	for !strings.Contains(got, `"live"`) {
		n, err := stream.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got += string(b[:n])
	}
	s.chain.submitted = make(chan struct{}, 1)
	raw, id := signed(t, 1, nil)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if a := s.post("/v1/tx?wait=commit&timeout=30", raw); a.status != 202 || !strings.Contains(a.body, id.String()) {
			t.Errorf("a request that waited: %d %s", a.status, a.body)
		}
	})
	<-s.chain.submitted

	// Two connections are open, and that is all that there may be: a third is not accepted.
	third, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	if _, err := io.WriteString(third, "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := third.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := third.Read(b); err == nil {
		t.Errorf("a third connection was answered: %s", b[:n])
	}

	stop()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	waiting.Wait()
	rest, err := io.ReadAll(stream)
	if err != nil || !strings.Contains(string(rest), `"code":"shutting_down"`) {
		t.Errorf("the stream ended with %q, %v", rest, err)
	}
	if _, err := http.Get(s.url + "/v1/status"); err == nil {
		t.Error("the server still answers")
	}

	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	again := newServer(t, api.Config{})
	if err := again.server.Serve(context.Background(), closed); err == nil {
		t.Error("Serve on a closed listener ends without an error")
	}
}

func TestValidate(t *testing.T) {
	s := newServer(t, api.Config{})
	defer s.server.Close()
	whole := api.Config{Chain: s.chain, Engine: s.chain, Log: s.chain.log, ChainID: "test"}
	for name, change := range map[string]func(*api.Config){
		"required": func(c *api.Config) { c.Log = nil },
		"ChainID":  func(c *api.Config) { c.ChainID = "" },
		"burst -1": func(c *api.Config) { c.Burst = -1 },
		"timeout":  func(c *api.Config) { c.ViewTimeout = -1 },
	} {
		c := whole
		change(&c)
		if _, err := api.New(c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
