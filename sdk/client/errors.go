package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

// Refused is the chain's "no" to a transaction or a view: the machine's or the contract's.
type Refused struct {
	Code   receipt.Code // Name gives the word that programs write, such as "over_quota"
	Reason string       // for people, with the offending value

	// ContractCode is the contract's own number for its refusal, and ContractError the name
	// that its spec gives it, if any; 0 and "" unless Code is receipt.Failed.
	ContractCode  uint32
	ContractError string

	ID tx.ID // of the transaction; zero for a view
}

// Error says the code and the reason, as in "refused: failed 3 not_owner: door/1 is not yours".
func (r *Refused) Error() string {
	s := "refused: " + r.Code.Name()
	if r.ContractCode != 0 {
		s += fmt.Sprintf(" %d", r.ContractCode)
	}
	if r.ContractError != "" {
		s += " " + r.ContractError
	}
	if r.Reason != "" {
		s += ": " + r.Reason
	}
	return s
}

// Executed tells whether the transaction ran and failed, so that its sequence is used up
// and its receipt is in the ledger. If not, nothing happened.
func (r *Refused) Executed() bool { return r.Code.Executed() }

// Unserved is one node's answer that it can't or won't serve a request: no such thing, too
// many requests, not ready. It says nothing about the chain.
type Unserved struct {
	Status     int           // HTTP status; 0 when it came in a frame of the stream
	Code       string        // the node's name for it, such as "not_found"; "" if the answer wasn't a node's
	Number     uint32        // its number, from 1000; 0 likewise
	Reason     string        // for people
	RetryAfter time.Duration // what the node asked for; 0 if it didn't
}

// Numbers of Unserved that this package acts upon. From 1100 they are the stream's.
const (
	numberNotFound = 1000
	numberFuture   = 1008
	numberBadKind  = 1100 // bad_parameter, the first of what a client did wrong
	numberBusy     = 1105 // too_many_subscribers, the first of what may pass
)

// Error says the code and the reason.
func (u *Unserved) Error() string {
	parts := []string{"not served"}
	if u.Status != 0 {
		parts[0] = fmt.Sprintf("not served (HTTP %d)", u.Status)
	}
	for _, s := range []string{u.Code, u.Reason} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// NotFound tells whether the thing asked for isn't there.
func (u *Unserved) NotFound() bool { return u.Number == numberNotFound }

// FutureHeight tells whether a block was asked for that doesn't exist yet.
func (u *Unserved) FutureHeight() bool { return u.Number == numberFuture }

// Temporary tells whether the same request may well be served later.
func (u *Unserved) Temporary() bool {
	switch {
	case u.Number >= numberBadKind:
		return u.Number >= numberBusy
	case u.Status == http.StatusTooManyRequests:
		return true
	}
	return u.Status >= 500
}

// decodeError makes the error of an answer that isn't 2xx. Whatever the bytes are, it is one.
func decodeError(status int, header http.Header, answer []byte) error {
	var a errorAnswer
	if err := json.Unmarshal(answer, &a); err != nil || a.Error.Number == 0 {
		return &Unserved{Status: status, Reason: http.StatusText(status)}
	}
	e := a.Error
	if e.Number < numberNotFound {
		r := &Refused{Code: receipt.Code(e.Number), Reason: e.Reason, ContractCode: e.ContractCode, ContractError: e.ContractError}
		if a.ID != nil {
			r.ID = *a.ID
		}
		return r
	}
	u := &Unserved{Status: status, Code: e.Code, Number: e.Number, Reason: e.Reason}
	if s, err := strconv.ParseUint(header.Get("Retry-After"), 10, 31); err == nil {
		u.RetryAfter = time.Duration(s) * time.Second
	}
	return u
}
