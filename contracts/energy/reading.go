package main

import (
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/wire"
)

// ReadingAAD is what a meter signs a batch of readings under.
const ReadingAAD = "ward-reading-v1"

// How sure a reading is.
const (
	assuranceMeter   = "A" // the meter signed it
	assuranceGateway = "B" // a gateway read it
	assuranceEntered = "C" // the party entered it
)

// A Register is what a meter shows, without saying which meter.
type Register struct {
	Seq       uint64   `doc:"the meter's number of the reading, which rises by one"`
	Time      sdk.Time `doc:"when it was read, in market time"`
	ImportWh  int64    `doc:"what came in from the grid until then, in Wh"`
	ExportWh  int64    `doc:"what went out to the grid until then, in Wh"`
	Estimated bool     `wire:",omitempty" doc:"the values were not measured"`
}

// A Reading is a Register with its meter.
type Reading struct {
	Meter     *sdk.Address `doc:"the meter; if missing, the sender"`
	Seq       uint64       `doc:"the meter's number of the reading, which rises by one"`
	Time      sdk.Time     `doc:"when it was read, in market time"`
	ImportWh  int64        `doc:"what came in from the grid until then, in Wh"`
	ExportWh  int64        `doc:"what went out to the grid until then, in Wh"`
	Estimated bool         `wire:",omitempty" doc:"the values were not measured"`
}

func (r Reading) register() Register {
	return Register{r.Seq, r.Time, r.ImportWh, r.ExportWh, r.Estimated}
}

type readArgs struct {
	Readings []Reading `doc:"1 to 100, each meter's oldest first"`
}

func read(c *sdk.Ctx, a readArgs) (sdk.None, error) {
	if len(a.Readings) < 1 || len(a.Readings) > maxReadings {
		return sdk.None{}, errValue.Because("%d readings, must be 1 to %d", len(a.Readings), maxReadings)
	}
	m, now := theMarket(c)
	by := c.Sender()
	var all []*readable // few: each is asked for, which costs
	for i, r := range a.Readings {
		address := by
		if r.Meter != nil {
			address = *r.Meter
		}
		var from *readable
		for _, other := range all {
			if other.meter.Meter == address {
				from = other
			}
		}
		if from == nil {
			var err error
			if from, err = mayRead(c, m, by, address); err != nil {
				return sdk.None{}, numbered(i, err)
			}
			all = append(all, from)
		}
		if err := accept(c, m, now, &from.meter, r.register(), from.assurance); err != nil {
			return sdk.None{}, numbered(i, err)
		}
	}
	for _, from := range all {
		meters.Set(c, from.meter.Meter, from.meter)
	}
	return sdk.None{}, nil
}

// A readable is a meter that the sender may read, and how sure that is.
type readable struct {
	meter     Meter
	assurance string
}

// mayRead returns a meter if the sender may say what it shows.
func mayRead(c *sdk.Ctx, m Market, by, address sdk.Address) (*readable, error) {
	meter, err := open(c, address)
	if err != nil {
		return nil, err
	}
	r := &readable{meter: meter}
	switch {
	case by == meter.Meter:
		r.assurance = assuranceMeter
	case by == meter.Party: // also if it says that it is its own gateway
		r.assurance = assuranceEntered
	case meter.Gateway != nil && by == *meter.Gateway:
		r.assurance = assuranceGateway
	default:
		return nil, errNotYours.Because("%s is not the meter %s, its gateway or its party", by, address)
	}
	// The meter itself is asked for as well: that a key of its account is open does not say that
	// devices thinks it active, or whose it is.
	return r, active(c, m, address, meter.Party)
}

// numbered says which reading of a batch an error is about.
func numbered(i int, err error) error { return &numberedError{i, err} }

type numberedError struct {
	index int
	err   error
}

func (e *numberedError) Error() string { return sdk.Text("reading %d: %s", e.index, e.err) }
func (e *numberedError) Unwrap() error { return e.err }

