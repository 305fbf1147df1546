package sdk

import (
	"math"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the database that a contract does not have

	"pgregory.net/rapid"

	"github.com/wardledger/ward/sdk/wire"
)

func yearly(winter, summer Duration, begins, ends Rule) Zone {
	return Zone{{Ahead: winter, Summer: &Summer{summer, begins, ends}}}
}

// zones are some of this world's, as the database has them from 2008 on.
var zones = map[string]Zone{
	"UTC":              nil,
	"Europe/Berlin":    yearly(Hour, 2*Hour, Rule{3, LastWeek, Sunday, At(2, 0)}, Rule{10, LastWeek, Sunday, At(3, 0)}),
	"Europe/London":    yearly(0, Hour, Rule{3, LastWeek, Sunday, At(1, 0)}, Rule{10, LastWeek, Sunday, At(2, 0)}),
	"America/New_York": yearly(-5*Hour, -4*Hour, Rule{3, 2, Sunday, At(2, 0)}, Rule{11, 1, Sunday, At(2, 0)}),
	"Australia/Sydney": yearly(10*Hour, 11*Hour, Rule{10, 1, Sunday, At(2, 0)}, Rule{4, 1, Sunday, At(3, 0)}),
	"Asia/Kolkata":     {{Ahead: 5*Hour + 30*Minute}},
	// A law that changed: from 2016-09-07 on it is summer in Turkey all year.
	"Europe/Istanbul": {
		{Ahead: 2 * Hour, Summer: &Summer{3 * Hour, Rule{3, LastWeek, Sunday, At(3, 0)}, Rule{10, LastWeek, Sunday, At(4, 0)}}},
		{From: Midnight(2016, 9, 6).Add(21 * Hour), Ahead: 3 * Hour},
	},
	// One that skipped a day: Samoa had no 30 December 2011.
	"Pacific/Apia": {
		{Ahead: -11 * Hour}, {From: 1285498800, Ahead: -10 * Hour}, {From: 1301752800, Ahead: -11 * Hour}, {From: 1316872800, Ahead: -10 * Hour},
		{From: 1325239200, Ahead: 14 * Hour}, {From: 1333202400, Ahead: 13 * Hour}, {From: 1348927200, Ahead: 14 * Hour}, {From: 1365256800, Ahead: 13 * Hour},
	},
}

// someTime is a moment of 2008 to 2040, often near a change of clocks.
func someTime(t *rapid.T) Time {
	at := Midnight(rapid.IntRange(2008, 2040).Draw(t, "year"), rapid.IntRange(1, 12).Draw(t, "month"), rapid.IntRange(1, 31).Draw(t, "day"))
	return at.Add(Duration(rapid.Int64Range(0, 86399).Draw(t, "second")))
}

// TestZone compares with the database of time zones.
func TestZone(t *testing.T) {
	for name, z := range zones {
		if err := z.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		location, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		from, until := Midnight(2008, 1, 1), Midnight(2041, 1, 1)
		if name == "Pacific/Apia" {
			until = Midnight(2012, 9, 1) // from then on, until 2021, it had a summer
		}
		if name == "Europe/Istanbul" {
			from = Midnight(2012, 1, 1) // in 2008 to 2011, summer began on other days for an election or an exam
		}
		rapid.Check(t, func(t *rapid.T) {
			at := someTime(t)
			if at < from || at >= until || name == "Europe/Istanbul" && (at > Midnight(2014, 3, 1) && at < Midnight(2014, 4, 2) || at > Midnight(2015, 10, 1) && at < Midnight(2015, 12, 1)) {
				return
			}
			local := time.Unix(int64(at), 0).In(location)
			_, want := local.Zone()
			if got := z.Ahead(at); got != Duration(want) {
				t.Fatalf("%s is %s ahead at %s, want %s", name, got, at, Duration(want))
			}
			year, month, day := z.Local(at).Date()
			if y, m, d := local.Date(); y != year || int(m) != month || d != day || z.Local(at).Clock() != At(local.Hour(), local.Minute()) ||
				z.Local(at).Weekday() != Monday<<((local.Weekday()+6)%7) {
				t.Fatalf("%s at %s: %d-%d-%d %s %s, want %s", name, at, year, month, day, z.Local(at).Clock(), z.Local(at).Weekday(), local)
			}
			// Until the next change nothing changes, and there is one a second before which all is as now.
			if next := z.change(at); next < until && (z.Ahead(next-1) != Duration(want) || next <= at) {
				t.Fatalf("%s changes at %s, after %s", name, next, at)
			}
		})
	}
}

