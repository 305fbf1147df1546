package api

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/node/stream"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/tx"
)

// Pages of every list.
const (
	maxPage      = 1000
	standardPage = 100
)

// outcome is what a receipt says in a block's list and in full.
type outcome struct {
	ID       tx.ID            `json:"id"`
	Code     string           `json:"code"`
	Number   receipt.Code     `json:"number"`
	Reason   string           `json:"reason"`
	GasUsed  uint64           `json:"gas_used"`
	Contract string           `json:"contract"`
	Method   string           `json:"method"`
	Sender   *address.Address `json:"sender,omitempty"`
}

func outcomeOf(r *receipt.Receipt) outcome {
	return outcome{
		ID: r.TxID, Code: r.Code.Name(), Number: r.Code, Reason: r.Reason, GasUsed: r.GasUsed,
		Contract: r.Contract, Method: r.Method, Sender: orAbsent(r.Sender),
	}
}

// orAbsent leaves the zero address, which is nobody, out of JSON.
func orAbsent(a address.Address) *address.Address {
	if a.IsZero() {
		return nil
	}
	return &a
}

type receiptBody struct {
	Height uint64 `json:"height"`
	Index  uint32 `json:"index"`
	Time   int64  `json:"time"`
	outcome
	ContractCode  uint32            `json:"contract_code,omitempty"`
	ContractError string            `json:"contract_error,omitempty"`
	GasLimit      uint64            `json:"gas_limit"`
	Return        json.RawMessage   `json:"return"`
	ReturnCBOR    string            `json:"return_cbor,omitempty"`
	Events        []json.RawMessage `json:"events"`
}

func (s *Server) writeReceipt(w http.ResponseWriter, rec *eventlog.Record) error {
	body, err := s.receiptOf(rec)
	if err != nil {
		return err
	}
	return s.answer(w, body)
}

func (s *Server) receiptOf(rec *eventlog.Record) (*receiptBody, error) {
	r := &rec.Receipt
	spec, err := s.spec(r.Contract, rec.Height)
	if err != nil {
		return nil, err
	}
	body := &receiptBody{
		Height: rec.Height, Index: rec.Tx, Time: rec.Time, outcome: outcomeOf(r),
		ContractCode: r.ContractCode, ContractError: errorName(spec, r.ContractCode), GasLimit: r.GasLimit,
		Events: []json.RawMessage{},
	}
	body.Return, body.ReturnCBOR = result(spec, r)
	for i, e := range r.Events {
		entry := eventlog.Entry{
			Cursor: receipt.Cursor{Height: rec.Height, Tx: rec.Tx, Index: uint32(i)},
			Time:   rec.Time, TxID: r.TxID, Event: e,
		}
		spec, err := s.spec(e.Contract, rec.Height)
		if err != nil {
			return nil, err
		}
		body.Events = append(body.Events, object(stream.AppendEvent([]byte{'{'}, &entry, spec)))
	}
	return body, nil
}

// object closes a JSON object.
func object(b []byte) json.RawMessage { return append(b, '}') }

// result renders what a method returned, typed by its contract's spec if it fits.
func result(spec *abi.Spec, r *receipt.Receipt) (typed json.RawMessage, cbor string) {
	if len(r.Return) == 0 {
		return json.RawMessage("null"), ""
	}
	cbor = "0x" + hex.EncodeToString(r.Return)
	if spec != nil {
		if m, ok := spec.Method(r.Method); ok && m.Result != nil {
			if doc, err := specjson.ToJSON(m.Result, r.Return); err == nil {
				return doc, cbor
			}
		}
	}
	return specjson.Untyped(r.Return), cbor
}

type blockBody struct {
	Height       uint64      `json:"height"`
	Time         int64       `json:"time"`
	Hash         string      `json:"hash"`
	Root         string      `json:"root"`
	Transactions uint32      `json:"transactions"`
	Events       uint32      `json:"events"`
	Page         []blockItem `json:"page"`
	Next         *uint32     `json:"next,omitempty"`
}

type blockItem struct {
	Index uint32 `json:"index"`
	outcome
}

func (s *Server) getBlock(w http.ResponseWriter, r *http.Request) error {
	p, err := parameters(r, "from", "limit")
	if err != nil {
		return err
	}
	text, ok := p["from"]
	from, err := number("from", text, ok, 0, math.MaxUint32, 0)
	if err != nil {
		return err
	}
	limit, err := pageLimit(p)
	if err != nil {
		return err
	}
	newest, first := s.config.Log.Height(), s.config.Log.First()
	height := newest
	if text := r.PathValue("height"); text != "latest" {
		if height, err = number("height", text, true, 1, math.MaxUint64, 0); err != nil {
			return err
		}
	}
	if height > newest || newest == 0 {
		return futureHeight.because("height %d does not exist yet: the newest block is %d", height, newest)
	}
	h, err := s.config.Log.Block(height)
	if err != nil {
		return err
	}
	if h == nil {
		return pruned.because("the log of this node begins at height %d", first)
	}
	records, err := s.config.Log.Receipts(height, uint32(from), limit)
	if err != nil {
		return err
	}
	body := blockBody{
		Height: h.Height, Time: h.Time, Hash: hex.EncodeToString(h.Hash), Root: hex.EncodeToString(h.Root),
		Transactions: h.Txs, Events: h.Events, Page: []blockItem{},
	}
	for i := range records {
		body.Page = append(body.Page, blockItem{records[i].Tx, outcomeOf(&records[i].Receipt)})
	}
	if next := uint32(from) + uint32(len(records)); len(records) > 0 && next < h.Txs {
		body.Next = &next
	}
	return s.answer(w, body)
}

