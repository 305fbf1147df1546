package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/testnet/bench"
	"github.com/wardledger/ward/testnet/network"
)

// benchQuota is what each device of a benchmark may use, in gas per hour, and ten times as
// much its door's owner: more than any machine executes, because quotas are not what is measured.
const benchQuota = 1 << 55

// benchContracts are the contracts of a benchmark: the one that is asked, and the one that it asks.
var benchContracts = []string{"access", client.DevicesContract}

// atMost is the rate that stands for as many as are committed.
const atMost = "max"

func benchCommand() *urfave.Command {
	return &urfave.Command{
		Name: "bench", Usage: "measure how many transactions a network on this machine commits",
		Description: `Starts the authorities of a new chain as processes on loopback, and devices with keys of their own,
half of them P-256 and half Ed25519. Each device asks the contract access again and again whether it
may open a door for which it has a grant: a signed transaction each, counted only if it was allowed.

  ward bench                                      one authority, as much as it takes
  ward bench --authorities 4 --rate 200 --for 30s
  ward bench --rate 500 --json
  ward bench --profile cpu.pprof && go tool pprof -top cpu.pprof

With a rate the load is open: transactions are due at even intervals, whatever becomes of those
before, and latency counts from when one was due to when its event came from node 0. What was
refused, could not be sent or was in no block 30 s after the end is an error, counted by its code.

With --rate max as many transactions as --under-way says are under way at any moment, and each that
is committed makes room for the next: the rate is that of saturation, and so is the latency, which
then says nothing about a network that has room.

Beside it, the consensus engine alone is driven in the same way, for as long: as many authorities in
one process, with an application that does nothing, and transactions handed over by a call. All of
it shares this machine with the devices: close what else runs on it.`,
		Flags: []urfave.Flag{
			&urfave.IntFlag{Name: "authorities", Value: 1, Usage: "`NUMBER` of authorities, each a process"},
			&urfave.StringFlag{Name: "rate", Value: atMost, Usage: "transactions a `SECOND`, or max for as many as are committed"},
			&urfave.IntFlag{Name: "under-way", Value: bench.DefaultUnderWay, Usage: "with --rate max, `NUMBER` of transactions under way; at most 128 of a device"},
			&urfave.DurationFlag{Name: "for", Value: 10 * time.Second, Usage: "how much `TIME` the load lasts, once for the network and once for the engine alone"},
			&urfave.IntFlag{Name: "devices", Value: 64, Usage: "`NUMBER` of devices"},
			&urfave.StringFlag{Name: "dir", Usage: "`FOLDER` on the disk that is to be measured", DefaultText: "the system's for temporary files"},
			&urfave.StringFlag{Name: "profile", Usage: "write a profile of node 0's CPU time under load to `FILE`, for go tool pprof"},
			jsonFlag,
		},
		Subcommands: []*urfave.Command{benchGasCommand()},
		Action:      runBench,
	}
}

// benchResult is the object that is printed. Times are in milliseconds.
type benchResult struct {
	Authorities  int     `json:"authorities"`
	OfferedTPS   float64 `json:"offered_tps"`   // transactions that were due, by the load's time
	CommittedTPS float64 `json:"committed_tps"` // until the last commit
	P50          float64 `json:"p50_ms"`
	P95          float64 `json:"p95_ms"`
	P99          float64 `json:"p99_ms"`
	EngineTPS    float64 `json:"engine_tps"`
	Errors       uint64  `json:"errors"`

	ErrorCodes   map[string]uint64 `json:"error_codes"`
	Latency      string            `json:"latency"` // what the three times are
	Rate         string            `json:"rate"`
	Seconds      float64           `json:"seconds"`      // of the load
	Transactions uint64            `json:"transactions"` // that were due
	Committed    uint64            `json:"committed"`
	UnderWay     int               `json:"under_way,omitempty"` // with --rate max
	Max          float64           `json:"max_ms"`
	Devices      int               `json:"devices"`
	TxBytes      int               `json:"tx_bytes"`
	Gas          uint64            `json:"gas"`
	EngineP50    float64           `json:"engine_p50_ms"`
	EngineP95    float64           `json:"engine_p95_ms"`
	EngineP99    float64           `json:"engine_p99_ms"`
	EngineErrors uint64            `json:"engine_errors"`
	CPUs         int               `json:"cpus"`
	Profile      string            `json:"profile,omitempty"`
}

// benchOptions are the command line, checked.
type benchOptions struct {
	authorities, devices int
	schedule             bench.Schedule
	dir, profile         string
}

