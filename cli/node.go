package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/node"
)

func nodeCommand() *urfave.Command {
	return &urfave.Command{
		Name: "node", Usage: "run a node on its home",
		Description: `Runs the node whose home "ward init" made, until Ctrl-C or SIGTERM. It prints where it listens to
stdout once it is up, and logs to stderr.

  ward node
  ward node --home ./site --listen 0.0.0.0:9273 --log-level warn
  ward node --json & ward status --wait 30s

With --with-stdin the node stops when its standard input ends: whoever starts it holds the other
end of a pipe, and can't leave it behind, however they end themselves.

It listens on this machine only unless told otherwise: there is no TLS yet, so put a proxy in
front of a port that others reach.`,
		Flags: []urfave.Flag{
			&urfave.StringFlag{Name: "listen", Value: node.DefaultHTTP, Usage: "`HOST:PORT` of the HTTP surface; port 0 takes any", EnvVars: []string{"WARD_LISTEN"}},
			&urfave.StringFlag{Name: "p2p", Value: node.DefaultP2P, Usage: "`HOST:PORT` for other nodes", EnvVars: []string{"WARD_P2P"}},
			&urfave.StringFlag{Name: "external", Usage: "`HOST:PORT` that other nodes are told to use", DefaultText: "as --p2p"},
			&urfave.StringFlag{Name: "rpc", Value: node.DefaultRPC, Usage: "`HOST:PORT` of the engine's RPC for light clients, or none", EnvVars: []string{"WARD_RPC"}},
			&urfave.StringSliceFlag{Name: "peer", Usage: "another node as `ID@HOST:PORT`; repeat it for several", EnvVars: []string{"WARD_PEERS"}},
			&urfave.StringFlag{Name: "name", Usage: "`LABEL` of this node among its peers"},
			&urfave.StringSliceFlag{Name: "origin", Usage: "`ORIGIN` whose web pages may use the HTTP surface, such as https://panel.example; * for all"},
			&urfave.Float64Flag{Name: "rate", Usage: "HTTP requests a second of one address; negative for no limit", DefaultText: "500"},
			&urfave.Uint64Flag{Name: "keep", Usage: "how many `HEIGHTS` of state can be queried", DefaultText: "as runtime/state says"},
			&urfave.StringFlag{Name: "cache", Usage: "`FOLDER` for compiled contracts, which several nodes of one user may share", DefaultText: "in the home"},
			&urfave.BoolFlag{Name: "interpreter", Usage: "run contracts without compiling them: slower by far, same results"},
			&urfave.BoolFlag{Name: "with-stdin", Usage: "stop when standard input ends"},
			&urfave.StringFlag{Name: "pprof", Usage: "`HOST:PORT` of this machine at which Go's profiler answers, below /debug/pprof/", DefaultText: "none"},
			&urfave.StringFlag{Name: "log-level", Value: "info", Usage: "`LEVEL`: debug, info, warn or error"},
			homeFlag, jsonFlag,
		},
		Action: runNode,
	}
}

func runNode(c *urfave.Context) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	log, err := newLogger(s.err, c.String("log-level"), s.json)
	if err != nil {
		return err
	}
	if c.Bool("with-stdin") {
		ctx, stop := context.WithCancel(s.ctx)
		defer stop()
		s.ctx = ctx
		// Not waited for: nothing else ends a read of standard input but its end.
		go func() {
			_, _ = io.Copy(io.Discard, s.in) // an error is an end too
			stop()
		}()
	}
	config := node.Config{
		Home: s.home, HTTP: c.String("listen"), P2P: c.String("p2p"), External: c.String("external"), RPC: c.String("rpc"),
		Peers: c.StringSlice("peer"), Name: c.String("name"), Origins: c.StringSlice("origin"), Rate: c.Float64("rate"),
		Keep: c.Uint64("keep"), Cache: c.String("cache"), Interpreter: c.Bool("interpreter"), Version: version(), Logger: log,
	}
	if err := config.Validate(); err != nil {
		return &usageError{err: err}
	}
	if address := c.String("pprof"); address != "" {
		stop, err := serveProfiles(address, log)
		if err != nil {
			return err
		}
		defer func() { _ = stop() }() // nothing depends on how it ends
	}
	n, err := node.New(s.ctx, config)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hint(err, "\"ward init\" makes a home, or name another with --home or WARD_HOME")
	case s.ctx.Err() != nil:
		return nil // stopped before it was up, as asked
	case err != nil:
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "listen" && op.Addr != nil && op.Addr.String() == config.P2P {
			return hint(err, "another --p2p (port 0 takes any)")
		}
		return err
	}
	return errors.Join(s.run(n, log), n.Close())
}

// run says that the node is up and waits for its end.
func (s *session) run(n *node.Node, log *slog.Logger) error {
	url := "http://" + n.HTTP().String()
	up := map[string]any{"url": url, "chain": n.Genesis().Chain, "home": s.home}
	err := s.print(up, func() {
		s.table([][]string{
			{"chain", n.Genesis().Chain},
			{"http", url},
			{"events", fmt.Sprintf("ws%s/v1/events/stream", url[len("http"):])},
			{"home", s.home},
		})
	})
	if err != nil {
		return err
	}
	if err := n.Wait(s.ctx); err != nil {
		return err
	}
	log.Info("stopping", "signal", "again to end at once")
	return nil
}

// newLogger logs to w, as JSON or as text.
func newLogger(w io.Writer, level string, asJSON bool) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usagef("--log-level %q: debug, info, warn or error", level)
	}
	o := &slog.HandlerOptions{Level: l}
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return slog.New(slog.NewTextHandler(w, o)), nil
}
