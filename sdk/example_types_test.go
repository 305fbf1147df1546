package sdk_test

import (
	"fmt"

	"github.com/wardledger/ward/sdk"
)

func ExampleTime() {
	t := sdk.Time(1767600000)
	fmt.Println(t, t.IsZero(), t.Weekday(), t.Clock())
	fmt.Println(t.Add(sdk.Week), t.Sub(t.Add(-sdk.Minute)))
	fmt.Println(t.Add(17 * sdk.Minute).Truncate(15 * sdk.Minute))
	year, month, day := t.Date()
	fmt.Println(year, month, day)
	// Output:
	// 2026-01-05T08:00:00Z false Mon 08:00
	// 2026-01-12T08:00:00Z 1m
	// 2026-01-05T08:15:00Z
	// 2026 1 5
}

func ExampleMidnight() {
	fmt.Println(sdk.Midnight(2026, 2, 28).Add(sdk.Day))
	fmt.Println(sdk.Midnight(2026, 13, 0)) // the last day of the twelfth month
	// Output:
	// 2026-03-01T00:00:00Z
	// 2026-12-31T00:00:00Z
}

func ExampleDuration() {
	fmt.Println(36*sdk.Hour, 90*sdk.Second)
	// Output:
	// 1d12h 1m30s
}

// Each unit is a type, so that the compiler keeps them apart.
type (
	Wh   struct{}
	Cent struct{}
)

func (Wh) Unit() string   { return "Wh" }
func (Cent) Unit() string { return "cent" }

func ExampleUnit() {
	var u sdk.Unit = Wh{}
	fmt.Println(u.Unit())
	// Output:
	// Wh
}

func ExampleAmount() {
	inCall(func(c *sdk.Ctx) {
		used, limit := sdk.NewAmount[Wh](4200), sdk.NewAmount[Wh](5000)
		fmt.Println(limit.Minus(used), used.Plus(used), used.Times(3))
		fmt.Println(used.Less(limit), used.Compare(limit), used.Minus(limit).Sign(), used.IsZero(), used.Int())
		sdk.NewAmount[Wh](1 << 62).Times(2)
	})
	// Output:
	// 800 Wh 8400 Wh 12600 Wh
	// true -1 -1 false 4200
	// failed 1: 4611686018427387904 Wh times 2 is beyond what an amount can hold
}

// Three neighbours share a bill; what does not divide stays with the house.
func ExampleNewAmount() {
	bill := sdk.NewAmount[Cent](1000)
	left := bill
	for range 3 {
		share, rest := bill.Share(1, 3)
		left = left.Minus(share)
		fmt.Println(share, "and", rest, "thirds of a cent")
	}
	fmt.Println(left, "left")
	// Output:
	// 333 cent and 1 thirds of a cent
	// 333 cent and 1 thirds of a cent
	// 333 cent and 1 thirds of a cent
	// 1 cent left
}

func ExampleConvert() {
	energy := sdk.NewAmount[Wh](2500)
	const price = 31 // cents per kWh
	fmt.Println(sdk.Convert[Cent](energy, price, 1000))
	// Output:
	// 77 cent
}

func ExampleDays() {
	fmt.Println(sdk.Monday|sdk.Friday, sdk.Workdays.Has(sdk.Sunday), sdk.Weekend.Has(sdk.Saturday))
	// Output:
	// Mon+Fri false true
}

func ExampleClock() {
	fmt.Println(sdk.At(8, 30), int(sdk.At(8, 30)), sdk.StartOfDay, sdk.EndOfDay)
	// Output:
	// 08:30 510 00:00 24:00
}

func ExampleAt() {
	fmt.Println(sdk.Window{Days: sdk.Workdays, From: sdk.At(8, 0), Until: sdk.At(16, 30)})
	// Output:
	// Mon+Tue+Wed+Thu+Fri 08:00-16:30
}

func ExampleWindow() {
	night := sdk.Schedule{{Days: sdk.Friday, From: sdk.At(22, 0), Until: sdk.At(6, 0)}}
	friday := sdk.Midnight(2026, 1, 9)
	fmt.Println(night.Open(friday.Add(23*sdk.Hour), nil), night.Open(friday.Add(29*sdk.Hour), nil), night.Open(friday.Add(5*sdk.Hour), nil))
	// Output:
	// true true false
}