// open is Schedule.Open as one would write it who has the database and time.
func open24(s Schedule, at Time, location *time.Location) bool {
	local := time.Unix(int64(at), 0).In(location)
	minute := local.Hour()*60 + local.Minute()
	today, yesterday := Monday<<((local.Weekday()+6)%7), Monday<<((local.Weekday()+5)%7)
	for _, w := range s {
		from, until := int(w.From), int(w.Until)
		switch wraps := until <= from; {
		case !wraps && w.Days.Has(today) && minute >= from && minute < until,
			wraps && w.Days.Has(today) && minute >= from,
			wraps && w.Days.Has(yesterday) && minute < until:
			return true
		}
	}
	return false
}

func TestSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata"}).Draw(t, "zone")
		z := zones[name]
		location, _ := time.LoadLocation(name)
		clock := rapid.OneOf(rapid.Uint16Range(0, 1439), rapid.SampledFrom([]uint16{0, 90, 120, 150, 180, 720, 1439}))
		var s Schedule
		for range rapid.IntRange(0, 4).Draw(t, "windows") {
			s = append(s, Window{Days(rapid.Uint8Range(1, 127).Draw(t, "days")), Clock(clock.Draw(t, "from")), Clock(min(clock.Draw(t, "until")+rapid.Uint16Range(0, 1).Draw(t, "more"), 1440))})
		}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		at := someTime(t)
		is := s.Open(at, z)
		if want := open24(s, at, location); is != want {
			t.Fatalf("%v in %s is open %v at %s, want %v", s, name, is, at, want)
		}
		change, ok := s.Change(at, z)
		if ok && (change <= at || open24(s, change, location) == is || open24(s, change-1, location) != is) {
			t.Fatalf("%v in %s, open %v at %s, changes at %s", s, name, is, at, change)
		}
		// Nothing changes in between; minutes are enough, because nothing begins within one.
		end := change
		if !ok {
			end = at.Add(10 * Day)
		}
		for m := at.Truncate(Minute).Add(Minute); m < end; m = m.Add(Minute) {
			if open24(s, m, location) != is {
				t.Fatalf("%v in %s, open %v at %s, changes at %s already, not at %s (%v)", s, name, is, at, m, change, ok)
			}
		}
	})
}

