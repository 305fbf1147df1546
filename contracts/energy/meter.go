package main

import (
	"github.com/wardledger/ward/contracts/remote/devices"
	"github.com/wardledger/ward/sdk"
)

// active asks devices about a meter: it must be active, and belong to the party.
func active(c *sdk.Ctx, m Market, meter, party sdk.Address) error {
	a, err := devices.At(m.Devices).Status(c, devices.StatusArgs{Device: meter})
	switch {
	case err != nil:
		return errNotActive.Because("meter %s: %s", meter, err)
	case !a.Authentic:
		return errNotActive.Because("meter %s: %s", meter, a.Reason)
	case a.Owner == nil || *a.Owner != party:
		return errNotActive.Because("meter %s is not a device of %s", meter, party)
	}
	return nil
}

type registerArgs struct {
	Meter   sdk.Address  `doc:"the meter: a device that is active, and the sender's"`
	PmaxW   int64        `doc:"the most that can pass it in either direction, in W"`
	Gateway *sdk.Address `doc:"who may read it as well, if anybody"`
}

func registerMeter(c *sdk.Ctx, a registerArgs) (sdk.None, error) {
	m, now := theMarket(c)
	return sdk.None{}, hang(c, m, Meter{Meter: a.Meter, Party: c.Sender(), Gateway: a.Gateway, PmaxW: a.PmaxW, Registered: now})
}

// hang begins to count a meter.
func hang(c *sdk.Ctx, m Market, meter Meter) error {
	if meter.PmaxW < 1 || meter.PmaxW > maxPower {
		return errValue.Because("pmax_w is %d, must be 1 to %d W", meter.PmaxW, int64(maxPower))
	}
	if old, ok := meters.Get(c, meter.Meter); ok {
		if old.Closed != 0 {
			return errRegistered.Because("meter %s ended at %s, and does not come back", meter.Meter, old.Closed)
		}
		return errRegistered.Because("meter %s is registered by %s", meter.Meter, old.Party)
	}
	if err := active(c, m, meter.Meter, meter.Party); err != nil {
		return err
	}
	account, _ := accounts.Get(c, meter.Party)
	if account.Meters >= maxMeters {
		return errTooMany.Because("%s has %d meters, limit %d; closed ones count until they are settled", meter.Party, account.Meters, maxMeters)
	}
	account.Meters++
	meter.Confirmed = meter.PmaxW <= m.AutoPmaxW
	accounts.Set(c, meter.Party, account)
	visits.Set(c, meter.Party, sdk.None{})
	byParty.Set(c, meterOf{meter.Party, meter.Meter}, sdk.None{})
	meters.Set(c, meter.Meter, meter)
	if _, ok := settling.Get(c); !ok {
		settling.Set(c, Settling{Next: m.of(meter.Registered)})
	}
	registered.Emit(c, registeredEvent{meter.Meter, meter.Party, meter.PmaxW, meter.Gateway, meter.Replaces, meter.Confirmed})
	return nil
}

// open returns a meter that has not ended.
func open(c *sdk.Ctx, address sdk.Address) (Meter, error) {
	meter, ok := meters.Get(c, address)
	if !ok {
		return meter, errUnknown.Because("no meter %s is registered", address)
	}
	if meter.Closed != 0 {
		return meter, errClosed.Because("meter %s ended at %s", address, meter.Closed)
	}
	return meter, nil
}

// own is open, if the sender is the party.
func own(c *sdk.Ctx, address sdk.Address) (Meter, error) {
	meter, err := open(c, address)
	if err == nil && meter.Party != c.Sender() {
		err = errNotYours.Because("meter %s counts for another than %s", address, c.Sender())
	}
	return meter, err
}

type closeArgs struct {
	Meter   sdk.Address `doc:"the meter"`
	Closing *Register   `doc:"its last reading, if it can be read; if missing, the last that came"`
}

func closeMeter(c *sdk.Ctx, a closeArgs) (sdk.None, error) {
	m, now := theMarket(c)
	meter, err := own(c, a.Meter)
	if err == nil {
		err = end(c, m, now, &meter, a.Closing)
	}
	if err == nil {
		meters.Set(c, meter.Meter, meter)
	}
	return sdk.None{}, err
}

