package curve

import (
	"math"
	"testing"
	"time"
)

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

func between(t *testing.T, what string, got, low, high float64) {
	t.Helper()
	if !(got >= low && got <= high) {
		t.Errorf("%s is %.4g, want %.4g to %.4g", what, got, low, high)
	}
}

// freiburg is a roof at 48 N, to the south.
var freiburg = Roof{Latitude: 48, Longitude: 7.85, Tilt: 35, Azimuth: 180, Peak: 1000, Sky: Sky{Clear: true}}

// TestHouseholdYear: a year's sum is what the home was said to use, whatever chance does
// within it.
func TestHouseholdYear(t *testing.T) {
	for _, scatter := range []float64{0, 0.5} {
		h := Household{Annual: 3500, Scatter: scatter, Seed: "home"}
		between(t, "the year", float64(Wh(h, at("2026-01-01 00:00"), at("2027-01-01 00:00"))), 3_450_000, 3_550_000)
	}
}

// TestHouseholdDay: nights are quiet, evenings are not, Sundays have a noon, winter needs more.
func TestHouseholdDay(t *testing.T) {
	h := Household{Annual: 3500}
	hour := func(text string) float64 { return float64(Wh(h, at(text), at(text).Add(time.Hour))) }
	night, evening, noon := hour("2026-06-23 01:00"), hour("2026-06-23 17:30"), hour("2026-06-23 10:30")
	between(t, "a summer day", float64(Wh(h, at("2026-06-22 22:00"), at("2026-06-23 22:00"))), 7000, 10000)
	between(t, "evening over night", evening/night, 2.5, 6)
	between(t, "evening over noon", evening/noon, 1, 1.5)
	between(t, "Sunday's noon over a workday's", hour("2026-06-21 10:30")/noon, 1.1, 2)
	between(t, "a January day over a July day",
		float64(Wh(h, at("2026-01-14 00:00"), at("2026-01-15 00:00")))/float64(Wh(h, at("2026-07-15 00:00"), at("2026-07-16 00:00"))), 1.1, 1.8)
	// The profile follows people's clocks, which jump on 25 October: 19:00 is 17:00 UTC before, and 18:00 after.
	before, after := Household{Annual: 1000}.Watts(at("2026-10-24 17:00")), h0[transition][saturday][19*4]
	if want := float64(after) / 10 * dynamic(297); math.Abs(before-want) > 1e-9 {
		t.Errorf("19:00 in summer time is %v W, want %v", before, want)
	}
	if got, want := (Household{Annual: 1000}).Watts(at("2026-10-25 18:00")), float64(h0[transition][sunday][19*4])/10*dynamic(298); math.Abs(got-want) > 1e-9 {
		t.Errorf("19:00 in winter time is %v W, want %v", got, want)
	}
}

// TestHouseholdScatter: two homes differ, each is the same again, and none leaves its band.
func TestHouseholdScatter(t *testing.T) {
	one, two := Household{Annual: 3500, Scatter: 0.5, Seed: "one"}, Household{Annual: 3500, Scatter: 0.5, Seed: "two"}
	mean, differ := Household{Annual: 3500}, 0
	for q := range 96 {
		when := at("2026-06-22 00:00").Add(time.Duration(q) * 15 * time.Minute)
		between(t, "the scatter", one.Watts(when)/mean.Watts(when), 0.5, 1.5)
		if one.Watts(when) != one.Watts(when.Add(14*time.Minute)) {
			t.Errorf("chance changes within the quarter hour of %s", when)
		}
		if one.Watts(when) != two.Watts(when) {
			differ++
		}
	}
	if differ < 90 {
		t.Errorf("two homes differ in %d quarter hours of 96", differ)
	}
}

// TestSun holds the sun against almanac values: culmination height, declination and the
// equation of time at solstice and equinox.
func TestSun(t *testing.T) {
	height := func(text string) float64 {
		return math.Asin(sunAt(at(text), 48, 0).up) * 180 / math.Pi
	}
	// On the meridian of Greenwich the sun culminates at 12:00 minus the equation of time.
	between(t, "noon of 21 June", height("2026-06-21 12:02"), 65.2, 65.7)       // 90 - 48 + 23.44
	between(t, "noon of 21 December", height("2026-12-21 11:58"), 18.3, 18.8)   // 90 - 48 - 23.44
	between(t, "noon of the equinox", height("2026-03-20 12:07"), 41.5, 42.5)   // 90 - 48
	between(t, "midnight of 21 June", height("2026-06-21 00:02"), -18.9, -18.2) // never deep in summer
	for _, c := range []struct{ text, side string }{{"2026-06-22 06:00", "east"}, {"2026-06-22 18:00", "west"}} {
		if s := sunAt(at(c.text), 48, 0); s.east > 0 != (c.side == "east") || s.up < 0 {
			t.Errorf("at %s the sun is not up in the %s: %+v", c.text, c.side, s)
		}
	}
	s := sunAt(at("2026-06-22 09:00"), 48, 8)
	between(t, "length of the vector", s.east*s.east+s.north*s.north+s.up*s.up, 0.999999, 1.000001)
}

