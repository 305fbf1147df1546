package stream_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/node/stream"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
)

var alice = address.FromKey([]byte("alice"))

// The frames of README.md, to the letter.
func TestDialogue(t *testing.T) {
	s := newSite(t, newLog(t, state.NewMemory()), stream.Config{})
	add(t, s.log, granted(1, "door/1"), used("a"))
	add(t, s.log, grantedTo(1<<60, "door/1", alice))
	f := s.dial("contract=access&event=granted&after=1.0.0")
	want := func(raw string) {
		t.Helper()
		fr, err := f.read()
		if err != nil {
			t.Fatal(err)
		}
		if fr.raw != raw {
			t.Errorf("frame is\n%s, want\n%s", fr.raw, raw)
		}
	}
	want(`{"type":"hello","chain":"test","height":2,"cursor":"1.0.0"}`)
	want(`{"type":"event","prev":"1.0.0","cursor":"2.0.0","contract":"access","event":"granted",` +
		`"attributes":{"id":"1152921504606846976","object":"door/1","subject":"` + alice.String() + `"},` +
		`"tx":"ab00000000000000000000000000000000000000000000000000000000000002","height":2,"time":1760000002}`)
	want(`{"type":"live","cursor":"2.0.0","height":2}`)

	loose := eventlog.Block{Height: 3, Time: 5, Events: []receipt.Event{granted(2, "gate")}}
	odd := receipt.Event{Contract: "access", Name: "granted", Attributes: cbor.AppendBytes(cbor.AppendText(cbor.AppendMap(nil, 1), "id"), []byte{7})}
	loose.Receipts = []receipt.Receipt{{TxID: [32]byte{1}, Events: []receipt.Event{odd}}}
	if err := errors.Join(s.log.Append(loose), s.log.Raise(3)); err != nil {
		t.Fatal(err)
	}
	want(`{"type":"event","prev":"2.0.0","cursor":"3.0.0","contract":"access","event":"granted","attributes":{"id":"0x07"},` +
		`"tx":"0100000000000000000000000000000000000000000000000000000000000000","height":3,"time":5}`)
	want(`{"type":"event","prev":"3.0.0","cursor":"3.1.0","contract":"access","event":"granted","attributes":{"id":2,"object":"gate"},"tx":null,"height":3,"time":5}`)
}

func TestWhereAStreamBegins(t *testing.T) {
	s := newSite(t, newLog(t, state.NewMemory()), stream.Config{})
	empty := s.dial("")
	if h := empty.next("hello"); h.Cursor != "0.0.0" || h.Height != 0 {
		t.Errorf("hello of an empty chain is %s", h.raw)
	}
	if l := empty.next("live"); l.Cursor != "0.0.0" {
		t.Errorf("live of an empty chain is %s", l.raw)
	}
	add(t, s.log, granted(1, "door/1"), used("a"))
	add(t, s.log)
	if e := empty.next("event"); e.Cursor != "1.0.0" || *e.Prev != "" {
		t.Errorf("the very first event is %s", e.raw)
	}
	for _, c := range []struct{ query, events, prev string }{
		{"after=start", "1.0.0 1.0.1", ""},
		{"after=0.0.0", "1.0.0 1.0.1", ""},
		{"after=1.0.0", "1.0.1", "1.0.0"},
		{"after=1.0.1", "", ""},
		{"after=2.0.0", "", ""},
		{"after=1.0.0&event=used", "1.0.1", ""}, // what lies before did not match
		{"", "", ""},
	} {
		f := s.dial(c.query)
		events := f.untilLive()
		if got := cursors(events); got != c.events {
			t.Errorf("%q begins with %q, want %q", c.query, got, c.events)
		}
		if len(events) > 0 && *events[0].Prev != c.prev {
			t.Errorf("%q: prev is %q, want %q", c.query, *events[0].Prev, c.prev)
		}
	}
	// From now on: the first event knows what came before it all the same.
	f := s.dial("contract=access&event=granted")
	if h := f.next("hello"); h.Cursor != "1.0.1" {
		t.Errorf("from now begins at %s, want the newest event", h.raw)
	}
	f.next("live")
	add(t, s.log, used("b"), granted(2, "door/2"))
	if e := f.next("event"); e.Cursor != "3.0.1" || *e.Prev != "1.0.0" {
		t.Errorf("the first live event is %s", e.raw)
	}
}

