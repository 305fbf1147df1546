package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wardledger/ward/sdk/client"
)

const (
	// MaxNodes is how many nodes a network has at most: the thirty authorities that Ward is
	// for, and two that come and go.
	MaxNodes = 32
	// startTimeout is how long a node may take until it answers over HTTP, on a busy machine,
	// with blocks to repeat.
	startTimeout = 2 * time.Minute
	// stopTimeout is how long a node may take to stop when asked; then it is killed.
	stopTimeout = 20 * time.Second
)

// Node is a node that a network is to run.
type Node struct {
	// Home is the node's folder, with keys and genesis in it. Required.
	Home string
	// ID is its name among peers, 40 hexadecimal digits. Required.
	ID string
	// Authority is the public key with which it votes, in hex; it tells who is missing.
	Authority string
	// Flags are further options of "ward node", such as "--keep=100".
	Flags []string
}

// Config is what a network is made of. Zero fields mean their defaults.
type Config struct {
	// Program is the command whose "node" subcommand runs a node, such as {"/usr/bin/ward"}.
	// Required.
	Program []string
	// Nodes are the nodes, at least one. Required.
	Nodes []Node
	// Rate is how many HTTP requests a second a node takes from one address; negative for no
	// limit, which is what a benchmark wants. 0 means the node's own default.
	Rate float64
	// LogLevel is how much the nodes log. Default "info".
	LogLevel string
	// Cache is a folder in which the nodes share compiled contracts; only this user may be able to
	// write there. Then node 0 is started before the others, which find there what it
	// compiled. Default: each has its own.
	Cache string
	// Flags are further options of "ward node" for all nodes.
	Flags []string
	// Say is told what is being waited for, now and then. Default: nobody is.
	Say func(format string, args ...any)
}

// Validate reports the first field that can't work.
func (c Config) Validate() error {
	if len(c.Program) == 0 || c.Program[0] == "" {
		return errors.New("network: no program is named")
	}
	if len(c.Nodes) == 0 || len(c.Nodes) > MaxNodes {
		return fmt.Errorf("network: %d nodes, must be 1 to %d", len(c.Nodes), MaxNodes)
	}
	for i, n := range c.Nodes {
		if err := n.validate(); err != nil {
			return fmt.Errorf("network: node %d: %w", i, err)
		}
	}
	return nil
}

var nodeID = regexp.MustCompile(`^[0-9a-f]{40}$`)

func (n Node) validate() error {
	if n.Home == "" {
		return errors.New("no home folder is named")
	}
	if !nodeID.MatchString(n.ID) {
		return fmt.Errorf("its id %q is not 40 lower-case hexadecimal digits", n.ID)
	}
	return nil
}

// Network is a chain's nodes on this machine. Its methods may be called by anybody at any time.
type Network struct {
	config Config

	mu     sync.Mutex // guards the list, not the processes
	nodes  []*process
	downed bool
}

// Up starts the nodes and returns when all of them answer. If one doesn't, all are taken down
// again. ctx bounds Up alone; the network runs until Down. A node that ends by itself later is
// not started again: Status tells of it.
func Up(ctx context.Context, c Config) (*Network, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	n := &Network{config: c}
	if n.config.LogLevel == "" {
		n.config.LogLevel = "info"
	}
	if n.config.Say == nil {
		n.config.Say = func(string, ...any) {}
	}
	taken := map[string]bool{}
	for i, node := range c.Nodes {
		p, err := newProcess(i, node, taken)
		if err != nil {
			return nil, fmt.Errorf("network: %w", err)
		}
		n.nodes = append(n.nodes, p)
	}
	if err := n.up(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("network: %w", err), n.Down())
	}
	return n, nil
}

// up starts all nodes and waits for them.
func (n *Network) up(ctx context.Context) error {
	for i, p := range n.nodes {
		if err := p.start(n.command(p)); err != nil {
			return err
		}
		if i == 0 && n.config.Cache != "" {
			n.config.Say("waiting for node 0 to compile the contracts")
			if err := p.answers(ctx); err != nil {
				return err
			}
		}
	}
	for _, p := range n.nodes {
		n.config.Say("waiting for node %d of %d", p.index, len(n.nodes))
		if err := p.answers(ctx); err != nil {
			return err
		}
	}
	return nil
}

// command is the command line of a node.
func (n *Network) command(p *process) []string {
	args := append([]string{}, n.config.Program...)
	args = append(args, "node", "--with-stdin", "--json", "--home", p.node.Home, "--name", fmt.Sprintf("node-%d", p.index),
		"--listen", p.http, "--p2p", p.p2p, "--rpc", "none", "--log-level", n.config.LogLevel)
	if n.config.Rate != 0 {
		args = append(args, fmt.Sprintf("--rate=%g", n.config.Rate))
	}
	if n.config.Cache != "" {
		args = append(args, "--cache", n.config.Cache)
	}
	for _, other := range n.all() {
		if other != p {
			args = append(args, "--peer", other.node.ID+"@"+other.p2p)
		}
	}
	return append(append(args, n.config.Flags...), p.node.Flags...)
}