func pageLimit(p map[string]string) (int, error) {
	text, ok := p["limit"]
	limit, err := number("limit", text, ok, 1, maxPage, standardPage)
	return int(limit), err
}

type contractBody struct {
	Name         string           `json:"name"`
	Code         string           `json:"code"`
	Admin        *address.Address `json:"admin,omitempty"`
	Capabilities []string         `json:"capabilities"`
	Created      uint64           `json:"created"`
	Version      uint64           `json:"version"`
	timelockBody
	Spec json.RawMessage `json:"spec,omitempty"`
}

func contractOf(i *registry.Instance) contractBody {
	return contractBody{
		Name: i.Name, Code: hex.EncodeToString(i.Code[:]), Admin: orAbsent(i.Admin),
		Capabilities: append([]string{}, i.Capabilities...), Created: i.Created, Version: i.Version,
	}
}

// timelockBody is how changes of a contract's code are announced; empty if they are not.
type timelockBody struct {
	Delay     int64             `json:"delay,omitempty"`
	Shorter   *int64            `json:"shorter,omitempty"` // what Delay is from From on
	From      int64             `json:"from,omitempty"`
	Announced *announcementBody `json:"announced,omitempty"`
}

type announcementBody struct {
	Version       uint64 `json:"version"`
	Code          string `json:"code"`
	Rollback      bool   `json:"rollback"`
	AllowBreaking bool   `json:"allow_breaking"`
	Earliest      int64  `json:"earliest"`
}

func timelockOf(l registry.Timelock) timelockBody {
	body := timelockBody{Delay: l.Delay, From: l.From}
	if l.From != 0 {
		body.Shorter = &l.Next
	}
	if a := l.Announced; a != nil {
		body.Announced = &announcementBody{a.Version, hex.EncodeToString(a.Hash[:]), a.Rollback, a.Breaking, a.Earliest}
	}
	return body
}

func (s *Server) getContracts(w http.ResponseWriter, r *http.Request) error {
	p, err := parameters(r, "after", "limit")
	if err != nil {
		return err
	}
	limit, err := pageLimit(p)
	if err != nil {
		return err
	}
	if after, ok := p["after"]; ok && !abi.ValidContract(after) {
		return badRequest.because("after %s: not a name of a contract", shown(after))
	}
	body := struct {
		Contracts []contractBody `json:"contracts"`
		Next      string         `json:"next,omitempty"`
	}{Contracts: []contractBody{}}
	instances, err := s.config.Chain.Contracts(p["after"], limit)
	if err != nil {
		return err
	}
	for i := range instances {
		body.Contracts = append(body.Contracts, contractOf(&instances[i]))
	}
	if len(instances) == limit {
		body.Next = instances[limit-1].Name
	}
	return s.answer(w, body)
}

func (s *Server) getContract(w http.ResponseWriter, r *http.Request) error {
	p, err := parameters(r, "format")
	if err != nil {
		return err
	}
	format, ok := p["format"]
	if ok && format != "json" && format != "cbor" {
		return badRequest.because("format %s: must be json or cbor", shown(format))
	}
	name := r.PathValue("name")
	if !abi.ValidContract(name) {
		return badRequest.because("contract %s: not a name of a contract", shown(name))
	}
	info, found, err := s.config.Chain.Contract(name)
	if err != nil {
		return err
	}
	if !found {
		return unknownContract(name)
	}
	if format == "cbor" {
		if info.Spec == nil {
			return notFound.because("contract %s has no spec", name)
		}
		w.Header().Set("Content-Type", "application/cbor")
		_, _ = w.Write(info.Spec.Encode()) // a client that is gone needs no answer
		return nil
	}
	body := contractOf(&info.Instance)
	body.timelockBody = timelockOf(info.Timelock)
	body.Spec = json.RawMessage("null")
	if info.Spec != nil {
		body.Spec = specjson.Spec(info.Spec)
	}
	return s.answer(w, body)
}

func unknownContract(name string) *failure {
	f := refusal(&receipt.Receipt{Code: receipt.UnknownContract}, nil)
	f.reason = "there is no contract " + shown(name)
	return f
}

type keyBody struct {
	Key       address.Address  `json:"key"`
	Account   address.Address  `json:"account"`
	Owner     *address.Address `json:"owner,omitempty"`
	Algorithm string           `json:"algorithm"`
	Public    string           `json:"public"`
	State     string           `json:"state"`
	Expires   int64            `json:"expires,omitempty"`
	Scope     []scopeBody      `json:"scope"`
	Quota     struct {
		PerHour   wide `json:"per_hour"`
		Available wide `json:"available"`
	} `json:"quota"`
	Lanes []laneBody `json:"lanes"`
}

