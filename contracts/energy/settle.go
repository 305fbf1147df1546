package main

import "github.com/wardledger/ward/sdk"

// A Statement is what a slot comes to for a party. Amounts of money are what the party
// gets; what it pays is negative.
type Statement struct {
	Party           sdk.Address `doc:"whose"`
	Slot            sdk.Time    `doc:"the moment the slot begins"`
	ImportWh        int64       `doc:"what its meters counted in the slot: what came in from the grid"`
	ExportWh        int64       `doc:"what went out to the grid"`
	Estimated       bool        `wire:",omitempty" doc:"readings are missing around the slot's ends, or were not measured"`
	GuessedImportWh int64       `wire:",omitempty" doc:"how much of what came in is an estimate"`
	GuessedExportWh int64       `wire:",omitempty" doc:"how much of what went out is one"`
	BoughtWh        int64       `wire:",omitempty" doc:"what it bought"`
	SoldWh          int64       `wire:",omitempty" doc:"what it sold"`
	TradeMicro      int64       `wire:",omitempty" doc:"for that"`
	UnconfirmedWh   int64       `wire:",omitempty" doc:"what went out by meters that the operator has not confirmed, now or late: it counts for nothing, and is not in any other field"`
	GridWh          int64       `doc:"what the grid takes: what went out and came in, less what was sold and bought. Negative: what it gives"`
	GridMicro       int64       `doc:"for that, at feed-in or retail; what came in and went out by estimate is not set off against each other"`
	LateImportWh    int64       `wire:",omitempty" doc:"what came in during earlier slots, that readings did not say before they were settled"`
	LateExportWh    int64       `wire:",omitempty" doc:"what went out then"`
	LateMicro       int64       `wire:",omitempty" doc:"for these, each by itself, at the worst retail and feed-in since the meter's last sure settlement"`
	Micro           int64       `doc:"all together"`
	Balance         int64       `doc:"what the party has then"`
	CollateralMicro int64       `wire:",omitempty" doc:"what was held for its orders and is free again"`
	Final           bool        `doc:"the slot is settled; nothing changes any more"`
}

// reckon draws up a party's statement, with the account after it and the meters as they are to be
// stored. Something is false if nothing came of the slot. Only in a slot whose turn it is, late
// energy is known.
func reckon(c *sdk.Ctx, m Market, t Tariff, slot sdk.Time, party sdk.Address, account Account, inTurn bool) (st Statement, after Account, changed []Meter, something bool) {
	st = Statement{Party: party, Slot: slot}
	var f, guessed, late flow // all of it, the part of it that is an estimate, and what comes late
	guess := t                // for the estimate: the straight line may lead through other tariffs
	if account.Meters > 0 {
		for _, meter := range metersFor(c, party) {
			was := meter
			var counted, missed flow
			var sure bool
			if inTurn {
				counted, missed, sure = meter.take(c, m, slot)
			} else {
				counted, _, sure = meter.counted(c, m, slot)
			}
			if !meter.Confirmed {
				st.UnconfirmedWh += counted.out + missed.out
				counted.out, missed.out = 0, 0
			}
			f, late = f.add(counted), late.add(missed)
			if !sure {
				st.Estimated = true
				guessed = guessed.add(counted)
				if !counted.isZero() {
					w := worst(c, was.SureThrough, max(slot, was.Time))
					guess.FeedIn, guess.Retail = min(guess.FeedIn, w.FeedIn), max(guess.Retail, w.Retail)
				}
			}
			if !missed.isZero() {
				st.LateMicro += worst(c, was.SureThrough, slot).gross(missed)
			}
			if inTurn && (meter.SettledImport != was.SettledImport || meter.SettledExport != was.SettledExport || meter.settled(m, slot) ||
				tariffOf(c, meter.SureThrough).From != tariffOf(c, was.SureThrough).From) {
				changed = append(changed, meter)
			}
		}
	}
	pos, traded := positions.Get(c, partySlot{party, slot})
	for _, o := range pos.Orders {
		if pos.Side == buy.String() {
			st.BoughtWh += o.Filled
			st.TradeMicro -= o.Micro
		} else {
			st.SoldWh += o.Filled
			st.TradeMicro += o.Micro
		}
	}
	st.ImportWh, st.ExportWh, st.GuessedImportWh, st.GuessedExportWh = f.in, f.out, guessed.in, guessed.out
	st.GridWh = f.out - f.in - st.SoldWh + st.BoughtWh
	st.GridMicro = t.settle(flow{f.in - guessed.in, f.out - guessed.out}, guessed, guess, st.BoughtWh, st.SoldWh)
	st.LateImportWh, st.LateExportWh = late.in, late.out
	st.Micro = st.TradeMicro + st.GridMicro + st.LateMicro
	st.CollateralMicro = pos.Held
	account.Held -= pos.Held
	return st, account, changed, traded || !f.isZero() || !late.isZero() || st.UnconfirmedWh != 0
}