// end closes a meter, with a last reading if there is one.
// The party alone may say so right after somebody else has read it: otherwise what it counted since
// would never be paid, and the operator must agree.
func end(c *sdk.Ctx, m Market, now sdk.Time, meter *Meter, last *Register) error {
	if meter.Time != 0 {
		if r, _ := readings.Get(c, readingKey{meter.Meter, meter.Time}); !meter.vouched(r.Assurance) || now.Sub(meter.Time) > m.SlotSeconds {
			return errReadFirst.Because("meter %s was last read by itself, or its gateway if it never signs, more than %s ago, if ever: let it be read, or agree with the operator (agree_closing)", meter.Meter, m.SlotSeconds)
		}
	}
	if last != nil {
		if err := active(c, m, meter.Meter, meter.Party); err != nil {
			return err
		}
		if err := accept(c, m, now, meter, *last, assuranceEntered); err != nil {
			return err
		}
	}
	if meter.Closed = meter.Time; meter.Closed == 0 {
		meter.Closed = now
	}
	closings.Delete(c, meter.Meter)
	closedMeter.Emit(c, closedEvent{meter.Meter, meter.Party, meter.Closed, meter.ImportWh - meter.OffsetImport, meter.ExportWh - meter.OffsetExport, false})
	return nil
}

type replaceArgs struct {
	Meter   sdk.Address  `doc:"the meter that goes"`
	Closing *Register    `doc:"its last reading, if it can be read; if missing, the last that came"`
	New     sdk.Address  `doc:"the meter that comes: a device that is active, and the sender's"`
	PmaxW   int64        `doc:"the most that can pass the new one in either direction, in W"`
	Gateway *sdk.Address `doc:"who may read the new one as well, if anybody"`
}

func replaceMeter(c *sdk.Ctx, a replaceArgs) (sdk.None, error) {
	m, now := theMarket(c)
	old, err := own(c, a.Meter)
	if err != nil {
		return sdk.None{}, err
	}
	if err := end(c, m, now, &old, a.Closing); err != nil {
		return sdk.None{}, err
	}
	old.ReplacedBy = &a.New
	meters.Set(c, old.Meter, old)
	return sdk.None{}, hang(c, m, Meter{Meter: a.New, Party: old.Party, Gateway: a.Gateway, PmaxW: a.PmaxW, Registered: now, Replaces: &old.Meter})
}

type agreeArgs struct {
	Meter    sdk.Address `doc:"the meter"`
	Time     sdk.Time    `doc:"when it ended; readings from then on do not count"`
	ImportWh int64       `doc:"its registers then, as it shows them: what came in"`
	ExportWh int64       `doc:"what went out"`
}

type agreeAnswer struct {
	Closed bool `doc:"both have said the same, and it has ended"`
}