// TestRoofDay: nothing at night, most at noon, a plausible sum.
func TestRoofDay(t *testing.T) {
	var peak float64
	var when time.Time
	for q := range 96 {
		m := at("2026-06-22 00:00").Add(time.Duration(q) * 15 * time.Minute)
		w := freiburg.Watts(m)
		if w > peak {
			peak, when = w, m
		}
		if h := m.Hour(); (h < 3 || h >= 20) && w != 0 { // the sun rises at 3:30 UTC and sets at 19:30
			t.Errorf("at %s, by night, the roof gives %.1f W", m.Format("15:04"), w)
		}
		if h := m.Hour(); h >= 5 && h < 18 && w <= 0 {
			t.Errorf("at %s, by day, the roof gives nothing", m.Format("15:04"))
		}
		if w < 0 || w > freiburg.Peak || math.IsNaN(w) {
			t.Fatalf("at %s the roof gives %v W", m, w)
		}
	}
	between(t, "the peak of a clear day, in W per kW", peak, 750, 950)
	between(t, "the hour of the peak", float64(when.Hour())+float64(when.Minute())/60, 11, 12.5)
	day := func(r Roof, text string) float64 {
		return float64(Wh(r, at(text), at(text).Add(24*time.Hour)))
	}
	between(t, "a clear day in June", day(freiburg, "2026-06-22 00:00"), 5500, 7500)
	between(t, "a clear day in December", day(freiburg, "2026-12-22 00:00"), 1500, 4000)
	east, west := freiburg, freiburg
	east.Azimuth, west.Azimuth = 90, 270
	between(t, "morning, east over west", east.Watts(at("2026-06-22 06:00"))/west.Watts(at("2026-06-22 06:00")), 3, 30)
	between(t, "a day, east over west", day(east, "2026-06-22 00:00")/day(west, "2026-06-22 00:00"), 0.95, 1.05)
}

// TestRoofYear: with clouds, a year's yield is what roofs there have.
func TestRoofYear(t *testing.T) {
	r := freiburg
	r.Sky = Sky{Seed: "site"}
	clear := float64(Wh(freiburg, at("2026-01-01 00:00"), at("2027-01-01 00:00"))) / 1000
	cloudy := float64(Wh(r, at("2026-01-01 00:00"), at("2027-01-01 00:00"))) / 1000
	between(t, "a year of clear skies, in kWh per kW", clear, 1400, 2100)
	between(t, "a year with clouds, in kWh per kW", cloudy, 900, 1300)
}

func TestClouds(t *testing.T) {
	overcast, low, high := 0, 1.0, 0.0
	s := Sky{Seed: "site"}
	for h := range 24 * 365 {
		c := s.cover(at("2026-01-01 00:00").Add(time.Duration(h) * time.Hour))
		low, high = min(low, c), max(high, c)
		if c > 0.9 {
			overcast++
		}
		between(t, "what passes", s.through(at("2026-01-01 00:00").Add(time.Duration(h)*time.Hour)), 0.25, 1)
	}
	between(t, "the clearest hour", low, 0, 0.01)
	between(t, "the darkest hour", high, 0.99, 1)
	between(t, "the part of overcast hours", float64(overcast)/(24*365), 0.1, 0.6)
	// No jump from minute to minute.
	for m := range 24 * 60 {
		a, b := s.cover(at("2026-06-22 00:00").Add(time.Duration(m)*time.Minute)), s.cover(at("2026-06-22 00:00").Add(time.Duration(m+1)*time.Minute))
		if m != 24*60-1 && math.Abs(a-b) > 0.05 {
			t.Errorf("minute %d: cover jumps from %.2f to %.2f", m, a, b)
		}
	}
}

// TestWh: parts add up, and what isn't there is 0.
func TestWh(t *testing.T) {
	r, from := freiburg, at("2026-06-22 08:00")
	whole, parts := Wh(r, from, from.Add(3*time.Hour)), int64(0)
	for q := range 12 {
		parts += Wh(r, from.Add(time.Duration(q)*15*time.Minute), from.Add(time.Duration(q+1)*15*time.Minute))
	}
	between(t, "the parts against the whole", float64(parts-whole), -12, 12)
	if got := Wh(r, from, from); got != 0 {
		t.Errorf("no time gives %d Wh", got)
	}
	if got := Wh(r, from, from.Add(-time.Hour)); got != 0 {
		t.Errorf("time backwards gives %d Wh", got)
	}
	if got := Wh(constant(1000), from, from.Add(7*time.Minute)); got != 117 {
		t.Errorf("1 kW for 7 minutes is %d Wh, want 117", got)
	}
}

type constant float64

func (c constant) Watts(time.Time) float64 { return float64(c) }

func BenchmarkQuarter(b *testing.B) {
	h, r, from := Household{Annual: 3500, Scatter: 0.5, Seed: "home"}, freiburg, at("2026-06-22 08:00")
	r.Sky = Sky{Seed: "site"}
	for b.Loop() {
		Wh(h, from, from.Add(15*time.Minute))
		Wh(r, from, from.Add(15*time.Minute))
	}
}
