package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk/client"
)

// pageSize is how many events one request asks for.
const pageSize = 500

func eventsCommand() *urfave.Command {
	return &urfave.Command{
		Name: "events", Usage: "show events, and follow them as they happen",
		Description: `Without --follow: everything up to now that matches, from the start or --after. With it: what
happens from now on (or after --after, with nothing lost or doubled), until Ctrl-C. A connection
that breaks is made again.

  ward events
  ward events --follow --contract access
  ward events --follow --contract access --event granted --attr subject=@guest --json
  ward events --follow --after 42.0.0          go on where another run stopped
  ward events --follow --after start           all of history, then live`,
		Flags: []urfave.Flag{
			&urfave.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on with what happens next"},
			&urfave.StringFlag{Name: "contract", Usage: "only events of this `CONTRACT`"},
			&urfave.StringFlag{Name: "event", Usage: "only events of this `NAME`"},
			&urfave.StringSliceFlag{Name: "attr", Usage: "only events whose attribute has this value, as `NAME=VALUE`; repeat it for several"},
			&urfave.StringFlag{Name: "after", Usage: "begin after this `CURSOR`, or at \"start\""},
			&urfave.Uint64Flag{Name: "limit", Usage: "stop after this `NUMBER` of events", DefaultText: "none"},
			nodeFlag, homeFlag, jsonFlag,
		},
		Action: events,
	}
}

func events(c *urfave.Context) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	f := client.Filter{Contract: c.String("contract"), Event: c.String("event"), Attributes: make(map[string]string)}
	for _, attr := range c.StringSlice("attr") {
		name, value, ok := strings.Cut(attr, "=")
		if !ok || name == "" {
			return usagef("--attr %q: write NAME=VALUE", attr)
		}
		if _, twice := f.Attributes[name]; twice {
			return usagef("--attr %s is given twice", name)
		}
		if strings.HasPrefix(value, "@") {
			a, err := s.address(value)
			if err != nil {
				return usagef("--attr %s: %w", name, err)
			}
			value = a.String()
		}
		f.Attributes[name] = value
	}
	reached := false
	if f.Contract != "" {
		_, err := s.client.Spec(s.ctx, f.Contract)
		reached = err == nil
		if r, ok := errors.AsType[*client.Refused](err); ok && r.Code == receipt.UnknownContract {
			fmt.Fprintf(s.err, "ward: no contract %q is deployed: \"ward contract list\"\n", f.Contract)
		}
	}
	if c.Bool("follow") {
		return s.followEvents(f, c.String("after"), c.Uint64("limit"), reached)
	}
	after := c.String("after")
	if after == "" {
		after = client.FromStart
	}
	return s.pageEvents(f, after, c.Uint64("limit"))
}

// pageEvents prints the log up to now.
func (s *session) pageEvents(f client.Filter, after string, limit uint64) error {
	for printed := uint64(0); ; {
		size := uint64(pageSize)
		if limit != 0 {
			size = min(size, limit-printed)
		}
		page, err := s.client.Events(s.ctx, f, after, int(size))
		if err != nil {
			return err
		}
		if page.GapTo != 0 {
			fmt.Fprintf(s.err, "ward: this node doesn't have the events of the blocks %d to %d\n", page.GapFrom, page.GapTo)
		}
		for i := range page.Events {
			if err := s.printEvent(&page.Events[i]); err != nil {
				return err
			}
			printed++
		}
		if !page.More || limit != 0 && printed == limit {
			return nil
		}
		after = page.Next
	}
}

// followPatience is how long a node may be away that was there a moment ago.
const followPatience = 30 * time.Second

// subscribe is client.Subscribe. A node that was reached already and goes away just now is waited
// for, as it would be once the subscription stood.
func (s *session) subscribe(f client.Filter, after string, notify func(client.Notice), reached bool) (*client.Subscription, error) {
	for end := time.Now().Add(followPatience); ; {
		sub, err := s.client.Subscribe(s.ctx, f, after, notify)
		_, lost := errors.AsType[*net.OpError](err)
		lost = lost || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if !lost || !reached || s.ctx.Err() != nil || time.Now().After(end) {
			return sub, err
		}
		notify(client.Notice{Kind: client.Disconnected, Err: err})
		select {
		case <-s.ctx.Done():
			return nil, s.ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// followEvents prints events until the context ends, which is how it is meant to end. reached
// says that the node has answered before.
func (s *session) followEvents(f client.Filter, after string, limit uint64, reached bool) error {
	p := s.progress()
	defer p.done()
	notify := func(n client.Notice) {
		switch n.Kind {
		case client.Live:
			p.say("block %d, waiting for events", n.Height)
		case client.Lagging:
			p.say("%d blocks behind", n.Behind)
		case client.Disconnected:
			p.say("connecting again: %v", n.Err)
		case client.Gap:
			p.done()
			fmt.Fprintf(s.err, "ward: this node doesn't have the events of the blocks %d to %d\n", n.From, n.To)
		}
	}
	sub, err := s.subscribe(f, after, notify, reached)
	if err != nil {
		return err
	}
	defer sub.Close()
	printed := uint64(0)
	for e, err := range sub.Events(s.ctx) {
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return hint(err, "--after %s to go on where this ended", sub.Cursor())
		}
		p.done()
		if err := s.printEvent(e); err != nil {
			return err
		}
		if printed++; printed == limit {
			return nil
		}
	}
	return nil
}

func (s *session) printEvent(e *client.Event) error {
	return s.print(newEventJSON(e), func() {
		s.printf("%s  %-10s  %s.%s  %s\n", clock(e.Time), e.Cursor, text(e.Contract), text(e.Name), s.attributes(e.Contract, e.Name, e.Attributes))
	})
}
