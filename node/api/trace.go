package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/http"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

// callBody is host.Trace, typed by the specs of the contracts as they are now.
type callBody struct {
	Contract string           `json:"contract"`
	Method   string           `json:"method"`
	Sender   *address.Address `json:"sender,omitempty"`
	View     bool             `json:"view,omitempty"`
	Args     json.RawMessage  `json:"args"`
	ArgsCut  int              `json:"args_cut,omitempty"`

	Code          string          `json:"code"`
	Number        receipt.Code    `json:"number"`
	ContractCode  uint32          `json:"contract_code,omitempty"`
	ContractError string          `json:"contract_error,omitempty"`
	Reason        string          `json:"reason"`
	Stack         []string        `json:"stack,omitempty"`
	Result        json.RawMessage `json:"result"`
	ResultCut     int             `json:"result_cut,omitempty"`

	Gas       gasBody        `json:"gas"`
	Functions []functionBody `json:"functions"`
	Steps     []stepBody     `json:"steps"`
	Omitted   int            `json:"omitted,omitempty"`
}

type gasBody struct {
	Used         uint64 `json:"used"`
	Instance     uint64 `json:"instance"`
	Instructions uint64 `json:"instructions"`
	Functions    uint64 `json:"functions"`
	Calls        uint64 `json:"calls"`
}

type functionBody struct {
	Name  string `json:"name"`
	Calls uint64 `json:"calls"`
	Gas   uint64 `json:"gas"`
}

type stepBody struct {
	Op            string          `json:"op"`
	Collection    string          `json:"collection,omitempty"`
	Key           string          `json:"key,omitempty"`
	End           string          `json:"end,omitempty"`
	Reverse       bool            `json:"reverse,omitempty"`
	Found         *bool           `json:"found,omitempty"`
	Value         *string         `json:"value,omitempty"`
	ValueCut      int             `json:"value_cut,omitempty"`
	Event         string          `json:"event,omitempty"`
	Attributes    json.RawMessage `json:"attributes,omitempty"`
	AttributesCut int             `json:"attributes_cut,omitempty"`
	Line          *string         `json:"line,omitempty"`
	Call          *callBody       `json:"call,omitempty"`
}

// callOf renders a trace, nil if there is none, by the specs that contracts had after the block at a height.
func (s *Server) callOf(t *host.Trace, height uint64) (*callBody, error) {
	if t == nil {
		return nil, nil
	}
	spec := t.Spec
	if spec == nil {
		var err error
		if spec, err = s.spec(t.Contract, height); err != nil {
			return nil, err
		}
	}
	var args, result *abi.Type
	if spec != nil {
		if m, ok := spec.Method(t.Method); ok {
			args, result = m.Args, m.Result
		}
	}
	b := &callBody{
		Contract: t.Contract, Method: t.Method, Sender: orAbsent(t.Sender), View: t.View,
		Code: t.Code.Name(), Number: t.Code, ContractCode: t.ContractCode, ContractError: errorName(spec, t.ContractCode), Reason: t.Reason, Stack: t.Stack,
		Gas: gasBody(t.Gas), Functions: []functionBody{}, Steps: []stepBody{}, Omitted: t.Omitted,
	}
	b.Args, b.ArgsCut = specjson.Part(args, t.Args.Kept, t.Args.Size), t.Args.Cut()
	b.Result, b.ResultCut = specjson.Part(result, t.Result.Kept, t.Result.Size), t.Result.Cut()
	for _, f := range t.Functions {
		b.Functions = append(b.Functions, functionBody(f))
	}
	for i := range t.Steps {
		step, err := s.stepOf(spec, &t.Steps[i], height)
		if err != nil {
			return nil, err
		}
		b.Steps = append(b.Steps, step)
	}
	return b, nil
}

func (s *Server) stepOf(spec *abi.Spec, t *host.Step, height uint64) (b stepBody, err error) {
	b = stepBody{Op: t.Op, Collection: t.Collection, Reverse: t.Reverse, Event: t.Event}
	if t.Key.Size > 0 {
		b.Key = bytesText(t.Key.Kept)
	}
	if t.End.Size > 0 {
		b.End = bytesText(t.End.Kept)
	}
	value := func() {
		text := bytesText(t.Value.Kept)
		b.Value, b.ValueCut = &text, t.Value.Cut()
	}
	switch t.Op {
	case "get":
		b.Found = &t.Found
		if t.Found {
			value()
		}
	case "exists", "delete":
		b.Found = &t.Found
	case "set", "row", "account_open", "parameters_set", "code_permit":
		value()
	case "emit":
		if b.AttributesCut = t.Attributes.Cut(); b.AttributesCut > 0 {
			b.Attributes = specjson.Part(nil, t.Attributes.Kept, t.Attributes.Size)
		} else {
			b.Attributes = specjson.EventJSON(spec, t.Event, t.Attributes.Kept)
		}
	case "log":
		b.Line = &t.Line
	case "call":
		b.Call, err = s.callOf(t.Call, height)
	}
	return b, err
}

