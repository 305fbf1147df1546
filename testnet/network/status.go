package network

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wardledger/ward/sdk/client"
)

const (
	// lookEvery is how often nodes are looked at while something is waited for.
	lookEvery = 50 * time.Millisecond
	// askTimeout is how long a node may take to say how it is doing.
	askTimeout = 5 * time.Second
	// stillAfter is how long a block may take until the chain counts as standing still. A dead
	// proposer costs a second and a half.
	stillAfter = 4 * time.Second
)

// Status is how a network is doing.
type Status struct {
	Chain  string       `json:"chain"`
	Height uint64       `json:"height"` // the highest
	Says   string       `json:"says"`   // how the chain fares, in a sentence
	Nodes  []NodeStatus `json:"nodes"`

	Authorities int      `json:"authorities"`
	Voting      int      `json:"voting"`  // authorities that take part
	Needed      int      `json:"needed"`  // how many must
	Missing     []string `json:"missing"` // the others: "node 2", or a name or key if it isn't one of these nodes
	// Still is for how many seconds the authorities have been voting on the next block; more than
	// a few mean that the chain stands still.
	Still float64 `json:"still_seconds"`
}

// NodeStatus is how one node is doing.
type NodeStatus struct {
	Node       int      `json:"node"`
	Running    bool     `json:"running"`
	PID        int      `json:"pid,omitempty"`
	URL        string   `json:"url"`
	Log        string   `json:"log"`
	Height     uint64   `json:"height"`
	Root       string   `json:"root,omitempty"`
	LagSeconds float64  `json:"lag_seconds"`
	Peers      int      `json:"peers"`
	CatchingUp bool     `json:"catching_up"`
	Validator  bool     `json:"validator"`
	Missing    []string `json:"missing,omitempty"` // the authorities that it misses, as above
	Trouble    string   `json:"trouble,omitempty"` // why it doesn't run or answer
}

// GoesOn tells whether blocks come, or would if anything waited for one.
func (s *Status) GoesOn() bool {
	return s.Height > 0 && s.Voting >= s.Needed && s.Still <= stillAfter.Seconds()
}

// Whole tells whether all nodes run and have caught up, no authority is missing, and the chain
// goes on.
func (s *Status) Whole() bool {
	ails := func(n NodeStatus) bool { return !n.Answers() || n.Height == 0 || n.CatchingUp || len(n.Missing) > 0 }
	return s.GoesOn() && len(s.Missing) == 0 && !slices.ContainsFunc(s.Nodes, ails)
}

// Answers tells whether the node runs and says how it is doing.
func (n *NodeStatus) Answers() bool { return n.Running && n.Trouble == "" }

// Status asks all nodes how they are doing.
func (n *Network) Status(ctx context.Context) *Status {
	all := n.all()
	s := &Status{Nodes: make([]NodeStatus, len(all)), Missing: []string{}}
	answers := make([]*client.Status, len(all))
	var wait sync.WaitGroup
	for i, p := range all {
		wait.Go(func() { s.Nodes[i], answers[i] = p.status(ctx) })
	}
	wait.Wait()
	name := func(a client.Authority) string {
		for _, p := range all {
			if p.node.Authority != "" && p.node.Authority == a.Key {
				return fmt.Sprintf("node %d", p.index)
			}
		}
		if a.Name != "" {
			return a.Name
		}
		return fmt.Sprintf("%.8s", a.Key)
	}
	for i, a := range answers {
		if a == nil {
			continue
		}
		s.Chain = a.Chain
		s.Height = max(s.Height, a.Height)
		for _, authority := range a.Authorities {
			if authority.Missing {
				s.Nodes[i].Missing = append(s.Nodes[i].Missing, name(authority))
			}
		}
	}
	s.judge(answers, name)
	return s
}

