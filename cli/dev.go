package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/testnet/site"
)

func devCommand() *urfave.Command {
	return &urfave.Command{
		Name: "dev", Usage: "run a chain and a small simulated site on this machine",
		Description: `Starts one authority with the standard contracts on loopback, and a site on it: a lock, its
owner, a guest, the guest's cleaner and a burglar; a house with a roof full of modules and two
neighbours, who trade what it gives, their meters, and the operator who keeps the market. Each has a key
of its own and talks to the node over HTTP. Shows who did what, what was decided and why, until Ctrl-C.

  ward dev
  ward dev --for 20s                 ends by itself
  ward dev --for 20s --json          one object a line, the last is the summary
  ward dev --home ./site             keeps keys and chain, and goes on with them next time
  ward dev --speed 60                the market's time runs slower: a quarter hour in 15 s

The market's time begins at eleven o'clock of a summer day (09:00 UTC, as it is shown), and passes --speed
times as fast as time: at 300, a quarter hour in 3 s, and a day in less than five minutes. Prices are
micro-euro per kWh, money is micro-euro; the line of a slot shows both in euro.

Exits with 1 if a step did not come out as it should: an expired or revoked grant that opened the
door, a suspended lock or meter that counted, a replay that ran, an event that the stream lost or doubled,
more sold than bought, a bill that is not what was metered and traded, money from nowhere.

The parties' keys lie unencrypted in the home, for "ward call --home HOME --key owner ..."; each round
has a new lock, whose key is not kept.`,
		Flags: []urfave.Flag{
			&urfave.DurationFlag{Name: "for", Usage: "end after this `TIME`, but not before the first round is told", DefaultText: "until Ctrl-C"},
			&urfave.StringFlag{Name: "listen", Value: node.DefaultHTTP, Usage: "HTTP `ADDRESS`; port 0 takes any"},
			&urfave.Int64Flag{Name: "speed", Value: site.DefaultSpeed, Usage: fmt.Sprintf("how many times as fast as time the market's time passes, 1 to %d: `N`", site.MaxSpeed)},
			&urfave.StringFlag{Name: "home", Usage: "`FOLDER` to keep keys and chain in", DefaultText: "a temporary one, removed at the end"},
			jsonFlag,
		},
		Action: dev,
	}
}

