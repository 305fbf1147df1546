package stream_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/wardledger/ward/node/stream"
	"github.com/wardledger/ward/runtime/state"
)

// raw makes a handshake by hand, so that anything can be sent afterwards.
func (s *site) raw(query string) (net.Conn, *bufio.Reader) {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "ws://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /?%s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", query)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("handshake: %v, %v", resp, err)
	}
	return conn, r
}

// What a client sends that is no pong ends its stream, and nobody else's.
func TestRubbish(t *testing.T) {
	s := newSite(t, newLog(t, state.NewMemory()), stream.Config{})
	bystander := s.dial("")
	bystander.untilLive()
	for _, c := range []struct {
		name string
		send func(*websocket.Conn) error
	}{
		{"text", func(ws *websocket.Conn) error {
			return ws.WriteMessage(websocket.TextMessage, []byte(`{"subscribe":"*"}`))
		}},
		{"binary", func(ws *websocket.Conn) error { return ws.WriteMessage(websocket.BinaryMessage, []byte{0xff, 0x00}) }},
		{"text", func(ws *websocket.Conn) error { return ws.WriteMessage(websocket.TextMessage, nil) }},
		{"text", func(ws *websocket.Conn) error { // far more than fits anywhere; the server reads none of it into memory
			err := ws.WriteMessage(websocket.TextMessage, make([]byte, 8<<20))
			_ = err // the server may have closed meanwhile
			return nil
		}},
	} {
		f := s.dial("")
		f.untilLive()
		if err := c.send(f.ws); err != nil {
			t.Fatal(err)
		}
		e := f.next("error")
		if e.Code != "unexpected_frame" || !strings.Contains(e.Reason, "a "+c.name+" frame came from the client") {
			t.Errorf("%s: error is %s", c.name, e.raw)
		}
		f.closed(websocket.ClosePolicyViolation)
	}

	f := s.dial("")
	f.untilLive()
	for range 100 {
		if f.ws.WriteControl(websocket.PingMessage, []byte("hi"), time.Now().Add(patience)) != nil {
			break // closed already
		}
	}
	if e := f.next("error"); e.Code != "unexpected_frame" || !strings.Contains(e.Reason, "pings") {
		t.Errorf("ping flood: error is %s", e.raw)
	}

	for name, bytes := range map[string]string{
		"an unmasked frame":        "\x81\x05hello",
		"reserved bits":            "\xf1\x80\x00\x00\x00\x00",
		"a length of 64 bits":      "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",
		"a fragmented ping":        "\x09\x80\x00\x00\x00\x00",
		"a bad close code":         "\x88\x82\x00\x00\x00\x00\x00\x01",
		"a continuation of nought": "\x80\x80\x00\x00\x00\x00",
		"HTTP":                     "GET / HTTP/1.1\r\n\r\n",
	} {
		conn, r := s.raw("")
		if _, err := io.WriteString(conn, bytes); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(r) // until the server closes
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(string(answer), "\x88") { // a close frame
			t.Errorf("%s: no close frame in %q", name, answer)
		}
	}
	conn, _ := s.raw("") // gone in the middle of a frame
	if _, err := io.WriteString(conn, "\x81\xfe"); err != nil {
		t.Fatal(err)
	}
	conn.Close()

	height := add(t, s.log, granted(1, "door/1"))
	if e := bystander.next("event"); e.Height != height {
		t.Errorf("the bystander got %s", e.raw)
	}
}

// A client that never reads is closed by the write deadline while everybody else gets every
// event; what the node kept for it meanwhile is bounded by the sockets' buffers.
func TestNeverReading(t *testing.T) {
	// The reader's frames must be written in that time too, also where something else has the processors meanwhile.
	s := newSite(t, newLog(t, state.NewMemory()), stream.Config{WriteTimeout: time.Second})
	_, _ = s.raw("after=start")
	reader := s.dial("after=start")
	reader.next("hello")
	reader.next("live")
	long := granted(1, strings.Repeat("x", 8<<10))
	events := 0
	for s.server.Stats().Closed["slow"] == 0 {
		add(t, s.log, long, long, long, long)
		for range 4 {
			fr := reader.next("event")
			if events++; fr.Cursor != cursor(uint64(events+3)/4, 0, (events-1)%4) {
				t.Fatalf("event %d is %s", events, fr.Cursor)
			}
		}
		if events > 100_000 {
			t.Fatal("a client that does not read is never closed")
		}
	}
	if n := s.server.Stats().Subscribers; n != 1 {
		t.Errorf("%d subscribers are left", n)
	}
}

// pipes is a network inside the test, whose waits the synctest bubble can see: it has no
// buffers at all.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	a, b := net.Pipe()
	p.conns <- a
	return b, nil
}

