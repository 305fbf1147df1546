package site

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/wire"
	"github.com/wardledger/ward/testnet/site/curve"
)

// A home is a household with its meter. It takes power, and if it has a roof, gives some.
type home struct {
	*party
	meter *meter
	load  curve.Household
	roof  *curve.Roof
	pmax  int64 // what its fuse lets through, in W
}

// newHomes are the homes of the site: one street at 48 degrees north, three households of
// usual size, and a roof of usual size on one of them.
func newHomes(all map[string]*party) (homes []*home) {
	annual := map[string]float64{House: 4500, Neighbour1: 3500, Neighbour2: 2800}
	for _, name := range Households() {
		h := &home{
			party: all[name], meter: &meter{party: all[Meter(name)]}, pmax: 25_000, // 3 x 35 A at 230 V
			load: curve.Household{Annual: annual[name], Scatter: 0.5, Seed: name},
		}
		if name == House {
			h.roof = &curve.Roof{Latitude: 48, Longitude: 7.85, Tilt: 35, Azimuth: 190, Peak: 5000, Sky: curve.Sky{Seed: "street"}}
		}
		homes = append(homes, h)
	}
	return homes
}

// net is what the home gives to the grid between two moments, in Wh; negative: what it takes.
// Within a quarter hour the one counts against the other.
func (h *home) net(from, to int64) int64 {
	a, b := time.Unix(from, 0), time.Unix(to, 0)
	wh := -curve.Wh(h.load, a, b)
	if h.roof != nil {
		wh += curve.Wh(h.roof, a, b)
	}
	return wh
}

// forecast is what the home thinks that net will be: it is right to a tenth.
func (h *home) forecast(from, to int64) int64 {
	return h.net(from, to) * (900 + 200*h.mood(from, "forecast")/1000) / 1000
}

// mood is 0 to 999: what somebody feels like in a slot.
func (h *home) mood(slot int64, about string) int64 {
	return curve.Dice(h.name+" "+about, slot, 1000)
}

// offer is what the home wants to trade in a slot: what it thinks that it will give or take. A seller
// wants more than the grid pays, a buyer pays less than the grid takes.
func (h *home) offer(slot, length int64) (o orderArgs, ok bool) {
	wh := h.forecast(slot, slot+length)
	span := int64(retail - feedIn)
	switch {
	case wh > 0:
		return orderArgs{slot, sell, wh, feedIn + span/20 + span*h.mood(slot, "limit")/1000/4}, true
	case wh < 0:
		return orderArgs{slot, buy, -wh, retail - span/20 - span*h.mood(slot, "limit")/1000/3}, true
	}
	return o, false
}

// A meter counts what flows, and has a key.
type meter struct {
	*party
	seq                uint64
	time               int64 // market time of the last reading that it made, 0 before the first
	importWh, exportWh int64

	// lost is a transaction that the meter sent and that never arrived; lostAt says of which slot
	// the reading is.
	lost   *tx.Signed
	lostAt int64

	reads bool // it has sent a reading since the site began
}

// What energy takes of a meter.
type (
	readArgs struct {
		Readings []reading
	}
	reading struct {
		Meter    *address.Address
		Seq      uint64
		Time     int64
		ImportWh int64
		ExportWh int64
	}
	register struct {
		Seq      uint64
		Time     int64
		ImportWh int64
		ExportWh int64
	}
	// batch is what a meter signs for others to carry.
	batch struct {
		Chain    string
		Contract string
		Meter    address.Address
		Readings []register
	}
	readSignedArgs struct {
		Meter address.Address
		Key   []byte
		Batch []byte
	}
)

// readingAAD is what a meter signs a batch under.
const readingAAD = "ward-reading-v1"

// maxBatch is how many quarter hours a meter remembers that it could not send: a day.
const maxBatch = 96

// flow is what a meter counted in a slot.
type flow struct{ importWh, exportWh int64 }

// count goes on counting to a moment, slot by slot, and returns the readings at their ends. A meter that
// was off longer than it remembers, as when the site stood still, counted nothing.
func (h *home) count(to, length int64, metered func(slot int64, f flow)) (made []reading) {
	m := h.meter
	if m.time == 0 || to-m.time > maxBatch*length {
		m.seq++
		m.time = to
		return []reading{{nil, m.seq, m.time, m.importWh, m.exportWh}}
	}
	for m.time < to {
		end := m.time - m.time%length + length
		f := flow{exportWh: h.net(m.time, end)}
		if f.exportWh < 0 {
			f = flow{importWh: -f.exportWh}
		}
		if m.time%length == 0 {
			metered(m.time, f)
		}
		m.importWh += f.importWh
		m.exportWh += f.exportWh
		m.seq++
		m.time = end
		made = append(made, reading{nil, m.seq, m.time, m.importWh, m.exportWh})
	}
	return made
}

