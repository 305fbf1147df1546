package stream

import (
	"fmt"

	"github.com/gorilla/websocket"
)

// Error is why a stream ends or never starts, as the client is told.
type Error struct {
	Code   string // for programs
	Number int    // likewise; 1100 and up
	Reason string // for people
	close  int    // the WebSocket close code
}

func (e *Error) Error() string { return e.Code + ": " + e.Reason }

// kind is an Error without its reason. The numbers are never changed, only added to.
type kind struct {
	code   string
	number int
	close  int
}

var (
	badParameter       = kind{"bad_parameter", 1100, websocket.ClosePolicyViolation}
	unknownName        = kind{"unknown_name", 1101, websocket.ClosePolicyViolation}
	badCursor          = kind{"bad_cursor", 1102, websocket.ClosePolicyViolation}
	futureCursor       = kind{"future_cursor", 1103, websocket.ClosePolicyViolation}
	unexpectedFrame    = kind{"unexpected_frame", 1104, websocket.ClosePolicyViolation}
	tooManySubscribers = kind{"too_many_subscribers", 1105, websocket.CloseTryAgainLater}
	logDamaged         = kind{"log_damaged", 1106, websocket.CloseInternalServerErr}
	shuttingDown       = kind{"shutting_down", 1107, websocket.CloseGoingAway}
	internal           = kind{"internal", 1108, websocket.CloseInternalServerErr}
)

func (k kind) because(format string, args ...any) *Error {
	return &Error{Code: k.code, Number: k.number, Reason: fmt.Sprintf(format, args...), close: k.close}
}
