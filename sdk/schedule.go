package sdk

import (
	"errors"
	"strconv"
)

// Days are days of the week: one, or several added up.
type Days uint8

// The days of the week.
const (
	Monday Days = 1 << iota
	Tuesday
	Wednesday
	Thursday
	Friday
	Saturday
	Sunday

	Workdays = Monday | Tuesday | Wednesday | Thursday | Friday
	Weekend  = Saturday | Sunday
	EveryDay = Workdays | Weekend
)

// Has reports whether all of other are among the days.
func (d Days) Has(other Days) bool { return d&other == other }

// String names the days, such as Mon+Tue, in the order of the week.
func (d Days) String() string {
	var b []byte
	for i, name := range [...]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} {
		if d.Has(Monday << i) {
			if len(b) > 0 {
				b = append(b, '+')
			}
			b = append(b, name...)
		}
	}
	if len(b) == 0 {
		return "no day"
	}
	return string(b)
}

// next is the day after a single day.
func (d Days) next() Days {
	if d == Sunday {
		return Monday
	}
	return d << 1
}

// Clock is a time of day, in minutes since midnight.
type Clock uint16

// Midnights: of the day itself and of the next.
const (
	StartOfDay Clock = 0
	EndOfDay   Clock = 24 * 60
)

// At is a time of day: At(8, 30) is half past eight in the morning.
func At(hour, minute int) Clock { return Clock(hour*60 + minute) }

// String is the time as 08:30.
func (c Clock) String() string {
	return string(pad(append(pad(nil, int64(c/60), 2), ':'), int64(c%60), 2))
}

func (c Clock) seconds() int64 { return int64(c) * int64(Minute) }

// A Window is open once on each of its days. If it does not end later than it starts, it ends on the next day; it still belongs to
// the day on which it starts, so a window of Friday from 22:00 until 06:00 is open on Saturday morning and shut on Friday morning. One from 08:00
// until 08:00 is open for 24 hours.
type Window struct {
	Days  Days  `doc:"on which days it starts, added up: Monday 1, Tuesday 2, Wednesday 4, Thursday 8, Friday 16, Saturday 32, Sunday 64"`
	From  Clock `doc:"when it opens, in minutes since midnight"`
	Until Clock `doc:"when it shuts, in minutes since midnight; not later than it opens: on the next day"`
}

// length is for how many seconds the window is open, by its clock: more than none, and at most a day.
func (w Window) length() int64 {
	if w.Until > w.From {
		return (w.Until - w.From).seconds()
	}
	return (w.Until + EndOfDay - w.From).seconds()
}

// String is the window as Mon+Tue 08:00-16:30.
func (w Window) String() string {
	return w.Days.String() + " " + w.From.String() + "-" + w.Until.String()
}

// A Schedule is open while one of its windows is, by the clock of a [Zone]; without a window, never. It is a value like any other: an
// argument, or part of a row.
type Schedule []Window

// MaxWindows is how many windows a schedule has at most: one for each half of each day, and two more.
const MaxWindows = 16

// Check reports why the schedule means nothing. Call it before a schedule from outside is stored.
func (s Schedule) Check() error {
	if len(s) > MaxWindows {
		return errors.New("a schedule of " + strconv.Itoa(len(s)) + " windows, limit " + strconv.Itoa(MaxWindows))
	}
	for i, w := range s {
		what := "window " + strconv.Itoa(i+1)
		switch {
		case w.Days == 0:
			return errors.New(what + " is on no day")
		case w.Days > EveryDay:
			return errors.New(what + " is on the days " + strconv.Itoa(int(w.Days)) + ", the most is 127, which is all of them")
		case w.From >= EndOfDay:
			return errors.New(what + " starts at minute " + strconv.Itoa(int(w.From)) + ", the last of a day is 1439")
		case w.Until > EndOfDay:
			return errors.New(what + " ends at minute " + strconv.Itoa(int(w.Until)) + ", a day has 1440")
		}
	}
	return nil
}

// Open reports whether a window is open at a moment. The wall clock decides: of an hour that the clock skips nothing is seen, and
// one that comes twice counts twice.
func (s Schedule) Open(at Time, z Zone) bool {
	local := z.Local(at)
	today := local.Weekday()
	second := local.second()
	for _, w := range s {
		from, length := w.From.seconds(), w.length()
		for day := Monday; day <= Sunday; day <<= 1 {
			switch {
			case !w.Days.Has(day):
			case day == today && second >= from && second < from+length:
				return true
			case day.next() == today && second+int64(Day) < from+length:
				return true
			}
		}
	}
	return false
}

// horizon is how far Change looks: two of each window, one of which the clock may skip.
const horizon = 2*Week + Day

// Change is the first moment after another at which the schedule opens if it is shut and shuts if it is open. ok is false if it never does:
// there is no window, or always one.
func (s Schedule) Change(after Time, z Zone) (at Time, ok bool) {
	open := s.Open(after, z)
	for at = after; ; {
		next := z.change(at) // the clock is the same until then
		local := z.Local(at)
		midnight := local.Truncate(Day)
		for _, w := range s {
			for days := Duration(-1); days <= 7; days++ {
				opens := midnight.Add(days * Day)
				if !w.Days.Has(opens.Weekday()) {
					continue
				}
				opens = opens.Add(Duration(w.From.seconds()))
				for _, edge := range [...]Time{opens, opens.Add(Duration(w.length()))} {
					if moment := at.Add(edge.Sub(local)); edge > local && moment < next {
						next = moment
					}
				}
			}
		}
		if next.Sub(after) > horizon || next <= at { // the latter at the end of time
			return 0, false
		}
		if at = next; s.Open(at, z) != open {
			return at, true
		}
	}
}
