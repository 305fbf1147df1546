package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/sdk/client"
)

// trade is the story of the market: households order before the gate, meters say what
// flowed, the operator clears and settles.
//
//	slot k begins:  meters send their readings        parties order for slot k+2
//	                operator clears slot k, whose gate closed, and settles slot k-2
//
// One step is told in one line, and what is refused in one more.
type trade struct {
	site     *site
	operator *party
	burglar  *party
	homes    []*home

	market market
	opened time.Time // when market time began, by the clock

	mu        sync.Mutex          // the households act at the same time
	positions map[place]*position // what is not settled yet
}

// place is somebody's in a slot.
type place struct {
	party address.Address
	slot  int64
}

// position is what the site knows of a place, to hold it against what the market says.
type position struct {
	order  *orderArgs // that the market took
	bought int64      // in Wh, by the clearing
	sold   int64
	flow   *flow // what was metered, if the site ran all the slot
}

// What the market takes and answers, as far as the site needs it.
type (
	market struct {
		Now         int64
		Operator    address.Address
		SlotSeconds int64 `json:"slot_seconds"`
		GateSeconds int64 `json:"gate_seconds"`
		SettleAfter int64 `json:"settle_after"`
		Speed       int64
		Start       int64
		NextSettled *int64 `json:"next_settled"`

		asked time.Time // of the chain
	}
	orderArgs struct {
		Slot  int64
		Side  string
		Wh    int64
		Limit int64
	}
	slotArgs struct {
		Slot int64
	}
	chunkArgs struct {
		Slot int64
		N    uint32 `wire:",omitempty"`
	}
	moneyArgs struct {
		Party address.Address
		Micro int64
	}
	partyArgs struct {
		Party address.Address
	}
	meterArgs struct {
		Meter address.Address
	}
	registerMeterArgs struct {
		Meter address.Address
		PmaxW int64
	}
	dueState struct {
		Clear  []int64
		Settle *int64
	}
	meterState struct {
		Seq      uint64
		Time     int64
		ImportWh int64 `json:"import_wh"`
		ExportWh int64 `json:"export_wh"`
	}
	slotState struct {
		State     string
		ClearedWh int64 `json:"cleared_wh"`
		Price     int64
	}
	// The events of a clearing and of a settlement.
	filledEvent struct {
		Slot  int64
		Party address.Address
		Side  string
		Wh    int64
		Price int64
	}
	clearedEvent struct {
		Slot  int64
		Wh    int64
		Price *int64
	}
	settledEvent struct {
		Slot       int64
		Party      address.Address
		ImportWh   int64 `json:"import_wh"`
		ExportWh   int64 `json:"export_wh"`
		Estimated  bool
		BoughtWh   int64 `json:"bought_wh"`
		SoldWh     int64 `json:"sold_wh"`
		TradeMicro int64 `json:"trade_micro"`
		GridMicro  int64 `json:"grid_micro"`
		LateMicro  int64 `json:"late_micro"`
		Micro      int64
	}
)

// The sides.
const (
	buy  = "buy"
	sell = "sell"
)

const (
	// purse is what the operator gives a party that has less than a fifth of it, in micro:
	// 50 euros, for some weeks of what isn't traded.
	purse = 50_000_000
	// ahead is how many slots ahead orders go in.
	ahead = 2
	// settleChunk is how many accounts one settlement visits.
	settleChunk = 32
	// keeperGas is for a clearing or a settlement, which do much at once.
	keeperGas = 10 * client.DefaultGas
)

func newTrade(s *site, all map[string]*party) *trade {
	return &trade{
		site: s, operator: all[Operator], burglar: all[Burglar], homes: newHomes(all), positions: map[place]*position{},
	}
}