// A fate is what happens to a reading on its way.
type fate int

const (
	arrives  fate = iota
	isLost        // the line is down: nothing arrives
	isBarred      // the meter is suspended while it reads
)

// readTo makes the readings up to a moment and sends them, as fate has it.
func (t *trade) readTo(ctx context.Context, h *home, slot int64, what fate) error {
	if h.meter.lost != nil {
		if err := t.resend(ctx, h); err != nil {
			return err
		}
	}
	if !h.meter.reads {
		// What a site that was stopped had under way has arrived by now.
		if err := h.stand(ctx, t.site); err != nil {
			return err
		}
		h.meter.reads = true
	}
	made := h.count(slot, t.market.SlotSeconds, func(at int64, f flow) { t.note(h, at, func(p *position) { p.flow = &f }) })
	if len(made) == 0 { // read before the site was stopped
		return nil
	}
	signed, err := h.meter.node.Sign(ctx, h.meter.key, energy, "read", readArgs{made}, client.Options{})
	if err != nil {
		return fmt.Errorf("site: the %s signs: %w", h.meter.name, err)
	}
	switch what {
	case isLost:
		h.meter.lost, h.meter.lostAt = signed, slot
		return nil
	case isBarred:
		return t.barred(ctx, h, slot, signed, made)
	}
	_, err = t.sent(ctx, h, signed, "sends its reading of "+clock(slot), decisionOK, true)
	return err
}

// sent submits a meter's transaction and waits for it.
func (t *trade) sent(ctx context.Context, h *home, signed *tx.Signed, does, wanted string, quiet bool) (*client.Receipt, error) {
	id, err := h.meter.node.Submit(ctx, signed.Encode())
	var r *client.Receipt
	if err == nil {
		r, err = h.meter.node.Wait(ctx, id)
	}
	decision, err := t.site.came(ctx, h.meter.party, does, expect(wanted), r, err, nil, quiet)
	if decision == decisionOK {
		t.site.mu.Lock()
		t.site.summary.Readings += len(r.Events)
		t.site.mu.Unlock()
	}
	return r, err
}

// resend sends what was lost, the same bytes: had they arrived after all, they would run once.
func (t *trade) resend(ctx context.Context, h *home) error {
	lost, at := h.meter.lost, h.meter.lostAt
	h.meter.lost = nil
	_, err := h.meter.node.Receipt(ctx, lost.ID())
	if err == nil {
		t.site.wrong("the reading of %s that the %s never sent has a receipt", clock(at), h.meter.name)
	}
	_, err = t.sent(ctx, h, lost, "sends the reading of "+clock(at)+" again, which was lost", decisionOK, false)
	return err
}

// barred: a meter that its owner has suspended is nobody, whoever carries what it says. When
// it is resumed, the very bytes that were refused count.
func (t *trade) barred(ctx context.Context, h *home, slot int64, signed *tx.Signed, made []reading) error {
	this := deviceArgs{h.meter.address()}
	if _, err := t.site.do(ctx, h.party, "suspends its meter", decisionOK, devices, "suspend", this, nil); err != nil {
		return err
	}
	does := "sends its reading of " + clock(slot)
	if _, err := t.sent(ctx, h, signed, does, receipt.KeyShut.Name(), false); err != nil {
		return err
	}
	chain, err := h.node.Chain(ctx)
	if err != nil {
		return fmt.Errorf("site: %w", err)
	}
	carried, err := h.meter.sign(chain, made)
	if err != nil {
		return err
	}
	if _, err := t.site.do(ctx, h.party, "carries it there", "meter_not_active", energy, "read_signed", carried, nil); err != nil {
		return err
	}
	if _, err := t.site.do(ctx, h.party, "resumes its meter", decisionOK, devices, "resume", this, nil); err != nil {
		return err
	}
	_, err = t.sent(ctx, h, signed, does+" again", decisionOK, false)
	return err
}

// sign makes a batch of readings that anybody can carry.
func (m *meter) sign(chain string, made []reading) (readSignedArgs, error) {
	b := batch{Chain: chain, Contract: energy, Meter: m.address()}
	for _, r := range made {
		b.Readings = append(b.Readings, register{r.Seq, r.Time, r.ImportWh, r.ExportWh})
	}
	payload, err := wire.Marshal(b)
	if err != nil {
		return readSignedArgs{}, fmt.Errorf("site: the %s: %w", m.name, err)
	}
	signed, err := tx.SignMessage(readingAAD, payload, m.key)
	return readSignedArgs{m.address(), slices.Clone(m.key.Public().Bytes), signed}, err
}
