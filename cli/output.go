package cli

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/client/story"
)

// print prints a result: v as one line of JSON if that was asked for, and else what people
// makes of it.
func (s *session) print(v any, people func()) error {
	if !s.json {
		people()
		return nil
	}
	e := json.NewEncoder(s.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (s *session) printf(format string, args ...any) { fmt.Fprintf(s.out, format, args...) }

// table prints rows with aligned columns, cells safe for a terminal.
func (s *session) table(rows [][]string) {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i := range row {
			row[i] = text(row[i])
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	_ = w.Flush()
}

// The JSON of results, in the words of node/api/README.md.
type (
	receiptJSON struct {
		ID            tx.ID           `json:"id"`
		Height        uint64          `json:"height"`
		Index         uint32          `json:"index"`
		Time          int64           `json:"time"`
		Code          string          `json:"code"`
		Number        uint32          `json:"number"`
		ContractCode  uint32          `json:"contract_code,omitempty"`
		ContractError string          `json:"contract_error,omitempty"`
		Reason        string          `json:"reason"`
		GasUsed       uint64          `json:"gas_used"`
		GasLimit      uint64          `json:"gas_limit"`
		Contract      string          `json:"contract"`
		Method        string          `json:"method"`
		Sender        string          `json:"sender"`
		Return        json.RawMessage `json:"return"`
		ReturnCBOR    string          `json:"return_cbor,omitempty"`
		Events        []eventJSON     `json:"events"`
	}
	eventJSON struct {
		Cursor     string          `json:"cursor"`
		Prev       *string         `json:"prev,omitempty"`
		Contract   string          `json:"contract"`
		Event      string          `json:"event"`
		Attributes json.RawMessage `json:"attributes"`
		Tx         *tx.ID          `json:"tx"`
		Height     uint64          `json:"height"`
		Time       int64           `json:"time"`
	}
)

func newReceiptJSON(r *client.Receipt) receiptJSON {
	j := receiptJSON{
		ID: r.ID, Height: r.Height, Index: r.Index, Time: r.Time.Unix(),
		Code: r.Code.Name(), Number: uint32(r.Code), ContractCode: r.ContractCode, ContractError: r.ContractError, Reason: r.Reason,
		GasUsed: r.GasUsed, GasLimit: r.GasLimit, Contract: r.Contract, Method: r.Method, Sender: addressText(r.Sender),
		Return: r.Return, Events: []eventJSON{},
	}
	if r.ReturnCBOR != nil {
		j.ReturnCBOR = "0x" + hex.EncodeToString(r.ReturnCBOR)
	}
	for i := range r.Events {
		j.Events = append(j.Events, newEventJSON(&r.Events[i]))
	}
	return j
}

func newEventJSON(e *client.Event) eventJSON {
	j := eventJSON{
		Cursor: e.Cursor.String(), Contract: e.Contract, Event: e.Name, Attributes: e.Attributes,
		Height: e.Height, Time: e.Time.Unix(),
	}
	if e.Prev != nil {
		prev := ""
		if e.Prev.Height != 0 {
			prev = e.Prev.String()
		}
		j.Prev = &prev
	}
	if e.Tx != (tx.ID{}) {
		j.Tx = &e.Tx
	}
	return j
}

// integer is a number that JSON carries exactly: as text beyond 2^53-1 (RFC 7493), as the
// node does it.
type integer uint64

// MarshalJSON implements json.Marshaler.
func (n integer) MarshalJSON() ([]byte, error) {
	s := strconv.FormatUint(uint64(n), 10)
	if n >= 1<<53 {
		s = `"` + s + `"`
	}
	return []byte(s), nil
}

// printReceipt prints what became of a transaction.
func (s *session) printReceipt(r *client.Receipt) error {
	return s.print(newReceiptJSON(r), func() {
		s.printf("%s  %s %s  block %d  gas %d of %d\n", verdict(r.Code.Name(), r.ContractCode, r.ContractError, r.Return), text(r.Contract), text(r.Method), r.Height, r.GasUsed, r.GasLimit)
		s.printf("tx      %s\n", r.ID)
		if r.Reason != "" {
			s.printf("reason  %s\n", text(r.Reason))
		}
		if r.Return != nil {
			s.printf("result  %s\n", s.result(r.Contract, r.Method, r.Return))
		}
		for i := range r.Events {
			e := &r.Events[i]
			s.printf("event   %s  %s.%s  %s\n", e.Cursor, text(e.Contract), text(e.Name), s.attributes(e.Contract, e.Name, e.Attributes))
		}
	})
}

// verdict is how a call ended, in a word or two.
func verdict(code string, contractCode uint32, contractError string, result json.RawMessage) string {
	return story.Verdict(code, contractCode, contractError, result)
}

// inline shows JSON on one line for people.
func inline(raw json.RawMessage) string { return story.Inline(raw) }

// spec is what a contract offers, or nil if that can't be had: then what it says is shown as it is.
func (s *session) spec(contract string) *abi.Spec {
	if s.client == nil || s.untyped[contract] {
		return nil
	}
	spec, err := s.client.Spec(s.ctx, contract)
	if err != nil && s.ctx.Err() == nil {
		if s.untyped == nil {
			s.untyped = map[string]bool{}
		}
		s.untyped[contract] = true
	}
	return spec
}

// result is inline of what a method answered, with times and durations as people write them.
func (s *session) result(contract, method string, raw json.RawMessage) string {
	if spec := s.spec(contract); spec != nil {
		m, _ := spec.Method(method)
		raw = specjson.Readable(m.Result, raw)
	}
	return inline(raw)
}

// attributes is the same of an event.
func (s *session) attributes(contract, event string, raw json.RawMessage) string {
	if spec := s.spec(contract); spec != nil {
		if e, ok := spec.Event(event); ok {
			raw = specjson.Readable(&abi.Type{Kind: abi.KindStruct, Fields: e.Fields}, raw)
		}
	}
	return inline(raw)
}

// indented is JSON over several lines, for people.
func indented(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return text(string(raw))
	}
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = text(lines[i])
	}
	return strings.Join(lines, "\n")
}

// How files begin that are written over.
const (
	wasmMagic = "\x00asm"
	coseSign1 = "\xd2" // tag 18 of CBOR
)

// overwrite writes a file, in place of one of its kind, too, which is known by how it begins, or of an empty one; but not of what somebody has written.
func overwrite(path string, content []byte, kind, begins string) error {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		there := make([]byte, len(begins))
		n, err := io.ReadFull(f, there)
		f.Close()
		if err != nil && err != io.ErrUnexpectedEOF {
			return err
		}
		if string(there[:n]) != begins {
			return hint(fmt.Errorf("%s is there already, and is not %s", path, kind), "another --out, or move it away")
		}
	}
	return os.WriteFile(path, content, 0o644)
}

// addressText is an address, "" for none.
func addressText(a address.Address) string {
	if a.IsZero() {
		return ""
	}
	return a.String()
}

// clock is a time as people read it.
func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func clockUnix(seconds int64) string { return clock(time.Unix(seconds, 0)) }
