package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/receipt"
)

// maxArguments is the largest body of a query, in bytes: the largest arguments, 64 KiB of
// CBOR, as JSON with byte strings in hex.
const maxArguments = 256 << 10

// Whose clock a view saw.
const (
	clockBlock = "block"
	clockNode  = "node"
)

type queryBody struct {
	Height     uint64          `json:"height"`
	Time       int64           `json:"time"`
	Clock      string          `json:"clock"`
	Result     json.RawMessage `json:"result"`
	ResultCBOR string          `json:"result_cbor,omitempty"`
	GasUsed    uint64          `json:"gas_used"`
}

func (s *Server) postQuery(w http.ResponseWriter, r *http.Request) error {
	p, err := parameters(r, "height", "sender")
	if err != nil {
		return err
	}
	q, spec, past, err := s.question(w, r, p, true)
	if err != nil {
		return err
	}
	clock := clockBlock
	if past {
		h, err := s.config.Log.Block(q.Height)
		if err != nil {
			return err
		}
		if h == nil {
			return pruned.because("the log of this node begins at height %d, so the time of block %d is not known", s.config.Log.First(), q.Height)
		}
		q.Time = h.Time
	} else if q.Time, clock, err = s.now(); err != nil {
		return err
	}
	rec, height, err := s.view(r.Context(), q)
	if err != nil {
		return err
	}
	if rec.Code != receipt.OK {
		rec.TxID = [32]byte{} // there is no transaction
		return refusal(&rec, spec)
	}
	rec.Method = q.Method
	body := queryBody{Height: height, Time: q.Time, Clock: clock, GasUsed: rec.GasUsed}
	body.Result, body.ResultCBOR = result(spec, &rec)
	return s.answer(w, body)
}

// arguments reads the body: JSON, or nothing.
func arguments(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	doc, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxArguments))
	if m := (*http.MaxBytesError)(nil); errors.As(err, &m) {
		return nil, err
	}
	if err != nil {
		return nil, badRequest.because("the body ended after %d bytes: %v", len(doc), err)
	}
	doc = bytes.TrimSpace(doc)
	if len(doc) == 0 {
		return nil, nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, unsupportedMediaType.because("content type %s: arguments are application/json", shown(r.Header.Get("Content-Type")))
	}
	return doc, nil
}

// encodeArguments makes CBOR of the arguments of a method, which must be a view if view is true, by its contract's spec.
func encodeArguments(spec *abi.Spec, contract, name string, doc []byte, view bool) ([]byte, error) {
	var args *abi.Type
	if spec == nil {
		if len(doc) > 0 {
			return nil, badRequest.because("contract %s has no spec, so its arguments can't be typed", shown(contract))
		}
	} else {
		m, ok := spec.Method(name)
		if !ok {
			f := refusal(&receipt.Receipt{Code: receipt.UnknownMethod}, nil)
			f.reason = "contract " + shown(contract) + " has no method " + shown(name)
			return nil, f
		}
		if view && !m.View {
			return nil, notAView.because("method %s of contract %s writes: send it in a transaction", shown(name), shown(contract))
		}
		args = m.Args
	}
	encoded, err := specjson.ToCBOR(args, doc)
	if err == nil && len(encoded) > abi.MaxArgs {
		err = fmt.Errorf("arguments are %d bytes, limit %d", len(encoded), abi.MaxArgs) // more than any transaction has
	}
	if err != nil {
		f := refusal(&receipt.Receipt{Code: receipt.BadArguments}, nil)
		f.reason = err.Error()
		return nil, f
	}
	return encoded, nil
}

// now is the later of the newest block's time and the node's clock, and whose it is: a
// grant that has expired since the last block must not open a door.
func (s *Server) now() (unix int64, clock string, err error) {
	unix = s.config.Clock().Unix()
	h, err := s.config.Log.Block(s.config.Log.Height())
	if err != nil {
		return 0, "", err
	}
	if h != nil && h.Time >= unix {
		return h.Time, clockBlock, nil
	}
	return unix, clockNode, nil
}

// view runs a view when it is its turn, both within ViewTimeout.
func (s *Server) view(ctx context.Context, q runtime.Query) (rec receipt.Receipt, height uint64, err error) {
	limited, cancel := context.WithTimeout(ctx, s.config.ViewTimeout)
	defer cancel()
	select {
	case s.views <- struct{}{}:
		defer func() { <-s.views }()
	case <-limited.Done():
		if ctx.Err() != nil {
			return rec, 0, ctx.Err()
		}
		return rec, 0, unavailable.because("%d views run already, and none ended within %s", s.config.MaxViews, s.config.ViewTimeout)
	}
	rec, height, err = s.config.Chain.View(limited, q)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return rec, 0, timedOut.because("the view did not end within %s", s.config.ViewTimeout)
	}
	return rec, height, err
}