func dev(c *urfave.Context) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	if c.Duration("for") < 0 {
		return usagef("--for %v: a time can't be negative", c.Duration("for"))
	}
	speed := c.Int64("speed")
	if speed < 1 || speed > site.MaxSpeed {
		return usagef("--speed %d: 1 to %d", speed, site.MaxSpeed)
	}
	home := c.String("home")
	if home == "" {
		temporary, err := os.MkdirTemp("", "ward-dev-")
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
	keys, err := s.devHome(speed, c.IsSet("speed"))
	if err != nil {
		return err
	}
	n, err := node.New(s.ctx, node.Config{
		Home: home, HTTP: c.String("listen"), P2P: "127.0.0.1:0", RPC: node.None, Version: version(),
		Logger: slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	url := reachable(n.HTTP())
	if err := s.devBanner(n, url, home); err != nil {
		return errors.Join(err, n.Close())
	}

	// The site ends with the node, if that ends first.
	ctx, stop := context.WithCancelCause(s.ctx)
	defer stop(nil)
	down := make(chan error, 1)
	go func() {
		err := n.Wait(ctx)
		stop(err)
		down <- err
	}()
	summary, siteErr := site.Run(ctx, site.Config{Node: url, Keys: keys, For: c.Duration("for"), Report: s.devStep})
	stop(nil)
	nodeErr := <-down
	if closeErr := n.Close(); closeErr != nil {
		nodeErr = errors.Join(nodeErr, closeErr)
	}
	if nodeErr != nil || siteErr != nil && s.ctx.Err() == nil {
		summary.OK = false
	}
	if err := s.devSummary(summary); err != nil {
		return err
	}
	switch {
	case nodeErr != nil:
		return nodeErr
	case s.ctx.Err() != nil && len(summary.Wrong) == 0: // Ctrl-C is a way to end
		return nil
	case siteErr != nil:
		return siteErr
	case !summary.OK:
		return fmt.Errorf("%d things came out as they should not", len(summary.Wrong))
	}
	return nil
}

// reachable is the URL at which this machine finds a listener.
func reachable(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", tcp.Port)
	}
	return "http://" + a.String()
}

// devHome makes the home unless it is one already, and returns the parties' keys. The speed of
// one that is there is what it is; chosen says that the caller wants this one and no other.
func (s *session) devHome(speed int64, chosen bool) (map[string]*tx.SecretKey, error) {
	if _, err := os.Stat(filepath.Join(s.home, "node-0")); err == nil {
		return nil, hint(fmt.Errorf("%s is the home of a network that \"ward testnet\" made", s.home), "another --home")
	}
	found, err := s.siteChain(s.home, "ward dev")
	if err != nil {
		return nil, err
	}
	if found != nil && chosen {
		if err := s.checkSpeed(found, speed); err != nil {
			return nil, err
		}
	}
	keys, err := s.siteKeys()
	if err != nil || found != nil {
		return keys.parties, err
	}
	id, err := node.CreateKeys(s.home)
	if err != nil {
		return nil, err
	}
	g, err := s.siteGenesis("ward-dev-", keys, []genesis.Authority{{Name: "dev", Key: id.Authority}}, speed)
	if err != nil {
		return nil, err
	}
	return keys.parties, node.WriteGenesis(s.home, g)
}

// devBanner says where everything is.
func (s *session) devBanner(n *node.Node, url, home string) error {
	stream := strings.Replace(url, "http", "ws", 1) + "/v1/events/stream?after=start"
	banner := struct {
		Node   string `json:"node"`
		Stream string `json:"stream"`
		Chain  string `json:"chain"`
		Home   string `json:"home"`
	}{url, stream, n.Genesis().Chain, home}
	return s.print(banner, func() {
		s.table([][]string{
			{"chain", banner.Chain},
			{"status", url + "/v1/status"},
			{"contracts", url + "/v1/contracts"},
			{"events", stream},
			{"home", home},
			{"try", "ward events --follow --node " + url},
		})
		s.printf("\n")
	})
}

// devStep shows a step of the site.
func (s *session) devStep(step site.Step) {
	_ = s.print(step, func() { // a reader that has gone is no reason to stop the chain
		mark := " "
		if step.Wanted != "" {
			mark = "!"
		}
		block := "     -"
		if step.Height != 0 {
			block = fmt.Sprintf("%6d", step.Height)
		}
		line := fmt.Sprintf("%s%s  %-16s %-48s %-18s %s", mark, block, step.Who, step.Does, step.Decision, text(step.Why))
		if step.Wanted != "" {
			line += fmt.Sprintf("  (%s is right)", step.Wanted)
		}
		s.printf("%s\n", strings.TrimRight(line, " "))
	})
}

// devSummary shows what came of it all.
func (s *session) devSummary(summary site.Summary) error {
	return s.print(summary, func() {
		s.printf("\n%d rounds, %d transactions in %d blocks, %d events streamed, %d requests turned away\n",
			summary.Rounds, summary.Transactions, summary.Height, summary.Events, summary.Denied)
		s.printf("%d readings, %d slots settled; in %d slots %d Wh were traded, last at %d micro a kWh; all money together: %d\n",
			summary.Readings, summary.SettledSlots, summary.ClearedSlots, summary.ClearedWh, summary.Price, summary.MoneySum)
		for _, wrong := range summary.Wrong {
			s.printf("wrong: %s\n", text(wrong))
		}
		if summary.OK {
			s.printf("everything came out as it should\n")
		}
	})
}