// all are the nodes so far.
func (n *Network) all() []*process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*process{}, n.nodes...)
}

// node is one of them.
func (n *Network) node(i int) (*process, error) {
	all := n.all()
	if i < 0 || i >= len(all) {
		return nil, fmt.Errorf("network: there is no node %d: they are 0 to %d", i, len(all)-1)
	}
	return all[i], nil
}

// Len is how many nodes there are, running or not.
func (n *Network) Len() int { return len(n.all()) }

// URL is where node i listens, whether it runs or not; it stays the same when the node is
// started again. There must be a node i.
func (n *Network) URL(i int) string { return "http://" + n.all()[i].http }

// PID is the process of node i, or 0 while it doesn't run. There must be a node i.
func (n *Network) PID(i int) int { return n.all()[i].pid() }

// Home is the home of node i. There must be a node i.
func (n *Network) Home(i int) string { return n.all()[i].node.Home }

// Log is the file in which node i logs, over all its lives. There must be a node i.
func (n *Network) Log(i int) string { return logFile(n.all()[i].node.Home) }

func logFile(home string) string { return filepath.Join(home, "node.log") }

// AddNode starts one more node, which knows all the others as its peers, and returns its
// number when it answers. The others let it in; those that are started anew later dial it too.
func (n *Network) AddNode(ctx context.Context, node Node) (int, error) {
	if err := node.validate(); err != nil {
		return 0, fmt.Errorf("network: %w", err)
	}
	n.mu.Lock()
	if len(n.nodes) == MaxNodes || n.downed {
		n.mu.Unlock()
		return 0, fmt.Errorf("network: no room for another node: it is down, or has %d", MaxNodes)
	}
	taken := map[string]bool{}
	for _, other := range n.nodes {
		taken[other.http], taken[other.p2p] = true, true
	}
	p, err := newProcess(len(n.nodes), node, taken)
	if err != nil {
		n.mu.Unlock()
		return 0, fmt.Errorf("network: %w", err)
	}
	n.nodes = append(n.nodes, p)
	n.mu.Unlock()
	return p.index, n.Start(ctx, p.index)
}

// Kill ends node i at once, as a power cut would, and returns when it is gone. A node that
// doesn't run is left as it is.
func (n *Network) Kill(i int) error {
	p, err := n.node(i)
	if err != nil {
		return err
	}
	return p.kill()
}

// Stop asks node i to end in order, and returns when it is gone.
func (n *Network) Stop(i int) error {
	p, err := n.node(i)
	if err != nil {
		return err
	}
	return p.stop()
}

// Start starts node i and returns when it answers. It may still have to catch up then. A node
// that runs is left as it is.
func (n *Network) Start(ctx context.Context, i int) error {
	p, err := n.node(i)
	if err != nil {
		return err
	}
	n.mu.Lock()
	downed := n.downed
	n.mu.Unlock()
	if downed {
		return errors.New("network: it is down")
	}
	if err := p.start(n.command(p)); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	if err := p.answers(ctx); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	return nil
}

// Down stops all nodes and returns when they are gone. It may be called again. The error names
// nodes that did not end as they should; they are gone all the same.
func (n *Network) Down() error {
	n.mu.Lock()
	n.downed = true
	nodes := append([]*process{}, n.nodes...)
	n.mu.Unlock()
	errs := make([]error, len(nodes))
	var wait sync.WaitGroup
	for i, p := range nodes {
		wait.Go(func() { errs[i] = p.stop() })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// Calm tells whether all nodes run, and have for this long or from the beginning: whether nothing
// that takes longer than usual can be laid to a node that was down.
func (n *Network) Calm(d time.Duration) bool {
	return !slices.ContainsFunc(n.all(), func(p *process) bool { return !p.calm(d) })
}

// Deaths says which nodes have ended without being asked to, and how.
func (n *Network) Deaths() (deaths []error) {
	for _, p := range n.all() {
		if err := p.ended(); err != nil {
			deaths = append(deaths, err)
		}
	}
	return deaths
}

// Client talks to node i. Close it. There must be a node i.
func (n *Network) Client(i int) *client.Client { return &client.Client{URL: n.URL(i)} }

// lastLine is the end of a log, for an error about whoever wrote it.
func lastLine(file string) string {
	const tail = 2048 // bytes; a line of a log is a few hundred
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > tail {
		_, _ = f.Seek(-tail, 2) // at worst the line is the file's first
	}
	b := make([]byte, tail)
	size, _ := f.Read(b)
	lines := strings.Split(strings.TrimSpace(string(b[:size])), "\n")
	return lines[len(lines)-1]
}