func agreeClosing(c *sdk.Ctx, a agreeArgs) (agreeAnswer, error) {
	m, now := theMarket(c)
	meter, err := open(c, a.Meter)
	if err != nil {
		return agreeAnswer{}, err
	}
	by := c.Sender()
	if by != meter.Party && by != m.Operator {
		return agreeAnswer{}, errNotYours.Because("meter %s ends so by its party %s and the operator %s, not by %s", a.Meter, meter.Party, m.Operator, by)
	}
	to := point{a.Time, a.ImportWh + meter.OffsetImport, a.ExportWh + meter.OffsetExport}
	if err := bounded(a.ImportWh, a.ExportWh, to, now, m); err != nil {
		return agreeAnswer{}, err
	}
	if meter.Rolled != 0 && a.Time <= meter.Rolled {
		return agreeAnswer{}, errOld.Because("the registers of meter %s rolled over at %s: it can't end then or before", a.Meter, meter.Rolled)
	}
	from, _, ok := meter.before(c, a.Time)
	if !ok {
		return agreeAnswer{}, errOld.Because("meter %s has no reading before %s to end behind", a.Meter, a.Time)
	}
	meter.UsedImport, meter.UsedExport = 0, 0
	if err := meter.rise(from, to); err != nil {
		return agreeAnswer{}, err
	}
	if to.importWh < meter.SettledImport || to.exportWh < meter.SettledExport {
		return agreeAnswer{}, errDone.Because("settled through %d in and %d out of meter %s, in its own count: it can't end below",
			meter.SettledImport-meter.OffsetImport, meter.SettledExport-meter.OffsetExport, a.Meter)
	}
	said, _ := closings.Get(c, a.Meter)
	if said.Time != a.Time || said.ImportWh != a.ImportWh || said.ExportWh != a.ExportWh {
		said = closing{Time: a.Time, ImportWh: a.ImportWh, ExportWh: a.ExportWh}
	}
	said.ByParty = said.ByParty || by == meter.Party
	said.ByOperator = said.ByOperator || by == m.Operator
	if !said.ByParty || !said.ByOperator {
		closings.Set(c, a.Meter, said)
		proposed.Emit(c, proposedEvent{a.Meter, by, a.Time, a.ImportWh, a.ExportWh})
		return agreeAnswer{}, nil
	}
	closings.Delete(c, a.Meter)
	readings.Set(c, readingKey{a.Meter, a.Time}, reading{Seq: meter.Seq + 1, ImportWh: to.importWh, ExportWh: to.exportWh, Assurance: assuranceEntered})
	meter.Time, meter.ImportWh, meter.ExportWh, meter.Closed = a.Time, to.importWh, to.exportWh, a.Time
	meters.Set(c, a.Meter, meter)
	closedMeter.Emit(c, closedEvent{a.Meter, meter.Party, a.Time, a.ImportWh, a.ExportWh, true})
	return agreeAnswer{true}, nil
}

type confirmArgs struct {
	Meter sdk.Address `doc:"the meter"`
	PmaxW int64       `doc:"the most that can pass it in either direction, in W, which replaces what its party said"`
}

func confirmMeter(c *sdk.Ctx, a confirmArgs) (sdk.None, error) {
	m, _ := theMarket(c)
	if c.Sender() != m.Operator {
		return sdk.None{}, errNotPermitted.Because("%s is not the operator %s", c.Sender(), m.Operator)
	}
	meter, err := open(c, a.Meter)
	switch {
	case err != nil:
		return sdk.None{}, err
	case a.PmaxW < 1 || a.PmaxW > maxPower:
		return sdk.None{}, errValue.Because("pmax_w is %d, must be 1 to %d W", a.PmaxW, int64(maxPower))
	}
	meter.Confirmed, meter.PmaxW = true, a.PmaxW
	meters.Set(c, a.Meter, meter)
	confirmed.Emit(c, confirmedEvent{a.Meter, meter.Party, a.PmaxW})
	return sdk.None{}, nil
}

type gatewayArgs struct {
	Meter   sdk.Address  `doc:"the meter"`
	Gateway *sdk.Address `doc:"who may read it as well; if missing, nobody"`
}

func setGateway(c *sdk.Ctx, a gatewayArgs) (sdk.None, error) {
	meter, err := own(c, a.Meter)
	if err != nil {
		return sdk.None{}, err
	}
	meter.Gateway = a.Gateway
	meters.Set(c, a.Meter, meter)
	gatewaySet.Emit(c, gatewayEvent(a))
	return sdk.None{}, nil
}

type meterArgs struct {
	Meter sdk.Address `doc:"the meter"`
}

func meterView(c *sdk.Ctx, a meterArgs) (Meter, error) {
	meter, ok := meters.Get(c, a.Meter)
	if !ok {
		return meter, errUnknown.Because("no meter %s is registered", a.Meter)
	}
	return meter, nil
}

type metersAnswer struct {
	Meters []Meter
}

func metersView(c *sdk.Ctx, a partyArgs) (metersAnswer, error) {
	return metersAnswer{metersFor(c, a.Party)}, nil
}

// metersFor returns what is looked at when a party is settled, maxMeters at most.
func metersFor(c *sdk.Ctx, party sdk.Address) []Meter {
	list := []Meter{}
	rows, _ := metersOf.Rows(party).Page(c, nil, maxMeters)
	for _, row := range rows {
		meter, ok := meters.Get(c, row.Key.Meter)
		if !ok {
			panic("BUG: energy: the index names a meter that is not there")
		}
		list = append(list, meter)
	}
	return list
}
