package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

// follow reads n events of a subscription and says what happened, in order.
func follow(t *testing.T, c *Client, f Filter, after string, n int) (story []string, s *Subscription, err error) {
	t.Helper()
	s, err = c.Subscribe(t.Context(), f, after, func(n Notice) {
		switch n.Kind {
		case Gap:
			story = append(story, fmt.Sprintf("gap %d-%d", n.From, n.To))
		case Lagging:
			story = append(story, fmt.Sprintf("lagging %d", n.Behind))
		default:
			story = append(story, string(n.Kind))
		}
	})
	if err != nil {
		return story, nil, err
	}
	t.Cleanup(func() { _ = s.Close() })
	for range n {
		e, err := s.Next(t.Context())
		if err != nil {
			return story, s, err
		}
		story = append(story, e.Cursor.String())
	}
	return story, s, nil
}

const (
	live    = `{"type":"live","cursor":"50.0.0","height":57}`
	newKind = `{"type":"weather","cursor":7,"sunny":true}`
)

func TestSubscribe(t *testing.T) {
	for _, c := range []struct {
		name    string
		after   string
		streams []stream
		story   string // what follow tells; the last word is "!" if it ended with a GapError
		asked   string // the after of each connection
	}{
		{
			name: "history, then live", after: FromStart,
			streams: []stream{{hello("0.0.0"), event("1.0.0", ""), event("1.0.1", "1.0.0"), live, event("51.0.0", "1.0.1")}},
			story:   "connected 1.0.0 1.0.1 live 51.0.0", asked: "start",
		},
		{
			name: "resumes where it was", after: FromStart,
			streams: []stream{
				{hello("0.0.0"), event("1.0.0", ""), event("1.0.1", "1.0.0")},
				{hello("1.0.1"), event("2.0.0", "1.0.1"), event("3.0.0", "2.0.0")},
			},
			story: "connected 1.0.0 1.0.1 disconnected connected 2.0.0 3.0.0", asked: "start 1.0.1",
		},
		{
			name: "resumes before the first event", after: FromNow,
			streams: []stream{
				{hello("41.0.2")},
				{hello("41.0.2"), event("42.0.0", "40.7.7")},
			},
			story: "connected disconnected connected 42.0.0", asked: " 41.0.2",
		},
		{
			name: "resumes after what didn't match, and still knows its last event", after: "5.0.0",
			streams: []stream{
				{hello("5.0.0"), event("6.0.0", "3.0.0"), live},
				{hello("50.0.0"), event("51.0.0", "6.0.0")},
			},
			story: "connected 6.0.0 live disconnected connected 51.0.0", asked: "5.0.0 50.0.0",
		},
		{
			name: "an unknown prev is for the first event of a connection", after: "5.0.0",
			streams: []stream{{hello("5.0.0"), event("6.0.0", "?"), event("7.0.0", "?")}},
			story:   "connected 6.0.0 !", asked: "5.0.0",
		},
		{
			name: "a gap that the node declares", after: FromStart,
			streams: []stream{{hello("0.0.0"), `{"type":"gap","from":1,"to":39,"reason":"begins at 40"}`, event("40.0.0", "?"), event("41.0.0", "40.0.0")}},
			story:   "connected gap 1-39 40.0.0 41.0.0", asked: "start",
		},
		{
			name: "a gap that it doesn't", after: FromStart,
			streams: []stream{{hello("0.0.0"), event("1.0.0", ""), event("3.0.0", "2.0.0")}},
			story:   "connected 1.0.0 !", asked: "start",
		},
		{
			name: "a gap across connections", after: FromStart,
			streams: []stream{
				{hello("0.0.0"), event("1.0.0", "")},
				{hello("1.0.0"), event("3.0.0", "2.0.0")},
			},
			story: "connected 1.0.0 disconnected connected !", asked: "start 1.0.0",
		},
		{
			name: "a gap before the first event", after: FromStart,
			streams: []stream{{hello("0.0.0"), event("2.0.0", "1.0.0")}},
			story:   "connected !", asked: "start",
		},
		{
			name: "a gap after a cursor", after: "5.0.0",
			streams: []stream{{hello("5.0.0"), event("7.0.0", "6.0.0")}},
			story:   "connected !", asked: "5.0.0",
		},
		{
			name: "an event twice", after: FromStart,
			streams: []stream{{hello("0.0.0"), event("1.0.0", ""), event("1.0.0", "1.0.0")}},
			story:   "connected 1.0.0 !", asked: "start",
		},
		{
			name: "an event from before", after: "5.0.0",
			streams: []stream{{hello("5.0.0"), event("4.0.0", "3.0.0")}},
			story:   "connected !", asked: "5.0.0",
		},
		{
			name: "lagging, and frames of a later version", after: FromStart,
			streams: []stream{{hello("0.0.0"), `{"type":"lagging","behind":20}`, newKind[:14] + `er"}`, event("1.0.0", "")}},
			story:   "connected lagging 20 1.0.0", asked: "start",
		},
		{
			name: "a node that stops is tried again", after: FromStart,
			streams: []stream{
				{hello("0.0.0"), event("1.0.0", ""), `{"type":"error","code":"shutting_down","number":1107,"reason":"bye"}`},
				{`{"type":"error","code":"too_many_subscribers","number":1105,"reason":"full"}`},
				{hello("1.0.0"), event("2.0.0", "1.0.0")},
			},
			story: "connected 1.0.0 disconnected disconnected connected 2.0.0", asked: "start 1.0.0 1.0.0",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, nil)
			queries := f.streams(t, c.streams...)
			n := strings.Count(c.story, ".") / 2
			if strings.HasSuffix(c.story, "!") {
				n++
			}
			story, s, err := follow(t, f.client(t), Filter{}, c.after, n)
			if gap, ok := errors.AsType[*GapError](err); ok {
				story = append(story, "!")
				if _, again := s.Next(t.Context()); again != ErrClosed {
					t.Errorf("after %v: %v", gap, again)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(story, " "); got != c.story {
				t.Errorf("got  %s\nwant %s", got, c.story)
			}
			var asked []string
			for _, q := range queries() {
				v, _ := url.ParseQuery(q)
				asked = append(asked, v.Get("after"))
			}
			if got := strings.Join(asked, " "); got != c.asked {
				t.Errorf("connections were asked after %q, want %q", got, c.asked)
			}
		})
	}
}

