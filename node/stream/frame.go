package stream

import (
	"encoding/hex"
	"encoding/json"
	"strconv"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/receipt"
)

// Prev is the place of the event before one, under the same filter: unknown, none (the zero
// Cursor) or a cursor.
type Prev struct {
	Cursor receipt.Cursor
	Known  bool
}

// AppendEvent appends an event as JSON members without the braces around them, the same in a
// stream's frame, a page and a receipt:
//
//	"cursor":"42.0.0","contract":"access","event":"granted","attributes":{...},"tx":"9f86...","height":42,"time":1760000000
//
// The attributes are typed by the contract's spec; without one, by what they are.
func AppendEvent(b []byte, e *eventlog.Entry, spec *abi.Spec) []byte {
	b = append(b, `"cursor":"`...)
	b = append(b, e.Cursor.String()...)
	b = append(b, `","contract":`...)
	b = appendString(b, e.Event.Contract)
	b = append(b, `,"event":`...)
	b = appendString(b, e.Event.Name)
	b = append(b, `,"attributes":`...)
	b = append(b, specjson.EventJSON(spec, e.Event.Name, e.Event.Attributes)...)
	if e.Loose {
		b = append(b, `,"tx":null`...)
	} else {
		b = append(b, `,"tx":"`...)
		b = hex.AppendEncode(b, e.TxID[:])
		b = append(b, '"')
	}
	b = append(b, `,"height":`...)
	b = strconv.AppendUint(b, e.Cursor.Height, 10)
	b = append(b, `,"time":`...)
	return strconv.AppendInt(b, e.Time, 10)
}

// AppendPrev appends the member "prev".
func AppendPrev(b []byte, p Prev) []byte {
	switch {
	case !p.Known:
		return append(b, `"prev":null`...)
	case p.Cursor == receipt.Cursor{}:
		return append(b, `"prev":""`...)
	}
	b = append(b, `"prev":"`...)
	b = append(b, p.Cursor.String()...)
	return append(b, '"')
}

// appendString appends a JSON string. Names need no escapes, but rows come from a disk.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic("BUG: stream: a string that is no JSON: " + err.Error())
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func eventFrame(p Prev, members []byte) []byte {
	b := make([]byte, 0, len(members)+80)
	b = append(b, `{"type":"event",`...)
	b = AppendPrev(b, p)
	b = append(b, ',')
	b = append(b, members...)
	return append(b, '}')
}

// The other frames.
type (
	helloFrame struct {
		Type   string         `json:"type"` // "hello"
		Chain  string         `json:"chain"`
		Height uint64         `json:"height"`
		Cursor receipt.Cursor `json:"cursor"`
	}
	gapFrame struct {
		Type   string `json:"type"` // "gap"
		From   uint64 `json:"from"`
		To     uint64 `json:"to"`
		Reason string `json:"reason"`
	}
	liveFrame struct {
		Type   string         `json:"type"` // "live"
		Cursor receipt.Cursor `json:"cursor"`
		Height uint64         `json:"height"`
	}
	laggingFrame struct {
		Type   string `json:"type"` // "lagging"
		Behind uint64 `json:"behind"`
	}
	errorFrame struct {
		Type   string `json:"type"` // "error"
		Code   string `json:"code"`
		Number int    `json:"number"`
		Reason string `json:"reason"`
	}
)

// encode makes a frame's bytes.
func encode(frame any) []byte {
	b, err := json.Marshal(frame)
	if err != nil {
		panic("BUG: stream: a frame that is no JSON: " + err.Error())
	}
	return b
}
