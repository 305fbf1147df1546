package curve

import "time"

// A Household is a home that takes power as homes in Germany do. The mean of many follows the
// profile H0; a single one scatters around it.
type Household struct {
	// Annual is what the home uses in a year, in kWh. Two to three people use some 3,500.
	Annual float64
	// Scatter is how far the home strays from the mean of many, as a fraction of it: 0.5 means
	// between half and one and a half. 0 is the profile itself.
	Scatter float64
	// Seed makes this home another than its neighbour.
	Seed string
}

// Watts is the home's power: H0 for the kind of day and the quarter hour, in local time,
// times the day of the year's factor, times chance.
func (h Household) Watts(t time.Time) float64 {
	local := berlin(t)
	quarter := local.Hour()*4 + local.Minute()/15
	w := float64(h0[seasonOf(local)][dayOf(local)][quarter]) / 10 * h.Annual / 1000 * dynamic(local.YearDay())
	return w * (1 - h.Scatter + 2*h.Scatter*chance(h.Seed, t.Unix()/900))
}

// dynamic is the factor by which the profile H0 follows the year, so that there is no step between
// its three seasons: a polynomial in the day of the year, with the coefficients that VDEW published
// along with the profile (the last with the digits with which a year's sum is exact, as oemof's demandlib has them).
func dynamic(day int) float64 {
	d := float64(day)
	return -3.916649251e-10*d*d*d*d + 3.2e-7*d*d*d - 7.02e-5*d*d + 2.1e-3*d + 1.24
}

// season and day are the profile's seasons and kinds of day.
type (
	season int
	day    int
)

const (
	winter     season = iota // 1 November to 20 March
	summer                   // 15 May to 14 September
	transition               // the rest
)

const (
	workday day = iota
	saturday
	sunday // and holidays, which this package doesn't know
)

func seasonOf(local time.Time) season {
	switch md := int(local.Month())*100 + local.Day(); {
	case md >= 1101 || md <= 320:
		return winter
	case md >= 515 && md <= 914:
		return summer
	}
	return transition
}

func dayOf(local time.Time) day {
	switch local.Weekday() {
	case time.Saturday:
		return saturday
	case time.Sunday:
		return sunday
	}
	return workday
}

// berlin is a moment in the time zone in which the profile was measured. The rule stands here
// because a machine may have no time zone database: summer time from the last Sunday of March
// to the last Sunday of October, both at 01:00 UTC (Directive 2000/84/EC).
func berlin(t time.Time) time.Time {
	t = t.UTC()
	lastSunday := func(m time.Month) time.Time {
		end := time.Date(t.Year(), m, 31, 1, 0, 0, 0, time.UTC)
		return end.AddDate(0, 0, -int(end.Weekday()))
	}
	offset := 1
	if !t.Before(lastSunday(time.March)) && t.Before(lastSunday(time.October)) {
		offset = 2
	}
	return t.In(time.FixedZone("", offset*3600))
}
