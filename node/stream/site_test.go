package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/node/stream"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
)

// specs is one contract with a spec, and two that the node fails at.
type specs struct{}

func kind(k abi.Kind) *abi.Type { return &abi.Type{Kind: k} }

var access = &abi.Spec{ABI: 1, Name: "access", Events: []abi.EventSpec{
	{Name: "granted", Fields: []abi.Field{
		{Name: "id", Type: kind(abi.KindUint)},
		{Name: "object", Type: kind(abi.KindText)},
		{Name: "subject", Type: kind(abi.KindAddress), Optional: true},
		{Name: "tags", Type: &abi.Type{Kind: abi.KindList, Elem: kind(abi.KindText)}, Optional: true},
	}},
	{Name: "used", Fields: []abi.Field{
		{Name: "id", Type: kind(abi.KindText)},
		{Name: "when", Type: kind(abi.KindTime), Optional: true},
	}},
}}

func (specs) Contract(name string) (runtime.ContractInfo, bool, error) {
	switch name {
	case "access":
		return runtime.ContractInfo{Spec: access}, true, nil
	case "changed":
		return runtime.ContractInfo{Spec: access, Since: 7}, true, nil
	case "talkative":
		return runtime.ContractInfo{Spec: talkative()}, true, nil
	case "panics":
		panic("a fault of the node")
	case "broken":
		return runtime.ContractInfo{}, false, errors.New("disk on fire")
	}
	return runtime.ContractInfo{}, false, nil
}

// talkative is a contract with as many events as there may be, which all have an id, of one of two types.
func talkative() *abi.Spec {
	s := &abi.Spec{ABI: 1, Name: "talkative"}
	for i := range abi.MaxEventSpecs {
		id := kind(abi.KindText)
		if i%2 == 1 {
			id = kind(abi.KindUint)
		}
		s.Events = append(s.Events, abi.EventSpec{Name: fmt.Sprint("e", i), Fields: []abi.Field{{Name: "id", Type: id}}})
	}
	return s
}

// accessBefore is what "changed" had before height 7.
var accessBefore = &abi.Spec{ABI: 1, Name: "before"}

func (specs) SpecAt(name string, height uint64) (*abi.Spec, error) {
	if name != "changed" || height >= 7 {
		panic("BUG: asked for what is known")
	}
	return accessBefore, nil
}

// site is a log and a stream server over it.
type site struct {
	t      testing.TB
	log    *eventlog.Log
	server *stream.Server
	url    string // ws://...
}

func newLog(t testing.TB, db state.DB) *eventlog.Log {
	t.Helper()
	log, err := eventlog.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func newServer(t testing.TB, log *eventlog.Log, c stream.Config) *stream.Server {
	t.Helper()
	c.Log, c.Types, c.Chain = log, stream.NewTypes(specs{}, log), "test"
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := stream.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newSite serves a log on a port of this machine until the test ends.
func newSite(t testing.TB, log *eventlog.Log, c stream.Config) *site {
	t.Helper()
	if c.Linger == 0 {
		c.Linger = 200 * time.Millisecond
	}
	s := newServer(t, log, c)
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		h.Close()
	})
	return &site{t, log, s, "ws" + strings.TrimPrefix(h.URL, "http")}
}

// add appends and publishes a block with one transaction.
func add(t testing.TB, log *eventlog.Log, events ...receipt.Event) uint64 {
	t.Helper()
	height := log.Height() + 1
	b := eventlog.Block{
		Height: height, Time: 1_760_000_000 + int64(height), Hash: []byte{byte(height)}, Root: []byte{byte(height)},
		Receipts: []receipt.Receipt{{TxID: [32]byte{0: 0xab, 31: byte(height)}, Events: events}},
	}
	if err := errors.Join(log.Append(b), log.Raise(height)); err != nil {
		t.Fatal(err)
	}
	return height
}

func granted(id uint64, object string) receipt.Event {
	b := cbor.AppendMap(nil, 2)
	b = cbor.AppendUint(cbor.AppendText(b, "id"), id)
	b = cbor.AppendText(cbor.AppendText(b, "object"), object)
	return receipt.Event{Contract: "access", Name: "granted", Attributes: b}
}

