package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/node/stream"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
)

// failure is an answer with a status of 400 or above.
type failure struct {
	status int
	code   string
	number int
	reason string

	contractCode  uint32
	contractError string
	id            *tx.ID
	retryAfter    int // seconds; 0 says nothing
}

func (f *failure) Error() string { return f.code + ": " + f.reason }

// kind is a failure without its reason. Numbers are never changed, only added to; those of the
// chain lie below 1000 and those of the stream at 1100.
type kind struct {
	status int
	code   string
	number int
}

var (
	notFound             = kind{http.StatusNotFound, "not_found", 1000}
	badRequest           = kind{http.StatusBadRequest, "bad_request", 1001}
	methodNotAllowed     = kind{http.StatusMethodNotAllowed, "method_not_allowed", 1002}
	unsupportedMediaType = kind{http.StatusUnsupportedMediaType, "unsupported_media_type", 1003}
	bodyTooLarge         = kind{http.StatusRequestEntityTooLarge, "body_too_large", 1004}
	rateLimited          = kind{http.StatusTooManyRequests, "rate_limited", 1005}
	internal             = kind{http.StatusInternalServerError, "internal", 1006}
	unavailable          = kind{http.StatusServiceUnavailable, "unavailable", 1007}
	futureHeight         = kind{http.StatusNotFound, "future_height", 1008}
	pruned               = kind{http.StatusGone, "pruned", 1009}
	timedOut             = kind{http.StatusGatewayTimeout, "timed_out", 1010}
	notAView             = kind{http.StatusMethodNotAllowed, "not_a_view", 1011}
)

func (k kind) because(format string, args ...any) *failure {
	f := &failure{status: k.status, code: k.code, number: k.number, reason: fmt.Sprintf(format, args...)}
	if k == unavailable || k == rateLimited {
		f.retryAfter = 1
	}
	return f
}

// statusOf is the HTTP status of the chain's codes. What is not here is a contract's failure.
var statusOf = map[receipt.Code]int{
	receipt.Malformed: 400, receipt.WrongChain: 400, receipt.GasLimit: 400, receipt.BadArguments: 400,
	receipt.UnknownKey: 403, receipt.KeyShut: 403, receipt.KeyExpired: 403, receipt.BadSignature: 403,
	receipt.OutOfScope: 403, receipt.NotPermitted: 403,
	receipt.UnknownContract: 404, receipt.UnknownMethod: 404,
	receipt.Expired: 409, receipt.Replayed: 409, receipt.SequenceJump: 409, receipt.OneActivation: 409, receipt.Exists: 409, receipt.Breaking: 409,
	receipt.TooLarge:  413,
	receipt.OverQuota: 429,
	receipt.Busy:      503,
}

// refusal is the failure of a receipt that is not OK. The spec, if there is one, names the
// contract's own code.
func refusal(r *receipt.Receipt, spec *abi.Spec) *failure {
	status, ok := statusOf[r.Code]
	if !ok {
		status = http.StatusUnprocessableEntity
	}
	f := &failure{status: status, code: r.Code.Name(), number: int(r.Code), reason: r.Reason, contractCode: r.ContractCode}
	f.contractError = errorName(spec, r.ContractCode)
	if f.reason == "" {
		f.reason = r.Code.String()
	}
	if r.Code == receipt.Busy {
		f.retryAfter = 1
	}
	if r.TxID != ([32]byte{}) {
		id := tx.ID(r.TxID)
		f.id = &id
	}
	return f
}

func errorName(spec *abi.Spec, code uint32) string {
	if spec == nil || code == 0 {
		return ""
	}
	e, _ := spec.Error(code)
	return e.Name
}

// failed makes a failure of any error. What is not known to be the client's doing is a fault
// of this node: it is logged, and the client is told no more than that.
func (s *Server) failed(r *http.Request, err error) *failure {
	var (
		f *failure
		e *stream.Error
		p *state.PrunedError
		m *http.MaxBytesError
	)
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &e):
		return &failure{status: http.StatusBadRequest, code: e.Code, number: e.Number, reason: e.Reason}
	case errors.As(err, &p) && p.Height > p.Latest:
		return futureHeight.because("height %d does not exist yet: the newest block is %d", p.Height, p.Latest)
	case errors.As(err, &p):
		return pruned.because("this node has no state of height %d any more: the earliest is %d", p.Height, p.Earliest)
	case errors.As(err, &m):
		return bodyTooLarge.because("the body is larger than %d bytes", m.Limit)
	case r.Context().Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)):
		return unavailable.because("the request was given up, or the node is shutting down")
	}
	s.config.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	if eventlog.IsDamaged(err) {
		return internal.because("the log of this node is damaged; ask another node")
	}
	return internal.because("a fault of this node; its log has the details")
}

// errorBody is README.md's.
type errorBody struct {
	Error struct {
		Code          string `json:"code"`
		Number        int    `json:"number"`
		Reason        string `json:"reason"`
		ContractCode  uint32 `json:"contract_code,omitempty"`
		ContractError string `json:"contract_error,omitempty"`
	} `json:"error"`
	ID *tx.ID `json:"id,omitempty"`
}

func (f *failure) write(w http.ResponseWriter) {
	var body errorBody
	body.Error.Code, body.Error.Number, body.Error.Reason = f.code, f.number, f.reason
	body.Error.ContractCode, body.Error.ContractError = f.contractCode, f.contractError
	body.ID = f.id
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	writeJSON(w, f.status, body)
}

// writeJSON answers with v. A client that is gone needs no answer, so nothing is returned.
func writeJSON(w http.ResponseWriter, status int, v any) { writeBytes(w, status, encodeJSON(v)) }

func encodeJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: api: an answer that is no JSON: " + err.Error())
	}
	return append(b, '\n')
}

func writeBytes(w http.ResponseWriter, status int, doc []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(doc)
}