func TestFilters(t *testing.T) {
	s := newSite(t, newLog(t, state.NewMemory()), stream.Config{})
	when := cbor.AppendMap(nil, 2)
	when = cbor.AppendText(cbor.AppendText(when, "id"), "7")
	when = cbor.AppendInt(cbor.AppendText(when, "when"), 1_767_225_600)
	failed := receipt.Receipt{Code: receipt.OutOfGas, Contract: "energy", Method: "read", Sender: alice}
	add(t, s.log,
		granted(7, "door/1"),     // 0
		grantedTo(8, "7", alice), // 1
		used("7"),                // 2
		receipt.Event{Contract: "access", Name: "used", Attributes: when},                                                             // 3
		receipt.Event{Contract: "other", Name: "granted", Attributes: when},                                                           // 4: a contract without a spec
		receipt.Event{Contract: "other", Name: "x", Attributes: cbor.AppendBool(cbor.AppendText(cbor.AppendMap(nil, 1), "on"), true)}, // 5
		failed.Refusal(), // 6
	)
	for _, c := range []struct{ query, indices string }{
		{"", "0 1 2 3 4 5 6"},
		{"contract=access", "0 1 2 3"},
		{"contract=access&event=granted", "0 1"},
		{"event=granted", "0 1 4"},
		{"contract=none", ""},
		{"contract=access&event=granted&attr.id=7", "0"},
		{"contract=access&event=used&attr.id=7", "2 3"},
		{"contract=access&attr.id=7", "0 2 3"}, // uint in one event, text in the other
		{"attr.id=7", "0 2 3 4"},
		{"contract=access&event=granted&" + attr("subject", alice.String()), "1"},
		{attr("subject", alice.String()), "1"},
		{"contract=access&event=granted&attr.id=8&attr.object=7", "1"},
		{"contract=access&event=granted&attr.id=8&attr.object=8", ""},
		{"contract=access&event=used&" + attr("when", "2026-01-01T01:00:00+01:00"), "3"},
		{"contract=access&event=used&attr.when=1767225600", "3"},
		{attr("when", "2026-01-01T00:00:00Z"), "3 4"},
		{"attr.on=true", "5"},
		{"event=refused", "6"},
		{"event=refused&attr.name=out_of_gas&attr.code=37&" + attr("sender", alice.String()), "6"},
		{"contract=energy&event=refused&attr.code=36", ""},
		{"contract=access&attr.object=door%2F1", "0"},
	} {
		var got []string
		for _, e := range s.dial("after=start&" + c.query).untilLive() {
			got = append(got, e.Cursor[strings.LastIndexByte(e.Cursor, '.')+1:])
		}
		if strings.Join(got, " ") != c.indices {
			t.Errorf("%q matches %q, want %q", c.query, got, c.indices)
		}
	}
}

