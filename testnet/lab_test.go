package testnet_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/wardledger/ward/contracts"
	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm/wasmtest"
	"github.com/wardledger/ward/sdk/build"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/wire"
	"github.com/wardledger/ward/testnet/site"
)

// The people of the tests. Seeds, not secrets.
var (
	operator = p256("operator")
	owner    = p256("owner")
	guest    = ed25519("guest")
	poor     = ed25519("poor")     // three transactions an hour
	narrow   = p256("narrow")      // may call access.use and nothing else
	stranger = ed25519("stranger") // has no account
)

func ed25519(name string) *tx.SecretKey {
	seed := sha256.Sum256([]byte(name))
	k, err := tx.NewEd25519(seed[:])
	if err != nil {
		panic(err)
	}
	return k
}

func p256(name string) *tx.SecretKey {
	seed := sha256.Sum256([]byte(name))
	k, err := tx.NewP256(seed[:])
	if err != nil {
		panic(err)
	}
	return k
}

// standard are the standard contracts, built once.
var standard = sync.OnceValues(func() ([]*build.Module, error) {
	return contracts.Standard(context.Background(), contracts.Options{})
})

// trapping is a contract that emits an event and then crashes.
var trapping = func() []byte {
	m := wasmtest.New()
	emit := m.Import(abi.Module, "emit")
	name, nameLen := m.Data("doomed")
	none, noneLen := m.Data("\xa0")
	m.Export(abi.ExportCall, wasmtest.I32(name), wasmtest.I32(nameLen), wasmtest.I32(none), wasmtest.I32(noneLen), wasmtest.Call(emit), wasmtest.Unreachable)
	return m.Bytes()
}()

const usualGas = client.DefaultGas

// siteSpeed is how fast the time of the site's market passes in the lab.
const siteSpeed = site.DefaultSpeed

// labGenesis starts a chain with the standard contracts, and one that traps.
func labGenesis(t testing.TB) *genesis.Genesis {
	t.Helper()
	built, err := standard()
	if err != nil {
		t.Fatal(err)
	}
	admin := operator.Public().Address()
	all := []genesis.Contract{{Name: "trap", Code: trapping, Admin: admin}}
	for _, m := range built {
		if m.Name == client.AuthorityContract {
			continue // it knows the nodes; see authority_test.go
		}
		c := genesis.Contract{Name: m.Name, Code: m.Wasm, Admin: admin}
		if m.Name == "energy" {
			if c.Init, err = site.MarketInit(siteKeys()[site.Operator].Public().Address(), siteSpeed); err != nil {
				t.Fatal(err)
			}
		}
		if m.Name == client.DevicesContract {
			c.Capabilities = []string{abi.CapabilityAccounts}
			type scope struct {
				Contract string
				Methods  []string
			}
			type model struct {
				Model string
				Quota uint64
				Scope []scope
			}
			if c.Init, err = wire.Marshal(struct{ Models []model }{[]model{{
				Model: site.LockModel, Quota: 100 * usualGas, Scope: []scope{{client.DevicesContract, []string{"authenticate_self"}}},
			}, {
				Model: site.MeterModel, Quota: 1000 * usualGas, Scope: []scope{{"energy", []string{"read"}}},
			}}}); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, c)
	}
	const plenty = 3_600_000_000_000
	g := &genesis.Genesis{
		Chain: "lab", Operator: admin,
		Accounts: []genesis.Account{
			{Key: operator.Public().Bytes, QuotaPerHour: plenty, Scope: genesis.Everything()},
			{Key: owner.Public().Bytes, QuotaPerHour: plenty, Scope: genesis.Everything()},
			{Key: guest.Public().Bytes, QuotaPerHour: plenty, Scope: genesis.Everything()},
			{Key: poor.Public().Bytes, QuotaPerHour: 3 * usualGas, Scope: genesis.Everything()},
			{Key: narrow.Public().Bytes, QuotaPerHour: plenty, Scope: []abi.Scope{{Contract: "access", Methods: []string{"use"}}}},
		},
		Contracts: all,
	}
	for _, name := range append(site.Names(), site.Operator) {
		g.Accounts = append(g.Accounts, genesis.Account{
			Name: name, Key: siteKeys()[name].Public().Bytes, QuotaPerHour: plenty, Scope: genesis.Everything(),
		})
	}
	return g
}

