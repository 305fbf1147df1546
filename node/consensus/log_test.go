package consensus

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/cometbft/cometbft/libs/log"
)

// lazy counts how often it was made into text.
type lazy struct{ asked *int }

func (l lazy) String() string { *l.asked++; return "text" }

func TestLogger(t *testing.T) {
	var out bytes.Buffer
	level := new(slog.LevelVar)
	strip := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	var why string
	stopping := false
	l := logger{
		to:       slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level, ReplaceAttr: strip})),
		failed:   func(reason string) { why = reason },
		stopping: func() bool { return stopping },
	}
	asked := 0
	said := func(write func(log.Logger), want string) {
		t.Helper()
		out.Reset()
		write(l.With("module", "consensus"))
		if got := strings.TrimSpace(out.String()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	level.Set(slog.LevelInfo)
	said(func(l log.Logger) { l.Info("committed state", "height", 5, "hash", lazy{&asked}) }, "")
	said(func(l log.Logger) { l.Debug("vote", "v", lazy{&asked}) }, "")
	if asked != 0 {
		t.Errorf("what nobody reads was made into text %d times", asked)
	}
	said(func(l log.Logger) { l.Warn("slow") }, `level=WARN msg=slow module=consensus`)
	said(func(l log.Logger) { l.Error("no", "err", errors.New("disk full")) }, `level=ERROR msg=no module=consensus err="disk full"`)
	if why != "" {
		t.Errorf("an ordinary error counted as a failure: %q", why)
	}
	said(func(l log.Logger) { l.Error(consensusFailure, "err", errors.New("bad block"), "stack", "...") },
		`level=ERROR msg="CONSENSUS FAILURE!!!" module=consensus err="bad block" stack=...`)
	if why != "bad block" {
		t.Errorf("the reason of the failure is %q", why)
	}
	said(func(l log.Logger) {
		l.Error("failed signing vote", "height", 3, "err", errors.New("step regression at height 3"))
	}, "")
	said(func(l log.Logger) { l.Error("failed signing vote", "height", 3, "err", errors.New("conflicting data")) },
		`level=ERROR msg="failed signing vote" module=consensus height=3 err="conflicting data"`)
	stopping = true
	said(func(l log.Logger) { l.Error("peer is gone") }, "")
	said(func(l log.Logger) { l.Error(consensusFailure, "err", "late") }, `level=ERROR msg="CONSENSUS FAILURE!!!" module=consensus err=late`)

	level.Set(slog.LevelDebug)
	said(func(l log.Logger) {
		l.Info("committed state", "height", 5, "hash", []byte{0xab}, "who", lazy{&asked}, "odd")
	},
		`level=DEBUG msg="committed state" module=consensus height=5 hash=ab who=text value=odd`)
	said(func(l log.Logger) { l.Info("service start", "msg", "Starting") }, `level=DEBUG msg="service start" module=consensus detail=Starting`)
	said(func(l log.Logger) { l.Debug("vote") }, "")
}
