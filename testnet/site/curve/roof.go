package curve

import (
	"math"
	"time"
)

// A Roof is a photovoltaic system.
type Roof struct {
	Latitude, Longitude float64 // in degrees, north and east positive
	Tilt                float64 // of the modules against the ground, in degrees
	Azimuth             float64 // where they look, in degrees clockwise from north: 180 is south
	Peak                float64 // in W, under an irradiance of 1,000 W/m2
	Sky                 Sky
}

// performance is what is left of the modules' rated power after heat, dirt, cables and
// inverter: 0.8 to 0.9 in well kept systems (IEC 61724 calls it the performance ratio).
const performance = 0.85

// ground is how much of the light the ground throws back: 0.2 is what is taken for grass.
const ground = 0.2

// Watts is what the roof gives: the irradiance in the modules' plane times peak power and
// performance, at most the peak.
func (r Roof) Watts(t time.Time) float64 {
	return min(r.Peak, r.irradiance(t)/1000*r.Peak*performance)
}

// irradiance is what falls onto the modules, in W/m2: light straight from the sun, and
// from the sky and the ground by how much of each the modules see (Liu and Jordan, 1963). How much of the
// light is diffuse follows from how much arrives at all (Erbs, Klein and Duffie, 1982).
func (r Roof) irradiance(t time.Time) float64 {
	sun := sunAt(t, r.Latitude, r.Longitude)
	if sun.up <= horizon {
		return 0
	}
	global := haurwitz(sun.up) * r.Sky.through(t)
	k := global / (sun.above * sun.up)
	diffuse := global * erbs(k)
	tilt, azimuth := radians(r.Tilt), radians(r.Azimuth)
	facing := max(0, sun.east*math.Sin(tilt)*math.Sin(azimuth)+sun.north*math.Sin(tilt)*math.Cos(azimuth)+sun.up*math.Cos(tilt))
	direct := (global - diffuse) / sun.up
	return direct*facing + diffuse*(1+math.Cos(tilt))/2 + global*ground*(1-math.Cos(tilt))/2
}

// horizon is the least sine of the sun's height that counts, about half a degree. Below, formulas
// divide by almost nothing, and roofs give nothing.
const horizon = 0.01

// haurwitz is the light on level ground under a clear sky, in W/m2, by nothing but the cosine
// of the sun's zenith angle (Haurwitz, "Insolation in relation to cloudiness and cloud density", 1945,
// with the constants that pvlib uses).
func haurwitz(cosZenith float64) float64 {
	return 1098 * cosZenith * math.Exp(-0.059/cosZenith)
}

// erbs is the diffuse part of light on level ground, by the part k of the light above the
// atmosphere that arrives.
func erbs(k float64) float64 {
	switch {
	case k <= 0.22:
		return 1 - 0.09*k
	case k <= 0.8:
		return 0.9511 - 0.1604*k + 4.388*k*k - 16.638*k*k*k + 12.336*k*k*k*k
	}
	return 0.165
}

// sun is where the sun stands, as a vector of length 1, and how strong it is.
type sun struct {
	east, north, up float64
	above           float64 // irradiance above the atmosphere, in W/m2
}

// sunAt is the sun's position by the series of Spencer (1971), to a few tenths of a degree.
func sunAt(t time.Time, latitude, longitude float64) sun {
	t = t.UTC()
	hours := float64(t.Hour()) + float64(t.Minute())/60 + float64(t.Second())/3600
	g := 2 * math.Pi / 365 * (float64(t.YearDay()-1) + (hours-12)/24)
	sin, cos := math.Sin, math.Cos
	declination := 0.006918 - 0.399912*cos(g) + 0.070257*sin(g) - 0.006758*cos(2*g) + 0.000907*sin(2*g) - 0.002697*cos(3*g) + 0.00148*sin(3*g)
	minutes := 229.18 * (0.000075 + 0.001868*cos(g) - 0.032077*sin(g) - 0.014615*cos(2*g) - 0.040849*sin(2*g))
	// The hour angle: 0 when the sun is in the south, 15 degrees an hour.
	h := radians((hours-12)*15 + minutes/4 + longitude)
	lat := radians(latitude)
	return sun{
		east:  -cos(declination) * sin(h),
		north: cos(lat)*sin(declination) - sin(lat)*cos(declination)*cos(h),
		up:    sin(lat)*sin(declination) + cos(lat)*cos(declination)*cos(h),
		above: 1361 * (1.00011 + 0.034221*cos(g) + 0.00128*sin(g) + 0.000719*cos(2*g) + 0.000077*sin(2*g)),
	}
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }
