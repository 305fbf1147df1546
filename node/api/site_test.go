package api_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wardledger/ward/node/api"
	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
)

func kind(k abi.Kind) *abi.Type { return &abi.Type{Kind: k} }

func record(fields ...abi.Field) *abi.Type { return &abi.Type{Kind: abi.KindStruct, Fields: fields} }

var accessSpec = &abi.Spec{
	ABI: 1, Name: "access",
	Methods: []abi.Method{
		{Name: "grant", Args: record(abi.Field{Name: "object", Type: kind(abi.KindText)}), Result: record(abi.Field{Name: "id", Type: kind(abi.KindUint)})},
		{Name: "check", View: true, Args: record(abi.Field{Name: "object", Type: kind(abi.KindText)}, abi.Field{Name: "subject", Type: kind(abi.KindAddress), Optional: true}),
			Result: record(abi.Field{Name: "allowed", Type: kind(abi.KindBool)})},
		{Name: "count", View: true, Result: kind(abi.KindUint)},
	},
	Events: []abi.EventSpec{{Name: "granted", Fields: []abi.Field{{Name: "id", Type: kind(abi.KindUint)}, {Name: "by", Type: kind(abi.KindAddress), Optional: true}}}},
	Errors: []abi.ErrorSpec{{Code: 3, Name: "not_owner"}},
}

func mustKey(seed byte) *tx.SecretKey {
	k, err := tx.NewEd25519(bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		panic(err)
	}
	return k
}

var (
	alice = mustKey(1)
	bob   = mustKey(2)
)

func (c *chain) sender() address.Address { return alice.Public().Address() }

// chain stands for runtime and engine: it takes transactions, and makes a block when told.
type chain struct {
	log   *eventlog.Log
	clock func() time.Time

	mu        sync.Mutex
	pool      []receipt.Receipt
	refuse    *receipt.Receipt // what Submit answers instead of OK
	broken    error            // what Submit fails with
	condition api.Condition
	submitted chan struct{} // gets one for each transaction taken, if not nil

	view     func(context.Context, runtime.Query) (receipt.Receipt, uint64, error)
	simulate func(context.Context, runtime.Trial) (runtime.Traced, error)
	traceTx  func(context.Context, runtime.Header, [][]byte) (runtime.Traced, error)
	txs      map[uint64][][]byte // what Transactions answers
	loaded   int                 // how often it was asked
	asked    func()              // runs in Contract
}

func (c *chain) Submit(_ context.Context, raw []byte) (receipt.Receipt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return receipt.Receipt{}, c.broken
	}
	if c.refuse != nil {
		return *c.refuse, nil
	}
	t, err := tx.Decode(raw)
	if err != nil {
		return receipt.Receipt{}, err
	}
	c.pool = append(c.pool, receipt.Receipt{
		TxID: t.ID(), GasUsed: 5, GasLimit: t.GasLimit, Contract: t.Contract, Method: t.Method, Sender: c.sender(),
	})
	c.condition.Waiting++
	if c.submitted != nil {
		c.submitted <- struct{}{}
	}
	return receipt.Receipt{TxID: t.ID()}, nil
}

func (c *chain) Condition() api.Condition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.condition
}

// block commits everything in the pool; change may alter a receipt.
func (c *chain) block(t testing.TB, change func(*receipt.Receipt)) uint64 {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.log.Height() + 1
	b := eventlog.Block{Height: h, Time: 1_760_000_000 + int64(h), Hash: []byte{0xbb, byte(h)}, Root: []byte{0xaa, byte(h)}, Receipts: c.pool}
	for i := range b.Receipts {
		if change != nil {
			change(&b.Receipts[i])
		}
	}
	if err := errors.Join(c.log.Append(b), c.log.Raise(h)); err != nil {
		t.Fatal(err)
	}
	c.pool = nil
	c.condition.Waiting = 0
	return h
}

func (c *chain) Contract(name string) (runtime.ContractInfo, bool, error) {
	if c.asked != nil {
		c.asked()
	}
	switch name {
	case "access":
		return runtime.ContractInfo{Instance: registry.Instance{Name: "access", Code: [32]byte{1}, Admin: alice.Public().Address(), Created: 1, Version: 1}, Spec: accessSpec}, true, nil
	case "plain":
		return runtime.ContractInfo{Instance: registry.Instance{Name: "plain", Capabilities: []string{"accounts"}, Created: 2, Version: 4},
			Timelock: registry.Timelock{Delay: 90, From: 1700, Announced: &registry.Announcement{Hash: [32]byte{2}, Version: 1, Rollback: true, Earliest: 1600}}}, true, nil
	case "panics":
		panic("a fault of the node")
	case "broken":
		return runtime.ContractInfo{}, false, errors.New("disk on fire")
	}
	return runtime.ContractInfo{}, false, nil
}

func (c *chain) Contracts(after string, limit int) (list []registry.Instance, err error) {
	for _, name := range []string{"access", "plain"} {
		if info, _, _ := c.Contract(name); name > after && len(list) < limit {
			list = append(list, info.Instance)
		}
	}
	return list, nil
}

