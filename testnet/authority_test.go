package testnet_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wardledger/ward/contracts"
	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/wire"
	"github.com/wardledger/ward/testnet/network"
	"github.com/wardledger/ward/testnet/port"
)

// keeper is the operator of node i. Those of the first authorities have accounts.
func keeper(i int) *tx.SecretKey { return p256(fmt.Sprint("keeper ", i)) }

// founder is one of the first authorities, as the contract authority wants to know it.
type founder struct {
	Operator address.Address
	Key      []byte
	Name     string
}

// republic makes the homes of authorities that govern themselves, and of followers.
func republic(t testing.TB, authorities, followers int) []network.Node {
	t.Helper()
	built, err := contracts.Named(t.Context(), contracts.Options{}, client.AuthorityContract)
	if err != nil {
		t.Fatal(err)
	}
	g := &genesis.Genesis{
		Chain: "republic", Time: time.Now().UTC(), Operator: operator.Public().Address(),
		Accounts: []genesis.Account{{Key: operator.Public().Bytes, QuotaPerHour: 1 << 50, Scope: genesis.Everything()}},
	}
	var founders []founder
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
			name := fmt.Sprint("authority ", i)
			g.Authorities = append(g.Authorities, genesis.Authority{Name: name, Key: id.Authority})
			founders = append(founders, founder{keeper(i).Public().Address(), id.Authority, name})
			g.Accounts = append(g.Accounts, genesis.Account{
				Key: keeper(i).Public().Bytes, QuotaPerHour: 1 << 50, Scope: []abi.Scope{{Contract: client.AuthorityContract}},
			})
		}
		g.Accounts = append(g.Accounts, genesis.Account{Key: ringer(i).Public().Bytes, QuotaPerHour: 1 << 50, Scope: genesis.Everything()})
	}
	init, err := wire.Marshal(struct{ Authorities []founder }{founders})
	if err != nil {
		t.Fatal(err)
	}
	g.Contracts = []genesis.Contract{
		{Name: "bell", Code: bell, Admin: g.Operator},
		{
			Name: client.AuthorityContract, Code: built.Wasm, Admin: address.OfContract(client.AuthorityContract), Init: init,
			Capabilities: abi.Capabilities(),
		},
	}
	for _, n := range nodes {
		if err := node.WriteGenesis(n.Home, g); err != nil {
			t.Fatal(err)
		}
	}
	return nodes
}

// govern calls the contract authority through a node.
func govern(t testing.TB, n *network.Network, i int, by *tx.SecretKey, method string, args any) (*client.Receipt, error) {
	t.Helper()
	c := n.Client(i)
	defer c.Close()
	return c.Call(within(t, time.Minute), by, client.AuthorityContract, method, args, client.Options{GasLimit: 50_000_000})
}

type proposalArgs struct{ Proposal uint64 }

// decide has keepers approve a proposal, each through their own node, and wants the last of
// them to decide it.
func decide(t testing.TB, n *network.Network, proposal uint64, status string, keepers ...int) *client.Receipt {
	t.Helper()
	var last *client.Receipt
	var got struct{ Status string }
	for _, i := range keepers {
		if got.Status != "" && got.Status != "open" {
			t.Fatalf("proposal %d is %s before keeper %d approves", proposal, got.Status, i)
		}
		r, err := govern(t, n, i, keeper(i), "approve", proposalArgs{proposal})
		if err != nil {
			t.Fatalf("keeper %d approves proposal %d: %v", i, proposal, err)
		}
		if err := r.Decode(&got); err != nil {
			t.Fatal(err)
		}
		last = r
	}
	if got.Status != status {
		t.Fatalf("proposal %d is %s, want %s", proposal, got.Status, status)
	}
	return last
}

