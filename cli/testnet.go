package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/testnet/network"
	"github.com/wardledger/ward/testnet/site"
)

// finishTimeout is how long the nodes may take at the end until all have the newest block: one
// that was started a moment ago catches up first.
const finishTimeout = time.Minute

// calmFor is how long after a node has come back steps of the site may still come too late: what
// was sent while the chain stood still is in blocks by then.
const calmFor = time.Minute

func testnetCommand() *urfave.Command {
	homeOf := &urfave.StringFlag{Name: "home", Usage: "`FOLDER` of the network, which \"up\" prints"}
	return &urfave.Command{
		Name: "testnet", Usage: "run several authorities on this machine, and break them",
		Description: `Starts authorities as processes of their own, each with its own home, keys and log, and the site
of "ward dev" on them: the parties talk to node 0, and the last node is read and followed.

  ward testnet up --home ./net             four authorities, until Ctrl-C
  ward testnet status --home ./net         from another terminal
  ward testnet kill 2 --home ./net         as a power cut would
  ward testnet start 2 --home ./net
  ward testnet down --home ./net`,
		Subcommands: []*urfave.Command{
			{
				Name: "up", Usage: "start a network and a simulated site on it",
				Description: `Makes keys and genesis for as many authorities as --nodes says, starts them on free ports of
loopback, waits until all agree, and tells the story of the site until Ctrl-C or "ward testnet down".
Each node's log is node.log in its home.

  ward testnet up
  ward testnet up --nodes 4 --for 60s --json     one object a line, the last is the summary
  ward testnet up --home ./net                   keeps keys and chains, and goes on with them next time

When too many nodes are down for the chain to go on, the site waits, and goes on with it or begins
anew. What it does too late meanwhile is not counted against the chain, but what is allowed that
should not be is. At the end, all blocks made meanwhile are compared: each must have the same hash and the
same state root on every node, and each node must have streamed each event exactly once.

Exits with 1 if that is not so, or if a step of the site did not come out as it should. The keys of
the parties lie unencrypted in the home, for "ward call --home HOME --key owner ...". No node
outlives this command, however it ends.`,
				Flags: []urfave.Flag{
					&urfave.IntFlag{Name: "nodes", Value: 4, Usage: "`NUMBER` of authorities"},
					&urfave.DurationFlag{Name: "for", Usage: "end after this `TIME`, but not before the first round is told", DefaultText: "until Ctrl-C"},
					&urfave.StringFlag{Name: "home", Usage: "`FOLDER` to keep keys and chains in", DefaultText: "a temporary one, removed at the end"},
					&urfave.Int64Flag{Name: "speed", Value: site.DefaultSpeed, Usage: fmt.Sprintf("how many times as fast as time the market's time passes, 1 to %d: `N`", site.MaxSpeed)},
					jsonFlag,
				},
				Action: testnetUp,
			},
			{
				Name: "status", Usage: "how the nodes are doing, and who is missing",
				Flags: []urfave.Flag{
					homeOf, jsonFlag,
					&urfave.DurationFlag{Name: "wait", Usage: "wait up to this `TIME` for all nodes to run and the chain to go on"},
				},
				Action: testnetStatus,
			},
			{
				Name: "kill", Usage: "end a node at once", ArgsUsage: "NODE",
				Flags:  []urfave.Flag{homeOf, jsonFlag},
				Action: testnetNode("killed", (*network.Control).Kill),
			},
			{
				Name: "start", Usage: "start a node that is down", ArgsUsage: "NODE",
				Flags:  []urfave.Flag{homeOf, jsonFlag},
				Action: testnetNode("started", (*network.Control).Start),
			},
			{
				Name: "down", Usage: "end the network, and wait until it has ended",
				Flags: []urfave.Flag{homeOf, jsonFlag}, Action: testnetDown,
			},
		},
	}
}

