package api

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wardledger/ward/node/eventlog"
)

type statusBody struct {
	Chain      string  `json:"chain"`
	Version    string  `json:"version"`
	Height     uint64  `json:"height"`
	Time       int64   `json:"time"`
	Root       string  `json:"root"`
	Earliest   uint64  `json:"earliest"`
	LagSeconds float64 `json:"lag_seconds"`
	CatchingUp bool    `json:"catching_up"`
	Node       string  `json:"node"`
	Validator  bool    `json:"validator"`
	Validators int     `json:"validators"`
	Peers      int     `json:"peers"`
	Mempool    struct {
		Transactions int   `json:"transactions"`
		Bytes        int64 `json:"bytes"`
	} `json:"mempool"`
	Subscribers int           `json:"subscribers"`
	Contracts   contractsBody `json:"contracts"`

	// Bounded by genesis.MaxAuthorities and the connections that the engine takes.
	Authority   string          `json:"authority"`
	Authorities []authorityBody `json:"authorities"`
	Missing     []string        `json:"missing"`
	Deciding    *decidingBody   `json:"deciding,omitempty"`
	Connected   []peerBody      `json:"connected"`
}

type contractsBody struct {
	Ready int `json:"ready"`
	Of    int `json:"of"`
}

type authorityBody struct {
	Key     string `json:"key"`
	Name    string `json:"name,omitempty"`
	Signed  uint64 `json:"signed"`
	Missing bool   `json:"missing"`
}

type decidingBody struct {
	Height  uint64  `json:"height"`
	Round   int     `json:"round"`
	Seconds float64 `json:"seconds"`
	Voted   int     `json:"voted"`
	Needed  int     `json:"needed"`
}

type peerBody struct {
	Node string `json:"node"`
	Name string `json:"name,omitempty"`
}

func (s *Server) getStatus(w http.ResponseWriter, r *http.Request) error {
	if _, err := parameters(r); err != nil {
		return err
	}
	h, err := s.newest()
	if err != nil {
		return err
	}
	c := s.config.Engine.Condition()
	body := statusBody{
		Chain: s.config.ChainID, Version: s.config.Version,
		Height: h.Height, Time: h.Time, Root: hex.EncodeToString(h.Root), Earliest: c.Earliest, LagSeconds: s.lag(h).Seconds(),
		CatchingUp: c.CatchingUp, Node: c.Node, Validator: c.Validator, Validators: len(c.Authorities), Peers: len(c.Peers),
		Authority: hex.EncodeToString(c.Authority), Authorities: []authorityBody{}, Missing: []string{}, Connected: []peerBody{},
		Subscribers: s.stream.Stats().Subscribers, Contracts: contractsBody(c.Contracts),
	}
	body.Mempool.Transactions, body.Mempool.Bytes = c.Waiting, c.WaitingBytes
	for _, a := range c.Authorities {
		body.Authorities = append(body.Authorities, authorityBody{hex.EncodeToString(a.Key), a.Name, a.Signed, a.Missing})
		if a.Missing {
			body.Missing = append(body.Missing, hex.EncodeToString(a.Key))
		}
	}
	for _, p := range c.Peers {
		body.Connected = append(body.Connected, peerBody{p.ID, p.Name})
	}
	slices.SortFunc(body.Connected, func(a, b peerBody) int { return strings.Compare(a.Node, b.Node) })
	if d := c.Deciding; d != nil {
		body.Deciding = &decidingBody{d.Height, d.Round, s.since(d.Since).Seconds(), d.Voted, d.Needed}
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}

// newest is the newest block, or an empty one before the first, or if the log has none yet.
func (s *Server) newest() (*eventlog.Header, error) {
	height := s.config.Log.Height()
	h, err := s.config.Log.Block(height)
	if err == nil && h == nil {
		h = &eventlog.Header{Height: height}
	}
	return h, err
}

// lag is the age of a block by the node's clock, or of this server before the first block.
func (s *Server) lag(h *eventlog.Header) time.Duration {
	since := s.started
	if h.Time != 0 {
		since = time.Unix(h.Time, 0)
	}
	return s.since(since)
}

// since is how long ago something was by the node's clock.
func (s *Server) since(t time.Time) time.Duration {
	return max(0, s.config.Clock().Sub(t)).Truncate(time.Millisecond)
}

// standstill says who keeps a decision from being made.
func (d *Deciding) standstill(authorities []Authority) string {
	var missing []string
	for _, a := range authorities {
		if a.Missing && a.Name != "" {
			missing = append(missing, a.Name)
		} else if a.Missing {
			missing = append(missing, fmt.Sprintf("%.4x", a.Key))
		}
	}
	who := "none of them is missing"
	if len(missing) > 0 {
		who = "missing: " + strings.Join(missing, ", ")
	}
	return fmt.Sprintf("%d of %d authorities vote on block %d, %d are needed; %s", d.Voted, len(authorities), d.Height, d.Needed, who)
}

type problem struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// problems says why the node is not well; none means that it is.
func (s *Server) problems() []problem {
	list := []problem{}
	add := func(code, format string, args ...any) {
		list = append(list, problem{code, fmt.Sprintf(format, args...)})
	}
	c := s.config.Engine.Condition()
	if c.Stopped != nil {
		add("stopped", "%v", c.Stopped)
	}
	if c.CatchingUp {
		add("catching_up", "the node is fetching blocks that others have; it stands at height %d", s.config.Log.Height())
	}
	h, err := s.newest()
	switch {
	case err != nil:
		add("stopped", "%v", err)
	case c.Deciding != nil && s.since(c.Deciding.Since) > s.config.StallAfter:
		add("stalled", "the chain stands still since %.0f s: %s", s.since(c.Deciding.Since).Seconds(), c.Deciding.standstill(c.Authorities))
	case s.lag(h) > s.config.StallAfter && c.Waiting > 0:
		add("stalled", "the newest block, %d, is %.0f s old and %d transactions wait", h.Height, s.lag(h).Seconds(), c.Waiting)
	case s.lag(h) > s.config.QuietAfter && !c.CatchingUp:
		add("stalled", "the newest block, %d, is %.0f s old", h.Height, s.lag(h).Seconds())
	}
	if s.config.DataDir != "" {
		free, err := diskFree(s.config.DataDir)
		switch {
		case err != nil:
			add("disk", "%v", err)
		case free < s.config.MinFree:
			add("disk", "%d MiB are free where the data is, less than %d", free>>20, s.config.MinFree>>20)
		}
	}
	return list
}

func (s *Server) getHealth(w http.ResponseWriter, r *http.Request) error {
	problems := s.problems()
	status := http.StatusOK
	if len(problems) > 0 {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, struct {
		Healthy  bool      `json:"healthy"`
		Problems []problem `json:"problems"`
	}{len(problems) == 0, problems})
	return nil
}
