// Package curve says what a house takes from the grid and what its roof gives, quarter hour
// by quarter hour, so that the meters of a simulated site show what real ones might.
//
//	Household   standard load profile H0 (a table) x season x chance      ─┐
//	                                                                       ├─► Source ─► Wh
//	Roof        sun's position ─► clear sky ─► clouds ─► tilted plane      ─┘
//
// Everything is a function of the moment and of a seed: the same run again, the same
// registers. There is no weather service and no clock in here. What it is not: a forecast, a year's
// yield to invest by, or a real home's appliances; each file names what its formulas come from.
package curve