// judge says how the chain fares.
func (s *Status) judge(answers []*client.Status, name func(client.Authority) string) {
	// The witness is who has come furthest, and among those who has waited longest.
	var witness *client.Status
	for _, a := range answers {
		if a != nil && !a.CatchingUp && (witness == nil || a.Height > witness.Height || a.Height == witness.Height && waited(a) > waited(witness)) {
			witness = a
		}
	}
	if witness == nil {
		s.Says = "no node answers that has caught up"
		if !slices.ContainsFunc(s.Nodes, func(n NodeStatus) bool { return n.Running }) {
			s.Says = "no node runs"
		}
		return
	}
	s.Authorities, s.Still = len(witness.Authorities), waited(witness)
	s.Needed = s.Authorities*2/3 + 1
	for _, a := range witness.Authorities {
		who := name(a)
		down := slices.ContainsFunc(s.Nodes, func(n NodeStatus) bool { return !n.Running && who == fmt.Sprintf("node %d", n.Node) })
		if a.Missing || down {
			s.Missing = append(s.Missing, who)
		}
	}
	slices.Sort(s.Missing)
	s.Voting = s.Authorities - len(s.Missing)
	missing := ""
	if len(s.Missing) > 0 {
		missing = "; missing: " + strings.Join(s.Missing, ", ")
	}
	vote := fmt.Sprintf("%d of %d authorities vote, %d are needed", s.Voting, s.Authorities, s.Needed)
	switch {
	case s.Still > stillAfter.Seconds():
		s.Says = fmt.Sprintf("stands still since %.0f s: %s%s", s.Still, vote, missing)
	case s.Voting < s.Needed:
		s.Says = fmt.Sprintf("can't go on: %s%s", vote, missing)
	case s.Height == 0:
		s.Says = fmt.Sprintf("has no block yet: %s%s", vote, missing)
	default:
		s.Says = fmt.Sprintf("goes on: %s%s", vote, missing)
	}
}

// waited is for how many seconds a node has been voting on the next block.
func waited(a *client.Status) float64 {
	if a.Deciding == nil {
		return 0
	}
	return a.Deciding.Seconds
}

func (p *process) status(ctx context.Context) (NodeStatus, *client.Status) {
	s := NodeStatus{Node: p.index, PID: p.pid(), URL: "http://" + p.http, Log: logFile(p.node.Home)}
	s.Running = s.PID != 0
	if !s.Running {
		if err := p.ended(); err != nil {
			s.Trouble = err.Error()
		}
		return s, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	c := &client.Client{URL: s.URL}
	defer c.Close()
	a, err := c.Status(ctx)
	if err != nil {
		s.Trouble = fmt.Sprintf("it does not answer: %v", err)
		return s, nil
	}
	s.Height, s.Root, s.LagSeconds = a.Height, a.Root, a.LagSeconds
	s.Peers, s.CatchingUp, s.Validator = a.Peers, a.CatchingUp, a.Validator
	return s, a
}

// Agree waits until every running node has reached the given height, or with 0 the highest
// that any of them has now, and has the same block and the same state there; it returns that
// height and its root. Nodes that differ are an error at once: they will never agree.
func (n *Network) Agree(ctx context.Context, height uint64) (uint64, string, error) {
	if height == 0 {
		height = max(n.Status(ctx).Height, 1)
	}
	var first *client.Block
	for _, p := range n.all() {
		b, err := p.block(ctx, height, n.config.Say)
		switch {
		case err != nil:
			return height, "", fmt.Errorf("network: %w", err)
		case b == nil: // it doesn't run
		case first == nil:
			first = b
		case b.Root != first.Root || b.Hash != first.Hash:
			return height, "", fmt.Errorf("network: node %d has block %.16s with root %s at height %d, another node has %.16s with %s",
				p.index, b.Hash, b.Root, height, first.Hash, first.Root)
		}
	}
	if first == nil {
		return height, "", errors.New("network: no node runs")
	}
	return height, first.Root, nil
}

// block is the node's block at a height, for which it waits, or nil if the node doesn't run.
func (p *process) block(ctx context.Context, height uint64, say func(string, ...any)) (*client.Block, error) {
	c := &client.Client{URL: "http://" + p.http}
	defer c.Close()
	for {
		if p.pid() == 0 {
			return nil, p.ended()
		}
		b, err := c.Block(ctx, height)
		if err == nil {
			return b, nil
		}
		if no, ok := errors.AsType[*client.Unserved](err); ok && !no.FutureHeight() && !no.Temporary() {
			return nil, fmt.Errorf("node %d: %w", p.index, err)
		}
		say("waiting for node %d to reach height %d", p.index, height)
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("node %d has not reached height %d: %w", p.index, height, errors.Join(context.Cause(ctx), err))
		case <-time.After(lookEvery):
		}
	}
}