// testnetSummary is the last object of "ward testnet up --json".
type testnetSummary struct {
	site.Summary
	Interruptions int             `json:"interruptions"` // how often the site had to begin anew, because nodes were down
	Disturbed     int             `json:"disturbed"`     // steps that came out otherwise while nodes were down, and don't count
	Network       *network.Report `json:"network"`
}

func testnetUp(c *urfave.Context) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	switch {
	case c.Duration("for") < 0:
		return usagef("--for %v: a time can't be negative", c.Duration("for"))
	case c.Int("nodes") < 1 || c.Int("nodes") > network.MaxNodes:
		return usagef("--nodes %d: must be 1 to %d", c.Int("nodes"), network.MaxNodes)
	case c.Int64("speed") < 1 || c.Int64("speed") > site.MaxSpeed:
		return usagef("--speed %d: 1 to %d", c.Int64("speed"), site.MaxSpeed)
	}
	home := c.String("home")
	if home == "" {
		temporary, err := os.MkdirTemp("", "ward-testnet-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		home = temporary
	}
	s, err := newSession(c, option{json: c.Bool(jsonFlag.Name), home: home})
	if err != nil {
		return err
	}
	defer s.close()
	t := &testnet{session: s, length: c.Duration("for")}
	if err := t.makeHomes(c); err != nil {
		return err
	}
	ctx, down := context.WithCancel(s.ctx)
	defer down()
	return t.run(ctx, down)
}

// testnet is a network under "ward testnet up".
type testnet struct {
	*session
	length  time.Duration
	chain   string
	parties map[string]*tx.SecretKey
	nodes   []network.Node
	network *network.Network
}

// nodeHome is the home of a node of the network.
func (t *testnet) nodeHome(i int) string { return filepath.Join(t.home, fmt.Sprintf("node-%d", i)) }