func TestSubscribeRefused(t *testing.T) {
	for _, c := range []struct{ name, frame, want string }{
		{"a bad filter", `{"type":"error","code":"unknown_name","number":1101,"reason":"door has no event opend"}`, "opend"},
		{"a cursor of the future", `{"type":"error","code":"future_cursor","number":1103,"reason":"cursor 99.0.0"}`, "99.0.0"},
		{"no hello", live, "not hello"},
		{"not JSON", "hello", "frame of 5 bytes"},
	} {
		f := newFake(t, nil)
		f.streams(t, stream{c.frame})
		if _, _, err := follow(t, f.client(t), Filter{}, FromStart, 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	f := newFake(t, nil) // without a stream: 404
	if _, _, err := follow(t, f.client(t), Filter{}, FromStart, 0); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("no stream: %v", err)
	}
	if _, _, err := follow(t, f.client(t), Filter{}, "yesterday", 0); err == nil || !strings.Contains(err.Error(), "yesterday") {
		t.Errorf("no cursor: %v", err)
	}
}

func TestSubscribeAnotherChain(t *testing.T) {
	f := newFake(t, nil)
	f.streams(t, stream{hello("0.0.0"), event("1.0.0", "")}, stream{strings.Replace(hello("1.0.0"), "test", "test-2", 1)})
	if _, _, err := follow(t, f.client(t), Filter{}, FromStart, 2); err == nil || !strings.Contains(err.Error(), `"test-2"`) {
		t.Errorf("got %v", err)
	}
}

func TestSubscribeEnds(t *testing.T) {
	f := newFake(t, nil)
	f.streams(t)
	c := f.client(t)
	ctx, cancel := context.WithCancel(t.Context())
	s, err := c.Subscribe(ctx, Filter{}, FromNow, nil)
	if err != nil {
		t.Fatal(err)
	}
	first := s // s is another's below, while this may still be running
	context.AfterFunc(ctx, func() { _ = first.Close() })
	cancel()
	if _, err := s.Next(ctx); err != context.Canceled && err != ErrClosed {
		t.Errorf("after its context: %v", err)
	}

	s, err = c.Subscribe(t.Context(), Filter{}, FromNow, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := s.Next(t.Context())
		done <- err
	}()
	_ = s.Close()
	if err := <-done; err != ErrClosed {
		t.Errorf("after Close: %v", err)
	}
	_ = s.Close()
}

func TestFilterAndEvent(t *testing.T) {
	f := newFake(t, nil)
	queries := f.streams(t, stream{hello("0.0.0"), strings.Replace(event("42.0.1", ""), `"`+strings.Repeat("ab", 32)+`"`, "null", 1)})
	filter := Filter{Contract: "door", Event: "opened", Attributes: map[string]string{"door": "a&b=c", "by": "x"}}
	s, err := f.client(t).Subscribe(t.Context(), filter, FromStart, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for e, err := range s.Events(t.Context()) {
		if err != nil || e.Contract != "door" || e.Name != "opened" || e.Height != 42 || e.Tx != (tx.ID{}) || *e.Prev != (receipt.Cursor{}) {
			t.Errorf("event %+v, %v", e, err)
		}
		break
	}
	if s.Cursor() != "42.0.1" {
		t.Errorf("cursor %s", s.Cursor())
	}
	got, err := url.ParseQuery(queries()[0])
	want := url.Values{"contract": {"door"}, "event": {"opened"}, "attr.door": {"a&b=c"}, "attr.by": {"x"}, "after": {"start"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("asked %v, want %v (%v)", got, want, err)
	}
}