type signedArgs struct {
	Meter sdk.Address   `doc:"the meter"`
	Key   sdk.PublicKey `doc:"its public key"`
	Batch []byte        `doc:"its COSE_Sign1 over chain, contract, meter and readings, under ward-reading-v1"`
}

// batch is what a meter signs.
type batch struct {
	Chain    string
	Contract string
	Meter    sdk.Address
	Readings []Register
}

var batches = wire.New[batch]()

func readSigned(c *sdk.Ctx, a signedArgs) (sdk.None, error) {
	m, now := theMarket(c)
	meter, err := open(c, a.Meter)
	if err != nil {
		return sdk.None{}, err
	}
	if address, ok := c.KeyAddress(a.Key); !ok || address != a.Meter {
		return sdk.None{}, errSignature.Because("the key is not that of meter %s", a.Meter)
	}
	payload, ok := c.VerifyCOSE(a.Key, ReadingAAD, a.Batch)
	if !ok {
		return sdk.None{}, errSignature.Because("the batch is not a COSE_Sign1 of the meter's key under %s", ReadingAAD)
	}
	b, err := batches.Decode(payload)
	switch {
	case err != nil:
		return sdk.None{}, errSignature.Because("batch: %s", err)
	case b.Chain != c.Chain():
		return sdk.None{}, errSignature.Because("the batch is for chain %q, this is %q", b.Chain, c.Chain())
	case b.Contract != c.Contract():
		return sdk.None{}, errSignature.Because("the batch is for contract %q, this is %q", b.Contract, c.Contract())
	case b.Meter != a.Meter:
		return sdk.None{}, errSignature.Because("the batch is of meter %s", b.Meter)
	case len(b.Readings) < 1 || len(b.Readings) > maxReadings:
		return sdk.None{}, errValue.Because("%d readings, must be 1 to %d", len(b.Readings), maxReadings)
	}
	if err := active(c, m, a.Meter, meter.Party); err != nil {
		return sdk.None{}, err
	}
	fresh := false
	for i, r := range b.Readings {
		if i < len(b.Readings)-1 || fresh { // of a batch that says nothing new, the last reading is refused
			if known(c, meter, r) {
				continue
			}
		}
		if err := accept(c, m, now, &meter, r, assuranceMeter); err != nil {
			return sdk.None{}, numbered(i, err)
		}
		fresh = true
	}
	meters.Set(c, meter.Meter, meter)
	return sdk.None{}, nil
}

// known reports whether a reading is recorded as it is: somebody who may read the meter as well was
// faster, which is no reason to lose the rest of a batch.
func known(c *sdk.Ctx, meter Meter, r Register) bool {
	old, ok := readings.Get(c, readingKey{meter.Meter, r.Time})
	return ok && old.Seq == r.Seq && old.ImportWh == r.ImportWh+meter.OffsetImport && old.ExportWh == r.ExportWh+meter.OffsetExport && old.Estimated == r.Estimated
}

type rolloverArgs struct {
	Meter       *sdk.Address `doc:"the meter; if missing, the sender"`
	Seq         uint64       `doc:"the meter's number of this reading"`
	Time        sdk.Time     `doc:"when its registers rolled over or were reset, in market time"`
	ImportWh    int64        `doc:"the registers before that: what came in, in Wh"`
	ExportWh    int64        `doc:"what went out, in Wh"`
	NewImportWh int64        `doc:"the registers after it: what came in, in Wh"`
	NewExportWh int64        `doc:"what went out, in Wh"`
}

