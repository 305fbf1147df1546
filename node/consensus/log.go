package consensus

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"

	"github.com/cometbft/cometbft/libs/log"
)

// levelTrace is the engine's debugging: several lines for each vote.
const levelTrace = slog.LevelDebug - 4

// consensusFailure is the message with which the engine's consensus says goodbye: it has
// recovered a panic and will never do anything again, and nothing but its log tells.
const consensusFailure = "CONSENSUS FAILURE!!!"

// logger passes the engine's log on. Every block is a dozen lines of information to the
// engine; to the person on call they are chatter.
type logger struct {
	to       *slog.Logger
	failed   func(reason string) // hears of a consensus failure
	stopping func() bool         // whether the engine was told to stop
}

var _ log.Logger = logger{}

func (l logger) Debug(msg string, kv ...any) { l.write(levelTrace, msg, kv) }
func (l logger) Info(msg string, kv ...any)  { l.write(slog.LevelDebug, msg, kv) }
func (l logger) Warn(msg string, kv ...any)  { l.write(slog.LevelWarn, msg, kv) }

func (l logger) Error(msg string, kv ...any) {
	if msg == consensusFailure {
		reason := "no reason given"
		for i := 0; i+1 < len(kv); i += 2 {
			if kv[i] == "err" {
				reason = fmt.Sprint(kv[i+1])
			}
		}
		l.failed(reason)
	} else if l.stopping() || mended(msg, kv) {
		// Every connection that ends is an error to the engine, also when it is the one to end it.
		l.write(slog.LevelDebug, msg, kv)
		return
	}
	level := slog.LevelError
	if msg == peerLost {
		level = slog.LevelWarn
	}
	l.write(level, msg, kv)
}

// peerLost is the engine's message for a peer whose connection has ended, for whatever
// reason: the peer may have been restarted.
const peerLost = "Stopping peer for error"

// afterCrash are errors that the engine reports, and deals with, when it was stopped or
// killed in the middle of a height: it replays what it wrote down, tries to sign again
// what it signed already, and the signer refuses as it should. There is nothing for
// anybody to do.
var afterCrash = []struct{ msg, err string }{
	{"failed signing vote", "step regression"},
	{"propose step; failed signing proposal", "step regression"},
	{"propose step; failed signing proposal", "conflicting data"}, // costs one propose timeout
	{"error on catchup replay; proceeding to start state anyway", "WAL does not contain #ENDHEIGHT"},
}

func mended(msg string, kv []any) bool {
	for _, known := range afterCrash {
		if msg != known.msg {
			continue
		}
		for i := 0; i+1 < len(kv); i += 2 {
			if kv[i] == "err" && strings.Contains(fmt.Sprint(kv[i+1]), known.err) {
				return true
			}
		}
	}
	return false
}

// With adds to every line. Values are made into text at once, because the engine hands
// out things here that it changes later.
func (l logger) With(kv ...any) log.Logger {
	l.to = slog.New(l.to.Handler().WithAttrs(attributes(kv)))
	return l
}

func (l logger) write(level slog.Level, msg string, kv []any) {
	ctx := context.Background()
	if !l.to.Enabled(ctx, level) { // before anything lazy is made into text
		return
	}
	l.to.LogAttrs(ctx, level, msg, attributes(kv)...)
}

func attributes(kv []any) []slog.Attr {
	out := make([]slog.Attr, 0, (len(kv)+1)/2)
	for i := 0; i < len(kv); i += 2 {
		key := fmt.Sprint(kv[i])
		if i+1 == len(kv) {
			out = append(out, slog.String("value", key))
			break
		}
		if key == slog.MessageKey {
			key = "detail" // the engine names an attribute like the message itself
		}
		out = append(out, attribute(key, kv[i+1]))
	}
	return out
}

func attribute(key string, v any) slog.Attr {
	switch v := v.(type) {
	case nil:
		return slog.Any(key, nil)
	case []byte:
		return slog.String(key, hex.EncodeToString(v))
	case error, fmt.Stringer, fmt.Formatter:
		return slog.String(key, fmt.Sprint(v))
	}
	return slog.Any(key, v)
}