// siteKeys are the keys of the simulated site's parties.
func siteKeys() map[string]*tx.SecretKey {
	keys := map[string]*tx.SecretKey{}
	for name, alg := range site.Keys() {
		keys[name] = p256("site " + name)
		if alg == tx.EdDSA {
			keys[name] = ed25519("site " + name)
		}
	}
	return keys
}

// start runs a node of one authority on loopback.
func start(t testing.TB) *node.Node {
	t.Helper()
	home, g := t.TempDir(), labGenesis(t)
	if _, err := node.Init(home, node.InitOptions{Chain: g.Chain, Operator: g.Operator, Accounts: g.Accounts, Contracts: g.Contracts}); err != nil {
		t.Fatal(err)
	}
	n, err := node.New(context.Background(), node.Config{
		Home: home, HTTP: "127.0.0.1:0", P2P: "127.0.0.1:0", RPC: node.None, Rate: -1,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
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

// connect returns a client of the node, as a party of its own.
func connect(t testing.TB, n *node.Node) *client.Client {
	c := &client.Client{URL: "http://" + n.HTTP().String()}
	t.Cleanup(c.Close)
	return c
}

// answer is what the node says to bytes: a receipt, a pending id or an error.
type answer struct {
	status int
	body   []byte
	ID     string
	Code   string
	Reason string
	Events []struct {
		Cursor receipt.Cursor
		Event  string
	}
	Error struct {
		Code   string
		Number uint32
		Reason string
	}
}

// post sends raw bytes as a device would; wait is check, or commit to see what becomes of them. It waits for the block as
// long as a node waits at most: in ten seconds, which are the default, a busy machine may make none.
func post(t testing.TB, n *node.Node, raw []byte, wait string) answer {
	t.Helper()
	url := fmt.Sprintf("http://%s/v1/tx?wait=%s", n.HTTP(), wait)
	if wait == "commit" {
		url += "&timeout=30"
	}
	r, err := http.Post(url, "application/cose", bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	a := answer{status: r.StatusCode}
	if a.body, err = io.ReadAll(io.LimitReader(r.Body, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(a.body, &a); err != nil {
		t.Fatalf("the answer is %q: %v", a.body, err)
	}
	return a
}

// within is a context for what must not take long, on a busy machine either.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// socket is a WebSocket of a client that isn't ours.
type socket struct {
	t    testing.TB
	conn *websocket.Conn
}

// frame is what the node sends, as far as the tests look.
type frame struct {
	Type, Cursor, Code, Reason string
}

func dial(t testing.TB, ctx context.Context, url string) *socket {
	t.Helper()
	conn, r, err := websocket.DefaultDialer.DialContext(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	t.Cleanup(func() { conn.Close() })
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetReadDeadline(deadline); err != nil {
			t.Fatal(err)
		}
	}
	return &socket{t, conn}
}

func (s *socket) send(text string) {
	s.t.Helper()
	if err := s.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

// until reads frames until one is of this type.
func (s *socket) until(kind string) (f frame) {
	s.t.Helper()
	for f.Type != kind {
		f = frame{}
		if err := s.conn.ReadJSON(&f); err != nil {
			s.t.Fatalf("waiting for %s: %v", kind, err)
		}
	}
	return f
}

// closed wants the node to close the connection.
func (s *socket) closed() {
	s.t.Helper()
	for {
		if _, _, err := s.conn.ReadMessage(); err != nil {
			if !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
				s.t.Errorf("the connection ended with %v, want a close frame 1008", err)
			}
			return
		}
	}
}
