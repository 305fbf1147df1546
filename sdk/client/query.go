package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
)

// Status asks how the node is doing.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	var answer statusAnswer
	if err := c.get(ctx, "/v1/status", nil, &answer); err != nil {
		return nil, err
	}
	s := answer.Status
	s.Time, s.Transactions = answer.Time.time(), answer.Mempool.Transactions
	return &s, nil
}

// Block asks for a block, 0 being the newest. One that the node has not committed yet is an
// *Unserved that is FutureHeight.
func (c *Client) Block(ctx context.Context, height uint64) (*Block, error) {
	name := "latest"
	if height != 0 {
		name = strconv.FormatUint(height, 10)
	}
	var answer struct {
		Block
		Time seconds `json:"time"`
	}
	if err := c.get(ctx, "/v1/blocks/"+name, url.Values{"limit": {"1"}}, &answer); err != nil {
		return nil, err
	}
	b := answer.Block
	b.Time = answer.Time.time()
	return &b, nil
}

// Chain is the chain's id. The node is asked once.
func (c *Client) Chain(ctx context.Context) (string, error) {
	c.mu.Lock()
	chain := c.chain
	c.mu.Unlock()
	if chain != "" {
		return chain, nil
	}
	status, err := c.Status(ctx)
	if err != nil {
		return "", err
	}
	if !abi.ValidChain(status.Chain) {
		return "", fmt.Errorf("the node's chain id %.80q is not one", status.Chain)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chain = status.Chain
	return c.chain, nil
}

// forget drops all that was learned of the chain.
func (c *Client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chain, c.sequences, c.specs = "", nil, nil
}

// Key asks what the chain knows of a key. For one that it doesn't know the error is a
// *Unserved that is NotFound.
func (c *Client) Key(ctx context.Context, kid address.Address) (*KeyRecord, error) {
	var answer keyAnswer
	if err := c.get(ctx, "/v1/keys/"+kid.String(), nil, &answer); err != nil {
		return nil, err
	}
	return answer.record()
}

// Contracts lists the contracts by name, up to limit (1 to 1000) of those after a name;
// "" is before the first. next is "" at the end, and else what to give as after.
func (c *Client) Contracts(ctx context.Context, after string, limit int) (contracts []*Contract, next string, err error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if after != "" {
		query.Set("after", after)
	}
	var answer struct {
		Contracts []contractAnswer `json:"contracts"`
		Next      string           `json:"next"`
	}
	if err := c.get(ctx, "/v1/contracts", query, &answer); err != nil {
		return nil, "", err
	}
	for i := range answer.Contracts {
		contracts = append(contracts, answer.Contracts[i].contract())
	}
	return contracts, answer.Next, nil
}

// Contract asks for one contract. One that isn't there is a *Refused with
// receipt.UnknownContract.
func (c *Client) Contract(ctx context.Context, name string) (*Contract, error) {
	if err := checkNames(name, ""); err != nil {
		return nil, err
	}
	var answer contractAnswer
	if err := c.get(ctx, "/v1/contracts/"+name, nil, &answer); err != nil {
		return nil, err
	}
	return answer.contract(), nil
}

// Spec is what a contract offers: methods, events and errors. The node is asked once for
// each contract, and again when a query doesn't fit: the contract may have been upgraded. The caller must not change it.
func (c *Client) Spec(ctx context.Context, contract string) (*abi.Spec, error) {
	c.mu.Lock()
	spec := c.specs[contract]
	c.mu.Unlock()
	if spec != nil {
		return spec, nil
	}
	if err := checkNames(contract, ""); err != nil {
		return nil, err
	}
	var encoded []byte
	err := c.exchange(ctx, http.MethodGet, "/v1/contracts/"+contract, url.Values{"format": {"cbor"}}, "", nil, &encoded)
	if err != nil {
		return nil, err
	}
	if spec, err = abi.DecodeSpec(encoded); err != nil {
		return nil, fmt.Errorf("spec of %s: %w", contract, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.specs == nil {
		c.specs = make(map[string]*abi.Spec)
	}
	c.specs[contract] = spec
	return spec, nil
}

// checkNames refuses what can't be a contract's and a method's name, as the chain would:
// they become parts of a path, where ".." means something else. A method may be "".
func checkNames(contract, method string) error {
	if !abi.ValidContract(contract) {
		return &Refused{Code: receipt.UnknownContract, Reason: fmt.Sprintf("%.80q can't be a contract's name", contract)}
	}
	if method != "" && !abi.ValidMethod(method) {
		return &Refused{Code: receipt.UnknownMethod, Reason: fmt.Sprintf("%.80q can't be a method's name", method)}
	}
	return nil
}

// Query asks a view of a contract on the newest committed state and reads its result into
// what out points to, as Receipt.Decode does; out may be nil. args is nil for none, a
// json.RawMessage with an object as the spec types it, Args, or any value that sdk/wire
// encodes. A contract that refuses gives a *Refused.
func (c *Client) Query(ctx context.Context, contract, method string, args, out any) error {
	answer, err := c.Ask(ctx, Question{Contract: contract, Method: method, Args: args})
	if err != nil || out == nil {
		return err
	}
	if answer.ResultCBOR == nil {
		return fmt.Errorf("%s %s answers nothing", contract, method)
	}
	return decode(answer.ResultCBOR, out)
}

// Question is a query in full.
type Question struct {
	Contract, Method string
	Args             any             // as for Query
	Height           uint64          // ask the state after this block; 0 means the newest
	Sender           address.Address // whom the contract sees as the caller, unverified; zero means nobody
}

// Ask asks a view of a contract.
func (c *Client) Ask(ctx context.Context, q Question) (*Answer, error) {
	var a queryAnswer
	if err := c.ask(ctx, "query", q, q.query(), &a); err != nil {
		return nil, err
	}
	return &Answer{
		Height: a.Height, Time: a.Time.time(), Clock: a.Clock, GasUsed: uint64(a.GasUsed),
		Result: value(a.Result), ResultCBOR: a.ResultCBOR,
	}, nil
}

func (q Question) query() url.Values {
	query := url.Values{}
	if q.Height != 0 {
		query.Set("height", strconv.FormatUint(q.Height, 10))
	}
	if !q.Sender.IsZero() {
		query.Set("sender", q.Sender.String())
	}
	return query
}

// ask puts a question in the way that the verb says: query or simulate.
func (c *Client) ask(ctx context.Context, verb string, q Question, query url.Values, answer any) error {
	if err := checkNames(q.Contract, q.Method); err != nil {
		return err
	}
	body, err := c.jsonArgs(ctx, q)
	if err != nil {
		return err
	}
	return c.exchange(ctx, http.MethodPost, "/v1/contracts/"+q.Contract+"/"+verb+"/"+q.Method, query, "application/json", body, answer)
}

// jsonArgs spells arguments as the contract's spec types them: views are asked in JSON.
func (c *Client) jsonArgs(ctx context.Context, q Question) ([]byte, error) {
	if q.Args == nil {
		return []byte("{}"), nil
	}
	if raw, ok := q.Args.(json.RawMessage); ok {
		return raw, nil
	}
	encoded, err := encodeArgs(q.Args)
	if err != nil {
		return nil, fmt.Errorf("arguments of %s %s: %w", q.Contract, q.Method, err)
	}
	spec, err := c.Spec(ctx, q.Contract)
	if err != nil {
		return nil, err
	}
	body, err := jsonArgsOf(spec, q, encoded)
	if err == nil && body != nil {
		return body, nil
	}
	// The contract may have been upgraded since the node was asked.
	c.mu.Lock()
	if c.specs[q.Contract] == spec {
		delete(c.specs, q.Contract)
	}
	c.mu.Unlock()
	if spec, err = c.Spec(ctx, q.Contract); err != nil {
		return nil, err
	}
	if body, err = jsonArgsOf(spec, q, encoded); body == nil && err == nil {
		return []byte("{}"), nil // the node says it best
	}
	return body, err
}

// jsonArgsOf is jsonArgs by a spec; nil if that does not have the method.
func jsonArgsOf(spec *abi.Spec, q Question, encoded []byte) ([]byte, error) {
	method, ok := spec.Method(q.Method)
	if !ok {
		return nil, nil
	}
	if method.Args == nil {
		if len(encoded) != 1 { // neither the empty map nor null
			return nil, errors.New(q.Contract + " " + q.Method + " takes no arguments")
		}
		return []byte("{}"), nil
	}
	body, err := specjson.ToJSON(method.Args, encoded)
	if err != nil {
		return nil, fmt.Errorf("arguments of %s %s: %w", q.Contract, q.Method, err)
	}
	return body, nil
}

// Page is a piece of the event log.
type Page struct {
	Events []Event
	Next   string // where to go on; a subscription takes it too
	More   bool   // more may match, even if Events is empty; if not, all up to Height were seen
	Height uint64

	// GapFrom and GapTo are the first and last block whose events this node doesn't have,
	// although they were asked for; 0 if there are none.
	GapFrom, GapTo uint64
}

// Events gives a page of at most limit (1 to 1000) events that match a filter after a
// place: a cursor's text, or FromStart.
func (c *Client) Events(ctx context.Context, f Filter, after string, limit int) (*Page, error) {
	query := f.query()
	query.Set("after", after)
	query.Set("limit", strconv.Itoa(limit))
	var answer struct {
		Events []eventAnswer `json:"events"`
		Next   string        `json:"next"`
		More   bool          `json:"more"`
		Height uint64        `json:"height"`
		Gap    struct {
			From uint64 `json:"from"`
			To   uint64 `json:"to"`
		} `json:"gap"`
	}
	if err := c.get(ctx, "/v1/events", query, &answer); err != nil {
		return nil, err
	}
	page := &Page{Next: answer.Next, More: answer.More, Height: answer.Height, GapFrom: answer.Gap.From, GapTo: answer.Gap.To}
	for i := range answer.Events {
		e, err := answer.Events[i].event()
		if err != nil {
			return nil, err
		}
		page.Events = append(page.Events, *e)
	}
	return page, nil
}