func (c *chain) Key(kid address.Address, time int64) (runtime.KeyInfo, bool, error) {
	if kid != alice.Public().Address() {
		return runtime.KeyInfo{}, false, nil
	}
	info := runtime.KeyInfo{
		Key: registry.Key{ID: kid, Account: kid, Public: alice.Public().Bytes, Expires: 1_790_000_000,
			Scope: []registry.Scope{{Contract: "access", Methods: []string{"use"}}, {Contract: "devices"}}},
		Account: registry.Account{Address: kid, Owner: bob.Public().Address(), QuotaPerHour: 1 << 60, Carved: 1},
		Room:    uint64(time), Next: [2]uint64{8, 1},
	}
	return info, true, nil
}

func (c *chain) View(ctx context.Context, q runtime.Query) (receipt.Receipt, uint64, error) {
	return c.view(ctx, q)
}

func (c *chain) Simulate(ctx context.Context, t runtime.Trial) (runtime.Traced, error) {
	return c.simulate(ctx, t)
}

func (c *chain) TraceTx(ctx context.Context, h runtime.Header, first [][]byte) (runtime.Traced, error) {
	return c.traceTx(ctx, h, first)
}

func (c *chain) Transactions(height uint64) ([][]byte, error) {
	c.loaded++
	return c.txs[height], nil
}

// site is an API over a chain.
type site struct {
	t      testing.TB
	chain  *chain
	server *api.Server
	url    string
}

// newServer makes an API that isn't served yet. Its clock stands still at 1,760,000,100.
func newServer(t testing.TB, config api.Config) *site {
	t.Helper()
	log, err := eventlog.Open(state.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	c := &chain{log: log, clock: func() time.Time { return time.Unix(1_760_000_100, 0) }}
	c.condition = api.Condition{
		Node: "a1b2", Authority: []byte{0xaa, 0xbb}, Validator: true, Earliest: 1,
		Authorities: []api.Authority{{Key: []byte{0xaa, 0xbb}, Name: "north"}},
		Contracts:   api.Readiness{Ready: 3, Of: 20},
	}
	c.view = func(_ context.Context, q runtime.Query) (receipt.Receipt, uint64, error) {
		return receipt.Receipt{Code: receipt.Trapped, Reason: "no view is set"}, q.Height, nil
	}
	config.Chain, config.Engine, config.Log, config.ChainID, config.Version = c, c, log, "test", "v0"
	config.Rate = cmp.Or(config.Rate, -1)
	if config.Clock == nil {
		config.Clock = c.clock
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := api.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return &site{t: t, chain: c, server: s}
}

// newSite serves it on a port of this machine until the test ends.
func newSite(t testing.TB, config api.Config) *site {
	t.Helper()
	s := newServer(t, config)
	h := httptest.NewServer(s.server)
	t.Cleanup(func() {
		s.server.Close()
		h.Close()
	})
	s.url = h.URL
	return s
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// failure reads an error's body; zero if it is none.
func (a answer) failure() (code string, number int, reason string) {
	var b struct {
		Error struct {
			Code   string
			Number int
			Reason string
		}
	}
	if json.Unmarshal([]byte(a.body), &b) != nil {
		return "", 0, ""
	}
	return b.Error.Code, b.Error.Number, b.Error.Reason
}

// request is one over the wire.
func (s *site) request(method, path, contentType string, body io.Reader, header ...string) answer {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for pair := range slices.Chunk(header, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{resp.StatusCode, resp.Header, strings.TrimSpace(string(b))}
}

func (s *site) get(path string) answer { s.t.Helper(); return s.request("GET", path, "", nil) }

func (s *site) post(path string, raw []byte) answer {
	s.t.Helper()
	return s.request("POST", path, "application/cose", bytes.NewReader(raw))
}

func (s *site) query(path, doc string) answer {
	s.t.Helper()
	return s.request("POST", path, "application/json", strings.NewReader(doc))
}

// wants compares an answer with a status and a whole body.
func (s *site) wants(a answer, status int, body string) {
	s.t.Helper()
	if a.status != status || a.body != body {
		s.t.Errorf("answer is %d\n%s, want %d\n%s", a.status, a.body, status, body)
	}
	if kind := a.header.Get("Content-Type"); kind != "application/json" {
		s.t.Errorf("content type is %q", kind)
	}
}

// refused wants an error with this status and code, and a reason that contains the text.
func (s *site) refused(what string, a answer, status int, code, reason string) {
	s.t.Helper()
	got, number, why := a.failure()
	if a.status != status || got != code || number == 0 || !strings.Contains(why, reason) {
		s.t.Errorf("%s: answer is %d %s, want %d %s with %q", what, a.status, a.body, status, code, reason)
	}
}

// signed makes a transaction.
func signed(t testing.TB, sequence uint64, change func(*tx.Tx)) ([]byte, tx.ID) {
	t.Helper()
	x := &tx.Tx{Chain: "test", Sequence: sequence, GasLimit: 2_000_000, Contract: "access", Method: "grant", Args: []byte{0xa0}}
	if change != nil {
		change(x)
	}
	raw, err := tx.Sign(x, alice)
	if err != nil {
		t.Fatal(err)
	}
	d, err := tx.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	return raw, d.ID()
}

// granted makes a receipt succeed with a result and an event.
func granted(r *receipt.Receipt) {
	m := cbor.AppendUint(cbor.AppendText(cbor.AppendMap(nil, 1), "id"), 7)
	r.Return = m
	r.Events = []receipt.Event{{Contract: "access", Name: "granted", Attributes: m}}
}

func sprint(format string, args ...any) string { return fmt.Sprintf(format, args...) }