// Everything that a client can ask wrongly is answered in a frame that names it, with a
// close code, and costs nobody else anything.
func TestBadSubscriptions(t *testing.T) {
	s := newSite(t, newLog(t, state.NewMemory()), stream.Config{})
	add(t, s.log, granted(1, "door/1"))
	bystander := s.dial("after=start")
	bystander.untilLive()
	nine := ""
	for i := range 9 {
		nine += fmt.Sprintf("&attr.a%d=1", i)
	}
	for _, c := range []struct{ query, code, reason string }{
		{"after=2.0.0", "future_cursor", "cursor 2.0.0 is in the future: the newest block is 1"},
		{"after=18446744073709551615.0.0", "future_cursor", "18446744073709551615.0.0 is in the future"},
		{"after=yesterday", "bad_cursor", `cursor "yesterday": must be height.tx.index or start`},
		{"after=", "bad_cursor", `cursor ""`},
		{"after=1.0", "bad_cursor", `cursor "1.0"`},
		{"after=01.0.0", "bad_cursor", `cursor "01.0.0"`},
		{"after=-1.0.0", "bad_cursor", `cursor "-1.0.0"`},
		{"after=1.4294967296.0", "bad_cursor", `cursor "1.4294967296.0"`},
		{"after=99999999999999999999.0.0", "bad_cursor", "99999999999999999999.0.0"},
		{"cursor=1.0.0", "bad_parameter", `unknown parameter "cursor"`},
		{"contract=access&contract=access", "bad_parameter", `parameter "contract" is given 2 times`},
		{"contract=Access", "bad_parameter", `contract "Access": not a name`},
		{"event=" + strings.Repeat("x", 65), "bad_parameter", "not a name of an event"},
		{"event=" + strings.Repeat("x", 2000), "bad_parameter", "its value is 2000 bytes"},
		{"attr.=1", "bad_parameter", `parameter "attr."`},
		{"attr.object=%ff", "bad_parameter", "not UTF-8"},
		{"after=%zz", "bad_parameter", `invalid URL escape "%zz"`},
		{"after=start;contract=access", "bad_parameter", "semicolon"},
		{"x" + nine, "bad_parameter", `unknown parameter "x"`},
		{nine[1:], "bad_parameter", "9 attributes, limit 8"},
		{"contract=access&event=open", "unknown_name", `contract "access" has no event "open": it has granted, used and refused`},
		{"contract=access&event=granted&attr.size=1", "unknown_name", `has no attribute "size": it has id, object, subject, tags`},
		{"contract=access&attr.size=1", "unknown_name", `no event of contract "access" has an attribute "size"`},
		{"contract=access&event=granted&attr.id=seven", "bad_parameter", `attr.id: "seven" is not`},
		{"contract=access&event=granted&attr.subject=bob", "bad_parameter", "attr.subject: "},
		{"contract=access&event=granted&attr.tags=x", "bad_parameter", "attr.tags: a list can't be filtered by"},
		{"contract=broken&event=x", "internal", "disk on fire"},
	} {
		f := s.dial(c.query)
		e := f.next("error")
		if e.Code != c.code || !strings.Contains(e.Reason, c.reason) || e.Number < 1100 {
			t.Errorf("%q: error is %s, want %s with %q", c.query, e.raw, c.code, c.reason)
		}
		code := websocket.ClosePolicyViolation
		if c.code == "internal" {
			code = websocket.CloseInternalServerErr
		}
		f.closed(code)
	}
	height := add(t, s.log, used("a"))
	if e := bystander.next("event"); e.Height != height {
		t.Errorf("the bystander got %s", e.raw)
	}
}

func TestPlainRequests(t *testing.T) {
	s := newSite(t, newLog(t, state.NewMemory()), stream.Config{Origins: []string{"https://panel.example"}})
	at := "http" + strings.TrimPrefix(s.url, "ws")
	for _, c := range []struct {
		name   string
		header http.Header
		status int
		body   string
	}{
		{"no handshake", nil, 426, `{"error":{"code":"upgrade_required","number":1013,`},
		{"no key", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}}, 400, `"code":"bad_request"`},
		{"an old version", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"8"}}, 400, `"code":"bad_request"`},
		{"a foreign page", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Origin": {"https://evil.example"}}, 403, `origin \"https://evil.example\" is not allowed`},
	} {
		req, err := http.NewRequest(http.MethodGet, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = c.header
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != c.status || !strings.Contains(string(body), c.body) {
			t.Errorf("%s: %d %s %v, want %d with %s", c.name, resp.StatusCode, body, err, c.status, c.body)
		}
	}
	for _, origin := range []string{"https://panel.example", at} {
		ws, _, err := websocket.DefaultDialer.Dial(s.url, http.Header{"Origin": {origin}})
		if err != nil {
			t.Errorf("origin %s: %v", origin, err)
			continue
		}
		ws.Close()
	}
}

