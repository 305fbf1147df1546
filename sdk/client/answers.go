package client

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

// What a node answers, as Go values. node/api/README.md and node/stream/README.md say what
// each field means; the unexported types below follow their JSON.

// Receipt is the outcome of a transaction that is in a block.
type Receipt struct {
	ID            tx.ID
	Height        uint64
	Index         uint32    // of the transaction in its block
	Time          time.Time // the block's
	Code          receipt.Code
	ContractCode  uint32 // the contract's own code when Code is Failed, else 0
	ContractError string // the name that its spec gives it, if any
	Reason        string // for people
	GasUsed       uint64
	GasLimit      uint64
	Contract      string
	Method        string
	Sender        address.Address
	Return        json.RawMessage // typed by the contract's spec; nil if nothing was returned
	ReturnCBOR    []byte          // the same as the contract wrote it; nil likewise
	Events        []Event
}

// Decode reads the returned value into what out points to, by sdk/wire: the field ValidUntil
// gets valid_until. What out has no field for is passed over. A type that sdk/wire can't
// read is a mistake in the program and panics.
func (r *Receipt) Decode(out any) error {
	if r.ReturnCBOR == nil {
		return errors.New("the transaction returned nothing")
	}
	return decode(r.ReturnCBOR, out)
}

// Err is nil if the transaction succeeded, and else the *Refused that says why not.
func (r *Receipt) Err() error {
	if r.Code == receipt.OK {
		return nil
	}
	return &Refused{
		Code: r.Code, Reason: r.Reason, ID: r.ID,
		ContractCode: r.ContractCode, ContractError: r.ContractError,
	}
}

// Event is something that a contract said happened.
type Event struct {
	Cursor     receipt.Cursor
	Contract   string
	Name       string
	Attributes json.RawMessage // a JSON object, typed by the contract's spec
	Tx         tx.ID           // zero for an event that belongs to no transaction
	Height     uint64
	Time       time.Time // the block's

	// Prev is the cursor of the event before that matched the same filter, nil if the node
	// doesn't know; the zero Cursor means that this is the first. Only events of a
	// subscription or of a page have it.
	Prev *receipt.Cursor
}

// Decode reads the attributes into a Go value, as encoding/json does: addresses as text
// (address.Address will do), byte strings as "0x" and hex, times as unix seconds.
func (e *Event) Decode(out any) error { return json.Unmarshal(e.Attributes, out) }

// Status is how a node is doing.
type Status struct {
	Chain        string    `json:"chain"`
	Version      string    `json:"version"`
	Height       uint64    `json:"height"`
	Time         time.Time `json:"-"` // of the newest block
	Root         string    `json:"root"`
	Earliest     uint64    `json:"earliest"` // the first height whose state can be queried
	LagSeconds   float64   `json:"lag_seconds"`
	CatchingUp   bool      `json:"catching_up"`
	Node         string    `json:"node"`
	Validator    bool      `json:"validator"`
	Validators   int       `json:"validators"`
	Peers        int       `json:"peers"`
	Transactions int       `json:"-"` // waiting for a block
	Subscribers  int       `json:"subscribers"`
	Contracts    Readiness `json:"contracts"`

	// Who decides, as the node sees it; node/api/README.md says when an authority is missing.
	Authority   string      `json:"authority"` // the key with which the node votes, in hex
	Authorities []Authority `json:"authorities"`
	Deciding    *Deciding   `json:"deciding"` // nil while nobody votes
}

// Readiness is how far a node is with the contracts that were there when it started. What calls one that isn't ready
// waits for it.
type Readiness struct {
	Ready int `json:"ready"`
	Of    int `json:"of"`
}

// Authority is one of those that decide blocks.
type Authority struct {
	Key     string `json:"key"`    // Ed25519, in hex
	Name    string `json:"name"`   // a label in genesis, "" if it has none
	Signed  uint64 `json:"signed"` // the newest of the last ten blocks that its vote has decided, 0 for none
	Missing bool   `json:"missing"`
}

// Deciding is a decision on a block that is under way.
type Deciding struct {
	Height  uint64  `json:"height"`
	Round   int     `json:"round"`   // how often it was tried already
	Seconds float64 `json:"seconds"` // since the first vote
	Voted   int     `json:"voted"`   // authorities that have given the vote that this try waits for
	Needed  int     `json:"needed"`  // how many must
}

// Block is a block that a node has committed, without its transactions.
type Block struct {
	Height       uint64    `json:"height"`
	Time         time.Time `json:"-"`
	Hash         string    `json:"hash"` // in hex
	Root         string    `json:"root"` // of the state after it, in hex
	Transactions uint32    `json:"transactions"`
	Events       uint32    `json:"events"`
}

