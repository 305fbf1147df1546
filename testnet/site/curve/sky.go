package curve

import (
	"math"
	"time"
)

// A Sky has clouds that come and go by a seed. The zero value has clouds too.
type Sky struct {
	Seed string
	// Clear takes the clouds away.
	Clear bool
}

// cover is how much of the sky is cloud, from 0 to 1: a day has its own character, and
// within it clouds pass in an hour or so.
func (s Sky) cover(t time.Time) float64 {
	if s.Clear {
		return 0
	}
	hour, rest := t.Unix()/3600, float64(t.Unix()%3600)/3600
	passing := chance(s.Seed+" hour", hour)*(1-rest) + chance(s.Seed+" hour", hour+1)*rest
	character := chance(s.Seed+" day", t.Unix()/86400)
	return max(0, min(1, 1.5*character+0.8*(passing-0.5)))
}

// through is the part of a clear sky's light on level ground that the clouds let through: 1 - 0.75 N^3.4
// (Kasten and Czeplak, "Solar and terrestrial radiation dependent on the amount and type of
// cloud", 1980).
func (s Sky) through(t time.Time) float64 {
	return 1 - 0.75*math.Pow(s.cover(t), 3.4)
}