// run trades until it is over, which it looks for between two steps.
func (t *trade) run(ctx context.Context, over <-chan struct{}) error {
	if err := t.opening(ctx); err != nil {
		return err
	}
	last := int64(0)
	for step := 0; ; step++ {
		slot := max(t.slot(time.Now()), last+t.market.SlotSeconds)
		select {
		case <-time.After(time.Until(t.when(slot))):
		case <-over:
			t.finish(step)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := t.step(ctx, over, slot, step); err != nil {
			return err
		}
		last = slot
	}
}

// enough is after how many steps something must have been settled.
const enough = 8

// finish looks whether the market ran at all.
func (t *trade) finish(steps int) {
	t.site.mu.Lock()
	settled := t.site.summary.SettledSlots
	t.site.mu.Unlock()
	if steps >= enough && settled == 0 {
		t.site.wrong("%d quarter hours have begun, and not one is settled", steps)
	}
}

// slot is the slot that runs at a moment by the clock.
func (t *trade) slot(at time.Time) int64 {
	now := t.market.Start + int64(at.Sub(t.opened).Seconds()*float64(t.market.Speed))
	return now - now%t.market.SlotSeconds
}

// when is when market time is so late, by the clock.
func (t *trade) when(market int64) time.Time {
	return t.opened.Add(time.Duration(market-t.market.Start) * time.Second / time.Duration(t.market.Speed))
}

// at is the market's time of the block that a receipt is in.
func (t *trade) at(r *client.Receipt) int64 {
	return t.market.Start + int64(r.Time.Sub(t.opened)/time.Second)*t.market.Speed
}

// opening finds the market, hangs the meters, and fills the purses; if an earlier run in the same
// home left something behind, it goes on there.
func (t *trade) opening(ctx context.Context) error {
	var err error
	if t.market, err = t.now(ctx); err != nil {
		return err
	}
	if m := t.market; m.Speed < 1 || m.Speed > MaxSpeed || m.SlotSeconds != slotSeconds || m.GateSeconds != gateSeconds ||
		m.SettleAfter != settleAfter || m.Operator != t.operator.address() {
		return fmt.Errorf("site: the market is not one that the site can live with: %+v", m)
	}
	// The contract counts whole seconds of block time, so this is exact.
	t.opened = t.market.asked.Add(-time.Duration((t.market.Now-t.market.Start)/t.market.Speed) * time.Second)
	return t.each(func(h *home) error {
		if err := t.hang(ctx, h); err != nil {
			return err
		}
		return t.pay(ctx, h)
	})
}

// now asks how the market stands.
func (t *trade) now(ctx context.Context) (m market, err error) {
	answer, err := t.site.ask(ctx, t.operator, energy, "market", nil)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(answer.Result, &m); err != nil {
		return m, fmt.Errorf("site: the market: %w", err)
	}
	m.asked = answer.Time
	return m, nil
}

// each does something for all homes at the same time.
func (t *trade) each(do func(*home) error) error {
	errs := make([]error, len(t.homes))
	var all sync.WaitGroup
	for i, h := range t.homes {
		all.Go(func() { errs[i] = do(h) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// hang enrols and registers the meter of a home, as far as that isn't done.
func (t *trade) hang(ctx context.Context, h *home) error {
	s, this := t.site, deviceArgs{h.meter.address()}
	answer, err := s.ask(ctx, h.party, devices, "status", this)
	if err != nil {
		return err
	}
	var device struct{ State string }
	if err := json.Unmarshal(answer.Result, &device); err != nil {
		return fmt.Errorf("site: the %s: %w", h.meter.name, err)
	}
	switch device.State {
	case "active":
	case "suspended": // the site was stopped in the middle
		if _, err := s.do(ctx, h.party, "resumes its meter", decisionOK, devices, "resume", this, nil); err != nil {
			return err
		}
	default:
		if _, err := s.enrol(ctx, h.party, h.meter.party, "enrols its meter", MeterModel, "SM-"); err != nil {
			return err
		}
	}
	err = h.stand(ctx, s)
	if refused, ok := errors.AsType[*client.Refused](err); ok && refused.ContractError == "unknown_meter" {
		_, err := s.do(ctx, h.party, "registers it with the market", decisionOK, energy, "register_meter", registerMeterArgs{h.meter.address(), h.pmax}, nil)
		return err
	}
	return err
}

// stand sets the meter's registers to those of its last reading on the chain.
func (h *home) stand(ctx context.Context, s *site) error {
	answer, err := s.ask(ctx, h.party, energy, "meter", meterArgs{h.meter.address()})
	if err != nil {
		return err
	}
	var state meterState
	if err := json.Unmarshal(answer.Result, &state); err != nil {
		return fmt.Errorf("site: the %s: %w", h.meter.name, err)
	}
	h.meter.seq, h.meter.time, h.meter.importWh, h.meter.exportWh = state.Seq, state.Time, state.ImportWh, state.ExportWh
	return nil
}

// pay fills a purse that is nearly empty.
func (t *trade) pay(ctx context.Context, h *home) error {
	answer, err := t.site.ask(ctx, h.party, energy, "account", partyArgs{h.address()})
	if err != nil {
		return err
	}
	var account struct{ Free int64 }
	if err := json.Unmarshal(answer.Result, &account); err != nil {
		return fmt.Errorf("site: the account of %s: %w", h.name, err)
	}
	if account.Free >= purse/5 {
		return nil
	}
	_, err = t.site.do(ctx, t.operator, "credits "+h.name+" with "+euro(purse), decisionOK, energy, "credit", moneyArgs{h.address(), purse}, nil)
	return err
}

// step is what happens when a slot begins.
func (t *trade) step(ctx context.Context, over <-chan struct{}, slot int64, n int) error {
	if err := t.each(func(h *home) error { return t.household(ctx, h, slot, n) }); err != nil {
		return err
	}
	if n > 0 && n%2 == 0 {
		if err := t.mischief(ctx, slot, n/2-1); err != nil {
			return err
		}
	}
	if err := t.keep(ctx, over, slot); err != nil {
		return err
	}
	if n%purseEvery == purseEvery-1 {
		return t.each(func(h *home) error { return t.pay(ctx, h) })
	}
	return nil
}

// purseEvery is how many steps lie between two looks into the purses.
const purseEvery = 32

// household is what a home does when a slot begins.
func (t *trade) household(ctx context.Context, h *home, slot int64, n int) error {
	what := arrives
	switch {
	case h.name == Neighbour1 && n%8 == 1:
		what = isLost
	case h.name == Neighbour2 && n%8 == 3:
		what = isBarred
	}
	if err := t.readTo(ctx, h, slot, what); err != nil {
		return err
	}
	o, ok := h.offer(slot+ahead*t.market.SlotSeconds, t.market.SlotSeconds)
	if !ok {
		return nil
	}
	r, err := h.node.Call(ctx, h.key, energy, "order", o, client.Options{})
	decision, err := t.site.came(ctx, h.party, "orders for "+clock(o.Slot), t.beforeGate(o.Slot), r, err, nil, true)
	if decision == decisionOK {
		t.note(h, o.Slot, func(p *position) { p.order = &o })
	}
	return err
}

// beforeGate is what is right for an order: whether its block came before the gate. A machine
// that is too slow for the speed misses it, and that is no fault of the chain's.
func (t *trade) beforeGate(slot int64) expectation { return t.orLate(slot, decisionOK) }

// orLate is what is right for an order that comes before the gate, else that the gate is closed.
func (t *trade) orLate(slot int64, wanted string) expectation {
	return func(r *client.Receipt) string {
		if r != nil && t.at(r) >= slot-t.market.GateSeconds {
			return "gate_closed"
		}
		return wanted
	}
}

// note remembers something of a place.
func (t *trade) note(h *home, slot int64, what func(*position)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	what(t.position(h.address(), slot))
}

// position is what is known of a place, made if need be. The caller holds mu, or is the keeper,
// who works when the households rest.
func (t *trade) position(party address.Address, slot int64) *position {
	at := place{party, slot}
	if t.positions[at] == nil {
		t.positions[at] = &position{}
	}
	return t.positions[at]
}

// keep is what the operator does as keeper of the market: it clears and settles what is due, and
// looks whether the money is all there. After a long rest there is more to settle than fits between two slots;
// the next step goes on.
func (t *trade) keep(ctx context.Context, over <-chan struct{}, slot int64) error {
	until := time.Now().Add(t.real(t.market.SlotSeconds) / 2)
	var line report
	for time.Now().Before(until) {
		next, err := t.due(ctx, slot)
		if err != nil {
			return err
		}
		if next == nil {
			break
		}
		r, err := t.do(ctx, *next)
		if err != nil {
			return err
		}
		if r == nil || r.Err() != nil { // that was said
			break
		}
		if err := t.kept(ctx, r, &line); err != nil {
			return err
		}
		select {
		case <-over:
			until = time.Time{}
		default:
		}
	}
	if err := t.count(ctx); err != nil {
		return err
	}
	t.tell(line)
	return nil
}

// task is a call of the keeper's, for which it is time from a moment of the market on.
type task struct {
	method string
	args   chunkArgs
	from   int64
}

// blockLag is how old a block's time may be when it comes: a proposer makes an empty block
// first where it lags by more than a second, and block time is cut to seconds.
const blockLag = 2 * time.Second

// due is the keeper's next task, nil if there is none. What the market says is due by the clock of the
// node may not be by its newest block; and a slot whose last readings aren't sent yet is not settled.
func (t *trade) due(ctx context.Context, slot int64) (*task, error) {
	answer, err := t.site.ask(ctx, t.operator, energy, "due", nil)
	if err != nil {
		return nil, err
	}
	var d dueState
	if err := json.Unmarshal(answer.Result, &d); err != nil {
		return nil, fmt.Errorf("site: what is due: %w", err)
	}
	sure := time.Now().Add(-blockLag)
	for _, at := range d.Clear {
		if gate := at - t.market.GateSeconds; !sure.Before(t.when(gate)) {
			return &task{"clear", chunkArgs{Slot: at}, gate}, nil
		}
	}
	if d.Settle == nil {
		return nil, nil
	}
	m, err := t.now(ctx)
	if err != nil {
		return nil, err
	}
	at := min(*d.Settle, slot-m.SlotSeconds, t.slot(sure.Add(-t.real(m.SettleAfter)))-m.SlotSeconds)
	if m.NextSettled == nil || at < *m.NextSettled {
		return nil, nil
	}
	return &task{"settle", chunkArgs{Slot: at, N: settleChunk}, at + m.SlotSeconds + m.SettleAfter}, nil
}

func (t *trade) real(market int64) time.Duration {
	return time.Duration(market) * time.Second / time.Duration(t.market.Speed)
}

// do does a task.
func (t *trade) do(ctx context.Context, k task) (*client.Receipt, error) {
	r, err := t.operator.node.Call(ctx, t.operator.key, energy, k.method, k.args, client.Options{GasLimit: keeperGas})
	_, err = t.site.came(ctx, t.operator, k.method+"s "+clock(k.args.Slot), func(r *client.Receipt) string {
		if r != nil && t.at(r) < k.from {
			return "too_early" // the block is older than blockLag
		}
		return decisionOK
	}, r, err, nil, true)
	return r, err
}

// report is what a step's line tells.
type report struct {
	height    uint64
	id        string
	cleared   []clearedEvent
	settled   int   // slots
	settledTo int64 // the last of them
	bills     map[string]int64
}

// kept holds the events of a clearing or settlement against what the site knows.
func (t *trade) kept(ctx context.Context, r *client.Receipt, line *report) error {
	line.height, line.id = r.Height, r.ID.String()
	for i := range r.Events {
		e := &r.Events[i]
		var err error
		switch e.Name {
		case "filled":
			var f filledEvent
			if err = e.Decode(&f); err == nil {
				t.filled(f)
			}
		case "cleared":
			var c clearedEvent
			if err = e.Decode(&c); err == nil {
				line.cleared = append(line.cleared, c)
				err = t.cleared(ctx, c)
			}
		case "settled":
			var s settledEvent
			if err = e.Decode(&s); err == nil {
				t.settled(s, line)
			}
		case "slot_settled":
			var s slotArgs
			if err = e.Decode(&s); err == nil {
				line.settled++
				line.settledTo = s.Slot
				t.site.mu.Lock()
				t.site.summary.SettledSlots++
				t.site.mu.Unlock()
				for at := range t.positions {
					if at.slot <= s.Slot {
						delete(t.positions, at)
					}
				}
			}
		}
		if err != nil {
			return fmt.Errorf("site: the event %s of %s: %w", e.Cursor, r.ID, err)
		}
	}
	return nil
}

// filled: nobody trades beyond their order or their limit.
func (t *trade) filled(f filledEvent) {
	p := t.position(f.Party, f.Slot)
	if f.Side == buy {
		p.bought += f.Wh
	} else {
		p.sold += f.Wh
	}
	if f.Wh < 1 || f.Price < feedIn || f.Price > retail {
		t.site.wrong("slot %s: %s trades %d Wh at %d, outside of %d to %d", clock(f.Slot), f.Party, f.Wh, f.Price, feedIn, retail)
	}
	if o := p.order; o != nil && (o.Side != f.Side || p.bought+p.sold > o.Wh ||
		f.Side == buy && f.Price > o.Limit || f.Side == sell && f.Price < o.Limit) {
		t.site.wrong("slot %s: %s would %s %d Wh at %d, and got %s %d Wh at %d", clock(f.Slot), f.Party, o.Side, o.Wh, o.Limit, f.Side, f.Wh, f.Price)
	}
}

// cleared: whoever asks is told what the event said.
func (t *trade) cleared(ctx context.Context, c clearedEvent) error {
	price := t.balanced(c)
	answer, err := t.site.ask(ctx, t.operator, energy, "slot", slotArgs{c.Slot})
	if err != nil {
		return err
	}
	var s slotState
	if err := json.Unmarshal(answer.Result, &s); err != nil {
		return err
	}
	if s.State != "cleared" && s.State != "settled" || s.ClearedWh != c.Wh || s.Price != price {
		t.site.wrong("slot %s: the event says %d Wh at %d, the view %s", clock(c.Slot), c.Wh, price, answer.Result)
	}
	return nil
}

// balanced: as much is bought as is sold, at a price between the grid's.
func (t *trade) balanced(c clearedEvent) (price int64) {
	var bought, sold int64
	for at, p := range t.positions {
		if at.slot == c.Slot {
			bought += p.bought
			sold += p.sold
		}
	}
	if bought != c.Wh || sold != c.Wh {
		t.site.wrong("slot %s: %d Wh cleared, %d bought, %d sold", clock(c.Slot), c.Wh, bought, sold)
	}
	if c.Price != nil {
		price = *c.Price
	}
	if c.Wh == 0 {
		return price
	}
	if price < feedIn || price > retail {
		t.site.wrong("slot %s: the price is %d, outside of %d to %d", clock(c.Slot), price, feedIn, retail)
	}
	t.site.mu.Lock()
	defer t.site.mu.Unlock()
	t.site.summary.ClearedSlots++
	t.site.summary.ClearedWh += c.Wh
	t.site.summary.Price = price
	return price
}

// settled: who is billed for what was metered and traded, and the bill adds up.
func (t *trade) settled(s settledEvent, line *report) {
	name := s.Party.String()
	if i := slices.IndexFunc(t.homes, func(h *home) bool { return h.address() == s.Party }); i >= 0 {
		name = t.homes[i].name
	}
	if line.bills == nil {
		line.bills = map[string]int64{}
	}
	line.bills[name] += s.Micro
	if s.TradeMicro+s.GridMicro+s.LateMicro != s.Micro {
		t.site.wrong("slot %s: the bill of %s is %d micro, its parts %d, %d and %d", clock(s.Slot), name, s.Micro, s.TradeMicro, s.GridMicro, s.LateMicro)
	}
	p := t.positions[place{s.Party, s.Slot}]
	if p == nil {
		return
	}
	if p.flow != nil && (s.Estimated || *p.flow != flow{s.ImportWh, s.ExportWh}) {
		t.site.wrong("slot %s: %s is billed for %d Wh in and %d out (estimated: %v), its meter counted %d and %d",
			clock(s.Slot), name, s.ImportWh, s.ExportWh, s.Estimated, p.flow.importWh, p.flow.exportWh)
	}
	if p.order != nil && (p.bought != s.BoughtWh || p.sold != s.SoldWh) {
		t.site.wrong("slot %s: %s is billed for %d Wh bought and %d sold, the clearing said %d and %d",
			clock(s.Slot), name, s.BoughtWh, s.SoldWh, p.bought, p.sold)
	}
}

// count adds up all the money in the market.
func (t *trade) count(ctx context.Context) error {
	answer, err := t.site.ask(ctx, t.operator, energy, "totals", nil)
	if err != nil {
		return err
	}
	var total struct {
		SumMicro int64 `json:"sum_micro"`
	}
	if err := json.Unmarshal(answer.Result, &total); err != nil {
		return fmt.Errorf("site: the totals: %w", err)
	}
	if total.SumMicro != 0 {
		t.site.wrong("all accounts together have %d micro, and 0 is right", total.SumMicro)
	}
	t.site.mu.Lock()
	defer t.site.mu.Unlock()
	t.site.summary.MoneySum = total.SumMicro
	return nil
}

// tell is a step's line: a slot that was cleared, and what was settled beside it.
func (t *trade) tell(line report) {
	settles := "settles " + clock(line.settledTo)
	if line.settled > 1 {
		settles = fmt.Sprintf("settles %d slots to %s", line.settled, clock(line.settledTo))
	}
	var bills []string
	for _, h := range t.homes {
		if micro, ok := line.bills[h.name]; ok {
			bills = append(bills, h.name+" "+signed(micro))
		}
	}
	step := Step{Who: t.operator.name, Decision: decisionOK, Height: line.height, ID: line.id}
	for i, c := range line.cleared {
		step.Does = fmt.Sprintf("clears %s: nothing is traded", clock(c.Slot))
		if c.Wh > 0 {
			step.Does = fmt.Sprintf("clears %s: %d Wh at %s a kWh", clock(c.Slot), c.Wh, euro(*c.Price))
		}
		if i == len(line.cleared)-1 && len(bills) > 0 {
			step.Why = settles + ": " + strings.Join(bills, ", ")
		}
		t.site.report(step, decisionOK, false)
	}
	if len(line.cleared) == 0 && line.settled > 0 {
		step.Does, step.Why = settles, strings.Join(bills, ", ")
		t.site.report(step, decisionOK, false)
	}
}

// clock is the time of day of a market time, in UTC.
func clock(t int64) string { return time.Unix(t, 0).UTC().Format("15:04") }

// euro is an amount or a price for people.
func euro(micro int64) string { return fmt.Sprintf("%.4f", float64(micro)/1e6) }

func signed(micro int64) string { return fmt.Sprintf("%+.4f", float64(micro)/1e6) }