// deciders are the voting keys that decide a block, as the engine's own RPC tells, in hex. It waits
// for the height to be known.
func deciders(t testing.TB, rpc string, height uint64) (keys []string) {
	t.Helper()
	ctx := within(t, time.Minute)
	for {
		var answer struct {
			Result struct {
				Validators []struct {
					PubKey struct{ Value []byte } `json:"pub_key"`
					Power  string                 `json:"voting_power"`
				}
			}
			Error *struct{ Data string }
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/validators?height=%d&per_page=100", rpc, height), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(got.Body).Decode(&answer)
		got.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if answer.Error == nil {
			for _, v := range answer.Result.Validators {
				if v.Power != fmt.Sprint(genesis.Power) {
					t.Errorf("%x has the power %s", v.PubKey.Value, v.Power)
				}
				keys = append(keys, hex.EncodeToString(v.PubKey.Value))
			}
			slices.Sort(keys)
			return keys
		}
		select {
		case <-ctx.Done():
			t.Fatalf("height %d: %s", height, answer.Error.Data)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// setsTold are the events in which the chain told of its authorities.
func setsTold(t testing.TB, n *network.Network, i int) (events []struct {
	Height  uint64
	InForce uint64   `json:"in_force"`
	Count   int      `json:"count"`
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
}) {
	t.Helper()
	c := n.Client(i)
	defer c.Close()
	page, err := c.Events(within(t, time.Minute), client.Filter{Contract: "chain", Event: "authorities"}, client.FromStart, 100)
	if err != nil {
		t.Fatal(err)
	}
	events = slices.Grow(events, len(page.Events))[:len(page.Events)]
	for k, e := range page.Events {
		if err := json.Unmarshal(e.Attributes, &events[k]); err != nil {
			t.Fatal(err)
		}
		events[k].Height = e.Height
	}
	return events
}

// Transactions flow through four authorities while a fifth node joins them and one leaves. The
// newcomer is proposed, approved by three of four, fetches the chain as a full node, accepts
// beside it and votes two heights later; the chain goes on without the one who leaves. All nodes
// have equal roots at every height, and no event is lost or doubled.
func TestAuthorityJoinsAndLeaves(t *testing.T) {
	nodes := republic(t, 4, 1)
	rpc, err := port.Free(map[string]bool{})
	if err != nil {
		t.Fatal(err)
	}
	nodes[1].Flags = []string{"--rpc=" + rpc}
	newcomer := keeper(4)
	if err := (client.Keyring{Dir: filepath.Join(nodes[4].Home, "keys")}).Add("newcomer", client.PlainKey(newcomer)); err != nil {
		t.Fatal(err)
	}
	n := up(t, nodes[:4])
	ctx := within(t, 5*time.Minute)
	watch, err := n.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}

	// The flow, through each of the four, until all is done.
	var rung atomic.Int64
	flowing, stop := context.WithCancel(ctx)
	var flow sync.WaitGroup
	defer func() {
		stop()
		flow.Wait()
	}()
	for i := range 4 {
		flow.Go(func() {
			c := n.Client(i)
			defer c.Close()
			for flowing.Err() == nil {
				if _, err := c.Call(ctx, ringer(i), "bell", "ring", nil, client.Options{}); err != nil {
					t.Errorf("node %d: %v", i, err)
					return
				}
				rung.Add(1)
			}
		})
	}

	// Proposed and approved.
	voting, err := hex.DecodeString(nodes[4].Authority)
	if err != nil {
		t.Fatal(err)
	}
	r, err := govern(t, n, 0, keeper(0), "propose_add", struct {
		OperatorKey, Key []byte
		Name             string
	}{newcomer.Public().Bytes, voting, "newcomer"})
	if err != nil {
		t.Fatal(err)
	}
	var proposed struct{ Proposal uint64 }
	if err := r.Decode(&proposed); err != nil {
		t.Fatal(err)
	}
	decide(t, n, proposed.Proposal, "approved", 1, 2)

	// Not while it is down: the command finds no node, and what its key has signed for another time
	// than now is refused.
	accept := func(url string, flags ...string) ([]byte, error) {
		program, err := ward()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(ctx, program, append([]string{
			"authority", "accept", fmt.Sprint(proposed.Proposal), "--json", "--home", nodes[4].Home, "--node", url,
		}, flags...)...)
		out, err := cmd.Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return out, fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return out, err
	}
	if out, err := accept("http://" + rpc); err == nil { // where no ward listens
		t.Fatalf("a node that is down has accepted: %s", out)
	}
	if _, err := accept(n.URL(0)); err == nil || !strings.Contains(err.Error(), "votes with another key") {
		t.Errorf("accepted beside another's node: %v", err)
	}
	key, err := node.VotingKey(nodes[4].Home)
	if err != nil {
		t.Fatal(err)
	}
	for _, expires := range []time.Duration{-time.Hour, 0, time.Hour} {
		proof, err := client.Acceptance{
			Chain: "republic", Contract: client.AuthorityContract, Proposal: proposed.Proposal,
			Operator: newcomer.Public().Address(), Expires: time.Now().Add(expires).Unix(),
		}.Sign(key)
		if err != nil {
			t.Fatal(err)
		}
		_, err = govern(t, n, 3, newcomer, "accept", struct {
			Proposal uint64
			Proof    []byte
		}{proposed.Proposal, proof})
		if refused, ok := errors.AsType[*client.Refused](err); !ok || refused.ContractError != "stale_proof" {
			t.Errorf("signed for %v from now: %v, want stale_proof", expires, err)
		}
	}
	if got := setsTold(t, n, 3); len(got) != 0 {
		t.Errorf("the chain tells of %+v", got)
	}

	// Now it comes, catches up, and accepts.
	if _, err := n.AddNode(ctx, nodes[4]); err != nil {
		t.Fatal(err)
	}
	out, err := accept(n.URL(4), "--wait=2m")
	if err != nil {
		t.Fatal(err)
	}
	var accepted struct{ Height uint64 }
	if err := json.Unmarshal(out, &accepted); err != nil {
		t.Fatal(err)
	}
	h := accepted.Height
	var four, five []string
	for i, node := range nodes {
		five = append(five, node.Authority)
		if i < 4 {
			four = append(four, node.Authority)
		}
	}
	slices.Sort(four)
	slices.Sort(five)
	for height, want := range map[uint64][]string{h: four, h + 1: four, h + 2: five, h + 3: five} {
		if got := deciders(t, rpc, height); !slices.Equal(got, want) {
			t.Errorf("accepted at height %d; %d is decided by %v, want %v", h, height, got, want)
		}
	}
	if got := setsTold(t, n, 4); len(got) != 1 || got[0].Height != h || got[0].InForce != h+2 || got[0].Count != 5 || !slices.Equal(got[0].Added, []string{"0x" + nodes[4].Authority}) {
		t.Errorf("accepted at height %d; the chain tells of %+v", h, got)
	}
	says(t, n, "goes on: 5 of 5 authorities vote, 4 are needed")
	signs(t, n, nodes[4].Authority, h+2)

	// The first leaves: four of five agree, the newcomer among them.
	r, err = govern(t, n, 0, keeper(0), "propose_remove", struct{ Operator address.Address }{keeper(0).Public().Address()})
	if err == nil {
		err = r.Decode(&proposed)
	}
	if err != nil {
		t.Fatal(err)
	}
	h = decide(t, n, proposed.Proposal, "done", 2, 3, 4).Height
	rest := slices.DeleteFunc(slices.Clone(five), func(key string) bool { return key == nodes[0].Authority })
	for height, want := range map[uint64][]string{h + 1: five, h + 2: rest, h + 3: rest} {
		if got := deciders(t, rpc, height); !slices.Equal(got, want) {
			t.Errorf("removed at height %d; %d is decided by %v, want %v", h, height, got, want)
		}
	}
	stop()
	flow.Wait()
	if t.Failed() {
		return
	}
	if _, _, err := n.Agree(ctx, h+3); err != nil { // it follows the chain still
		t.Fatal(err)
	}
	if err := n.Stop(0); err != nil {
		t.Fatal(err)
	}
	ring(t, n, 4, 4)
	says(t, n, "goes on: 4 of 4 authorities vote, 3 are needed")
	if got := setsTold(t, n, 2); len(got) != 2 || got[1].Height != h || !slices.Equal(got[1].Removed, []string{"0x" + nodes[0].Authority}) || len(got[1].Added) != 0 {
		t.Errorf("the chain tells of %+v", got)
	}

	report, err := watch.Finish(ctx)
	if err != nil || len(report.Wrong) != 0 || len(report.Nodes) != 5 {
		t.Fatalf("report %+v, %v", report, err)
	}
	for i := 1; i < 5; i++ {
		if r := report.Nodes[i]; !r.Running || r.Compared != report.To {
			t.Errorf("node %d: %+v, want all to height %d", i, r, report.To)
		}
		if want := 2 * (int(rung.Load()) + 4); recount(t, n, i, report.To) != want {
			t.Errorf("node %d streams another number of events than %d", i, want)
		}
	}
}

// signs waits until an authority's vote has decided a block of this height or a later one, and
// wants it to have decided none before.
func signs(t testing.TB, n *network.Network, key string, from uint64) {
	t.Helper()
	ctx := within(t, time.Minute)
	c := n.Client(1)
	defer c.Close()
	for {
		st, err := c.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(st.Authorities, func(a client.Authority) bool { return a.Key == key })
		if i >= 0 && st.Authorities[i].Signed >= from {
			return
		}
		if i >= 0 && st.Authorities[i].Signed > 0 {
			t.Fatalf("it has signed block %d, before %d", st.Authorities[i].Signed, from)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("it has signed nothing from %d on: %+v", from, st.Authorities)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
