package node_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/runtime/receipt"
)

// asNode names the home that this test binary is to run as a node, instead of testing.
const asNode = "WARD_TEST_NODE"

func TestMain(m *testing.M) {
	if home := os.Getenv(asNode); home != "" {
		if err := child(home); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child runs a node and prints its address when it is up. It ends with its standard input,
// so that no test leaves it behind.
func child(home string) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	n, err := node.New(ctx, node.Config{
		Home: home, HTTP: "127.0.0.1:0", P2P: "127.0.0.1:0", RPC: node.None, Rate: -1,
		TimeoutPropose: 300 * time.Millisecond,
		Logger:         slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	fmt.Println(n.HTTP())
	return errors.Join(n.Wait(ctx), n.Close())
}

// process is a child.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
	log   *strings.Builder // its standard error, to be read after wait
}

func spawn(t *testing.T, home string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(exe), log: new(strings.Builder)}
	p.cmd.Env = append(os.Environ(), asNode+"="+home)
	p.cmd.Stderr = p.log
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// address waits until the node is up. No address: it ended before.
func (p *process) address() net.Addr {
	line, err := p.out.ReadString('\n')
	if err != nil {
		return nil
	}
	a, err := net.ResolveTCPAddr("tcp", strings.TrimSpace(line))
	if err != nil {
		return nil
	}
	return a
}

// kill ends the process as the system would: no signal handler, no deferred call.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// site is what clients know of a chain: they must find all of it again, whatever happens to
// the node.
type site struct {
	t    *testing.T
	seed uint64

	mu       sync.Mutex
	next     [accounts]uint64 // the next sequence of each key
	receipts map[string]answer
	events   []event           // as they came over the WebSocket
	roots    map[uint64]string // of the blocks that were looked at
}

type event struct {
	Type, Code, Reason   string
	Cursor, Prev         string
	Contract, Event, Tx  string
	Height               uint64
	Attributes           json.RawMessage
	Time                 int64
	Behind, Number, Live int
}

// work sends transactions of one key, one after the other, until ctx ends or the node dies.
func (s *site) work(ctx context.Context, n int, node net.Addr) {
	for ctx.Err() == nil {
		s.mu.Lock()
		sequence := s.next[n]
		s.mu.Unlock()
		a, err := post(ctx, node, knock(s.t, byte(n+1), sequence), untilCommit)
		switch {
		case err != nil: // whether it was taken, nobody knows: ask again after the restart
			return
		case a.HTTP == http.StatusOK && a.Code == "unknown_contract":
			s.mu.Lock()
			if old, ok := s.receipts[a.ID]; ok && old != a {
				s.t.Errorf("transaction %s had the receipt %+v, has now %+v", a.ID, old, a)
			}
			s.receipts[a.ID] = a
			s.next[n]++
			s.mu.Unlock()
		case a.Error.Code == "unavailable" || a.Error.Code == "busy":
		default:
			s.t.Errorf("key %d, sequence %d: %+v", n, sequence, a)
			return
		}
	}
}

// follow reads events from where the last stream ended, until ctx ends or the node dies.
func (s *site) follow(ctx context.Context, node net.Addr) {
	s.mu.Lock()
	after := "start"
	if n := len(s.events); n > 0 {
		after = s.events[n-1].Cursor
	}
	s.mu.Unlock()
	ws, res, err := websocket.DefaultDialer.DialContext(ctx, fmt.Sprintf("ws://%s/v1/events/stream?after=%s", node, after), nil)
	if err != nil {
		return
	}
	defer res.Body.Close()
	defer ws.Close()
	defer context.AfterFunc(ctx, func() { ws.Close() })()
	for {
		var e event
		if err := ws.ReadJSON(&e); err != nil {
			return
		}
		switch e.Type {
		case "event":
			s.mu.Lock()
			prev := ""
			if n := len(s.events); n > 0 {
				prev = s.events[n-1].Cursor
			}
			if e.Prev != prev {
				s.t.Errorf("event %s follows %q, the last one seen was %q", e.Cursor, e.Prev, prev)
			}
			s.events = append(s.events, e)
			s.mu.Unlock()
		case "error":
			if e.Code != "shutting_down" {
				s.t.Errorf("the stream after %s ends with %s: %s", after, e.Code, e.Reason)
			}
			return
		}
	}
}

// statusError is an answer that is not 200.
type statusError struct{ path, status, body string }

func (e *statusError) Error() string { return e.path + ": " + e.status + " " + e.body }

func get(ctx context.Context, node net.Addr, path string, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s%s", node, path), nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(res.Body)
		return &statusError{path, res.Status, string(b)}
	}
	return json.NewDecoder(res.Body).Decode(v)
}

// look compares the blocks that were seen in earlier lives, and notes the newest.
func (s *site) look(ctx context.Context, node net.Addr) {
	heights := []string{"latest"}
	s.mu.Lock()
	seen := slices.Sorted(maps.Keys(s.roots))
	s.mu.Unlock()
	for _, h := range seen {
		heights = append(heights, fmt.Sprint(h))
	}
	for _, h := range heights {
		var b struct {
			Height uint64
			Root   string
		}
		if err := get(ctx, node, "/v1/blocks/"+h, &b); err != nil {
			if refused := (*statusError)(nil); errors.As(err, &refused) && h != "latest" {
				s.t.Errorf("block %s: %v", h, err)
			}
			return // the node has died
		}
		s.mu.Lock()
		if old, ok := s.roots[b.Height]; ok && old != b.Root {
			s.t.Errorf("block %d had root %s, has now %s", b.Height, old, b.Root)
		}
		s.roots[b.Height] = b.Root
		s.mu.Unlock()
	}
}

// TestKill kills a node under load at random moments, its start among them. What clients
// were told must hold in every life, and a node that executes the same blocks in one go
// must come to the same state.
func TestKill(t *testing.T) {
	kills := 20
	if testing.Short() {
		kills = 4
	}
	t.Parallel()
	home := newHome(t)
	s := &site{t: t, seed: rand.Uint64(), receipts: make(map[string]answer), roots: make(map[uint64]string)}
	t.Logf("seed %d", s.seed)
	random := rand.New(rand.NewPCG(s.seed, 0))
	for n := range s.next {
		s.next[n] = 1
	}
	var early int
	for life := range kills {
		p := spawn(t, home)
		if life < 3 || random.IntN(4) == 0 { // while it starts
			early++
			time.AfterFunc(time.Duration(random.IntN(250))*time.Millisecond, func() { p.cmd.Process.Kill() })
		}
		address := p.address()
		if address == nil {
			p.kill()
			if log := p.log.String(); strings.Contains(log, "node:") {
				t.Fatalf("life %d did not begin:\n%s", life, log)
			}
			continue
		}
		ctx, stop := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for n := range s.next {
			clients.Go(func() { s.work(ctx, n, address) })
		}
		clients.Go(func() { s.follow(ctx, address) })
		clients.Go(func() { s.look(ctx, address) })
		// A moment that depends on nothing that the node does.
		time.Sleep(time.Duration(random.IntN(800)) * time.Millisecond)
		p.kill()
		stop()
		clients.Wait()
		if t.Failed() {
			t.Fatalf("in life %d, whose log was:\n%s", life, p.log.String())
		}
	}

	// The last life, in peace: everything that was promised is there.
	last := opened(t, config(t, home))
	s.look(t.Context(), last.HTTP())
	for id, want := range s.receipts {
		var got struct {
			Height uint64
			Time   int64
			Code   string
		}
		if err := get(t.Context(), last.HTTP(), "/v1/tx/"+id, &got); err != nil || got.Height != want.Height || got.Time != want.Time || got.Code != want.Code {
			t.Errorf("transaction %s: %+v, %v; was told %+v", id, got, err, want)
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	go func() { // until the stream has all that the log has
		for ctx.Err() == nil {
			height, raised := last.Log().Signal()
			newest, err := last.Log().Floor(receipt.Cursor{Height: height + 1})
			s.mu.Lock()
			n := len(s.events)
			done := err != nil || n > 0 && s.events[n-1].Cursor == newest.String()
			s.mu.Unlock()
			if done {
				stop()
				return
			}
			select {
			case <-raised:
			case <-time.After(10 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}()
	s.follow(ctx, last.HTTP())
	told := make(map[string]bool)
	for _, e := range s.events {
		told[e.Tx] = true
	}
	for id := range s.receipts {
		if !told[id] {
			t.Errorf("transaction %s was committed, its event never came", id)
		}
	}
	height, root := last.Log().Height(), ""
	if h, err := last.Log().Block(height); err == nil && h != nil {
		root = fmt.Sprintf("%x", h.Root)
	}
	if err := last.Close(); err != nil {
		t.Fatal(err)
	}

	// Agreement: the same blocks from genesis, in one go.
	for _, dir := range []string{"state", "events"} {
		if err := os.RemoveAll(filepath.Join(home, "data", dir)); err != nil {
			t.Fatal(err)
		}
	}
	again := opened(t, config(t, home))
	if h, err := again.Log().Block(height); err != nil || h == nil || fmt.Sprintf("%x", h.Root) != root {
		t.Errorf("block %d executed anew: %+v, %v; want root %s", height, h, err, root)
	}
	t.Logf("%d kills (%d while starting), height %d, %d receipts, %d events", kills, early, height, len(s.receipts), len(s.events))
}
