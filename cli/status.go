package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/sdk/client"
)

func statusCommand() *urfave.Command {
	return &urfave.Command{
		Name:  "status",
		Usage: "how a node is doing",
		Description: `Asks a node for its chain, newest block and peers.

  ward status
  ward status --json --node http://10.0.0.7:9273
  ward node & ward status --wait 30s          go on once it is up`,
		Flags: []urfave.Flag{
			&urfave.DurationFlag{Name: "wait", Usage: "wait up to this `TIME` for the node to answer with a block"},
			nodeFlag, jsonFlag,
		},
		Action: status,
	}
}

// maxStatus is how long one question for the status may take: a node that is well answers
// it from memory.
const maxStatus = 10 * time.Second

// awaitStatus asks a node how it is doing, and for up to wait again until it has a block.
func (s *session) awaitStatus(wait time.Duration) (*client.Status, error) {
	p := s.progress()
	defer p.done()
	end := time.Now().Add(wait)
	for {
		limit := maxStatus
		if wait > 0 {
			limit = min(limit, max(time.Until(end), 100*time.Millisecond))
		}
		ctx, cancel := context.WithTimeout(s.ctx, limit)
		st, err := s.client.Status(ctx)
		if err != nil && ctx.Err() != nil && s.ctx.Err() == nil {
			err = hint(fmt.Errorf("%s has not answered for %v", s.node, limit.Round(time.Millisecond)), "what the node logs, or another --node")
		}
		cancel()
		switch {
		case err == nil && (st.Height > 0 || wait == 0):
			return st, nil
		case s.ctx.Err() != nil:
			return nil, s.ctx.Err()
		case time.Now().After(end) && err != nil:
			return nil, err
		case time.Now().After(end):
			return nil, fmt.Errorf("no block after %v", wait)
		}
		p.say("waiting for %s", s.node)
		select {
		case <-s.ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func status(c *urfave.Context) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	st, err := s.awaitStatus(c.Duration("wait"))
	if err != nil {
		return err
	}
	result := struct {
		URL          string  `json:"url"`
		Chain        string  `json:"chain"`
		Node         string  `json:"node"`
		Version      string  `json:"version"`
		Height       uint64  `json:"height"`
		Time         int64   `json:"time"`
		Root         string  `json:"root"`
		LagSeconds   float64 `json:"lag_seconds"`
		CatchingUp   bool    `json:"catching_up"`
		Validator    bool    `json:"validator"`
		Validators   int     `json:"validators"`
		Peers        int     `json:"peers"`
		Transactions int     `json:"waiting"`
		Subscribers  int     `json:"subscribers"`

		Contracts client.Readiness `json:"contracts"`

		Missing  []string         `json:"missing"`            // authorities, by name or key
		Deciding *client.Deciding `json:"deciding,omitempty"` // while they vote on a block
	}{
		s.node, st.Chain, st.Node, st.Version, st.Height, st.Time.Unix(), st.Root, st.LagSeconds, st.CatchingUp,
		st.Validator, st.Validators, st.Peers, st.Transactions, st.Subscribers, st.Contracts,
		missing(st), st.Deciding,
	}
	return s.print(result, func() {
		role := "follows the chain"
		if st.Validator {
			role = "is an authority"
		}
		if st.CatchingUp {
			role += ", catching up"
		}
		s.table([][]string{
			{"node", fmt.Sprintf("%s, %s, version %s", s.node, role, st.Version)},
			{"id", st.Node + ", by which other nodes name it"},
			{"chain", fmt.Sprintf("%s, %d authorities, %d peers", st.Chain, st.Validators, st.Peers)},
			{"block", fmt.Sprintf("%d, %s, %.0f s ago", st.Height, clock(st.Time), st.LagSeconds)},
			{"root", st.Root},
			{"decides", decides(st)},
			{"now", now(st)},
		})
	})
}

// now says what goes on at the node.
func now(st *client.Status) string {
	line := fmt.Sprintf("%d transactions wait, %d subscribers listen", st.Transactions, st.Subscribers)
	if c := st.Contracts; c.Ready < c.Of {
		line += fmt.Sprintf(", %d of %d contracts are ready", c.Ready, c.Of)
	}
	return line
}

// missing names the authorities that take no part, as the node sees it.
func missing(st *client.Status) []string {
	names := []string{}
	for _, a := range st.Authorities {
		switch {
		case a.Missing && a.Name != "":
			names = append(names, a.Name)
		case a.Missing:
			names = append(names, a.Key)
		}
	}
	return names
}

// decides says in a sentence who decides, and what keeps them from it.
func decides(st *client.Status) string {
	away := missing(st)
	line := fmt.Sprintf("%d of %d authorities vote, %d are needed", len(st.Authorities)-len(away), len(st.Authorities), len(st.Authorities)*2/3+1)
	if len(away) > 0 {
		line += "; missing: " + strings.Join(away, ", ")
	}
	if d := st.Deciding; d != nil && d.Seconds > 1 {
		line += fmt.Sprintf("; at block %d for %.0f s", d.Height, d.Seconds)
	}
	return line
}