// KeyRecord is what the chain knows of a key, and what its account may still use.
type KeyRecord struct {
	Key       address.Address
	Account   address.Address // whom the key signs for: the sender of its transactions
	Owner     address.Address // whose quota the account's was carved from; zero if nobody's
	Public    tx.PublicKey
	State     string              // "open", "shut" or "retired"
	Expires   time.Time           // zero if it never does
	Scope     map[string][]string // contract to methods, none meaning all; "*" is every contract
	PerHour   uint64              // the account's quota, in gas per hour
	Available uint64              // what is left of it now, in gas
	next      map[uint64]uint64
}

// Next is the lowest sequence that is certainly free in a lane.
func (k *KeyRecord) Next(lane uint64) uint64 { return max(k.next[lane], 1) }

// Contract is an instance of a contract's code.
type Contract struct {
	Name         string          `json:"name"`
	Code         string          `json:"code"` // SHA-256 of the code, in hex
	Admin        address.Address `json:"-"`    // zero if nobody
	Capabilities []string        `json:"capabilities"`
	Created      uint64          `json:"created"` // height
	Version      uint64          `json:"version"` // number of the code among those that it had, from 1
	Timelock
}

// Answer is what a view gave.
type Answer struct {
	Height     uint64          // of the state that was asked
	Time       time.Time       // that the contract saw
	Clock      string          // whose time it is: "block" or "node"
	GasUsed    uint64          //
	Result     json.RawMessage // typed by the contract's spec; nil if there is none
	ResultCBOR []byte          // the same as the contract wrote it; nil likewise
}

// number is an integer that JSON has as a number, or as a string when it is beyond 2^53.
type number uint64

func (n *number) UnmarshalJSON(b []byte) error {
	s := string(b)
	if unquoted, err := strconv.Unquote(s); err == nil {
		s = unquoted
	}
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return fmt.Errorf("%.40q is not an integer from 0 to 2^64-1", s)
	}
	*n = number(v)
	return nil
}

// seconds is a time in unix seconds, kept to what time.Time prints in RFC 3339.
type seconds int64

func (s seconds) time() time.Time {
	const year9999 = 253402300799
	return time.Unix(max(0, min(int64(s), year9999)), 0).UTC()
}

// hexBytes is a byte string as "0x" and hex; absent is nil.
type hexBytes []byte

func (h *hexBytes) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil || s == nil {
		return err
	}
	digits, ok := strings.CutPrefix(*s, "0x")
	raw, err := hex.DecodeString(digits)
	if !ok || err != nil {
		return fmt.Errorf("%.40q is not \"0x\" and hex", *s)
	}
	*h = raw
	return nil
}

// optionalAddress is an address that may be missing or "".
type optionalAddress address.Address

func (a *optionalAddress) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil || s == nil || *s == "" {
		return err
	}
	v, err := address.Parse(*s)
	*a = optionalAddress(v)
	return err
}

