// My-meter takes the readings of electricity meters: each is read by its own key, never backwards, and a household that is over its
// allowance is told so.
package main

import "github.com/wardledger/ward/sdk"

// Meter is one meter and how far it may count.
type Meter struct {
	Key       sdk.Address `doc:"the account of the meter's own key"`
	Allowance uint64      `doc:"watt-hours in a month of 30 days, from which on it is told"`
}

// Reading is what a meter shows.
type Reading struct {
	WattHours uint64 `doc:"the register: all that ever went through"`
}

// Which names a meter.
type Which struct {
	Key sdk.Address `doc:"the account of the meter's own key"`
}

// State is what is known of a meter.
type State struct {
	Allowance uint64   `doc:"watt-hours in a month"`
	Register  uint64   `doc:"what it showed last"`
	Read      sdk.Time `doc:"when that was; 1970 if never"`
	Month     sdk.Time `doc:"when the month began"`
	AtMonth   uint64   `doc:"what it showed then"`
}

// Counted says what a meter has shown.
type Counted struct {
	Key       sdk.Address `doc:"the meter"`
	WattHours uint64      `doc:"the register"`
}

// Exceeded says that a meter is over its allowance.
type Exceeded struct {
	Key  sdk.Address `doc:"the meter"`
	Used uint64      `doc:"watt-hours this month"`
}

const month = 30 * 24 * sdk.Hour

var (
	operator = sdk.NewItem[sdk.Address]("operator")
	meters   = sdk.NewMap[sdk.Address, State]("meters")

	counted  = sdk.Event[Counted]("counted", "A meter was read.")
	exceeded = sdk.Event[Exceeded]("exceeded", "A meter is over its allowance.")

	notOperator = sdk.Error(2, "not_operator", "Only the operator installs meters.")
	unknown     = sdk.Error(3, "unknown_meter", "There is no such meter.")
	backwards   = sdk.Error(4, "backwards", "A meter never counts backwards.")
)

func init() {
	sdk.Describe("my-meter", "Readings of electricity meters, and who is over their allowance.")
	sdk.Init(func(c *sdk.Ctx, _ sdk.None) error { operator.Set(c, c.Sender()); return nil }, "Whoever creates the contract installs meters.")
	sdk.Method("install", install, "Install a meter, or change its allowance.")
	sdk.Method("read", read, "Report what the meter shows. By the meter's own key.")
	sdk.View("meter", meter, "Say what is known of a meter.")
}

func install(c *sdk.Ctx, m Meter) (sdk.None, error) {
	if who, _ := operator.Get(c); c.Sender() != who {
		return sdk.None{}, notOperator
	}
	s, ok := meters.Get(c, m.Key)
	if !ok {
		s.Month = c.Time()
	}
	s.Allowance = m.Allowance
	meters.Set(c, m.Key, s)
	return sdk.None{}, nil
}

func read(c *sdk.Ctx, r Reading) (State, error) {
	s, ok := meters.Get(c, c.Sender())
	if !ok {
		return s, unknown.Because("%s is no meter of this contract", c.Sender())
	}
	if r.WattHours < s.Register {
		return s, backwards.Because("it showed %d on %s, now %d", s.Register, s.Read, r.WattHours)
	}
	if c.Time() >= s.Month.Add(month) {
		s.Month, s.AtMonth = c.Time(), s.Register
	}
	s.Register, s.Read = r.WattHours, c.Time()
	meters.Set(c, c.Sender(), s)
	counted.Emit(c, Counted{c.Sender(), s.Register})
	if used := s.Register - s.AtMonth; used > s.Allowance {
		exceeded.Emit(c, Exceeded{c.Sender(), used})
	}
	return s, nil
}

func meter(c *sdk.Ctx, w Which) (State, error) {
	s, ok := meters.Get(c, w.Key)
	if !ok {
		return s, unknown.Because("%s is no meter of this contract", w.Key)
	}
	return s, nil
}

func main() {}