func rollover(c *sdk.Ctx, a rolloverArgs) (sdk.None, error) {
	m, now := theMarket(c)
	by := c.Sender()
	address := by
	if a.Meter != nil {
		address = *a.Meter
	}
	from, err := mayRead(c, m, by, address)
	if err != nil {
		return sdk.None{}, err
	}
	if !from.meter.vouched(from.assurance) {
		// What a party says of a rollover, or the gateway of its choice, could rewrite all that its meter will
		// ever count.
		return sdk.None{}, errNotYours.Because("a rollover is for the meter %s to say, or for its gateway if the meter never signs", address)
	}
	if a.NewImportWh < 0 || a.NewImportWh > a.ImportWh || a.NewExportWh < 0 || a.NewExportWh > a.ExportWh {
		return sdk.None{}, errValue.Because("the new registers are %d and %d Wh, must be 0 to the old ones, %d and %d", a.NewImportWh, a.NewExportWh, a.ImportWh, a.ExportWh)
	}
	meter := &from.meter
	if err := accept(c, m, now, meter, Register{Seq: a.Seq, Time: a.Time, ImportWh: a.ImportWh, ExportWh: a.ExportWh}, from.assurance); err != nil {
		return sdk.None{}, err
	}
	meter.OffsetImport = meter.ImportWh - a.NewImportWh
	meter.OffsetExport = meter.ExportWh - a.NewExportWh
	meter.Rolled = a.Time
	closings.Delete(c, address) // what one of two said meant other registers
	meters.Set(c, address, *meter)
	rolledOver.Emit(c, rolledEvent{address, a.Time, a.ImportWh, a.ExportWh, a.NewImportWh, a.NewExportWh})
	return sdk.None{}, nil
}

// vouched reports whether a reading is as sure as this meter's can be. The party chooses the gateway, and
// a gateway's word is the best there is only of a meter that has none of its own.
func (m Meter) vouched(assurance string) bool {
	return assurance == assuranceMeter || assurance == assuranceGateway && !m.Signs
}

// A point is what a meter's registers, across rollovers, were at a moment.
type point struct {
	time     sdk.Time
	importWh int64
	exportWh int64
}

func (m Meter) last() point { return point{m.Time, m.ImportWh, m.ExportWh} }

// accept records a reading that keeps the rules, as the last one of its meter, which the caller stores.
func accept(c *sdk.Ctx, m Market, now sdk.Time, meter *Meter, r Register, assurance string) error {
	to := point{r.Time, r.ImportWh + meter.OffsetImport, r.ExportWh + meter.OffsetExport}
	if err := bounded(r.ImportWh, r.ExportWh, to, now, m); err != nil {
		return err
	}
	if limit := meter.Seq + maxMissed; meter.Time != 0 && r.Seq > limit || meter.Time == 0 && r.Seq > maxFirst {
		if meter.Time == 0 {
			limit = maxFirst
		}
		return errValue.Because("number %d leaves none for the readings to come: must be %d at most", r.Seq, limit)
	}
	var missed uint64
	if meter.Time == 0 {
		if earliest := meter.Registered.Add(-m.skew()); r.Time < earliest {
			return errOld.Because("it is of %s, the meter is counted from %s on", r.Time, meter.Registered)
		}
		meter.SettledImport, meter.SettledExport, meter.SureThrough = to.importWh, to.exportWh, r.Time
	} else {
		if r.Seq <= meter.Seq || r.Time <= meter.Time {
			if old, ok := readings.Get(c, readingKey{meter.Meter, r.Time}); ok && old.Seq == r.Seq {
				return errDuplicate.Because("number %d of %s came before", r.Seq, r.Time)
			}
			return errOld.Because("number %d of %s is not newer than the last, %d of %s", r.Seq, r.Time, meter.Seq, meter.Time)
		}
		missed = r.Seq - meter.Seq - 1
		if err := meter.rise(meter.last(), to); err != nil {
			return err
		}
	}
	readings.Set(c, readingKey{meter.Meter, r.Time}, reading{r.Seq, to.importWh, to.exportWh, assurance, missed, r.Estimated})
	meter.Signs = meter.Signs || assurance == assuranceMeter
	meter.Seq, meter.Time, meter.ImportWh, meter.ExportWh = r.Seq, r.Time, to.importWh, to.exportWh
	recorded.Emit(c, readingEvent{meter.Meter, meter.Party, r.Seq, r.Time, r.ImportWh, r.ExportWh, assurance, missed, r.Estimated})
	return nil
}

