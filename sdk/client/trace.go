package client

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

// Simulation is what a call would come to, and how.
type Simulation struct {
	Height        uint64    // of the block in which it would be
	Time          time.Time // that the contract saw
	Clock         string    // whose time that is: "block" or "node"
	Code          receipt.Code
	ContractCode  uint32 // the contract's own code when Code is Failed, else 0
	ContractError string // the name that its spec gives it, if any
	Reason        string
	GasUsed       uint64
	GasLimit      uint64
	GasAdmission  uint64 // of GasUsed, what a transaction of the usual size pays before it runs
	Contract      string
	Method        string
	Sender        address.Address
	Return        json.RawMessage // typed by the contract's spec; nil if nothing was returned
	ReturnCBOR    []byte          // the same as the contract wrote it; nil likewise
	Events        []SimulatedEvent
	Call          *CallTrace // nil if GasLimit doesn't even pay for a transaction
}

// SimulatedEvent is an event that would happen.
type SimulatedEvent struct {
	Contract   string          `json:"contract"`
	Name       string          `json:"event"`
	Attributes json.RawMessage `json:"attributes"`
}

// Err is nil if the call would succeed, and else the *Refused that says why not.
func (s *Simulation) Err() error {
	if s.Code == receipt.OK {
		return nil
	}
	return &Refused{Code: s.Code, Reason: s.Reason, ContractCode: s.ContractCode, ContractError: s.ContractError}
}

// Trace is how a transaction came to its receipt.
type Trace struct {
	Receipt
	GasAdmission uint64     // of GasUsed, what was paid before it ran
	Call         *CallTrace // nil if it was refused before that
}

// CallTrace is what one call of a contract did. node/api/README.md says what each field means; its JSON is the node's.
type CallTrace struct {
	Contract string           `json:"contract"`
	Method   string           `json:"method"`
	Sender   *address.Address `json:"sender,omitempty"` // nil for nobody
	View     bool             `json:"view,omitempty"`
	Args     json.RawMessage  `json:"args"`
	ArgsCut  int              `json:"args_cut,omitempty"` // if Args is only the first bytes, in hex: how many there were

	Code          string          `json:"code"`
	Number        receipt.Code    `json:"number"`
	ContractCode  uint32          `json:"contract_code,omitempty"`
	ContractError string          `json:"contract_error,omitempty"`
	Reason        string          `json:"reason"`
	Stack         []string        `json:"stack,omitempty"` // functions that were running when it trapped, the innermost first; nil if the module doesn't name them
	Result        json.RawMessage `json:"result"`
	ResultCut     int             `json:"result_cut,omitempty"`

	Gas       CallGas       `json:"gas"`
	Functions []FunctionUse `json:"functions"`
	Steps     []Step        `json:"steps"`
	Omitted   int           `json:"omitted,omitempty"` // steps that the node didn't keep
}

// CallGas is what the gas of a call went into; Used is the sum of the others.
type CallGas struct {
	Used         uint64 `json:"used"`
	Instance     uint64 `json:"instance"`
	Instructions uint64 `json:"instructions"`
	Functions    uint64 `json:"functions"`
	Calls        uint64 `json:"calls"`
}

// FunctionUse is how often a call used a host function, and the gas of it.
type FunctionUse struct {
	Name  string `json:"name"`
	Calls uint64 `json:"calls"`
	Gas   uint64 `json:"gas"`
}

// Step is something that a call did. Op is the host function, or "row" for what a scan found.
type Step struct {
	Op            string          `json:"op"`
	Collection    string          `json:"collection,omitempty"`
	Key           Bytes           `json:"key,omitzero"`
	End           Bytes           `json:"end,omitzero"`
	Reverse       bool            `json:"reverse,omitempty"`
	Found         *bool           `json:"found,omitempty"`
	Value         Bytes           `json:"value,omitzero"`
	ValueCut      int             `json:"value_cut,omitempty"`
	Event         string          `json:"event,omitempty"`
	Attributes    json.RawMessage `json:"attributes,omitempty"`
	AttributesCut int             `json:"attributes_cut,omitempty"`
	Line          *string         `json:"line,omitempty"`
	Call          *CallTrace      `json:"call,omitempty"`
}

// Bytes are bytes that JSON has as "0x" and hex; nil if there are none.
type Bytes []byte

// MarshalJSON implements json.Marshaler.
func (b Bytes) MarshalJSON() ([]byte, error) { return json.Marshal("0x" + hex.EncodeToString(b)) }

// UnmarshalJSON implements json.Unmarshaler.
func (b *Bytes) UnmarshalJSON(doc []byte) error { return (*hexBytes)(b).UnmarshalJSON(doc) }

// Simulate makes any call without effect and tells what a transaction would come to. That it fails is an answer, not an
// error. gasLimit 0 is the most that there is. Whether the sender may call is not asked.
func (c *Client) Simulate(ctx context.Context, q Question, gasLimit uint64) (*Simulation, error) {
	query := q.query()
	if gasLimit != 0 {
		query.Set("gas", strconv.FormatUint(gasLimit, 10))
	}
	var a struct {
		receiptAnswer
		Clock        string           `json:"clock"`
		Events       []SimulatedEvent `json:"events"`
		GasAdmission uint64           `json:"gas_admission"`
		Trace        *CallTrace       `json:"trace"`
	}
	if err := c.ask(ctx, "simulate", q, query, &a); err != nil {
		return nil, err
	}
	return &Simulation{
		Height: a.Height, Time: a.Time.time(), Clock: a.Clock,
		Code: receipt.Code(a.Number), ContractCode: a.ContractCode, ContractError: a.ContractError, Reason: a.Reason,
		GasUsed: uint64(a.GasUsed), GasLimit: uint64(a.GasLimit), GasAdmission: a.GasAdmission,
		Contract: a.Contract, Method: a.Method, Sender: address.Address(a.Sender),
		Return: value(a.Return), ReturnCBOR: a.ReturnCBOR, Events: a.Events, Call: a.Trace,
	}, nil
}

// Trace asks how a transaction came to its receipt: the node executes its block again, up to it. One that is in no block is
// an *Unserved that is NotFound; if the node doesn't keep its block or the state before it any more, the code is "pruned".
func (c *Client) Trace(ctx context.Context, id tx.ID) (*Trace, error) {
	var a struct {
		receiptAnswer
		GasAdmission uint64     `json:"gas_admission"`
		Trace        *CallTrace `json:"trace"`
	}
	if err := c.get(ctx, "/v1/tx/"+id.String()+"/trace", nil, &a); err != nil {
		return nil, err
	}
	r, err := a.receipt()
	if err != nil {
		return nil, err
	}
	return &Trace{Receipt: *r, GasAdmission: a.GasAdmission, Call: a.Trace}, nil
}
