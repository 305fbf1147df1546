package testnet_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm/wasmtest"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/testnet/network"
)

// wardFile, set, names a command that is built already.
const wardFile = "WARD_TEST_PROGRAM"

var built string // folder of the command, "" until ward has built it

// ward is the real command, built once.
var ward = sync.OnceValues(func() (string, error) {
	if file := os.Getenv(wardFile); file != "" {
		return file, nil
	}
	dir, err := os.MkdirTemp("", "ward-test-")
	if err != nil {
		return "", err
	}
	built = dir
	file := filepath.Join(dir, "ward")
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	build := exec.Command("go", "build", "-o", file, "../cli/ward")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// bell is a contract whose every call emits two events.
var bell = func() []byte {
	m := wasmtest.New()
	emit := m.Import(abi.Module, "emit")
	ding, dingLen := m.Data("ding")
	dong, dongLen := m.Data("dong")
	none, noneLen := m.Data("\xa0")
	m.Export(abi.ExportCall,
		wasmtest.I32(ding), wasmtest.I32(dingLen), wasmtest.I32(none), wasmtest.I32(noneLen), wasmtest.Call(emit),
		wasmtest.I32(dong), wasmtest.I32(dongLen), wasmtest.I32(none), wasmtest.I32(noneLen), wasmtest.Call(emit))
	return m.Bytes()
}()

// ringer is a key for each node of a network, so that nodes need not agree on sequences.
func ringer(i int) *tx.SecretKey { return ed25519(fmt.Sprint("ringer ", i)) }

// homes makes the homes of authorities that share a chain with the contract bell, and of
// followers of it.
func homes(t testing.TB, authorities, followers int) []network.Node {
	t.Helper()
	g := &genesis.Genesis{Chain: "bells", Time: time.Now().UTC(), Operator: operator.Public().Address()}
	g.Contracts = []genesis.Contract{{Name: "bell", Code: bell, Admin: g.Operator}}
	g.Accounts = []genesis.Account{{Key: operator.Public().Bytes, QuotaPerHour: 1 << 50, Scope: genesis.Everything()}}
	var nodes []network.Node
	dir := t.TempDir()
	for i := range authorities + followers {
		home := filepath.Join(dir, fmt.Sprint("node-", i))
		id, err := node.CreateKeys(home)
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, network.Node{Home: home, ID: id.NodeID, Authority: hex.EncodeToString(id.Authority)})
		if i < authorities {
			g.Authorities = append(g.Authorities, genesis.Authority{Key: id.Authority})
		}
		g.Accounts = append(g.Accounts, genesis.Account{Key: ringer(i).Public().Bytes, QuotaPerHour: 1 << 50, Scope: genesis.Everything()})
	}
	for _, n := range nodes {
		if err := node.WriteGenesis(n.Home, g); err != nil {
			t.Fatal(err)
		}
	}
	return nodes
}

// up runs a network of real processes until the test ends.
func up(t testing.TB, nodes []network.Node) *network.Network {
	t.Helper()
	if testing.Short() {
		t.Skip("starts several nodes, which takes seconds: not with -short")
	}
	program, err := ward()
	if err != nil {
		t.Fatal(err)
	}
	n, err := network.Up(within(t, 2*time.Minute), network.Config{Program: []string{program}, Nodes: nodes, Rate: -1, LogLevel: "warn"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Down(); err != nil {
			t.Error(err)
		}
		for i := range n.Len() {
			if n.PID(i) != 0 {
				t.Errorf("node %d still runs", i)
			}
			if log, err := os.ReadFile(n.Log(i)); t.Failed() && err == nil {
				t.Logf("node %d:\n%s", i, log)
			}
		}
	})
	return n
}

// ring rings the bell some times at a node and returns the heights of the blocks.
func ring(t testing.TB, n *network.Network, i, times int) (heights []uint64) {
	t.Helper()
	c := n.Client(i)
	defer c.Close()
	for range times {
		r, err := c.Call(within(t, time.Minute), ringer(i), "bell", "ring", nil, client.Options{})
		if err != nil {
			t.Fatalf("node %d: %v", i, err)
		}
		heights = append(heights, r.Height)
	}
	return heights
}

// says waits for a status with all of these words.
func says(t testing.TB, n *network.Network, words ...string) *network.Status {
	t.Helper()
	return becomes(t, n, fmt.Sprintf("%q in what it says", words), func(s *network.Status) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(s.Says, word) })
	})
}