func grantedTo(id uint64, object string, subject address.Address) receipt.Event {
	b := cbor.AppendMap(nil, 3)
	b = cbor.AppendUint(cbor.AppendText(b, "id"), id)
	b = cbor.AppendText(cbor.AppendText(b, "object"), object)
	b = cbor.AppendBytes(cbor.AppendText(b, "subject"), subject[:])
	return receipt.Event{Contract: "access", Name: "granted", Attributes: b}
}

func used(id string) receipt.Event {
	b := cbor.AppendMap(nil, 1)
	b = cbor.AppendText(cbor.AppendText(b, "id"), id)
	return receipt.Event{Contract: "access", Name: "used", Attributes: b}
}

// frame is any frame.
type frame struct {
	Type       string          `json:"type"`
	Chain      string          `json:"chain"`
	Height     uint64          `json:"height"`
	Cursor     string          `json:"cursor"`
	Prev       *string         `json:"prev"`
	Contract   string          `json:"contract"`
	Event      string          `json:"event"`
	Attributes json.RawMessage `json:"attributes"`
	Tx         *string         `json:"tx"`
	Time       int64           `json:"time"`
	Behind     uint64          `json:"behind"`
	From       uint64          `json:"from"`
	To         uint64          `json:"to"`
	Code       string          `json:"code"`
	Number     int             `json:"number"`
	Reason     string          `json:"reason"`

	raw string
}

// patience bounds what a test waits for before it says that it never came, with fifty followers on a busy machine too.
const patience = time.Minute

type follower struct {
	t  testing.TB
	ws *websocket.Conn
}

// dial subscribes with a query such as "contract=access&after=start".
func (s *site) dial(query string) *follower {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.DefaultDialer.DialContext(ctx, s.url+"/?"+query, nil)
	if err != nil {
		s.t.Fatalf("dial %q: %v", query, err)
	}
	s.t.Cleanup(func() { _ = ws.Close() })
	return &follower{s.t, ws}
}

func (f *follower) read() (*frame, error) {
	if err := f.ws.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	_, b, err := f.ws.ReadMessage()
	if err != nil {
		return nil, err
	}
	fr := &frame{raw: string(b)}
	return fr, json.Unmarshal(b, fr)
}

// next wants a frame of this type.
func (f *follower) next(kind string) *frame {
	f.t.Helper()
	fr, err := f.read()
	if err != nil {
		f.t.Fatalf("waiting for %s: %v", kind, err)
	}
	if fr.Type != kind {
		f.t.Fatalf("frame is %s, want %s", fr.raw, kind)
	}
	return fr
}

// untilLive reads hello and history, and returns the events.
func (f *follower) untilLive() (events []*frame) {
	f.t.Helper()
	f.next("hello")
	for {
		fr, err := f.read()
		if err != nil {
			f.t.Fatal(err)
		}
		switch fr.Type {
		case "live":
			return events
		case "event":
			events = append(events, fr)
		default:
			f.t.Fatalf("frame is %s", fr.raw)
		}
	}
}

// closed wants the connection to be closed with this code, whatever is still on the way.
func (f *follower) closed(code int) {
	f.t.Helper()
	for {
		_, err := f.read()
		var c *websocket.CloseError
		if errors.As(err, &c) {
			if c.Code != code {
				f.t.Errorf("close code is %d (%s), want %d", c.Code, c.Text, code)
			}
			return
		}
		if err != nil {
			f.t.Fatalf("waiting for close %d: %v", code, err)
		}
	}
}

func cursors(events []*frame) string {
	var s []string
	for _, e := range events {
		s = append(s, e.Cursor)
	}
	return strings.Join(s, " ")
}

func attr(name, value string) string { return "attr." + name + "=" + url.QueryEscape(value) }

func cursor(height uint64, tx, index int) string { return fmt.Sprintf("%d.%d.%d", height, tx, index) }