func newBenchOptions(c *urfave.Context) (o benchOptions, err error) {
	if _, err := arguments(c); err != nil {
		return o, err
	}
	o = benchOptions{
		authorities: c.Int("authorities"), devices: c.Int("devices"),
		schedule: bench.Schedule{For: c.Duration("for"), UnderWay: c.Int("under-way")},
		dir:      c.String("dir"), profile: c.String("profile"),
	}
	length, underWay := o.schedule.For, o.schedule.UnderWay
	if text := c.String("rate"); text != atMost {
		rate, err := strconv.ParseFloat(text, 64)
		if err != nil || !(rate > 0 && rate <= bench.MaxRate) {
			return o, usagef("--rate %s: a number of transactions a second, above 0 and up to %d, or max", text, bench.MaxRate)
		}
		if rate*length.Seconds() < 1 {
			return o, usagef("--rate %s --for %v: not one transaction would be due", text, length)
		}
		if c.IsSet("under-way") {
			return o, usagef("--under-way %d: only with --rate max", underWay)
		}
		o.schedule.Rate = rate
	}
	switch {
	case o.authorities < 1 || o.authorities > bench.MaxAuthorities:
		return o, usagef("--authorities %d: from 1 to %d", o.authorities, bench.MaxAuthorities)
	case o.devices < 1 || o.devices > bench.MaxDevices:
		return o, usagef("--devices %d: from 1 to %d", o.devices, bench.MaxDevices)
	case length < time.Second || length > bench.MaxFor:
		return o, usagef("--for %v: from 1s to %v", length, bench.MaxFor)
	case underWay < 1 || underWay > bench.MaxUnderWay:
		return o, usagef("--under-way %d: from 1 to %d", underWay, bench.MaxUnderWay)
	}
	return o, nil
}

