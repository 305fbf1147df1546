package tx

import (
	"errors"
	"fmt"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
)

// Error is a refusal: what is wrong with the bytes. It is the answer to whoever sent
// them, never a failure of this node.
type Error struct {
	Code   receipt.Code
	Reason string // with the offending value
}

func (e *Error) Error() string { return e.Reason }

func refuse(code receipt.Code, format string, args ...any) *Error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

func malformed(format string, args ...any) *Error {
	return refuse(receipt.Malformed, format, args...)
}

// malformedAt is a refusal for an error of runtime/cbor in the part that starts base
// bytes into the transaction; the reason counts from the transaction's first byte.
func malformedAt(base int, what string, err error) *Error {
	if e, ok := errors.AsType[*cbor.Error](err); ok {
		return malformed("%s: byte %d: %s", what, base+e.Offset, e.Reason)
	}
	return malformed("%s: %v", what, err)
}

// CodeOf is the code of a refusal by this package, and Malformed for any other error.
func CodeOf(err error) receipt.Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return receipt.Malformed
}

// quote shows a value that a stranger sent, without repeating all of a long one.
func quote(s string) string {
	const limit = 80
	if len(s) <= limit {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q and %d bytes more", s[:limit], len(s)-limit)
}