// makeHomes makes the homes of the nodes, or finds them: then what is asked for on the command
// line must be what the chain began with. What was begun and not finished is finished.
func (t *testnet) makeHomes(c *urfave.Context) error {
	count, speed := c.Int("nodes"), c.Int64("speed")
	if _, err := os.Stat(filepath.Join(t.home, "genesis.json")); err == nil {
		return hint(fmt.Errorf("%s is the home of a single node", t.home), "another --home")
	}
	// In any home: who was stopped while homes were made has left the genesis in some of them, and
	// another one in the rest would be another chain.
	var found *genesis.Genesis
	for i := 0; i < network.MaxNodes && found == nil; i++ {
		var err error
		if found, err = t.siteChain(t.nodeHome(i), "ward testnet"); err != nil {
			return err
		}
	}
	if found != nil {
		if has := len(found.Authorities); c.IsSet("nodes") && has != count {
			return hint(fmt.Errorf("--nodes %d: chain %s in %s began with %d authorities", count, found.Chain, t.home, has),
				"--nodes %d, or another --home", has)
		}
		if c.IsSet("speed") {
			if err := t.checkSpeed(found, speed); err != nil {
				return err
			}
		}
		count = len(found.Authorities)
	}
	keys, err := t.siteKeys()
	if err != nil {
		return err
	}
	t.parties = keys.parties
	var authorities []genesis.Authority
	for i := range count {
		id, err := node.CreateKeys(t.nodeHome(i))
		if err != nil {
			return err
		}
		t.nodes = append(t.nodes, network.Node{Home: t.nodeHome(i), ID: id.NodeID, Authority: hex.EncodeToString(id.Authority)})
		authorities = append(authorities, genesis.Authority{Name: fmt.Sprintf("node-%d", i), Key: id.Authority})
	}
	if found == nil {
		if found, err = t.siteGenesis("ward-testnet-", keys, authorities, speed); err != nil {
			return err
		}
	}
	t.chain = found.Chain
	for _, n := range t.nodes {
		err := node.WriteGenesis(n.Home, found)
		if errors.Is(err, fs.ErrExist) {
			err = sameGenesis(n.Home, found)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sameGenesis tells whether a home begins the chain that the others do.
func sameGenesis(home string, g *genesis.Genesis) error {
	has, err := node.ReadGenesis(home)
	if err != nil {
		return err
	}
	if has.Digest() != g.Digest() {
		return hint(fmt.Errorf("%s is a home of chain %s, the network's is %s", home, has.Chain, g.Chain), "another --home, or remove that folder")
	}
	return nil
}

// run runs the network until ctx ends, the time is over or something breaks.
func (t *testnet) run(ctx context.Context, down func()) (err error) {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	p := t.progress()
	t.network, err = network.Up(ctx, network.Config{Program: []string{program}, Nodes: t.nodes, Rate: -1, LogLevel: "warn",
		Cache: filepath.Join(t.home, "cache"), Say: p.say,
	})
	if err != nil {
		p.done()
		if t.ctx.Err() != nil {
			return nil // stopped before it was up, as asked
		}
		return err
	}
	closer := func() error { return nil }
	// The nodes first: who waits for the end does so by what closer removes.
	defer func() { err = errors.Join(err, t.network.Down(), closer()) }()
	serve, err := t.network.Serve(t.home, down)
	if err != nil {
		p.done()
		return err
	}
	closer = serve
	watch, err := t.network.Watch(ctx)
	p.done()
	if err == nil {
		defer watch.Close()
	}
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	if err := t.banner(); err != nil {
		return err
	}
	summary, siteErr := t.story(ctx)
	stopped := ctx.Err() != nil

	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	p.say("comparing the nodes")
	report, err := watch.Finish(finish)
	p.done()
	summary.Network = report
	summary.Wrong = append(summary.Wrong, report.Wrong...)
	if err != nil {
		summary.Wrong = append(summary.Wrong, fmt.Sprintf("the nodes could not be compared to the end: %v", err))
	}
	for _, err := range t.network.Deaths() {
		summary.Wrong = append(summary.Wrong, err.Error())
	}
	summary.OK = len(summary.Wrong) == 0 && (stopped || siteErr == nil && summary.Rounds > 0)
	if err := t.summary(summary); err != nil {
		return err
	}
	switch {
	case siteErr != nil && !stopped:
		return siteErr
	case len(summary.Wrong) > 0:
		return fmt.Errorf("%d things came out as they should not", len(summary.Wrong))
	}
	return nil
}

// story tells the site's story until ctx ends or the time is over. Where nodes that are down
// stop it, it waits for them, and begins a round anew.
func (t *testnet) story(ctx context.Context) (all testnetSummary, err error) {
	var end time.Time
	if t.length > 0 {
		end = time.Now().Add(t.length)
	}
	excused := false
	for {
		var wrong []string
		began := time.Now()
		config := site.Config{
			Node: t.network.URL(0), Read: t.network.URL(t.network.Len() - 1), Keys: t.parties,
			Report: func(step site.Step) {
				switch {
				case step.Wanted == "":
				case step.Decision != "allow" && !t.network.Calm(calmFor):
					all.Disturbed++
				default:
					wrong = append(wrong, fmt.Sprintf("the %s %s: %s, but %s is right", step.Who, step.Does, step.Decision, step.Wanted))
				}
				t.devStep(step)
			},
		}
		if t.length > 0 {
			config.For = max(time.Until(end), time.Millisecond)
		}
		summary, err := site.Run(ctx, config)
		add(&all.Summary, summary)
		if t.network.Calm(time.Since(began)) {
			wrong = summary.Wrong // with what its dashboard and its market found
		}
		all.Wrong = append(all.Wrong, wrong...)
		// A node that was down may be back by now: what failed because of it is told anew all the same, but not twice on end.
		broken := t.broken(ctx)
		if err == nil || ctx.Err() != nil || !broken && (excused || t.network.Calm(time.Since(began))) {
			return all, err
		}
		excused = !broken
		all.Interruptions++
		if err := t.whole(ctx, end); err != nil {
			return all, err
		}
	}
}

// add sums up what several tellings of the story came to.
func add(all *site.Summary, s site.Summary) {
	all.Height, all.Price, all.MoneySum = max(all.Height, s.Height), s.Price, s.MoneySum
	all.Transactions += s.Transactions
	all.Events += s.Events
	all.Denied += s.Denied
	all.Rounds += s.Rounds
	all.ClearedSlots += s.ClearedSlots
	all.ClearedWh += s.ClearedWh
	all.SettledSlots += s.SettledSlots
	all.Readings += s.Readings
}

// broken tells whether the site can't do its work because of nodes that are down.
func (t *testnet) broken(ctx context.Context) bool {
	s := t.network.Status(ctx)
	return !s.GoesOn() || !s.Nodes[0].Answers() || !s.Nodes[len(s.Nodes)-1].Answers()
}

// whole waits until the site can go on.
func (t *testnet) whole(ctx context.Context, end time.Time) error {
	said := 0 // how many nodes were down when it was said
	for t.broken(ctx) {
		status := t.network.Status(ctx)
		down := 0
		for _, n := range status.Nodes {
			if !n.Answers() {
				down++
			}
		}
		if down != said && !t.json {
			fmt.Fprintf(t.err, "the site waits, %d of %d nodes are down; the chain %s\n", down, len(status.Nodes), text(status.Says))
			said = down
		}
		if !end.IsZero() && time.Now().After(end) {
			return fmt.Errorf("the time was over while the site waited: %s", t.network.Status(ctx).Says)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return nil
}

// banner says where everything is.
func (t *testnet) banner() error {
	type place struct {
		Node int    `json:"node"`
		URL  string `json:"url"`
		Home string `json:"home"`
		Log  string `json:"log"`
	}
	places := []place{}
	for i := range t.network.Len() {
		places = append(places, place{i, t.network.URL(i), t.network.Home(i), t.network.Log(i)})
	}
	result := struct {
		Chain string  `json:"chain"`
		Home  string  `json:"home"`
		Nodes []place `json:"nodes"`
	}{t.chain, t.home, places}
	return t.print(result, func() {
		rows := [][]string{{"chain", t.chain}}
		for _, p := range places {
			rows = append(rows, []string{fmt.Sprintf("node %d", p.Node), p.URL, p.Log})
		}
		t.table(append(rows,
			[]string{"home", t.home},
			[]string{"try", "ward testnet status --home " + t.home},
			[]string{"", "ward events --follow --node " + places[len(places)-1].URL}))
		t.printf("\n")
	})
}

// summary shows what came of it all.
func (t *testnet) summary(s testnetSummary) error {
	if t.json {
		return t.print(s, nil)
	}
	if r := s.Network; r.From <= r.To {
		running, events := 0, uint64(0)
		for _, n := range r.Nodes {
			if n.Running {
				running++
				events = max(events, n.Events)
			}
		}
		t.printf("\nblocks %d to %d compared on %d nodes that run, of %d, with the %d events that each streamed; root %s\n", r.From, r.To, running, len(r.Nodes), events, r.Root)
	}
	if s.Interruptions > 0 || s.Disturbed > 0 {
		t.printf("while nodes were down, the site began anew %d times, and %d steps came out otherwise\n", s.Interruptions, s.Disturbed)
	}
	return t.devSummary(s.Summary)
}

// control finds the network that a command is about.
func control(c *urfave.Context, names ...string) (*session, *network.Control, []string, error) {
	args, err := arguments(c, names...)
	if err != nil {
		return nil, nil, nil, err
	}
	if c.String("home") == "" {
		return nil, nil, nil, usagef("which network? --home with the folder that \"ward testnet up\" printed")
	}
	s, err := begin(c)
	if err != nil {
		return nil, nil, nil, err
	}
	to, err := s.dialNetwork(c.Duration("wait"))
	return s, to, args, err
}

// dialNetwork finds the network in the home, and looks for it for up to wait.
func (s *session) dialNetwork(wait time.Duration) (*network.Control, error) {
	p := s.progress()
	defer p.done()
	for end := time.Now().Add(wait); ; {
		to, err := network.Dial(s.home)
		switch {
		case !errors.Is(err, network.ErrNotUp):
			return to, err
		case time.Now().After(end):
			return nil, hint(fmt.Errorf("no network runs in %s", s.home), "\"ward testnet up --home %s\" starts it", s.home)
		}
		p.say("waiting for a network in %s", s.home)
		select {
		case <-s.ctx.Done():
			return nil, s.ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// awaitNetwork asks how the network is doing, for up to wait until nothing ails it.
func (s *session) awaitNetwork(to *network.Control, wait time.Duration) (*network.Status, error) {
	p := s.progress()
	defer p.done()
	for end := time.Now().Add(wait); ; {
		status, err := to.Status(s.ctx)
		if err != nil || wait == 0 || status.Whole() {
			return status, err
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("after %v the chain %s", wait, status.Says)
		}
		p.say("the chain %s", status.Says)
		select {
		case <-s.ctx.Done():
			return nil, s.ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func testnetStatus(c *urfave.Context) error {
	began := time.Now()
	s, to, _, err := control(c)
	if err != nil {
		return err
	}
	defer to.Close()
	wait := c.Duration("wait")
	if wait > 0 {
		wait = max(wait-time.Since(began), time.Millisecond)
	}
	status, err := s.awaitNetwork(to, wait)
	if err != nil {
		return err
	}
	return s.print(status, func() {
		s.table([][]string{
			{"chain", status.Chain},
			{"height", strconv.FormatUint(status.Height, 10)},
			{"it", status.Says},
		})
		s.printf("\n")
		rows := [][]string{{"node", "", "height", "root", "peers", "url", ""}}
		for _, n := range status.Nodes {
			row := []string{strconv.Itoa(n.Node), "down", "", "", "", n.URL, n.Trouble}
			if n.Answers() {
				row = []string{strconv.Itoa(n.Node), "runs", strconv.FormatUint(n.Height, 10), fmt.Sprintf("%.16s", n.Root), strconv.Itoa(n.Peers), n.URL, ""}
				if n.CatchingUp {
					row[1] = "catches up"
				}
				if len(n.Missing) > 0 {
					row[6] = "misses " + strings.Join(n.Missing, ", ")
				}
			} else if n.Running {
				row[1] = "is silent"
			}
			rows = append(rows, row)
		}
		s.table(rows)
	})
}

// testnetNode is a command about one node.
func testnetNode(done string, do func(*network.Control, context.Context, int) error) urfave.ActionFunc {
	return func(c *urfave.Context) error {
		if i, err := strconv.Atoi(c.Args().First()); c.Args().Present() && (err != nil || i < 0) {
			return usagef("%q is not the number of a node: the first is 0", c.Args().First())
		}
		s, to, args, err := control(c, "the number of a node")
		if err != nil {
			return err
		}
		defer to.Close()
		i, _ := strconv.Atoi(args[0]) // it is one
		if err := do(to, s.ctx, i); err != nil {
			return err
		}
		return s.print(map[string]any{"node": i, "done": done}, func() { s.printf("node %d is %s\n", i, done) })
	}
}

func testnetDown(c *urfave.Context) error {
	s, to, _, err := control(c)
	if err != nil {
		return err
	}
	defer to.Close()
	p := s.progress()
	p.say("waiting for the network to end")
	err = to.Down(s.ctx)
	p.done()
	if err != nil {
		return err
	}
	return s.print(map[string]any{"done": "down"}, func() { s.printf("the network in %s is down\n", s.home) })
}