// inBubble runs a test with a stream server on pipes and a clock that jumps.
func inBubble(t *testing.T, c stream.Config, test func(t *testing.T, s *site, dial func(query string) *follower)) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, state.NewMemory())
		server := newServer(t, log, c)
		p := newPipes()
		h := httptest.NewUnstartedServer(server)
		h.Listener.Close()
		h.Listener = p
		h.Start()
		defer h.Close()
		defer server.Close()
		dialer := websocket.Dialer{NetDialContext: p.dial}
		test(t, &site{t, log, server, ""}, func(query string) *follower {
			ws, _, err := dialer.Dial("ws://pipes/?"+query, nil)
			if err != nil {
				t.Fatal(err)
			}
			return &follower{t, ws}
		})
	})
}

// wait reads a frame however long it takes; pings are answered meanwhile.
func (f *follower) wait() string {
	f.t.Helper()
	if err := f.ws.SetReadDeadline(time.Time{}); err != nil {
		f.t.Fatal(err)
	}
	_, b, err := f.ws.ReadMessage()
	if err != nil {
		f.t.Fatal(err)
	}
	return string(b)
}

// A quiet connection is kept as long as the client answers pings, for hours.
func TestQuietConnection(t *testing.T) {
	inBubble(t, stream.Config{}, func(t *testing.T, s *site, dial func(string) *follower) {
		f := dial("")
		f.wait() // hello
		f.wait() // live
		go func() {
			time.Sleep(5 * time.Hour)
			add(t, s.log, granted(1, "door/1"))
		}()
		began := time.Now()
		if got := f.wait(); !strings.Contains(got, `"cursor":"1.0.0"`) {
			t.Errorf("frame is %s", got)
		}
		if d := time.Since(began); d < 5*time.Hour {
			t.Errorf("it came after %s", d)
		}
		f.ws.Close()
	})
}

// A client that is there, but answers no ping, is let go after PongTimeout.
func TestNoPong(t *testing.T) {
	inBubble(t, stream.Config{}, func(t *testing.T, s *site, dial func(string) *follower) {
		f := dial("")
		f.ws.SetPingHandler(func(string) error { return nil })
		began := time.Now()
		for {
			if _, _, err := f.ws.ReadMessage(); err != nil {
				break
			}
		}
		if d := time.Since(began); d != 60*time.Second {
			t.Errorf("closed after %s, want 60 s", d)
		}
		synctest.Wait()
		if st := s.server.Stats(); st.Closed["slow"] != 1 || st.Subscribers != 0 {
			t.Errorf("stats are %+v", st)
		}
	})
}

// A client that takes nothing is let go after WriteTimeout.
func TestWriteTimeout(t *testing.T) {
	inBubble(t, stream.Config{}, func(t *testing.T, s *site, dial func(string) *follower) {
		f := dial("")
		f.wait()
		f.wait()
		add(t, s.log, granted(1, "door/1"))
		began := time.Now()
		for s.server.Stats().Subscribers > 0 {
			time.Sleep(100 * time.Millisecond)
		}
		if d := time.Since(began); d < 10*time.Second || d > 12*time.Second {
			t.Errorf("closed after %s, want 10 s and a little", d)
		}
		if s.server.Stats().Closed["slow"] != 1 {
			t.Errorf("stats are %+v", s.server.Stats())
		}
		f.ws.Close()
	})
}

// A client that reads, but slowly, is told how far behind it is, loses nothing, and is told
// when it has caught up.
func TestLagging(t *testing.T) {
	inBubble(t, stream.Config{}, func(t *testing.T, s *site, dial func(string) *follower) {
		f := dial("")
		f.wait()
		f.wait()
		add(t, s.log, granted(0, "door/1"))
		synctest.Wait() // the server is in the middle of writing it
		for h := range uint64(39) {
			add(t, s.log, granted(h, "door/1"))
		}
		var kinds []string
		events := 0
		for events < 40 || kinds[len(kinds)-1] != "live" {
			time.Sleep(100 * time.Millisecond)
			fr, err := f.read()
			if err != nil {
				t.Fatal(err)
			}
			if fr.Type == "event" {
				if events++; fr.Cursor != cursor(uint64(events), 0, 0) {
					t.Fatalf("event %d is %s", events, fr.Cursor)
				}
				continue
			}
			if fr.Type == "lagging" && fr.Behind != 39 {
				t.Errorf("behind by %d", fr.Behind)
			}
			kinds = append(kinds, fr.Type)
		}
		if got := strings.Join(kinds, " "); got != "lagging live" {
			t.Errorf("frames between the events: %s, want lagging live", got)
		}
		f.ws.Close()
	})
}

// Close does not wait for a client that has stopped reading in the middle of a frame.
func TestCloseIsPrompt(t *testing.T) {
	inBubble(t, stream.Config{}, func(t *testing.T, s *site, dial func(string) *follower) {
		f := dial("")
		f.wait()
		f.wait()
		add(t, s.log, granted(1, "door/1"))
		synctest.Wait() // the server is writing now
		began := time.Now()
		s.server.Close()
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("Close took %s", d)
		}
		f.ws.Close()
	})
}