type scopeBody struct {
	Contract string   `json:"contract"`
	Methods  []string `json:"methods"`
}

type laneBody struct {
	Lane int  `json:"lane"`
	Next wide `json:"next"`
}

// wide is a number that may be too large for a JSON reader that has only doubles: beyond
// 2^53-1 it is decimal text (RFC 7493, 2.2).
type wide uint64

func (n wide) MarshalJSON() ([]byte, error) {
	if n < 1<<53 {
		return strconv.AppendUint(nil, uint64(n), 10), nil
	}
	return strconv.AppendQuote(nil, strconv.FormatUint(uint64(n), 10)), nil
}

// parseKID reads a key's address, or its kid as transactions carry it: the same 20 bytes in hex.
func parseKID(text string) (address.Address, error) {
	if len(text) == 2*len(address.Address{}) {
		if b, err := hex.DecodeString(text); err == nil {
			return address.FromBytes(b)
		}
	}
	return address.Parse(text)
}

func (s *Server) getKey(w http.ResponseWriter, r *http.Request) error {
	if _, err := parameters(r); err != nil {
		return err
	}
	kid, err := parseKID(r.PathValue("kid"))
	if err != nil {
		return badRequest.because("%v", err)
	}
	now, _, err := s.now()
	if err != nil {
		return err
	}
	info, found, err := s.config.Chain.Key(kid, now)
	if err != nil {
		return err
	}
	if !found {
		return notFound.because("no key %s is known", kid)
	}
	public, err := tx.ParsePublicKey(info.Key.Public)
	if err != nil {
		return err
	}
	body := keyBody{
		Key: kid, Account: info.Key.Account, Owner: orAbsent(info.Account.Owner),
		Algorithm: public.Alg().String(), Public: public.String(), State: info.Key.State.String(), Expires: info.Key.Expires,
		Scope: []scopeBody{}, Lanes: []laneBody{},
	}
	body.Quota.PerHour, body.Quota.Available = wide(info.Account.Capacity()), wide(info.Room)
	for _, sc := range info.Key.Scope {
		body.Scope = append(body.Scope, scopeBody{sc.Contract, append([]string{}, sc.Methods...)})
	}
	for lane, next := range info.Next {
		body.Lanes = append(body.Lanes, laneBody{lane, wide(next)})
	}
	return s.answer(w, body)
}

// queryOf reads the query string strictly; net/http's own drops what it can't read.
func queryOf(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest.because("query string: %v", err)
	}
	return query, nil
}

type gapBody struct {
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
	Reason string `json:"reason"`
}

func (s *Server) getEvents(w http.ResponseWriter, r *http.Request) error {
	query, err := queryOf(r)
	if err != nil {
		return err
	}
	limit := standardPage
	if v, ok := query["limit"]; ok {
		if len(v) != 1 {
			return badRequest.because("parameter limit is given %d times", len(v))
		}
		if limit, err = pageLimit(map[string]string{"limit": v[0]}); err != nil {
			return err
		}
		delete(query, "limit")
	}
	sub, no := stream.Parse(query, s.types)
	if no == nil {
		sub.Absent = false // without after, a page begins where the log does
		no = sub.CheckCursor(s.config.Log.Height())
	}
	if no != nil {
		if strings.HasPrefix(no.Reason, "unknown parameter ") {
			no.Reason += ", and limit" // which a page has and a stream doesn't
		}
		return no
	}
	page, err := s.config.Log.Events(sub.Filter, sub.After, limit)
	if err != nil {
		return err
	}
	body := struct {
		Events []json.RawMessage `json:"events"`
		Next   receipt.Cursor    `json:"next"`
		More   bool              `json:"more"`
		Height uint64            `json:"height"`
		Gap    *gapBody          `json:"gap,omitempty"`
	}{Events: []json.RawMessage{}, Next: page.Next, More: page.More, Height: page.Height}
	var prev *stream.Prev
	for i := range page.Entries {
		e := &page.Entries[i]
		if prev == nil {
			if prev, err = stream.Before(s.config.Log, &sub, e.Cursor); err != nil {
				return err
			}
		}
		spec, err := s.spec(e.Event.Contract, e.Cursor.Height)
		if err != nil {
			return err
		}
		b := append(stream.AppendPrev([]byte{'{'}, *prev), ',')
		body.Events = append(body.Events, object(stream.AppendEvent(b, e, spec)))
		*prev = stream.Prev{Cursor: e.Cursor, Known: true}
	}
	if !page.More { // the end of a height is no place that one would like to show
		if body.Next, err = s.config.Log.Floor(page.Next); err != nil {
			return err
		}
	}
	if from, to, reason := stream.Gap(s.config.Log, sub); to != 0 {
		body.Gap = &gapBody{from, to, reason}
	}
	return s.answer(w, body)
}
