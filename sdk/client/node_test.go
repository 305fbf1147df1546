package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
)

// These tests talk to a real node over real HTTP. Its chain has accounts but no contract:
// what is sent to "nobody" is executed, fails, and leaves a receipt and a `refused` event.

const keys = 4

func key(t testing.TB, n int) *tx.SecretKey {
	t.Helper()
	k, err := tx.NewEd25519(bytes.Repeat([]byte{byte(n + 1)}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newHome(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home")
	o := node.InitOptions{Chain: "client-test", Operator: key(t, 0).Public().Address()}
	for n := range keys {
		o.Accounts = append(o.Accounts, genesis.Account{Key: key(t, n).Public().Bytes, QuotaPerHour: 1 << 50, Scope: genesis.Everything()})
	}
	if _, err := node.Init(dir, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

func startNode(t *testing.T, home, listen string) *node.Node {
	t.Helper()
	n, err := node.New(t.Context(), node.Config{
		Home: home, HTTP: listen, P2P: "127.0.0.1:0", RPC: node.None, Rate: -1,
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func TestRealNode(t *testing.T) {
	n := startNode(t, newHome(t), "127.0.0.1:0")
	c := &client.Client{URL: "http://" + n.HTTP().String()}
	defer c.Close()
	ctx := t.Context()

	k := key(t, 1)
	r, err := c.Call(ctx, k, "nobody", "knock", nil, client.Options{})
	refused, ok := errors.AsType[*client.Refused](err)
	if !ok || refused.Code != receipt.UnknownContract || !refused.Executed() || r == nil || r.Sender != k.Public().Address() || r.Height == 0 || r.Time.IsZero() {
		t.Fatalf("receipt %+v, error %v", r, err)
	}
	if again, err := c.Wait(ctx, r.ID); !errors.As(err, &refused) || again.Height != r.Height || len(again.Events) != 1 || again.Events[0].Name != "refused" {
		t.Errorf("waited for %+v, %v", again, err)
	}
	status, err := c.Status(ctx)
	if err != nil || status.Chain != "client-test" || status.Height < r.Height || !status.Validator || status.Validators != 1 {
		t.Errorf("status %+v, %v", status, err)
	}
	record, err := c.Key(ctx, k.Public().Address())
	if err != nil || record.State != "open" || record.Account != k.Public().Address() || record.Next(0) != 2 || record.Next(1) != 1 || record.PerHour != 1<<50 {
		t.Errorf("key %+v, %v", record, err)
	}
	// What was charged may have come back already: the quota is large.
	if record.Available > record.PerHour || record.Available < record.PerHour-r.GasLimit {
		t.Errorf("%d of %d gas left after a call with the limit %d", record.Available, record.PerHour, r.GasLimit)
	}
	if spec, err := c.Spec(ctx, "code"); err != nil || spec.Name != "code" || len(spec.Methods) < 2 {
		t.Errorf("spec of code: %+v, %v", spec, err)
	}
	for name, ask := range map[string]func() error{
		"a contract": func() error { _, err := c.Contract(ctx, "nobody"); return err },
		"a spec":     func() error { _, err := c.Spec(ctx, "nobody"); return err },
		"a history":  func() error { _, err := c.History(ctx, "nobody"); return err },
		"a view":     func() error { return c.Query(ctx, "nobody", "knock", nil, nil) },
	} {
		if err := ask(); !errors.As(err, &refused) || refused.Code != receipt.UnknownContract {
			t.Errorf("%s that isn't there: %v", name, err)
		}
	}
	if _, err := c.Send(ctx, key(t, keys), "nobody", "knock", nil, client.Options{}); !errors.As(err, &refused) || refused.Code != receipt.UnknownKey {
		t.Errorf("a key that isn't there: %v", err)
	}
	var unserved *client.Unserved
	if _, err := c.Receipt(ctx, tx.ID{1}); !errors.As(err, &unserved) || !unserved.NotFound() {
		t.Errorf("a transaction that isn't there: %v", err)
	}
	for _, after := range []string{"99999.0.0"} {
		if _, err := c.Subscribe(ctx, client.Filter{}, after, nil); !errors.As(err, &unserved) || unserved.Code != "future_cursor" {
			t.Errorf("a cursor of the future: %v", err)
		}
	}

	// The same bytes again, also by somebody else and after they ran, are the same transaction.
	signed, err := c.Sign(ctx, k, "nobody", "knock", nil, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := c.Submit(ctx, signed.Encode())
	if err != nil || first != signed.ID() {
		t.Fatalf("submitted %s as %s, %v", signed.ID(), first, err)
	}
	if r, _ := c.Wait(ctx, first); r == nil || r.ID != first {
		t.Errorf("receipt %+v", r)
	}
	if _, err := c.Submit(ctx, signed.Encode()); !errors.As(err, &refused) || refused.Code != receipt.Replayed {
		t.Errorf("after it ran: %v", err)
	}
}

// TestRealStream: a subscriber behind a line that breaks again and again, and a node that is
// restarted meanwhile, while several keys send. The subscriber gets what the log has, each
// event once and in order.
func TestRealStream(t *testing.T) {
	home := newHome(t)
	n := startNode(t, home, "127.0.0.1:0")
	listen := n.HTTP().String()
	direct := &client.Client{URL: "http://" + listen}
	defer direct.Close()
	line := newBadLine(t, listen)
	c := &client.Client{URL: "http://" + line.Addr().String()}
	defer c.Close()

	const each, rounds = 12, 3
	const total = keys * each * rounds
	breaks := 0
	sub, err := c.Subscribe(t.Context(), client.Filter{Contract: "nobody", Event: "refused"}, client.FromNow, func(n client.Notice) {
		if n.Kind == client.Disconnected {
			breaks++
		}
	})
	for err != nil { // the line may break during the first connection too
		t.Log(err)
		sub, err = c.Subscribe(t.Context(), client.Filter{Contract: "nobody", Event: "refused"}, client.FromStart, nil)
	}
	defer sub.Close()

	var got []string
	done := make(chan error, 1)
	go func() {
		for e, err := range sub.Events(t.Context()) {
			if err != nil {
				done <- err
				return
			}
			if got = append(got, e.Cursor.String()); len(got) == total {
				break
			}
		}
		done <- nil
	}()

	for round := range rounds {
		if round == 1 {
			if err := n.Close(); err != nil {
				t.Fatal(err)
			}
			n = startNode(t, home, listen)
		}
		var wg sync.WaitGroup
		for i := range keys {
			wg.Go(func() {
				var ids []tx.ID
				for range each {
					id, err := direct.Send(t.Context(), key(t, i), "nobody", "knock", nil, client.Options{})
					if err != nil {
						t.Error(err)
						return
					}
					ids = append(ids, id)
				}
				for _, id := range ids {
					if _, err := direct.Wait(t.Context(), id); !isCode(err, receipt.UnknownContract) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
	if t.Failed() {
		return
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var want []string
	for after, more := client.FromStart, true; more; {
		page, err := direct.Events(t.Context(), client.Filter{Contract: "nobody"}, after, 50)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			want = append(want, e.Cursor.String())
		}
		after, more = page.Next, page.More
	}
	if !slices.Equal(got, want) {
		t.Errorf("after %d breaks the subscriber has %d events, the log %d:\n%v\n%v", breaks, len(got), len(want), got, want)
	}
	if breaks == 0 {
		t.Error("the line never broke: this test shows nothing")
	}
	t.Logf("%d events over %d connections", len(got), breaks+1)
}

func isCode(err error, code receipt.Code) bool {
	r, ok := errors.AsType[*client.Refused](err)
	return ok && r.Code == code
}

// badLine passes connections on to a node, and cuts each after some bytes of answer.
type badLine struct {
	net.Listener
	to     string
	random *rand.Rand
}

func newBadLine(t *testing.T, to string) *badLine {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	line := &badLine{Listener: l, to: to, random: rand.New(rand.NewPCG(1, 2))}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			bytes := 300 + line.random.Int64N(6000)
			wg.Go(func() { line.pass(ctx, conn, bytes) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		wg.Wait()
	})
	return line
}

func (l *badLine) pass(ctx context.Context, conn net.Conn, answer int64) {
	defer conn.Close()
	far, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer far.Close()
	stop := context.AfterFunc(ctx, func() { _, _ = conn.Close(), far.Close() })
	defer stop()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.Copy(far, conn)
	}()
	_, _ = io.CopyN(conn, far, answer)
	_, _ = conn.Close(), far.Close()
	<-sent
}

func Example() {
	// A device with a key of its own opens a door, and says what came of it.
	ring := client.Keyring{Dir: "keys"}
	file, err := ring.Load("phone")
	if err != nil {
		fmt.Println(err)
		return
	}
	phone, err := file.Open("correct horse battery staple")
	if err != nil {
		fmt.Println(err)
		return
	}
	c := &client.Client{URL: "http://127.0.0.1:9273"}
	use := struct{ Relation, Object string }{"open", "ward1.../door"}
	r, err := c.Call(context.Background(), phone, "access", "use", use, client.Options{})
	if refused, ok := errors.AsType[*client.Refused](err); ok {
		fmt.Println("the chain says no:", refused.Code, refused.Reason)
		return
	}
	if err != nil {
		fmt.Println("no answer:", err)
		return
	}
	var decision struct {
		Allowed bool
		Reason  string
	}
	if err := r.Decode(&decision); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(decision.Allowed, decision.Reason)
}
