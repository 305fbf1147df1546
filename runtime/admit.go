package runtime

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
)

// admission is what a transaction is held against: the state with everything before it,
// and the block that it would be in.
type admission struct {
	overlay *state.Overlay
	records *registry.Records
	chain   chain
	header  Header

	activated bool // an activation was admitted: there is room for none
}

// admitted is a transaction that may run: its replay slot is taken.
type admitted struct {
	*tx.Signed
	key  registry.Key
	size int
}

// refusal is an answer, not an error of the node.
type refusal struct {
	code   receipt.Code
	reason string
}

func refuse(code receipt.Code, format string, args ...any) *refusal {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// admit decides whether raw may run and takes its replay slot. The cheap and telling
// questions come first; the signature, the dearest, comes last. With a refusal the overlay is as it was.
// The signed transaction is returned as far as it could be read, for the refusal's receipt.
//
// With recheck the signature is taken as verified: the same bytes were admitted before.
func (r *Runtime) admit(a *admission, raw []byte, recheck bool) (admitted, *refusal, error) {
	signed, err := tx.Decode(raw)
	if err != nil {
		var e *tx.Error
		if !errors.As(err, &e) {
			return admitted{}, nil, err
		}
		return admitted{}, &refusal{e.Code, e.Reason}, nil
	}
	t := admitted{Signed: signed, size: len(raw)}

	if t.Chain != a.chain.ID {
		return t, refuse(receipt.WrongChain, "signed for chain %q, this is %q", t.Chain, a.chain.ID), nil
	}
	if t.LastValid != 0 && t.LastValid < a.header.Height {
		return t, refuse(receipt.Expired, "last valid height is %d, the block is %d", t.LastValid, a.header.Height), nil
	}
	key, known, err := a.records.Key(t.Key)
	if err != nil {
		return t, nil, err
	}
	if !known {
		return t, refuse(receipt.UnknownKey, "no account knows the key %s", t.Key), nil
	}
	t.key = key
	if key.State != registry.KeyOpen {
		return t, refuse(receipt.KeyShut, "key %s is %s", t.Key, key.State), nil
	}
	if key.Expires != 0 && key.Expires <= a.header.Time {
		return t, refuse(receipt.KeyExpired, "key %s expired at %d, the block's time is %d", t.Key, key.Expires, a.header.Time), nil
	}
	if !inScope(key.Scope, t.Contract, t.Method) {
		return t, refuse(receipt.OutOfScope, "key %s may not call %s.%s", t.Key, t.Contract, t.Method), nil
	}
	if least := gas.MinLimit(len(raw)); t.GasLimit < least {
		return t, refuse(receipt.GasLimit, "gas limit is %d, a transaction of %d bytes needs %d", t.GasLimit, len(raw), least), nil
	}
	if t.GasLimit > gas.MaxLimit {
		return t, refuse(receipt.GasLimit, "gas limit is %d, the most is %d", t.GasLimit, gas.MaxLimit), nil
	}
	room, err := a.records.Room(key.Account, a.header.Time)
	if err != nil {
		return t, nil, err
	}
	if t.GasLimit > room {
		return t, refuse(receipt.OverQuota, "gas limit is %d, account %s has %d left for now", t.GasLimit, key.Account, room), nil
	}

	if a.activated && Activates(t.Signed) {
		return t, refuse(receipt.OneActivation, "block %d makes the code of a contract ready already", a.header.Height), nil
	}

	mark := a.overlay.Checkpoint()
	code, err := a.records.Reserve(t.Key, LaneOf(t.Contract), t.Sequence)
	if err != nil {
		return t, nil, err
	}
	switch code {
	case receipt.OK:
	case receipt.SequenceJump:
		return t, refuse(code, "sequence %d is more than %d ahead of the highest one used", t.Sequence, registry.MaxJump), nil
	default:
		return t, refuse(code, "sequence %d was used, or lies more than %d behind the highest one used", t.Sequence, registry.WindowSize), nil
	}
	valid, err := r.verify(&t, raw, recheck)
	if err != nil {
		return t, nil, err
	}
	if !valid {
		a.overlay.Revert(mark)
		return t, refuse(receipt.BadSignature, "the signature is not of key %s over this transaction", t.Key), nil
	}
	return t, nil, nil
}

// verify reports whether the signature holds, from memory where it can.
func (r *Runtime) verify(t *admitted, raw []byte, recheck bool) (bool, error) {
	if recheck {
		return true, nil
	}
	id := sha256.Sum256(raw)
	if r.signatures.valid(id) {
		return true, nil
	}
	public, err := tx.ParsePublicKey(t.key.Public)
	if err != nil {
		return false, fmt.Errorf("runtime: the record of key %s: %w", t.Key, err)
	}
	if !t.Verify(public) {
		return false, nil
	}
	r.signatures.remember(id)
	return true, nil
}

// inScope reports whether a key's scope holds a method. A scope that names no methods of a
// contract holds all of them.
func inScope(scope []registry.Scope, contract, method string) bool {
	for _, s := range scope {
		if s.Contract == contract || s.Contract == AnyContract {
			return len(s.Methods) == 0 || slices.Contains(s.Methods, method)
		}
	}
	return false
}