// The cleaners come in the morning, by the clock of Berlin.
func ExampleSchedule() {
	cleaning := sdk.Schedule{{Days: sdk.Workdays, From: sdk.At(6, 0), Until: sdk.At(9, 0)}}
	fmt.Println(cleaning.Check())

	winter, summer := sdk.Midnight(2026, 1, 5), sdk.Midnight(2026, 7, 6)
	fmt.Println(cleaning.Open(winter.Add(4*sdk.Hour), berlin), cleaning.Open(summer.Add(4*sdk.Hour), berlin))
	until, _ := cleaning.Change(summer.Add(4*sdk.Hour), berlin)
	fmt.Println("open until", until)
	// Output:
	// <nil>
	// false true
	// open until 2026-07-06T07:00:00Z
}

var berlin = sdk.Zone{{Ahead: sdk.Hour, Summer: &sdk.Summer{
	Ahead:  2 * sdk.Hour,
	Begins: sdk.Rule{Month: 3, Week: sdk.LastWeek, Day: sdk.Sunday, Clock: sdk.At(2, 0)},
	Ends:   sdk.Rule{Month: 10, Week: sdk.LastWeek, Day: sdk.Sunday, Clock: sdk.At(3, 0)},
}}}

func ExampleZone() {
	zone := sdk.Zone{{Ahead: sdk.Hour, Summer: &sdk.Summer{ // central Europe
		Ahead:  2 * sdk.Hour,
		Begins: sdk.Rule{Month: 3, Week: sdk.LastWeek, Day: sdk.Sunday, Clock: sdk.At(2, 0)},
		Ends:   sdk.Rule{Month: 10, Week: sdk.LastWeek, Day: sdk.Sunday, Clock: sdk.At(3, 0)},
	}}}
	noon := sdk.Midnight(2026, 7, 6).Add(12 * sdk.Hour)
	fmt.Println(zone.Check(), zone.Ahead(noon), zone.Local(noon).Clock())
	// Output:
	// <nil> 2h 14:00
}

// A law ends summer time: from then on another era holds.
func ExampleEra() {
	zone := append(sdk.Zone{}, berlin...)
	zone = append(zone, sdk.Era{From: sdk.Midnight(2030, 1, 1), Ahead: sdk.Hour})
	fmt.Println(zone.Ahead(sdk.Midnight(2029, 7, 1)), zone.Ahead(sdk.Midnight(2030, 7, 1)))
	// Output:
	// 2h 1h
}

// In the south it is summer over the turn of the year.
func ExampleSummer() {
	sydney := sdk.Zone{{Ahead: 10 * sdk.Hour, Summer: &sdk.Summer{
		Ahead:  11 * sdk.Hour,
		Begins: sdk.Rule{Month: 10, Week: 1, Day: sdk.Sunday, Clock: sdk.At(2, 0)},
		Ends:   sdk.Rule{Month: 4, Week: 1, Day: sdk.Sunday, Clock: sdk.At(3, 0)},
	}}}
	fmt.Println(sydney.Ahead(sdk.Midnight(2026, 1, 1)), sydney.Ahead(sdk.Midnight(2026, 7, 1)))
	// Output:
	// 11h 10h
}

func ExampleRule() {
	secondSunday := sdk.Rule{Month: 3, Week: 2, Day: sdk.Sunday, Clock: sdk.At(2, 0)}
	firstSunday := sdk.Rule{Month: 11, Week: 1, Day: sdk.Sunday, Clock: sdk.At(2, 0)}
	newYork := sdk.Zone{{Ahead: -5 * sdk.Hour, Summer: &sdk.Summer{Ahead: -4 * sdk.Hour, Begins: secondSunday, Ends: firstSunday}}}
	fmt.Println(newYork.Local(sdk.Midnight(2026, 3, 8).Add(7 * sdk.Hour)).Clock())
	// Output:
	// 03:00
}
