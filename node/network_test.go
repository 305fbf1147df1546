package node_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/api"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/testnet/port"
)

// free is an address of this machine on which nobody listens at the moment, and that nobody gets by chance.
func free(t testing.TB, taken map[string]bool) string {
	t.Helper()
	address, err := port.Free(taken)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Three authorities that share a genesis commit what any of them is given, to the same
// state, and one that was away catches up.
func TestThreeAuthorities(t *testing.T) {
	const n = 3
	var (
		configs [n]node.Config
		ids     [n]node.Identity
		peers   [n]string
	)
	g := &genesis.Genesis{Chain: "node-test", Time: time.Now(), Operator: key(t, 1).Public().Address()}
	taken := map[string]bool{}
	for i := range n {
		configs[i] = config(t, filepath.Join(t.TempDir(), "home"))
		configs[i].P2P = free(t, taken)
		var err error
		if ids[i], err = node.CreateKeys(configs[i].Home); err != nil {
			t.Fatal(err)
		}
		peers[i] = ids[i].NodeID + "@" + configs[i].P2P
		g.Authorities = append(g.Authorities, genesis.Authority{Name: fmt.Sprint("authority ", i), Key: ids[i].Authority})
		g.Accounts = append(g.Accounts, genesis.Account{Key: key(t, byte(i+1)).Public().Bytes, QuotaPerHour: 1 << 50, Scope: genesis.Everything()})
	}
	for i := range n {
		configs[i].Peers = append(append([]string{}, peers[:i]...), peers[i+1:]...)
		if err := node.WriteGenesis(configs[i].Home, g); err != nil {
			t.Fatal(err)
		}
	}
	var nodes [n]*node.Node
	for i := range n {
		nodes[i] = opened(t, configs[i])
	}
	// until waits for a height, and for its root to be the same everywhere.
	agree := func(height uint64) {
		t.Helper()
		deadline := time.After(patience)
		var root []byte
		for i, node := range nodes {
			for {
				h, raised := node.Log().Signal()
				if h >= height {
					break
				}
				select {
				case <-raised:
				case <-deadline:
					t.Fatalf("node %d is at height %d, want %d; %+v", i, h, height, node.Condition())
				}
			}
			b, err := node.Log().Block(height)
			if err != nil {
				t.Fatal(err)
			}
			if i > 0 && !bytes.Equal(b.Root, root) {
				t.Fatalf("node %d has root %x at height %d, node 0 has %x", i, b.Root, height, root)
			}
			root = b.Root
		}
	}
	agree(1)
	var (
		wait    sync.WaitGroup
		mu      sync.Mutex
		highest uint64
	)
	for i := range n {
		wait.Go(func() {
			for sequence := range uint64(5) {
				asked := time.Now()
				a, err := post(t.Context(), nodes[i].HTTP(), knock(t, byte(i+1), sequence+1), untilCommit)
				if err != nil || a.Code != "unknown_contract" {
					t.Errorf("node %d: %+v, %v", i, a, err)
					return
				}
				onTime(t, asked, a)
				mu.Lock()
				highest = max(highest, a.Height)
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if t.Failed() {
		return
	}
	agree(highest)

	// Deployments that are sent at once, here and there, have a block each.
	blocks := make(map[uint64]bool)
	for i := range uint64(4) {
		wait.Go(func() {
			a, err := post(t.Context(), nodes[i%n].HTTP(), deploy(t, i+1), untilCommit)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || a.Code != "ok" || blocks[a.Height] {
				t.Errorf("deployment %d: %+v, %v; blocks with another: %v", i, a, err, blocks)
			}
			blocks[a.Height] = true
			highest = max(highest, a.Height)
		})
	}
	wait.Wait()
	agree(highest)

	// Two of three are not more than two thirds: the chain stands still while one is away,
	// and goes on when it is back, with what was handed in meanwhile.
	if err := nodes[2].Close(); err != nil {
		t.Fatal(err)
	}
	if a, err := post(t.Context(), nodes[0].HTTP(), knock(t, 1, 6), "check"); err != nil || a.HTTP != http.StatusAccepted {
		t.Fatalf("%+v, %v", a, err)
	}
	for deadline := time.Now().Add(patience); ; { // somebody who asks is told who is missing
		c := nodes[0].Condition()
		missing := slices.DeleteFunc(slices.Clone(c.Authorities), func(a api.Authority) bool { return !a.Missing })
		if len(missing) == 1 && c.Deciding != nil {
			if d := c.Deciding; d.Voted != 2 || d.Needed != 3 || d.Height != nodes[0].Log().Height()+1 || !bytes.Equal(missing[0].Key, ids[2].Authority) || missing[0].Name != "authority 2" {
				t.Errorf("deciding %+v, missing %+v", d, missing)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the third authority is not missed: %+v", c)
		}
		<-time.After(50 * time.Millisecond)
	}
	nodes[2] = opened(t, configs[2])
	late := committed(t, nodes[1], knock(t, 2, 6))
	agree(late.Height)
	x, err := tx.Decode(knock(t, 1, 6))
	if err != nil {
		t.Fatal(err)
	}
	agree(late.Height + 1) // at the latest
	if r, err := nodes[2].Log().Tx(x.ID()); err != nil || r == nil {
		t.Errorf("what was handed in while one was away: %+v, %v", r, err)
	}
	for _, a := range nodes[0].Condition().Authorities {
		if a.Missing {
			t.Errorf("missed although it is back: %+v", a)
		}
	}
	if c := nodes[2].Condition(); !c.Validator || len(c.Authorities) != n || len(c.Peers) == 0 || c.CatchingUp {
		t.Errorf("condition %+v", c)
	}
}

// deploy is the operator's deployment of a small contract, another for each sequence.
func deploy(t testing.TB, sequence uint64) []byte {
	t.Helper()
	args := cbor.AppendBytes(cbor.AppendText(cbor.AppendMap(nil, 2), "code"), small(int32(sequence)))
	args = cbor.AppendText(cbor.AppendText(args, "name"), fmt.Sprint("small-", sequence))
	raw, err := tx.Sign(&tx.Tx{
		Chain: "node-test", Sequence: sequence, GasLimit: tx.MaxGas / 4, Contract: tx.DeployContract, Method: "deploy", Args: args,
	}, key(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A stock light client asks CometBFT's RPC: the chain's genesis, and the results of a block,
// which the next header commits to.
func TestRPC(t *testing.T) {
	c := config(t, newHome(t))
	c.RPC = free(t, map[string]bool{})
	n := opened(t, c)
	a := committed(t, n, knock(t, 1, 1))
	ask := func(path string, result any) {
		t.Helper()
		res, err := http.Get("http://" + c.RPC + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&struct {
			Result any `json:"result"`
		}{result}); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	var block struct {
		Results []struct {
			Code uint32
			Data []byte
		} `json:"txs_results"`
	}
	ask(fmt.Sprint("/block_results?height=", a.Height), &block)
	record, err := n.Log().Tx([32]byte(unhex(t, a.ID)))
	if err != nil || record == nil {
		t.Fatalf("%+v, %v", record, err)
	}
	if len(block.Results) != 1 || block.Results[0].Code != uint32(record.Receipt.Code) || !bytes.Equal(block.Results[0].Data, record.Receipt.Data()) {
		t.Errorf("block results %+v, the receipt is %+v", block, record.Receipt)
	}
	var doc struct {
		Genesis struct {
			AppState json.RawMessage `json:"app_state"`
		}
	}
	ask("/genesis", &doc)
	if g, err := genesis.Parse(doc.Genesis.AppState); err != nil || g.Digest() != n.Genesis().Digest() {
		t.Errorf("the genesis that the RPC gives is another: %v", err)
	}
}
