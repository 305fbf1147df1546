package sdk

import (
	"errors"
	"math"
	"strconv"
)

// A Zone says how far the clocks of a place are ahead of UTC: a table of eras, each of which holds from its moment on until the next, and the first
// since ever. No era at all is UTC.
//
// A contract has no database of time zones, which is large and not the same in each release; whoever governs a
// contract gives it the zones that it needs, as rows, and adds an era when a law changes. What a year looks like, the rules of an
// era say:
//
//	Zone{{Ahead: sdk.Hour, Summer: &sdk.Summer{ // central Europe, since 1996
//		Ahead:  2 * sdk.Hour,
//		Begins: sdk.Rule{Month: 3, Week: sdk.LastWeek, Day: sdk.Sunday, Clock: sdk.At(2, 0)},
//		Ends:   sdk.Rule{Month: 10, Week: sdk.LastWeek, Day: sdk.Sunday, Clock: sdk.At(3, 0)},
//	}}}
//
// (The last line of a zone's file in /usr/share/zoneinfo says the same: CET-1CEST,M3.5.0,M10.5.0/3.)
type Zone []Era

// An Era is a time in which a zone's clocks follow one rule.
type Era struct {
	From   Time     `wire:",omitempty" doc:"since when; of the first era it does not matter"`
	Ahead  Duration `doc:"seconds that its clocks are ahead of UTC, in winter"`
	Summer *Summer  `doc:"missing: they are never put forward"`
}

// Summer is when and how far clocks are put forward each year. In the south it begins later in the year than it ends.
type Summer struct {
	Ahead  Duration `doc:"seconds that clocks are ahead of UTC then"`
	Begins Rule     `doc:"when, by the clock of winter"`
	Ends   Rule     `doc:"when, by the clock of summer"`
}

// A Rule is a moment of each year: a day of the week in a week of a month.
type Rule struct {
	Month uint8 `doc:"1 to 12"`
	Week  uint8 `doc:"which of these days in the month: 1 to 4, or 5 for the last"`
	Day   Days  `doc:"Monday 1, Tuesday 2, Wednesday 4, Thursday 8, Friday 16, Saturday 32, Sunday 64"`
	Clock Clock `doc:"minutes since midnight"`
}

// LastWeek is the week of a rule for the last such day of a month.
const LastWeek = 5

// Bounds of a zone.
const (
	// MaxEras is how many eras a zone has at most: clocks were changed more often nowhere in a hundred years.
	MaxEras = 64
	// MaxAhead is how far clocks are ahead of UTC or behind it at most. The furthest on Earth are 14 hours.
	MaxAhead = 18 * Hour
)

// Check reports why the zone means nothing. Call it before a zone from outside is stored.
func (z Zone) Check() error {
	if len(z) > MaxEras {
		return errors.New("a zone of " + strconv.Itoa(len(z)) + " eras, limit " + strconv.Itoa(MaxEras))
	}
	for i, era := range z {
		what := "era " + strconv.Itoa(i+1)
		if i > 1 && era.From <= z[i-1].From {
			return errors.New(what + " does not begin after the one before")
		}
		if era.Ahead > MaxAhead || era.Ahead < -MaxAhead {
			return errors.New(what + " is " + era.Ahead.String() + " ahead of UTC, limit " + MaxAhead.String())
		}
		s := era.Summer
		if s == nil {
			continue
		}
		if s.Ahead > MaxAhead || s.Ahead < -MaxAhead {
			return errors.New(what + " is " + s.Ahead.String() + " ahead of UTC in summer, limit " + MaxAhead.String())
		}
		for _, r := range [...]Rule{s.Begins, s.Ends} {
			switch {
			case r.Month < 1 || r.Month > 12:
				return errors.New(what + " has a rule for the month " + strconv.Itoa(int(r.Month)))
			case r.Week < 1 || r.Week > LastWeek:
				return errors.New(what + " has a rule for the week " + strconv.Itoa(int(r.Week)) + ", 1 to 5 are allowed")
			case r.Day == 0 || r.Day > Sunday || r.Day&(r.Day-1) != 0:
				return errors.New(what + " has a rule for the day " + strconv.Itoa(int(r.Day)) + ", it must be one day")
			case r.Clock > EndOfDay:
				return errors.New(what + " has a rule for minute " + strconv.Itoa(int(r.Clock)) + ", a day has 1440")
			}
		}
		if s.Begins.Month == s.Ends.Month {
			return errors.New(what + " has a summer that begins and ends in the same month")
		}
	}
	return nil
}

// Ahead is how far the clocks are ahead of UTC at a moment.
func (z Zone) Ahead(at Time) Duration {
	era, _ := z.era(at)
	if era.Summer != nil && era.summer(at) {
		return era.Summer.Ahead
	}
	return era.Ahead
}

// Local is what the clocks show at a moment, as a Time that would show it in UTC: for [Time.Date], [Time.Clock] and [Time.Weekday], and
// for nothing else.
func (z Zone) Local(at Time) Time { return at.Add(z.Ahead(at)) }

// era is the era of a moment, and when it ends.
func (z Zone) era(at Time) (era Era, end Time) {
	end = math.MaxInt64
	for i, e := range z {
		if i > 0 && e.From > at {
			return era, e.From
		}
		era = e
	}
	return era, end
}

// edges are the begin and the end of the summer of a year.
func (e Era) edges(year int) (begins, ends Time) {
	return e.Summer.Begins.in(year).Add(-e.Ahead), e.Summer.Ends.in(year).Add(-e.Summer.Ahead)
}

func (e Era) summer(at Time) bool {
	year, _, _ := at.Add(e.Ahead).Date()
	begins, ends := e.edges(year)
	if begins < ends {
		return begins <= at && at < ends
	}
	return at < ends || begins <= at
}

// change is the first moment after another at which clocks may be changed: until then they are as far ahead as now.
func (z Zone) change(after Time) Time {
	era, next := z.era(after)
	if era.Summer == nil {
		return next
	}
	year, _, _ := after.Add(era.Ahead).Date()
	for y := year; y <= year+1; y++ {
		begins, ends := era.edges(y)
		if begins > after && begins < next {
			next = begins
		}
		if ends > after && ends < next {
			next = ends
		}
	}
	return next
}

// in is the rule's moment in a year, as a clock that does what the rule says shows it.
func (r Rule) in(year int) Time {
	day := Midnight(year, int(r.Month), 1)
	if r.Week == LastWeek {
		day = Midnight(year, int(r.Month)+1, 1).Add(-Week)
	} else {
		day = day.Add(Week * Duration(r.Week-1))
	}
	for day.Weekday() != r.Day {
		day = day.Add(Day)
	}
	return day.Add(Duration(r.Clock.seconds()))
}