// grid is what the grid pays for wh that it takes, or takes for those that it gives.
func (t Tariff) grid(wh int64) int64 {
	if wh < 0 {
		return money(wh, t.Retail)
	}
	return money(wh, t.FeedIn)
}

// gross is what the grid pays for energy of which nobody knows when it came in and when it went
// out: nothing of it is set off, or silence would make the grid a store that costs nothing.
func (t Tariff) gross(f flow) int64 { return t.grid(f.out) + t.grid(-f.in) }

// settle is what the grid pays in a slot, for what was counted surely and by estimate, less what was
// traded. What is sure is set off within the slot. An estimate counts for what was traded, and
// else by itself, at a tariff of its own.
func (t Tariff) settle(sure, guessed flow, guess Tariff, bought, sold int64) int64 {
	net := sure.out - sure.in
	delivered := min(guessed.out, max(0, sold-max(0, net)))
	taken := min(guessed.in, max(0, bought-max(0, -net)))
	return t.grid(net-sold+bought+delivered-taken) + guess.gross(flow{guessed.in - taken, guessed.out - delivered})
}

// settled reports whether a meter has ended, and all of it is settled once this slot is.
func (m Meter) settled(market Market, slot sdk.Time) bool {
	return m.Closed != 0 && m.Closed <= market.end(slot)
}

type settleArgs struct {
	Slot sdk.Time `doc:"the last slot to settle: the moment it begins"`
	N    uint32   `wire:",omitempty" doc:"how many accounts to visit in this call; 16 if missing, never more than 64"`
}

type settleAnswer struct {
	Done    bool     `doc:"the slot is settled"`
	Next    sdk.Time `doc:"the slot whose turn it is now"`
	Visited uint32   `doc:"how many accounts were visited"`
}

func settle(c *sdk.Ctx, a settleArgs) (settleAnswer, error) {
	m, now := theMarket(c)
	if err := m.isSlot(a.Slot); err != nil {
		return settleAnswer{}, err
	}
	s, ok := settling.Get(c)
	switch {
	case ok && a.Slot < s.Next:
		return settleAnswer{}, errDone.Because("slot %s is settled, the next one is %s", a.Slot, s.Next)
	case now < m.due(a.Slot):
		return settleAnswer{}, errTooEarly.Because("slot %s is settled from %s on, it is %s", a.Slot, m.due(a.Slot), now)
	case !ok:
		return settleAnswer{}, errTooEarly.Because("there was never a meter whose energy could be settled")
	}
	if waits(c, s.Next) {
		return settleAnswer{}, errNotCleared.Because("slot %s has orders that are not cleared: clear it first", s.Next)
	}
	left := a.N
	if left == 0 {
		left = usualParties
	}
	left = min(left, mostParties)
	answer := settleAnswer{}
	operator, _ := accounts.Get(c, m.Operator)
	sum := operator.Balance // of the operator, as it will be
	for left > 0 && s.Next <= a.Slot && !waits(c, s.Next) {
		t := tariffOf(c, s.Next)
		ended := true
		for who := range visitsAfter(s.After).Each(c) {
			if s.After != nil && who == *s.After {
				continue
			}
			if left == 0 {
				ended = false
				break
			}
			left--
			answer.Visited++
			s.After = &who
			account, _ := accounts.Get(c, who)
			if residue, ok := visit(c, m, t, s.Next, who, account, &sum); ok {
				s.Parties++
				s.Residue += residue
			}
		}
		if !ended {
			break
		}
		slotDone.Emit(c, slotSettledEvent{s.Next, s.Parties, s.Residue})
		s = Settling{Next: m.end(s.Next)}
		left = max(left, 1) - 1 // a slot with no account at all is work as well
	}
	settling.Set(c, s)
	if operator, _ = accounts.Get(c, m.Operator); operator.Balance != sum {
		operator.Balance = sum
		accounts.Set(c, m.Operator, operator)
	}
	answer.Done, answer.Next = s.Next > a.Slot, s.Next
	return answer, nil
}