// skew is how far ahead of market time a meter's clock may be.
func (m Market) skew() sdk.Duration { return maxSkew * sdk.Duration(m.Speed) }

// bounded refuses registers that no meter has, and moments that have not come.
func bounded(importWh, exportWh int64, across point, now sdk.Time, m Market) error {
	for _, wh := range [...]int64{importWh, exportWh, across.importWh, across.exportWh} {
		if wh < 0 || wh > maxRegister {
			return errValue.Because("a register is %d Wh, must be 0 to %d", wh, int64(maxRegister))
		}
	}
	if latest := now.Add(m.skew()); across.time > latest {
		return errFuture.Because("it is of %s, and it is %s: at most %s ahead is allowed", across.time, now, m.skew())
	}
	return nil
}

// rise refuses registers that a meter can't have gone through between two moments. A register
// shows whole Wh, so it may be one ahead of what its power makes: one in all its life and
// not one in each reading, which UsedImport and UsedExport keep.
func (m *Meter) rise(from, to point) error {
	span := to.time.Sub(from.time)
	for _, r := range [...]struct {
		name     string
		from, to int64
		offset   int64
		used     *int64
	}{{"import", from.importWh, to.importWh, m.OffsetImport, &m.UsedImport}, {"export", from.exportWh, to.exportWh, m.OffsetExport, &m.UsedExport}} {
		if r.to < r.from {
			return errFalls.Because("the %s register is %d Wh, it was %d at %s", r.name, r.to-r.offset, r.from-r.offset, from.time)
		}
		most, part := mulDiv(m.PmaxW, int64(span), wattSeconds)
		part += wattSeconds - *r.used
		most, part = most+part/wattSeconds, part%wattSeconds
		rose := r.to - r.from
		if rose > most {
			return errJump.Because("the %s register rose by %d Wh in %s, and %d W make %d at most", r.name, rose, span, m.PmaxW, most)
		}
		if *r.used = 0; rose == most {
			*r.used = wattSeconds - part
		}
	}
	return nil
}

type readingsArgs struct {
	Meter sdk.Address `doc:"the meter"`
	From  sdk.Time    `wire:",omitempty" doc:"not those before; missing: from the first on"`
	After []byte      `wire:",omitempty" doc:"where the last page ended: its next"`
	Limit uint32      `wire:",omitempty" doc:"how many at most; 20 if missing, never more than 100"`
}

type shownReading struct {
	Seq       uint64   `doc:"the meter's number of the reading"`
	Time      sdk.Time `doc:"when it was read"`
	ImportWh  int64    `doc:"what came in until then, across rollovers"`
	ExportWh  int64    `doc:"what went out until then, across rollovers"`
	Assurance string   `doc:"A: the meter signed it, B: its gateway read it, C: its party entered it"`
	Missed    uint64   `wire:",omitempty" doc:"how many numbers were left out before it"`
	Estimated bool     `wire:",omitempty" doc:"the values were not measured"`
}

type readingPage struct {
	Readings []shownReading
	Next     []byte `wire:",omitempty" doc:"for the next page; missing on the last"`
}

func readingsView(c *sdk.Ctx, a readingsArgs) (page readingPage, err error) {
	all := readingAt.From(readingsOf.Rows(a.Meter), readingKey{a.Meter, a.From})
	rows, next := all.Page(c, a.After, a.Limit)
	for _, row := range rows {
		r := row.Value
		page.Readings = append(page.Readings, shownReading{r.Seq, row.Key.Time, r.ImportWh, r.ExportWh, r.Assurance, r.Missed, r.Estimated})
	}
	page.Next = next
	return page, nil
}