func TestScheduleByHand(t *testing.T) {
	night := Schedule{{Friday, At(22, 0), At(6, 0)}}
	berlin := zones["Europe/Berlin"]
	friday := Midnight(2026, 1, 9)
	for _, c := range []struct {
		what string
		s    Schedule
		z    Zone
		at   Time
		want bool
	}{
		{"Friday before it opens", night, nil, friday.Add(22*Hour - 1), false},
		{"Friday when it opens", night, nil, friday.Add(22 * Hour), true},
		{"Saturday morning", night, nil, friday.Add(Day + 6*Hour - 1), true},
		{"Saturday when it shuts", night, nil, friday.Add(Day + 6*Hour), false},
		{"Friday morning", night, nil, friday.Add(5 * Hour), false},
		{"an hour earlier by Berlin's clock", night, berlin, friday.Add(21 * Hour), true},
		{"all day", Schedule{{EveryDay, 0, EndOfDay}}, nil, friday.Add(Day - 1), true},
		{"the same in another way", Schedule{{EveryDay, 0, 0}}, nil, friday.Add(Day - 1), true},
		{"24 hours from 08:00", Schedule{{Friday, At(8, 0), At(8, 0)}}, nil, friday.Add(Day + 8*Hour - 1), true},
		{"an hour that the clock skips", Schedule{{Sunday, At(2, 0), At(3, 0)}}, berlin, Midnight(2026, 3, 29).Add(Hour), false},
		{"an hour that comes twice, first", Schedule{{Sunday, At(2, 0), At(3, 0)}}, berlin, Midnight(2026, 10, 25), true},
		{"and again", Schedule{{Sunday, At(2, 0), At(3, 0)}}, berlin, Midnight(2026, 10, 25).Add(Hour), true},
		{"no window", nil, nil, friday, false},
	} {
		if got := c.s.Open(c.at, c.z); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	if at, ok := night.Change(friday, nil); !ok || at != friday.Add(22*Hour) {
		t.Error(at, ok)
	}
	// The skipped hour of the only window: the next one is a week later.
	if at, ok := (Schedule{{Sunday, At(2, 15), At(2, 45)}}).Change(Midnight(2026, 3, 23), berlin); !ok || at != Midnight(2026, 4, 5).Add(15*Minute) {
		t.Error(at, ok)
	}
	for _, s := range []Schedule{nil, {{EveryDay, 0, EndOfDay}}, {{Workdays, At(9, 0), At(9, 0)}, {Weekend, At(9, 0), At(9, 0)}}} {
		if at, ok := s.Change(friday, berlin); ok {
			t.Errorf("%v changes at %s", s, at)
		}
	}
	for _, at := range []Time{math.MaxInt64, math.MaxInt64 - 5, math.MinInt64, math.MinInt64 + 5} {
		night.Open(at, berlin)
		night.Change(at, berlin) // ends
	}
	for want, s := range map[string]Schedule{
		"a schedule of 17 windows, limit 16":         make(Schedule, 17),
		"window 1 is on no day":                      {{0, 0, 5}},
		"window 2 is on the days 128":                {{1, 0, 5}, {128, 0, 5}},
		"window 1 starts at minute 1440, the last":   {{1, 1440, 5}},
		"window 1 ends at minute 1441, a day has 14": {{1, 0, 1441}},
	} {
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	rule := func(r Rule) Zone { return yearly(0, Hour, Rule{3, 1, Monday, 0}, r) }
	for want, z := range map[string]Zone{
		"a zone of 65 eras, limit 64":                 make(Zone, 65),
		"era 3 does not begin after the one before":   {{}, {From: 5}, {From: 5}},
		"era 1 is 18h1s ahead of UTC, limit 18h":      {{Ahead: MaxAhead + 1}},
		"era 1 is -18h1s ahead of UTC in summer":      yearly(0, -MaxAhead-1, Rule{3, 1, Monday, 0}, Rule{4, 1, Monday, 0}),
		"a rule for the month 13":                     rule(Rule{13, 1, Monday, 0}),
		"a rule for the week 6":                       rule(Rule{4, 6, Monday, 0}),
		"a rule for the day 3, it must be one day":    rule(Rule{4, 1, Monday | Tuesday, 0}),
		"a rule for minute 1441":                      rule(Rule{4, 1, Monday, 1441}),
		"a summer that begins and ends in the same m": rule(Rule{3, 2, Monday, 0}),
	} {
		if err := z.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	// Both can be arguments, and rows.
	b, err := wire.Marshal(struct {
		Hours Schedule
		Zone  Zone
	}{night, berlin})
	if err != nil || len(b) == 0 {
		t.Error(err)
	}
	if s := (Window{Monday | Tuesday, At(8, 0), At(16, 30)}).String(); s != "Mon+Tue 08:00-16:30" {
		t.Error(s)
	}
	if s := Days(0).String(); s != "no day" {
		t.Error(s)
	}
}

func TestDates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := Time(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "at"))
		want := time.Unix(int64(at), 0).UTC()
		y, m, d := at.Date()
		if wy, wm, wd := want.Date(); y != wy || m != int(wm) || d != wd || at.Clock() != At(want.Hour(), want.Minute()) || at.Weekday() != Monday<<((want.Weekday()+6)%7) {
			t.Fatalf("%d is %d-%d-%d %s %s, want %s", at, y, m, d, at.Clock(), at.Weekday(), want)
		}
		day := Midnight(y, m, d)
		if day != at.Truncate(Day) || day > at || at >= day.Add(Day) {
			t.Fatalf("%s lies in the day from %s", at, day)
		}
		// Months and days too many count on.
		m, d = rapid.IntRange(-30, 40).Draw(t, "m"), rapid.IntRange(-400, 400).Draw(t, "d")
		if got, want := Midnight(y, m, d), time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Unix(); got != Time(want) {
			t.Fatalf("%d-%d-%d is %d, want %d", y, m, d, got, want)
		}
	})
	if at := Time(-1).Truncate(15 * Minute); at != -900 {
		t.Error(at)
	}
	if at := Time(1767600899).Truncate(15 * Minute); at != 1767600000 {
		t.Error(at)
	}
}