func TestLimits(t *testing.T) {
	s := newSite(t, newLog(t, state.NewMemory()), stream.Config{MaxPerAddress: 2})
	first := s.dial("")
	first.untilLive()
	s.dial("").untilLive()
	third := s.dial("")
	if e := third.next("error"); e.Code != "too_many_subscribers" || !strings.Contains(e.Reason, "your address has 2 streams") {
		t.Errorf("the third gets %s", e.raw)
	}
	third.closed(websocket.CloseTryAgainLater)
	first.ws.Close()
	for { // the server notices the end of a connection in its own time, and tells nobody but the next
		f := s.dial("")
		if fr, err := f.read(); err != nil {
			t.Fatal(err)
		} else if fr.Type == "hello" {
			break
		}
	}

	s = newSite(t, newLog(t, state.NewMemory()), stream.Config{MaxSubscribers: 1})
	s.dial("").untilLive()
	if e := s.dial("").next("error"); e.Code != "too_many_subscribers" || !strings.Contains(e.Reason, "this node has 1 streams") {
		t.Errorf("the second gets %s", e.raw)
	}
	if n := s.server.Stats().Subscribers; n != 1 {
		t.Errorf("%d subscribers are counted", n)
	}
}

func TestClose(t *testing.T) {
	s := newSite(t, newLog(t, state.NewMemory()), stream.Config{})
	var followers []*follower
	for range 10 {
		f := s.dial("")
		f.untilLive()
		followers = append(followers, f)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.server.Close()
		s.server.Close() // again is fine
	}()
	for _, f := range followers {
		if e := f.next("error"); e.Code != "shutting_down" {
			t.Errorf("the last frame is %s", e.raw)
		}
		f.closed(websocket.CloseGoingAway)
	}
	<-done
	_, resp, err := websocket.DefaultDialer.Dial(s.url, nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a stream begins after Close: %v %v", resp, err)
	}
	if st := s.server.Stats(); st.Subscribers != 0 || st.Closed["shutting_down"] != 10 || st.Frames != 30 {
		t.Errorf("stats are %+v", st)
	}
}

// The log begins at 41: history before is said to be missing, and the rest comes.
func TestGap(t *testing.T) {
	log := newLog(t, state.NewMemory())
	if err := log.Raise(40); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, log, stream.Config{})
	add(t, log, granted(1, "door/1"))
	for _, c := range []struct {
		query    string
		from, to uint64
	}{{"after=start", 1, 40}, {"after=17.3.0", 17, 40}, {"after=41.0.0", 0, 0}, {"", 0, 0}} {
		f := s.dial(c.query)
		f.next("hello")
		if c.to != 0 {
			g := f.next("gap")
			if g.From != c.from || g.To != c.to || g.Reason != "the event log of this node begins at height 41" {
				t.Errorf("%q: gap is %s", c.query, g.raw)
			}
			if e := f.next("event"); e.Cursor != "41.0.0" || e.Prev != nil {
				t.Errorf("%q: the first event is %s, want an unknown prev", c.query, e.raw)
			}
		}
		f.next("live")
	}
}

func TestDamagedLog(t *testing.T) {
	db := state.NewMemory()
	s := newSite(t, newLog(t, db), stream.Config{})
	add(t, s.log, granted(1, "door/1"))
	live := s.dial("contract=access")
	live.untilLive()
	var rows [][]byte
	if err := db.Scan([]byte("e"), []byte("f"), false, func(key, _ []byte) bool {
		rows = append(rows, slices.Clone(key))
		return true
	}); err != nil {
		t.Fatal(err)
	}
	b := new(state.Batch)
	b.Set(rows[0], []byte("nonsense"))
	if err := db.Write(b, true); err != nil {
		t.Fatal(err)
	}
	f := s.dial("after=start")
	f.next("hello")
	if e := f.next("error"); e.Code != "log_damaged" {
		t.Errorf("error is %s", e.raw)
	}
	f.closed(websocket.CloseInternalServerErr)
	add(t, s.log, granted(2, "door/1"))
	// The one before is the damaged row: its cursor is known from the index, but not whether it matches.
	if e := live.next("error"); e.Code != "log_damaged" {
		t.Errorf("error is %s", e.raw)
	}
}

// A fault of ours costs one stream.
func TestPanic(t *testing.T) {
	s := newSite(t, newLog(t, state.NewMemory()), stream.Config{})
	bystander := s.dial("contract=access")
	bystander.untilLive()
	f := s.dial("")
	f.untilLive()
	add(t, s.log, receipt.Event{Contract: "panics", Name: "x"})
	if e := f.next("error"); e.Code != "internal" {
		t.Errorf("error is %s", e.raw)
	}
	f.closed(websocket.CloseInternalServerErr)
	add(t, s.log, granted(2, "door/1"))
	bystander.next("event")
}
