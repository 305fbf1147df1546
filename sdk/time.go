package sdk

import (
	"math"
	"strconv"

	"github.com/wardledger/ward/runtime/abi"
)

// Time is a moment in seconds since 1970, UTC. The zero value stands for "not
// set" wherever a field is optional.
type Time int64

// WireKind makes a spec say time rather than int.
func (Time) WireKind() abi.Kind { return abi.KindTime }

// Duration is a span in seconds.
type Duration int64

// WireKind makes a spec say duration rather than int.
func (Duration) WireKind() abi.Kind { return abi.KindDuration }

// Spans that are the same everywhere and always.
const (
	Second Duration = 1
	Minute          = 60 * Second
	Hour            = 60 * Minute
	Day             = 24 * Hour
)

// Add is the moment d later. It stops at the ends of what a Time can hold, so that
// no sum of a caller's numbers wraps round into the past.
func (t Time) Add(d Duration) Time {
	sum := t + Time(d)
	switch {
	case d > 0 && sum < t:
		return math.MaxInt64
	case d < 0 && sum > t:
		return math.MinInt64
	}
	return sum
}

// Sub is the span from u to t, which stops at the ends of what a Duration can hold.
func (t Time) Sub(u Time) Duration {
	d := t - u
	switch {
	case t >= u && d < 0:
		return math.MaxInt64
	case t < u && d >= 0:
		return math.MinInt64
	}
	return Duration(d)
}

// IsZero reports whether the time is not set.
func (t Time) IsZero() bool { return t == 0 }

// String is the moment in RFC 3339, such as 2026-01-31T08:00:00Z. A moment outside
// the years 0 to 9999 is its number of seconds.
func (t Time) String() string {
	const first, last = -62167219200, 253402300799 // 0000-01-01T00:00:00Z, 9999-12-31T23:59:59Z
	if t < first || t > last {
		return strconv.FormatInt(int64(t), 10) + " s"
	}
	seconds := int64(t) - first
	days, second := seconds/86400, seconds%86400
	// Days since 0000-01-01 to a date, counting years from March so that the leap
	// day comes last. Shifted by 400 years, so that no number is negative.
	days += 146097 - 60
	era, day := days/146097, days%146097
	year := (day - day/1460 + day/36524 - day/146096) / 365
	day -= 365*year + year/4 - year/100
	month := (5*day + 2) / 153
	day -= (153*month+2)/5 - 1
	year += era*400 - 400
	if month += 3; month > 12 {
		month -= 12
		year++
	}
	b := pad(nil, year, 4)
	b = pad(append(b, '-'), month, 2)
	b = pad(append(b, '-'), day, 2)
	b = pad(append(b, 'T'), second/3600, 2)
	b = pad(append(b, ':'), second/60%60, 2)
	b = pad(append(b, ':'), second%60, 2)
	return string(append(b, 'Z'))
}

func pad(b []byte, v int64, width int) []byte {
	s := strconv.FormatInt(v, 10)
	for range width - len(s) {
		b = append(b, '0')
	}
	return append(b, s...)
}

// String is the span in days, hours, minutes and seconds, such as 1d2h or 300 s's 5m.
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	var b []byte
	left := uint64(d)
	if d < 0 {
		b, left = append(b, '-'), -left
	}
	for _, unit := range [...]struct {
		name    byte
		seconds Duration
	}{{'d', Day}, {'h', Hour}, {'m', Minute}, {'s', Second}} {
		if n := left / uint64(unit.seconds); n > 0 {
			b = append(strconv.AppendUint(b, n, 10), unit.name)
			left %= uint64(unit.seconds)
		}
	}
	return string(b)
}
