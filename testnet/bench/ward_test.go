package bench_test

import (
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/contracts"
	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/testnet/bench"
)

func newKey(t testing.TB, alg tx.Alg) *tx.SecretKey {
	t.Helper()
	k, err := client.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// lab is a node with the contract access, its owner, and some devices.
func lab(t testing.TB, devices int, quota uint64) bench.Config {
	t.Helper()
	built, err := contracts.Standard(t.Context(), contracts.Options{})
	if err != nil {
		t.Fatal(err)
	}
	owner := newKey(t, tx.ES256)
	c := bench.Config{Owner: owner}
	o := node.InitOptions{
		Chain: "bench-test", Operator: owner.Public().Address(),
		Accounts: []genesis.Account{{Key: owner.Public().Bytes, QuotaPerHour: 1 << 50, Scope: genesis.Everything()}},
	}
	for _, m := range built {
		if m.Name == "access" {
			o.Contracts = append(o.Contracts, genesis.Contract{Name: m.Name, Code: m.Wasm, Admin: o.Operator})
		}
	}
	for i := range devices {
		key := newKey(t, []tx.Alg{tx.ES256, tx.EdDSA}[i%2])
		c.Devices = append(c.Devices, key)
		o.Accounts = append(o.Accounts, genesis.Account{Key: key.Public().Bytes, QuotaPerHour: quota, Scope: genesis.Everything()})
	}
	home := t.TempDir()
	if _, err := node.Init(home, o); err != nil {
		t.Fatal(err)
	}
	n, err := node.New(t.Context(), node.Config{
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
	c.Nodes = []string{"http://" + n.HTTP().String()}
	return c
}

// whole holds the figures of a measure against each other.
func whole(t *testing.T, m bench.Measure, length time.Duration) {
	t.Helper()
	if m.Committed+m.Errors != m.Offered {
		t.Errorf("%d committed and %d errors of %d offered", m.Committed, m.Errors, m.Offered)
	}
	if want := float64(m.Offered) / length.Seconds(); math.Abs(m.OfferedTPS-want) > 1e-9 {
		t.Errorf("%d offered in %v are %v a second", m.Offered, length, m.OfferedTPS)
	}
	if want := float64(m.Committed) / m.Took.Seconds(); m.Committed > 0 && math.Abs(m.CommittedTPS-want) > 1e-9 {
		t.Errorf("%d committed in %v are %v a second", m.Committed, m.Took, m.CommittedTPS)
	}
	if m.Committed > 0 && m.P50 <= 0 || m.P50 > m.P95 || m.P95 > m.P99 || m.P99 > m.Most {
		t.Errorf("percentiles %v, %v, %v, %v", m.P50, m.P95, m.P99, m.Most)
	}
}

// A node commits what devices ask at a low rate, all of it, and each check was allowed.
func TestWard(t *testing.T) {
	c := lab(t, 4, 1<<50)
	c.Rate, c.For = 40, 2*time.Second
	begun := 0
	c.Begin = func() { begun++ }
	r, err := bench.Ward(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	whole(t, r.Measure, c.For)
	if r.Offered != 80 || r.Committed != 80 || begun != 1 {
		t.Errorf("%+v; the load began %d times", r, begun)
	}
	if r.Gas == 0 || r.GasLimit < r.Gas || r.Size < 150 || r.Size > 1000 {
		t.Errorf("gas %d of %d, %d bytes", r.Gas, r.GasLimit, r.Size)
	}
	node := &client.Client{URL: c.Nodes[0]}
	defer node.Close()
	for deadline := time.Now().Add(time.Minute); ; { // the last event comes a moment before its transaction has left the pool
		status, err := node.Status(t.Context())
		if err == nil && status.Height > 0 && status.Transactions == 0 {
			break
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("at the end %+v, %v", status, err)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// At most, nothing is refused, and as many come out as go in.
func TestWardAtMost(t *testing.T) {
	c := lab(t, 4, 1<<50)
	c.For, c.UnderWay = time.Second, 30
	r, err := bench.Ward(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	whole(t, r.Measure, c.For)
	if r.Committed == 0 || r.Errors != 0 || r.UnderWay != 30 {
		t.Errorf("%+v", r)
	}
}

// What the chain refuses is counted with its code, and is no commit: here devices that
// may use so little gas that their quota ends in the middle. What the node had taken before
// that is dropped when its turn comes.
func TestWardCountsRefusals(t *testing.T) {
	c := lab(t, 2, 4*client.DefaultGas)
	c.Rate, c.For = 100, 2*time.Second
	r, err := bench.Ward(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	whole(t, r.Measure, c.For)
	if r.Offered != 200 || r.Codes["over_quota"] == 0 || r.Codes["over_quota"]+r.Codes["not_committed"] != r.Errors || r.Committed == 0 {
		t.Errorf("%+v", r)
	}
}

// The engine alone, for one authority and for more.
func TestEngine(t *testing.T) {
	for _, authorities := range []int{1, 3} {
		c := bench.EngineConfig{Dir: t.TempDir(), Authorities: authorities, Devices: 4, Size: 200, Schedule: bench.Schedule{Rate: 100, For: time.Second}}
		m, err := bench.Engine(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		whole(t, m, c.For)
		if m.Offered != 100 || m.Committed != 100 {
			t.Errorf("%d authorities: %+v", authorities, m)
		}
	}
}

func TestConfigs(t *testing.T) {
	owner := newKey(t, tx.EdDSA)
	good := func() bench.Config {
		return bench.Config{Nodes: []string{"http://127.0.0.1:1"}, Owner: owner, Devices: []tx.Signer{owner}, Schedule: bench.Schedule{Rate: 1, For: time.Second}}
	}
	for want, spoil := range map[string]func(*bench.Config){
		"no node is named":              func(c *bench.Config) { c.Nodes = nil },
		"no owner":                      func(c *bench.Config) { c.Owner = nil },
		"0 devices, must be 1 to":       func(c *bench.Config) { c.Devices = nil },
		"rate -1, must be at most":      func(c *bench.Config) { c.Rate = -1 },
		"rate NaN, must be at most":     func(c *bench.Config) { c.Rate = math.NaN() },
		"rate +Inf, must be at most":    func(c *bench.Config) { c.Rate = math.Inf(1) },
		"for 0s, must be more than 0":   func(c *bench.Config) { c.For = 0 },
		"10001 under way, must be":      func(c *bench.Config) { c.UnderWay = bench.MaxUnderWay + 1 },
		"for 24h0m1s, must be more":     func(c *bench.Config) { c.For = bench.MaxFor + time.Second },
		"the owner registers the door:": func(*bench.Config) {}, // nobody listens there
	} {
		c := good()
		spoil(&c)
		if _, err := bench.Ward(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error that says %q", err, want)
		}
	}
	for want, spoil := range map[string]func(*bench.EngineConfig){
		`folder "x" is not an absolute path`:      func(c *bench.EngineConfig) { c.Dir = "x" },
		"0 authorities, must be 1 to":             func(c *bench.EngineConfig) { c.Authorities = 0 },
		"17 authorities, must be 1 to 16":         func(c *bench.EngineConfig) { c.Authorities = bench.MaxAuthorities + 1 },
		"0 devices, must be at least 1":           func(c *bench.EngineConfig) { c.Devices = 0 },
		"transactions of 15 bytes, must be 16 to": func(c *bench.EngineConfig) { c.Size = 15 },
	} {
		c := bench.EngineConfig{Dir: t.TempDir(), Authorities: 1, Devices: 1, Size: 200, Schedule: bench.Schedule{Rate: 1, For: time.Second}}
		spoil(&c)
		if _, err := bench.Engine(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error that says %q", err, want)
		}
	}
}