// becomes waits for a status that is as wanted.
func becomes(t testing.TB, n *network.Network, what string, wanted func(*network.Status) bool) *network.Status {
	t.Helper()
	ctx := within(t, time.Minute)
	for {
		s := n.Status(ctx)
		if wanted(s) {
			return s
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the status never had %s: %q, %+v", what, s.Says, s)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Four authorities as processes: what any of them is given commits on all to the same state. One
// may die; with two dead the chain stands still, and says so; when they are back it goes on by
// itself, and has lost and doubled nothing.
func TestFourAuthorities(t *testing.T) {
	n := up(t, homes(t, 4, 0))
	ctx := within(t, 4*time.Minute)
	watch, err := n.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rung := 0

	// Authorities propose in turn: of five blocks one after the other, node 1 proposed two at most.
	heights := ring(t, n, 1, 5)
	for i := 1; i < len(heights); i++ {
		if heights[i] <= heights[i-1] {
			t.Errorf("rung one after the other, in blocks %v", heights)
		}
	}
	var all sync.WaitGroup
	for i := range n.Len() {
		all.Go(func() { ring(t, n, i, 5) })
	}
	all.Wait()
	rung += 5 + 4*5
	if s := says(t, n, "goes on: 4 of 4 authorities vote, 3 are needed"); len(s.Missing) != 0 || !s.GoesOn() {
		t.Errorf("status %+v", s)
	}

	if err := n.Kill(3); err != nil {
		t.Fatal(err)
	}
	ring(t, n, 0, 4) // one of them is the dead one's turn
	rung += 4
	s := says(t, n, "goes on: 3 of 4", "missing: node 3")
	if s.Nodes[3].Running || s.Nodes[3].Trouble != "" || !s.Nodes[0].Running {
		t.Errorf("nodes %+v", s.Nodes)
	}
	// Two nodes that dial each other at once may both hang up, and try again after some seconds; blocks go round another way.
	becomes(t, n, "two peers of node 0", func(s *network.Status) bool { return s.Nodes[0].Peers == 2 })

	if err := n.Kill(2); err != nil {
		t.Fatal(err)
	}
	c := n.Client(1)
	defer c.Close()
	waiting, err := c.Send(ctx, ringer(1), "bell", "ring", nil, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rung++
	s = says(t, n, "stands still since ", " s: 2 of 4 authorities vote, 3 are needed; missing: node 2, node 3")
	if s.GoesOn() || s.Still < 3 || s.Voting != 2 || s.Needed != 3 {
		t.Errorf("status %+v", s)
	}
	for _, i := range []int{0, 1} { // each says so itself, without knowing who runs, when it has waited long enough itself
		becomes(t, n, fmt.Sprintf("nodes 2 and 3 missed by node %d", i), func(s *network.Status) bool {
			return slices.Equal(sorted(s.Nodes[i].Missing), []string{"node 2", "node 3"})
		})
	}
	if _, err := c.Receipt(ctx, waiting); err == nil {
		t.Error("two of four authorities have decided a block")
	}

	if err := n.Start(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(ctx, waiting); err != nil {
		t.Errorf("what waited while the chain stood still: %v", err)
	}
	if err := n.Start(ctx, 3); err != nil {
		t.Fatal(err)
	}
	ring(t, n, 3, 2)
	rung += 2
	says(t, n, "goes on: 4 of 4")

	report, err := watch.Finish(ctx)
	if err != nil || len(report.Wrong) != 0 || report.To < report.From+9 || len(report.Nodes) != 4 {
		t.Fatalf("report %+v, %v", report, err)
	}
	for _, r := range report.Nodes {
		if !r.Running || r.Compared != report.To || r.Events != uint64(2*rung) {
			t.Errorf("node %d: %+v, want all to height %d and %d events", r.Node, r, report.To, 2*rung)
		}
	}
	// The watch is one way to look; a dashboard that begins at the start is another.
	for i := range n.Len() {
		if got := recount(t, n, i, report.To); got != 2*rung {
			t.Errorf("node %d streams %d events from the start, want %d", i, got, 2*rung)
		}
	}
	if deaths := n.Deaths(); len(deaths) != 0 {
		t.Errorf("ended by themselves: %v", deaths)
	}
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// recount counts the events that a node streams from its first block to the last of a height.
func recount(t testing.TB, n *network.Network, i int, height uint64) (events int) {
	t.Helper()
	c := n.Client(i)
	defer c.Close()
	ctx := within(t, time.Minute)
	live := make(chan struct{})
	sub, err := c.Subscribe(ctx, client.Filter{Contract: "bell"}, client.FromStart, func(n client.Notice) {
		if n.Kind == client.Live && n.Height >= height {
			close(live)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	go func() { // history is done: nothing more is to come
		select {
		case <-live:
			stop()
		case <-ctx.Done():
		}
	}()
	for {
		if _, err := sub.Next(reading); err != nil {
			if reading.Err() == nil || ctx.Err() != nil {
				t.Fatal(err)
			}
			return events
		}
		events++
	}
}

// A node joins a running network: it fetches the chain, follows it without a vote, and takes
// transactions although it never proposes a block. Killed and started again it goes on.
func TestAddNode(t *testing.T) {
	nodes := homes(t, 1, 1)
	n := up(t, nodes[:1])
	ctx := within(t, 2*time.Minute)
	ring(t, n, 0, 3)
	watch, err := n.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	i, err := n.AddNode(ctx, nodes[1])
	if err != nil || i != 1 || n.Len() != 2 {
		t.Fatalf("node %d of %d: %v", i, n.Len(), err)
	}
	if _, _, err := n.Agree(ctx, 0); err != nil {
		t.Fatal(err)
	}
	ring(t, n, 1, 3)
	if s := n.Status(ctx); s.Nodes[1].Validator || s.Nodes[1].Peers != 1 || s.Authorities != 1 || !strings.Contains(s.Says, "goes on: 1 of 1") {
		t.Errorf("status %+v", s)
	}
	if err := n.Kill(1); err != nil {
		t.Fatal(err)
	}
	if err := n.Kill(1); err != nil {
		t.Errorf("killed twice: %v", err)
	}
	ring(t, n, 0, 2)
	if err := n.Start(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if err := n.Start(ctx, 1); err != nil {
		t.Errorf("started twice: %v", err)
	}
	report, err := watch.Finish(ctx)
	if err != nil || len(report.Wrong) != 0 || report.Nodes[1].Events != 2*(3+2) || report.Nodes[1].Compared != report.To {
		t.Errorf("report %+v, %v", report, err)
	}
}

// Two chains under one roof differ, and whoever compares says so.
func TestDisagree(t *testing.T) {
	one, other := homes(t, 1, 0), homes(t, 1, 0)
	n := up(t, append(one, other...))
	if _, _, err := n.Agree(within(t, time.Minute), 1); err == nil || !strings.Contains(err.Error(), "at height 1") {
		t.Errorf("two chains agree: %v", err)
	}
}

// Another process finds a network by its home, and by that alone.
func TestControl(t *testing.T) {
	n := up(t, homes(t, 1, 0))
	ctx := within(t, time.Minute)
	home := t.TempDir()
	if _, err := network.Dial(home); !errors.Is(err, network.ErrNotUp) {
		t.Errorf("an empty home: %v", err)
	}
	down := make(chan struct{}, 2)
	closer, err := n.Serve(home, func() { down <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Serve(home, nil); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("two networks in one home: %v", err)
	}
	c, err := network.Dial(home)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	pid := n.PID(0)
	if s, err := c.Status(ctx); err != nil || s.Nodes[0].PID != pid || s.Chain != "bells" {
		t.Errorf("status %+v, %v", s, err)
	}
	if err := c.Kill(ctx, 7); err == nil || !strings.Contains(err.Error(), "there is no node 7") {
		t.Errorf("killed nobody: %v", err)
	}
	if err := c.Kill(ctx, 0); err != nil || n.PID(0) != 0 {
		t.Errorf("killed: %v", err)
	}
	if s, err := c.Status(ctx); err != nil || s.Nodes[0].Running || s.Says != "no node runs" {
		t.Errorf("status %+v, %v", s, err)
	}
	if err := c.Start(ctx, 0); err != nil || n.PID(0) == 0 || n.PID(0) == pid {
		t.Errorf("started: %v", err)
	}

	// Without the token nothing is told and nothing is done.
	file, err := os.ReadFile(filepath.Join(home, "control.json"))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(home, "control.json")); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file is for others too: %v, %v", info.Mode(), err)
	}
	url := strings.Split(string(file), `"`)[3]
	for _, token := range []string{"", "Bearer ", "Bearer 00000000000000000000000000000000"} {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/nodes/0/kill", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusUnauthorized || n.PID(0) == 0 {
			t.Errorf("token %q: status %d", token, answer.StatusCode)
		}
	}

	ended := make(chan error, 1)
	go func() { ended <- c.Down(ctx) }()
	<-down
	if err := closer(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	// A file that a dead process has left is no network.
	if err := os.WriteFile(filepath.Join(home, "control.json"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := network.Dial(home); !errors.Is(err, network.ErrNotUp) {
		t.Errorf("a network of the past: %v", err)
	}
}

// What can't work is said with the reason, and leaves nothing running.
func TestUpRefuses(t *testing.T) {
	nodes := homes(t, 2, 0)
	good := network.Config{Program: []string{"ward"}, Nodes: nodes}
	for _, c := range []struct {
		why   string
		spoil func(*network.Config)
	}{
		{"no program", func(c *network.Config) { c.Program = nil }},
		{"0 nodes, must be 1 to 32", func(c *network.Config) { c.Nodes = nil }},
		{"33 nodes", func(c *network.Config) { c.Nodes = make([]network.Node, 33) }},
		{"node 1: no home", func(c *network.Config) { c.Nodes[1].Home = "" }},
		{`node 0: its id "xyz"`, func(c *network.Config) { c.Nodes[0].ID = "xyz" }},
		{"no-such-program", func(c *network.Config) { c.Program = []string{filepath.Join(t.TempDir(), "no-such-program")} }},
	} {
		config := good
		config.Nodes = slices.Clone(nodes)
		c.spoil(&config)
		if _, err := network.Up(within(t, time.Minute), config); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("want an error with %q, got %v", c.why, err)
		}
	}
	if testing.Short() {
		t.Skip("starts a node: not with -short")
	}
	program, err := ward()
	if err != nil {
		t.Fatal(err)
	}
	good.Program = []string{program}
	if err := os.Remove(filepath.Join(nodes[1].Home, "keys", "validator.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := network.Up(within(t, time.Minute), good); err == nil || !strings.Contains(err.Error(), "node 1 has ended before it answered") || !strings.Contains(err.Error(), "validator key") {
		t.Errorf("a home without its key: %v", err)
	}
	free(t, nodes[0].Home)
}

// free waits until no process has a home open.
func free(t testing.TB, home string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		_, err := node.CreateKeys(home)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// A supervisor that is killed takes its nodes with it: nothing else tells them.
func TestNoOrphans(t *testing.T) {
	const supervise = "WARD_TEST_SUPERVISE"
	if home := os.Getenv(supervise); home != "" { // this is the supervisor
		id, err := node.CreateKeys(home)
		if err != nil {
			t.Fatal(err)
		}
		up(t, []network.Node{{Home: home, ID: id.NodeID}})
		fmt.Println("up")
		_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
		return
	}
	if testing.Short() {
		t.Skip("starts two processes: not with -short")
	}
	program, err := ward()
	if err != nil {
		t.Fatal(err)
	}
	home := homes(t, 1, 0)[0].Home
	cmd := exec.Command(os.Args[0], "-test.run=^TestNoOrphans$")
	cmd.Env = append(cmd.Environ(), supervise+"="+home, wardFile+"="+program)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && lines.Text() != "up" {
	}
	if _, err := node.CreateKeys(home); err == nil {
		t.Error("the home is free although a node runs in it")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	free(t, home)
}
