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
	Week            = 7 * Day
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

// Truncate is the last moment up to t that is a multiple of d away from 1970, UTC: the hour, day or slot that
// t lies in. D is more than 0.
func (t Time) Truncate(d Duration) Time {
	if d <= 0 {
		panic("sdk: a time is truncated to " + d.String())
	}
	into := t % Time(d)
	if into < 0 {
		into += Time(d)
	}
	return t.Add(-Duration(into))
}

// day is how many days t is behind 1970-01-01, UTC, and second how many seconds of that have passed.
func (t Time) day() int64 {
	day := int64(t) / int64(Day)
	if int64(t)%int64(Day) < 0 {
		day--
	}
	return day
}

func (t Time) second() int64 { return int64(t) - t.day()*int64(Day) }

// Days in what is the same again: 400 years, and those of 1970 years since a March 1 of the year 0.
const (
	daysOf400Years = 146097
	daysTo1970     = 719468
)

// Date is the day on which t lies, UTC. See [Zone.Local] for another clock's.
func (t Time) Date() (year, month, day int) {
	// Years are counted from March, so that the leap day comes last.
	days := t.day() + daysTo1970
	era := days / daysOf400Years
	if days%daysOf400Years < 0 {
		era--
	}
	d := days - era*daysOf400Years
	y := (d - d/1460 + d/36524 - d/146096) / 365
	d -= 365*y + y/4 - y/100
	m := (5*d + 2) / 153
	d -= (153*m+2)/5 - 1
	y += era * 400
	if m += 3; m > 12 {
		m -= 12
		y++
	}
	return int(y), int(m), int(d)
}

// Midnight is when a day begins, UTC. A month or day too many counts on: month 13 is the next January, day 0 the last of the month before.
func Midnight(year, month, day int) Time {
	m := int64(month) - 3 // from March
	y := int64(year) + m/12
	if m %= 12; m < 0 {
		m += 12
		y--
	}
	era := y / 400
	if y%400 < 0 {
		era--
	}
	y -= era * 400
	days := era*daysOf400Years + 365*y + y/4 - y/100 + (153*m+2)/5 + int64(day) - 1
	return Time((days - daysTo1970) * int64(Day))
}

// Clock is the time of day, UTC, in full minutes.
func (t Time) Clock() Clock { return Clock(t.second() / int64(Minute)) }

// Weekday is the day of the week on which t lies, UTC.
func (t Time) Weekday() Days {
	n := (t.day() + 3) % 7 // 1970-01-01 was a Thursday
	if n < 0 {
		n += 7
	}
	return Monday << n
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
	year, month, day := t.Date()
	second := t.second()
	b := pad(nil, int64(year), 4)
	b = pad(append(b, '-'), int64(month), 2)
	b = pad(append(b, '-'), int64(day), 2)
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
