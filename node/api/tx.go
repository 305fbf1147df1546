package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

const (
	// maxWait and defaultWait are how long ?wait=commit waits.
	maxWait     = 30 * time.Second
	defaultWait = 10 * time.Second
)

// pending is the answer for a transaction that is on its way.
type pending struct {
	ID     tx.ID  `json:"id"`
	Status string `json:"status"` // "pending"
}

func (s *Server) postTx(w http.ResponseWriter, r *http.Request) error {
	p, err := parameters(r, "wait", "timeout")
	if err != nil {
		return err
	}
	wait, ok := p["wait"]
	if ok && wait != "check" && wait != "commit" {
		return badRequest.because("wait %s: must be check or commit", shown(wait))
	}
	text, timed := p["timeout"]
	seconds, err := number("timeout", text, timed, 1, uint64(maxWait/time.Second), uint64(defaultWait/time.Second))
	if err != nil {
		return err
	}
	if timed && wait != "commit" {
		return badRequest.because("timeout without wait=commit")
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if cose, ok := params["cose-type"]; err != nil || kind != "application/cose" || ok && cose != "cose-sign1" {
		return unsupportedMediaType.because("content type %s: a transaction is application/cose", shown(r.Header.Get("Content-Type")))
	}
	t, answer, since, err := s.submit(w, r)
	if err != nil {
		return err
	}
	if answer.Code == receipt.OK || answer.Code == receipt.Replayed {
		// The pool may know these bytes, or their sequence, because a block has them already. OK
		// and a block above since is another matter: they were new, and have run meanwhile.
		rec, err := s.config.Log.Tx(t.id)
		if err != nil {
			return err
		}
		if rec != nil && rec.Receipt.Code.Executed() && (answer.Code == receipt.Replayed || rec.Height <= since) {
			if wait == "commit" { // a retry: the sender never saw the answer to this very transaction
				return s.writeReceipt(w, rec)
			}
			answer.Code, answer.Reason = receipt.Replayed, fmt.Sprintf("the transaction was executed already, in block %d", rec.Height)
		}
	}
	if answer.Code != receipt.OK {
		answer.TxID = t.id
		return refusal(&answer, nil)
	}
	if wait == "commit" {
		rec, err := s.await(r.Context(), t, since, time.Duration(seconds)*time.Second)
		if err != nil {
			return err
		}
		if rec != nil {
			return s.writeReceipt(w, rec)
		}
	}
	writeJSON(w, http.StatusAccepted, pending{t.id, "pending"})
	return nil
}

// taken is what is remembered of a transaction once the pool has it.
type taken struct {
	id        tx.ID
	lastValid uint64
}

// submit reads the body and offers it to the pool. Since is the height before that. What is
// larger than an ordinary transaction needs a slot while it is held, so that not every
// connection can hold megabytes.
func (s *Server) submit(w http.ResponseWriter, r *http.Request) (t taken, answer receipt.Receipt, since uint64, err error) {
	fail := func(err error) (taken, receipt.Receipt, uint64, error) { return taken{}, receipt.Receipt{}, 0, err }
	if r.ContentLength > tx.MaxDeploySize {
		w.Header().Set("Connection", "close") // rather than read it all to keep the connection
		return fail(tooLarge(r.ContentLength))
	}
	body := http.MaxBytesReader(w, r.Body, tx.MaxDeploySize)
	var b bytes.Buffer
	_, err = io.CopyN(&b, body, tx.MaxSize+1)
	if err == nil {
		select {
		case s.uploads <- struct{}{}:
			defer func() { <-s.uploads }()
		default:
			w.Header().Set("Connection", "close")
			return fail(unavailable.because("%d large transactions are being received already", maxUploads))
		}
		_, err = io.Copy(&b, body)
	} else if err == io.EOF {
		err = nil
	}
	if m := (*http.MaxBytesError)(nil); errors.As(err, &m) {
		return fail(tooLarge(m.Limit + 1))
	}
	if err != nil {
		return fail(badRequest.because("the body ended after %d bytes: %v", b.Len(), err))
	}
	signed, err := tx.Decode(b.Bytes())
	if err != nil {
		return fail(refusal(&receipt.Receipt{Code: tx.CodeOf(err), Reason: err.Error()}, nil))
	}
	t = taken{signed.ID(), signed.LastValid}
	since = s.config.Log.Height()
	answer, err = s.config.Engine.Submit(r.Context(), b.Bytes())
	if err != nil {
		if r.Context().Err() == nil {
			s.config.Logger.Error("transaction not taken", "error", err)
		}
		f := unavailable.because("this node takes no transactions at present")
		f.id = &t.id
		return fail(f)
	}
	return t, answer, since, nil
}

// tooLarge refuses a body of at least size bytes.
func tooLarge(size int64) *failure {
	return refusal(&receipt.Receipt{
		Code:   receipt.TooLarge,
		Reason: fmt.Sprintf("transaction is %d bytes or more, limit %d", size, tx.MaxDeploySize),
	}, nil)
}

// await waits for the receipt of a transaction that is in the pool. Nil means that there is
// none yet. A refusal at or below since is an older one, of a twin perhaps.
func (s *Server) await(ctx context.Context, t taken, since uint64, limit time.Duration) (*eventlog.Record, error) {
	select {
	case s.waiting <- struct{}{}:
		defer func() { <-s.waiting }()
	default:
		return nil, nil
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		height, raised := s.config.Log.Signal()
		rec, err := s.config.Log.Tx(t.id)
		if err != nil {
			return nil, err
		}
		if rec != nil && (rec.Receipt.Code.Executed() || rec.Height > since) {
			return rec, nil
		}
		if t.lastValid != 0 && height >= t.lastValid {
			f := refusal(&receipt.Receipt{Code: receipt.Expired, TxID: t.id}, nil)
			f.reason = "no block up to the last valid height took the transaction"
			return nil, f
		}
		select {
		case <-raised:
		case <-timer.C:
			return nil, nil
		case <-ctx.Done():
			return nil, nil
		case <-s.closing.Done():
			return nil, nil
		}
	}
}

func (s *Server) getTx(w http.ResponseWriter, r *http.Request) error {
	_, rec, err := s.record(r)
	if err != nil {
		return err
	}
	return s.writeReceipt(w, rec)
}