// value is JSON with null read as nothing.
func value(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

type eventAnswer struct {
	Cursor     string          `json:"cursor"`
	Prev       *string         `json:"prev"`
	Contract   string          `json:"contract"`
	Event      string          `json:"event"`
	Attributes json.RawMessage `json:"attributes"`
	Tx         *tx.ID          `json:"tx"`
	Time       seconds         `json:"time"`
}

func (a *eventAnswer) event() (*Event, error) {
	cursor, err := receipt.ParseCursor(a.Cursor)
	if err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	e := &Event{
		Cursor: cursor, Height: cursor.Height, Time: a.Time.time(),
		Contract: a.Contract, Name: a.Event, Attributes: a.Attributes,
	}
	if a.Tx != nil {
		e.Tx = *a.Tx
	}
	if a.Prev != nil {
		e.Prev = new(receipt.Cursor)
		if *a.Prev != "" {
			if *e.Prev, err = receipt.ParseCursor(*a.Prev); err != nil {
				return nil, fmt.Errorf("event %s: prev: %w", cursor, err)
			}
		}
	}
	return e, nil
}

// receiptAnswer is a receipt, or, without a height, the news that there is none yet.
type receiptAnswer struct {
	ID            tx.ID           `json:"id"`
	Status        string          `json:"status"` // "pending", or absent
	Height        uint64          `json:"height"`
	Index         uint32          `json:"index"`
	Time          seconds         `json:"time"`
	Number        uint32          `json:"number"`
	ContractCode  uint32          `json:"contract_code"`
	ContractError string          `json:"contract_error"`
	Reason        string          `json:"reason"`
	GasUsed       number          `json:"gas_used"`
	GasLimit      number          `json:"gas_limit"`
	Contract      string          `json:"contract"`
	Method        string          `json:"method"`
	Sender        optionalAddress `json:"sender"`
	Return        json.RawMessage `json:"return"`
	ReturnCBOR    hexBytes        `json:"return_cbor"`
	Events        []eventAnswer   `json:"events"`
}

func (a *receiptAnswer) receipt() (*Receipt, error) {
	r := &Receipt{
		ID: a.ID, Height: a.Height, Index: a.Index, Time: a.Time.time(),
		Code: receipt.Code(a.Number), ContractCode: a.ContractCode, ContractError: a.ContractError, Reason: a.Reason,
		GasUsed: uint64(a.GasUsed), GasLimit: uint64(a.GasLimit),
		Contract: a.Contract, Method: a.Method, Sender: address.Address(a.Sender),
		Return: value(a.Return), ReturnCBOR: a.ReturnCBOR,
	}
	for i := range a.Events {
		e, err := a.Events[i].event()
		if err != nil {
			return nil, fmt.Errorf("receipt of %s: %w", a.ID, err)
		}
		r.Events = append(r.Events, *e)
	}
	return r, nil
}

type statusAnswer struct {
	Status
	Time    seconds `json:"time"`
	Mempool struct {
		Transactions int `json:"transactions"`
	} `json:"mempool"`
}

type keyAnswer struct {
	Key     address.Address `json:"key"`
	Account address.Address `json:"account"`
	Owner   optionalAddress `json:"owner"`
	Public  string          `json:"public"`
	State   string          `json:"state"`
	Expires seconds         `json:"expires"`
	Scope   []struct {
		Contract string   `json:"contract"`
		Methods  []string `json:"methods"`
	} `json:"scope"`
	Quota struct {
		PerHour   number `json:"per_hour"`
		Available number `json:"available"`
	} `json:"quota"`
	Lanes []struct {
		Lane uint64 `json:"lane"`
		Next number `json:"next"`
	} `json:"lanes"`
}

func (a *keyAnswer) record() (*KeyRecord, error) {
	raw, err := hex.DecodeString(a.Public)
	if err != nil {
		return nil, fmt.Errorf("public key of %s: %w", a.Key, err)
	}
	public, err := tx.ParsePublicKey(raw)
	if err != nil {
		return nil, fmt.Errorf("public key of %s: %w", a.Key, err)
	}
	k := &KeyRecord{
		Key: a.Key, Account: a.Account, Owner: address.Address(a.Owner), Public: public, State: a.State,
		PerHour: uint64(a.Quota.PerHour), Available: uint64(a.Quota.Available),
		Scope: make(map[string][]string), next: make(map[uint64]uint64),
	}
	if a.Expires != 0 {
		k.Expires = a.Expires.time()
	}
	for _, s := range a.Scope {
		k.Scope[s.Contract] = s.Methods
	}
	for _, l := range a.Lanes {
		k.next[l.Lane] = uint64(l.Next)
	}
	return k, nil
}

type contractAnswer struct {
	Contract
	Admin optionalAddress `json:"admin"`
}

func (a *contractAnswer) contract() *Contract {
	c := a.Contract
	c.Admin = address.Address(a.Admin)
	return &c
}

type queryAnswer struct {
	Height     uint64          `json:"height"`
	Time       seconds         `json:"time"`
	Clock      string          `json:"clock"`
	GasUsed    number          `json:"gas_used"`
	Result     json.RawMessage `json:"result"`
	ResultCBOR hexBytes        `json:"result_cbor"`
}

type errorAnswer struct {
	Error struct {
		Code          string `json:"code"`
		Number        uint32 `json:"number"`
		Reason        string `json:"reason"`
		ContractCode  uint32 `json:"contract_code"`
		ContractError string `json:"contract_error"`
	} `json:"error"`
	ID *tx.ID `json:"id"`
}

// frame is one message of the event stream; which fields are set depends on Type.
type frame struct {
	Type   string `json:"type"`
	Height uint64 `json:"height"`
	Chain  string `json:"chain"`
	Behind uint64 `json:"behind"`
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
	Code   string `json:"code"`
	Number uint32 `json:"number"`
	Reason string `json:"reason"`
	eventAnswer
}

func decodeFrame(data []byte) (*frame, error) {
	f := new(frame)
	if err := json.Unmarshal(data, f); err != nil {
		return nil, fmt.Errorf("frame of %d bytes: %w", len(data), err)
	}
	return f, nil
}

func (f *frame) unserved() *Unserved {
	return &Unserved{Code: f.Code, Number: f.Number, Reason: f.Reason}
}

// lastOf is the place after every event of a block.
func lastOf(height uint64) receipt.Cursor {
	return receipt.Cursor{Height: height, Tx: math.MaxUint32, Index: math.MaxUint32}
}