// visitsAfter is the accounts to settle from one on, itself included.
func visitsAfter(after *sdk.Address) sdk.Rows[sdk.Address, sdk.None] {
	if after == nil {
		return visits.All()
	}
	return visitAt.From(visits.All(), *after)
}

// waits reports whether a slot has orders that are not cleared.
func waits(c *sdk.Ctx, slot sdk.Time) bool { return uncleared.Has(c, slot) }

// visit settles one account. What the party gets comes out of the operator's balance. The residue
// is what the operator keeps of the trades.
func visit(c *sdk.Ctx, m Market, t Tariff, slot sdk.Time, who sdk.Address, account Account, operator *int64) (residue int64, something bool) {
	st, after, changed, something := reckon(c, m, t, slot, who, account, true)
	for _, meter := range changed {
		meters.Set(c, meter.Meter, meter)
		if meter.settled(m, slot) {
			byParty.Delete(c, meterOf{who, meter.Meter})
			after.Meters--
		}
	}
	if something {
		if who == m.Operator { // both sides of it are the same account
			st.Balance = *operator
		} else {
			st.Micro = fit(after.Balance, *operator, st.Micro)
			after.Balance += st.Micro
			*operator -= st.Micro
			st.Balance = after.Balance
		}
		st.Final = true
		statements.Set(c, partySlot{who, slot}, st)
		settled.Emit(c, st)
	}
	if after != account {
		accounts.Set(c, who, after)
	}
	if after.Meters == 0 && after.Held == 0 { // nothing can come of it until it has a meter again
		visits.Delete(c, who)
	}
	return -st.TradeMicro, something
}

func statementView(c *sdk.Ctx, a positionArgs) (Statement, error) {
	m, _ := theMarket(c)
	if err := m.isSlot(a.Slot); err != nil {
		return Statement{}, err
	}
	if st, ok := statements.Get(c, partySlot(a)); ok {
		return st, nil
	}
	s, ok := settling.Get(c)
	account, _ := accounts.Get(c, a.Party)
	st, after, _, something := reckon(c, m, tariffOf(c, a.Slot), a.Slot, a.Party, account, ok && a.Slot == s.Next && !passed(s, a.Party))
	if !something || ok && (a.Slot < s.Next || a.Slot == s.Next && passed(s, a.Party)) {
		return Statement{}, errNoStatement.Because("nothing came of slot %s for %s", a.Slot, a.Party)
	}
	st.Balance = after.Balance + st.Micro
	return st, nil
}

// passed reports whether an account was visited in the slot whose turn it is.
func passed(s Settling, party sdk.Address) bool {
	return s.After != nil && string(party[:]) <= string(s.After[:])
}

type statementsArgs struct {
	Party sdk.Address `doc:"whose"`
	After []byte      `wire:",omitempty" doc:"where the last page ended: its next"`
	Limit uint32      `wire:",omitempty" doc:"how many at most; 20 if missing, never more than 100"`
}

type statementPage struct {
	Statements []Statement
	Next       []byte `wire:",omitempty" doc:"for the next page; missing on the last"`
}

func statementsView(c *sdk.Ctx, a statementsArgs) (page statementPage, err error) {
	rows, next := statementsOf.Rows(a.Party).Reverse().Page(c, a.After, a.Limit)
	for _, row := range rows {
		page.Statements = append(page.Statements, row.Value)
	}
	page.Next = next
	return page, nil
}
