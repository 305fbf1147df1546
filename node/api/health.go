package api

import (
	"encoding/hex"
	"fmt"
	"net/http"
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
	Subscribers int `json:"subscribers"`
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
		CatchingUp: c.CatchingUp, Node: c.Node, Validator: c.Validator, Validators: c.Validators, Peers: c.Peers,
		Subscribers: s.stream.Stats().Subscribers,
	}
	body.Mempool.Transactions, body.Mempool.Bytes = c.Waiting, c.WaitingBytes
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
	return max(0, s.config.Clock().Sub(since)).Truncate(time.Millisecond)
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
