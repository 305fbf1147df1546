package sdk

import (
	"errors"
	"math"
	"math/bits"
	"strconv"

	"github.com/wardledger/ward/runtime/abi"
)

// A Unit is what an amount counts: a type of its own for each, so that the compiler keeps them apart.
//
//	type Wh struct{}
//
//	func (Wh) Unit() string { return "Wh" }
type Unit interface{ Unit() string }

// An Amount is a whole number of something, between -2^63 and 2^63-1. There are no fractions: a finer unit says them (Wh and not kWh,
// cents and not euros). It is written as an int; in the spec, the unit stands in the doc of the field.
//
// It is no number to Go, whose + wraps round silently. Its own arithmetic is exact, or else ends the call as
// failed, with both numbers in the reason. That reads like arithmetic, and nothing is lost by it: what no amount can hold comes from an argument
// that should have been refused, and everything that the call did is undone. Whoever has an answer to it compares first.
type Amount[U Unit] struct{ n int64 }

// NewAmount is n of the unit.
func NewAmount[U Unit](n int64) Amount[U] { return Amount[U]{n} }

// Int is how many there are.
func (a Amount[U]) Int() int64 { return a.n }

// WireKind makes an amount an int on the wire and in keys, which sort by it.
func (Amount[U]) WireKind() abi.Kind { return abi.KindInt }

// WireUnit is the unit, for the spec.
func (Amount[U]) WireUnit() string {
	var u U
	return u.Unit()
}

// String is the number with its unit, such as 250 Wh.
func (a Amount[U]) String() string { return strconv.FormatInt(a.n, 10) + " " + a.WireUnit() }

// MarshalJSON is the number alone, as the API writes it.
func (a Amount[U]) MarshalJSON() ([]byte, error) { return strconv.AppendInt(nil, a.n, 10), nil }

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *Amount[U]) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return errors.New(strconv.Quote(clip(string(b), 64)) + " is not a whole number of " + a.WireUnit())
	}
	a.n = n
	return nil
}

// IsZero reports whether there is nothing.
func (a Amount[U]) IsZero() bool { return a.n == 0 }

// Sign is -1, 0 or 1. Arguments are signed, too: a payment of less than nothing is for the contract to refuse.
func (a Amount[U]) Sign() int { return a.Compare(Amount[U]{}) }

// Compare is -1 if a is less than b, 0 if they are equal and 1 if it is more.
func (a Amount[U]) Compare(b Amount[U]) int {
	switch {
	case a.n < b.n:
		return -1
	case a.n > b.n:
		return 1
	}
	return 0
}

// Less reports whether a is less than b.
func (a Amount[U]) Less(b Amount[U]) bool { return a.n < b.n }

// Plus is a + b.
func (a Amount[U]) Plus(b Amount[U]) Amount[U] {
	sum := a.n + b.n
	if (sum < a.n) != (b.n < 0) {
		tooMuch(a.String(), "plus", b.String())
	}
	return Amount[U]{sum}
}

// Minus is a - b.
func (a Amount[U]) Minus(b Amount[U]) Amount[U] {
	rest := a.n - b.n
	if (rest > a.n) != (b.n < 0) {
		tooMuch(a.String(), "minus", b.String())
	}
	return Amount[U]{rest}
}

// Times is a × n.
func (a Amount[U]) Times(n int64) Amount[U] {
	product, _, ok := mulDiv(a.n, n, 1)
	if !ok {
		tooMuch(a.String(), "times", strconv.FormatInt(n, 10))
	}
	return Amount[U]{product}
}

// Share is a × part / whole, rounded toward zero, and what was rounded away, in whole-ths of the unit and with the sign of
// the exact share. The product may be larger than an amount; the share may not. Whole is more than 0.
//
// Shares of one amount add up to less than it by what was rounded away: give that to whom it belongs with Minus.
func (a Amount[U]) Share(part, whole int64) (share Amount[U], rest int64) {
	q, rest := divided(a.String(), a.n, part, whole)
	return Amount[U]{q}, rest
}

// Convert is a × times / over, of another unit and rounded toward zero: an energy in Wh, at a price per kWh of so many cents, is
//
//	Convert[Cent](energy, price, 1000)
//
// Over is more than 0. What is rounded away is lost; if it must not be, take the residue of all with Minus.
func Convert[To, From Unit](a Amount[From], times, over int64) Amount[To] {
	q, _ := divided(a.String(), a.n, times, over)
	return Amount[To]{q}
}

func divided(what string, a, times, over int64) (q, rest int64) {
	if over <= 0 {
		panic("sdk: " + what + " is divided by " + strconv.FormatInt(over, 10))
	}
	q, rest, ok := mulDiv(a, times, over)
	if !ok {
		tooMuch(what, "times", strconv.FormatInt(times, 10)+" / "+strconv.FormatInt(over, 10))
	}
	return q, rest
}

// mulDiv is a × b / d rounded toward zero, with d > 0, and what is left over; ok is false if that is no int64.
func mulDiv(a, b, d int64) (q, rest int64, ok bool) {
	negative := (a < 0) != (b < 0)
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	if high >= uint64(d) {
		return 0, 0, false
	}
	uq, ur := bits.Div64(high, low, uint64(d))
	switch {
	case !negative && uq <= math.MaxInt64:
		return int64(uq), int64(ur), true
	case negative && uq <= 1<<63:
		return -int64(uq), -int64(ur), true
	}
	return 0, 0, false
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// tooMuch ends the call: the result is more than an amount can hold, either way.
func tooMuch(a, operation, b string) {
	stop(unnamed.code, a+" "+operation+" "+b+" is beyond what an amount can hold")
}