func runBench(c *urfave.Context) error {
	o, err := newBenchOptions(c)
	if err != nil {
		return err
	}
	if o.profile != "" { // before anybody waits for nothing
		file, err := os.OpenFile(o.profile, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return hint(err, "another file for --profile")
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp(o.dir, "ward-bench-")
	if err != nil {
		return hint(err, "another --dir")
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	s, err := newSession(c, option{json: c.Bool(jsonFlag.Name), home: dir})
	if err != nil {
		return err
	}
	defer s.close()
	p := s.progress()
	defer p.done()

	ward, err := s.benchWard(o, p)
	if err != nil {
		return err
	}
	o.schedule.Progress = func(offered, committed uint64) {
		p.say("the engine alone: %d transactions were due, %d are committed", offered, committed)
	}
	engine, err := bench.Engine(s.ctx, bench.EngineConfig{
		Dir: dir, Authorities: o.authorities, Devices: o.devices, Size: ward.Size, Schedule: o.schedule,
	})
	if err != nil {
		return err
	}
	p.done()
	return s.printBench(o, c.String("rate"), ward, engine)
}

// benchWard measures a network that is made for it.
func (s *session) benchWard(o benchOptions, p *progress) (r bench.Result, err error) {
	owner, devices, nodes, err := s.benchHomes(o)
	if err != nil {
		return r, err
	}
	program, err := os.Executable()
	if err != nil {
		return r, err
	}
	var profiler string
	if o.profile != "" {
		if profiler, err = unusedAddress(); err != nil {
			return r, err
		}
		nodes[0].Flags = []string{"--pprof", profiler}
	}
	net, err := network.Up(s.ctx, network.Config{
		Program: []string{program}, Nodes: nodes, Rate: -1, LogLevel: "warn", Cache: filepath.Join(s.home, "cache"), Say: p.say,
	})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, net.Down()) }()
	if _, _, err := net.Agree(s.ctx, 0); err != nil {
		return r, err
	}
	config := bench.Config{Owner: owner, Devices: devices, Schedule: o.schedule}
	config.Progress = func(offered, committed uint64) {
		p.say("%d transactions were due, %d are committed", offered, committed)
	}
	for i := range net.Len() {
		config.Nodes = append(config.Nodes, net.URL(i))
	}
	profiled := make(chan error, 1)
	profiled <- nil
	if o.profile != "" {
		config.Begin = func() {
			<-profiled
			go func() { profiled <- fetchProfile(s.ctx, profiler, o.schedule.For, o.profile) }()
		}
	}
	p.say("preparing %d devices", o.devices)
	r, err = bench.Ward(s.ctx, config)
	return r, errors.Join(err, <-profiled)
}

// benchHomes makes the homes of a new chain's authorities, in which the devices have accounts.
func (s *session) benchHomes(o benchOptions) (owner *tx.SecretKey, devices []tx.Signer, nodes []network.Node, err error) {
	built, err := s.standardContracts()
	if err != nil {
		return nil, nil, nil, err
	}
	built = slices.DeleteFunc(built, func(m module) bool { return !slices.Contains(benchContracts, m.name) })
	if owner, err = client.GenerateKey(tx.EdDSA); err != nil {
		return nil, nil, nil, err
	}
	operator := owner.Public().Address()
	contracts, err := standardGenesis(built, operator, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	g := &genesis.Genesis{
		Chain: "ward-bench", Time: time.Now().UTC(), Operator: operator, Contracts: contracts,
		Accounts: []genesis.Account{{Name: "owner", Key: owner.Public().Bytes, QuotaPerHour: 10 * benchQuota, Scope: genesis.Everything()}},
	}
	for i := range o.devices {
		key, err := client.GenerateKey([]tx.Alg{tx.ES256, tx.EdDSA}[i%2])
		if err != nil {
			return nil, nil, nil, err
		}
		devices = append(devices, key)
		g.Accounts = append(g.Accounts, genesis.Account{
			Name: fmt.Sprintf("device %d", i), Key: key.Public().Bytes, QuotaPerHour: benchQuota, Scope: []abi.Scope{{Contract: "access"}},
		})
	}
	for i := range o.authorities {
		home := filepath.Join(s.home, fmt.Sprintf("node%d", i))
		id, err := node.CreateKeys(home)
		if err != nil {
			return nil, nil, nil, err
		}
		g.Authorities = append(g.Authorities, genesis.Authority{Name: fmt.Sprintf("node %d", i), Key: id.Authority})
		nodes = append(nodes, network.Node{Home: home, ID: id.NodeID})
	}
	for _, n := range nodes {
		if err := node.WriteGenesis(n.Home, g); err != nil {
			return nil, nil, nil, err
		}
	}
	return owner, devices, nodes, nil
}

// printBench prints the figures side by side.
func (s *session) printBench(o benchOptions, rate string, ward bench.Result, engine bench.Measure) error {
	r := benchResult{
		Authorities: o.authorities, Devices: o.devices, Rate: rate, Seconds: o.schedule.For.Seconds(),
		OfferedTPS: rounded(ward.OfferedTPS), CommittedTPS: rounded(ward.CommittedTPS),
		P50: millis(ward.P50), P95: millis(ward.P95), P99: millis(ward.P99), Max: millis(ward.Most),
		Transactions: ward.Offered, Committed: ward.Committed, UnderWay: ward.UnderWay,
		Errors: ward.Errors, ErrorCodes: ward.Codes, TxBytes: ward.Size, Gas: ward.Gas,
		EngineTPS: rounded(engine.CommittedTPS), EngineErrors: engine.Errors,
		EngineP50: millis(engine.P50), EngineP95: millis(engine.P95), EngineP99: millis(engine.P99),
		Latency: "from when a transaction was due to when its event came from node 0",
		CPUs:    runtime.NumCPU(), Profile: o.profile,
	}
	if o.schedule.Rate == 0 {
		r.Latency = fmt.Sprintf("that of saturation, with %d transactions under way at any moment: no figure for a network that has room", ward.UnderWay)
	}
	return s.print(r, func() {
		row := func(what string, m bench.Measure) []string {
			return []string{what, fmt.Sprintf("%.0f", m.OfferedTPS), fmt.Sprintf("%.0f", m.CommittedTPS),
				fmt.Sprintf("%.1f", millis(m.P50)), fmt.Sprintf("%.1f", millis(m.P95)), fmt.Sprintf("%.1f", millis(m.P99)), fmt.Sprint(m.Errors)}
		}
		s.table([][]string{
			{"", "offered/s", "committed/s", "p50 ms", "p95 ms", "p99 ms", "errors"},
			row(fmt.Sprintf("ward, authorities: %d", o.authorities), ward.Measure),
			row("the engine alone", engine),
		})
		s.printf("\nlatency: %s\n", r.Latency)
		s.printf("%d devices, %d transactions of about %d bytes and %d gas, %d processors\n", o.devices, ward.Offered, ward.Size, ward.Gas, r.CPUs)
		for _, code := range byCount(ward.Codes) {
			s.printf("error: %s, %d times\n", text(code), ward.Codes[code])
		}
		if o.profile != "" {
			fmt.Fprintf(s.err, "\"go tool pprof -top %s\" shows where node 0 spent its time\n", o.profile)
		}
	})
}

// byCount are the codes, the most frequent first.
func byCount(codes map[string]uint64) []string {
	return slices.SortedFunc(maps.Keys(codes), func(a, b string) int {
		return cmp.Or(cmp.Compare(codes[b], codes[a]), strings.Compare(a, b))
	})
}

func rounded(v float64) float64 { return math.Round(v*100) / 100 }

func millis(d time.Duration) float64 { return rounded(float64(d) / float64(time.Millisecond)) }

// unusedAddress is an address of loopback on which nobody listens at the moment.
func unusedAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// fetchProfile has a node's profiler look at its CPU time for so long, and writes what it saw.
func fetchProfile(ctx context.Context, profiler string, length time.Duration, file string) error {
	url := fmt.Sprintf("http://%s%s?seconds=%d", profiler, cpuProfilePath, int(length.Seconds()))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxProfile))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.200s", answer.Status, b)
	}
	if err == nil {
		err = os.WriteFile(file, b, 0o644)
	}
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return nil
}

// maxProfile bounds what is read of a profile, in bytes; an hour's has a few hundred thousand.
const maxProfile = 64 << 20