func bytesText(b []byte) string { return "0x" + hex.EncodeToString(b) }

// simulationBody is a receipt that is none, and how it came to be.
type simulationBody struct {
	Height uint64 `json:"height"`
	Time   int64  `json:"time"`
	Clock  string `json:"clock"`
	simulated
	ContractCode  uint32           `json:"contract_code,omitempty"`
	ContractError string           `json:"contract_error,omitempty"`
	GasLimit      uint64           `json:"gas_limit"`
	Return        json.RawMessage  `json:"return"`
	ReturnCBOR    string           `json:"return_cbor,omitempty"`
	Events        []simulatedEvent `json:"events"`
	GasAdmission  uint64           `json:"gas_admission"`
	Trace         *callBody        `json:"trace"`
}

// simulated is outcome without an id.
type simulated struct {
	Code     string           `json:"code"`
	Number   receipt.Code     `json:"number"`
	Reason   string           `json:"reason"`
	GasUsed  uint64           `json:"gas_used"`
	Contract string           `json:"contract"`
	Method   string           `json:"method"`
	Sender   *address.Address `json:"sender,omitempty"`
}

type simulatedEvent struct {
	Contract   string          `json:"contract"`
	Event      string          `json:"event"`
	Attributes json.RawMessage `json:"attributes"`
}

func (s *Server) postSimulate(w http.ResponseWriter, r *http.Request) error {
	p, err := parameters(r, "height", "sender", "gas")
	if err != nil {
		return err
	}
	q, spec, past, err := s.question(w, r, p, false)
	if err != nil {
		return err
	}
	text, ok := p["gas"]
	if q.GasLimit, err = number("gas", text, ok, 1, gas.MaxLimit, gas.MaxLimit); err != nil {
		return err
	}
	clock := clockBlock
	if past {
		// As if it were in the block after that height.
		h, err := s.config.Log.Block(min(q.Height+1, s.config.Log.Height()))
		if err != nil {
			return err
		}
		if h == nil {
			return pruned.because("the log of this node begins at height %d, so the time of block %d is not known", s.config.Log.First(), q.Height+1)
		}
		q.Time = h.Time
	} else if q.Time, clock, err = s.now(); err != nil {
		return err
	}
	var t runtime.Traced
	err = s.traced(r.Context(), func(ctx context.Context) (err error) {
		t, err = s.config.Chain.Simulate(ctx, runtime.Trial{Query: q})
		return err
	})
	if err != nil {
		return err
	}
	rec := &t.Receipt
	body := simulationBody{
		Height: t.Height, Time: t.Time, Clock: clock,
		simulated:    simulated{rec.Code.Name(), rec.Code, rec.Reason, rec.GasUsed, rec.Contract, rec.Method, orAbsent(rec.Sender)},
		ContractCode: rec.ContractCode, ContractError: errorName(spec, rec.ContractCode), GasLimit: rec.GasLimit,
		Events: []simulatedEvent{}, GasAdmission: t.Admission,
	}
	body.Return, body.ReturnCBOR = result(spec, rec)
	for _, e := range rec.Events {
		spec, err := s.spec(e.Contract, t.Height-1) // on whose state it ran
		if err != nil {
			return err
		}
		body.Events = append(body.Events, simulatedEvent{e.Contract, e.Name, specjson.EventJSON(spec, e.Name, e.Attributes)})
	}
	if body.Trace, err = s.callOf(t.Trace, t.Height-1); err != nil {
		return err
	}
	return s.answer(w, body)
}

type traceBody struct {
	*receiptBody
	GasAdmission uint64    `json:"gas_admission"`
	Trace        *callBody `json:"trace"`
}

func (s *Server) getTrace(w http.ResponseWriter, r *http.Request) error {
	id, rec, err := s.record(r)
	if err != nil {
		return err
	}
	var t runtime.Traced
	err = s.traced(r.Context(), func(ctx context.Context) error {
		txs, err := s.config.Engine.Transactions(rec.Height) // a whole block, of megabytes
		if err != nil {
			return err
		}
		if int(rec.Tx) >= len(txs) {
			return pruned.because("this node has no transactions of block %d any more", rec.Height)
		}
		t, err = s.config.Chain.TraceTx(ctx, runtime.Header{Height: rec.Height, Time: rec.Time}, txs[:rec.Tx+1])
		return err
	})
	if err != nil {
		return err
	}
	if err := agree(id, &rec.Receipt, &t.Receipt); err != nil {
		return err
	}
	body := traceBody{GasAdmission: t.Admission}
	if body.receiptBody, err = s.receiptOf(rec); err != nil {
		return err
	}
	if body.Trace, err = s.callOf(t.Trace, t.Height); err != nil {
		return err
	}
	return s.answer(w, body)
}

// agree fails if a transaction that is executed again comes to another end: what would be told of it didn't happen.
func agree(id tx.ID, was, is *receipt.Receipt) error {
	if was.TxID == is.TxID && was.Code == is.Code && was.GasUsed == is.GasUsed && string(was.Data()) == string(is.Data()) {
		return nil
	}
	return fmt.Errorf("transaction %s came to %s with %d gas, executed again to %s with %d of %s",
		id, was.Code.Name(), was.GasUsed, is.Code.Name(), is.GasUsed, tx.ID(is.TxID))
}

// traced runs what shows what a contract does, if not too many do already, within ViewTimeout.
func (s *Server) traced(ctx context.Context, run func(context.Context) error) error {
	select {
	case s.traces <- struct{}{}:
		defer func() { <-s.traces }()
	default:
		return unavailable.because("%d simulations and traces run already", s.config.MaxTraces)
	}
	limited, cancel := context.WithTimeout(ctx, s.config.ViewTimeout)
	defer cancel()
	err := run(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return timedOut.because("it did not end within %s", s.config.ViewTimeout)
	}
	return err
}

// question reads what a view and a simulation have in common. If a height was given, past is true; else the question is about
// the newest, and its time is not set.
func (s *Server) question(w http.ResponseWriter, r *http.Request, p map[string]string, view bool) (q runtime.Query, spec *abi.Spec, past bool, err error) {
	fail := func(err error) (runtime.Query, *abi.Spec, bool, error) { return runtime.Query{}, nil, false, err }
	q = runtime.Query{Contract: r.PathValue("name"), Method: r.PathValue("method")}
	if !abi.ValidContract(q.Contract) {
		return fail(badRequest.because("contract %s: not a name of a contract", shown(q.Contract)))
	}
	text, past := p["height"]
	if q.Height, err = number("height", text, past, 1, math.MaxUint64, 0); err != nil {
		return fail(err)
	}
	if text, ok := p["sender"]; ok {
		if q.Sender, err = address.Parse(text); err != nil {
			return fail(badRequest.because("sender: %v", err))
		}
	}
	doc, err := arguments(w, r)
	if err != nil {
		return fail(err)
	}
	info, found, err := s.config.Chain.Contract(q.Contract)
	if err != nil {
		return fail(err)
	}
	if !found {
		return fail(unknownContract(q.Contract))
	}
	newest := s.config.Log.Height()
	if spec = info.Spec; past && q.Height < info.Since {
		if spec, err = s.spec(q.Contract, q.Height); err != nil {
			return fail(err)
		}
	}
	if q.Args, err = encodeArguments(spec, q.Contract, q.Method, doc, view); err != nil {
		return fail(err)
	}
	switch {
	case past && q.Height > newest:
		return fail(futureHeight.because("height %d does not exist yet: the newest block is %d", q.Height, newest))
	case !past && newest == 0:
		return fail(unavailable.because("the chain has no block yet"))
	case !past:
		q.Height = newest
	}
	return q, spec, past, nil
}

// record finds the receipt that a path names.
func (s *Server) record(r *http.Request) (id tx.ID, rec *eventlog.Record, err error) {
	if _, err := parameters(r); err != nil {
		return id, nil, err
	}
	if id, err = tx.ParseID(r.PathValue("id")); err != nil {
		return id, nil, badRequest.because("%v", err)
	}
	if rec, err = s.config.Log.Tx(id); err != nil {
		return id, nil, err
	}
	if rec == nil {
		f := notFound.because("no block up to %d has transaction %s", s.config.Log.Height(), id)
		f.id = &id
		return id, nil, f
	}
	return id, rec, nil
}
