package main

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

// The market of the README: its table says what each party wants and what comes of it.
func TestWorkedExample(t *testing.T) {
	const cent = 10_000 // micro
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "|---|---|---|---|---|---|---|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	amount := func(s string) int64 {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatalf("the table of the README: %v", err)
		}
		return int64(math.Round(f * 1000))
	}
	type row struct {
		*house
		side                                               string
		wh, limit, traded, paid, net, grid, gridMicro, all int64
	}
	f := newFair(t, func(a *initArgs) { a.FeedIn, a.Retail = some[int64](1*cent), some[int64](6*cent) })
	slot := f.Now() + 2*slotLength
	var rows []*row
	var operator int64
	for _, line := range strings.Split(strings.TrimSpace(table), "\n") {
		var c []string
		for _, cell := range strings.Split(strings.Trim(line, "|"), "|") {
			c = append(c, strings.TrimSpace(cell))
		}
		if len(c) != 10 {
			t.Fatalf("the table of the README has the line %q", line)
		}
		if c[0] == "operator" {
			operator = amount(c[9]) * cent / 1000
			continue
		}
		r := &row{
			house: f.house(c[0], 100*cent), side: strings.TrimSuffix(c[1], "s"), wh: amount(c[2]), limit: amount(c[3]) * cent / 1000,
			traded: amount(c[4]), paid: amount(c[5]) * cent / 1000, net: amount(c[6]), grid: amount(c[7]), gridMicro: amount(c[8]) * cent / 1000, all: amount(c[9]) * cent / 1000,
		}
		rows = append(rows, r)
		f.at(r.house, 0, 0)
		f.order(r.house, slot, r.side, r.wh, r.limit).OK().Emitted("ordered")
	}
	if len(rows) != 6 {
		t.Fatalf("the table of the README has %d parties", len(rows))
	}

	f.SetTime(slot - 300)
	f.clear(slot, 0)
	s := f.slot(slot)
	if s.ClearedWh != 3000 || s.Price == nil || *s.Price != 2*cent || s.State != "cleared" {
		t.Errorf("%+v, want 3 kWh at 2 cents", s)
	}
	f.SetTime(slot)
	for _, r := range rows {
		f.at(r.house, 0, 0)
	}
	f.SetTime(slot + slotLength)
	for _, r := range rows {
		f.at(r.house, max(-r.net, 0), max(r.net, 0))
	}
	f.SetTime(slot + 2*slotLength)
	f.settle(slot, 0)

	var sum int64
	for _, r := range rows {
		want := Statement{
			Party: r.Address(), Slot: slot, ImportWh: max(-r.net, 0), ExportWh: max(r.net, 0), TradeMicro: r.paid,
			GridWh: r.grid, GridMicro: r.gridMicro, Micro: r.all, Balance: 100*cent + r.all, Final: true,
		}
		if want.BoughtWh = r.traded; r.side == "sell" {
			want.BoughtWh, want.SoldWh = 0, r.traded
		}
		price := r.limit
		if r.side == "sell" {
			price = 6 * cent
		}
		want.CollateralMicro = r.wh * price / 1000
		equal(t, r.Name, f.statement(r.Key, slot), want)
		equal(t, r.Name, f.account(r.Key), accountAnswer{r.Address(), 100*cent + r.all, 0, 100*cent + r.all, 1})
		sum += r.all
	}
	if sum+operator != 0 || f.account(f.operator).Balance != operator-6*100*cent {
		t.Errorf("the parties get %d, the operator %d; its account has %d", sum, operator, f.account(f.operator).Balance)
	}
	if f.slot(slot).State != "settled" {
		t.Errorf("the slot is %s", f.slot(slot).State)
	}
}

// Without anything said, the market is as a chain's init makes it.
func TestUsualMarket(t *testing.T) {
	f := newFair(t, nil)
	equal(t, "market", f.market(), marketAnswer{
		Now: sdktest.Start, Slot: sdktest.Start, OpenSlot: sdktest.Start + slotLength, Operator: f.operator.Address(), Devices: "devices",
		SlotSeconds: slotLength, GateSeconds: 300, SettleAfter: slotLength, Speed: 1, Start: sdktest.Start, FeedIn: feedIn, Retail: retail, K: 500, AutoPmaxW: 100_000,
	})
	for _, c := range []struct {
		change  func(*initArgs)
		because string
	}{
		{func(a *initArgs) { a.Operator = &sdk.Address{} }, "operator is the zero address"},
		{func(a *initArgs) { a.Devices = "No" }, `devices: "No" is not a contract's name`},
		{func(a *initArgs) { a.SlotSeconds = 600 }, "slot_seconds is 600"},
		{func(a *initArgs) { a.GateSeconds = some[sdk.Duration](-1) }, "gate_seconds is -1, must be 0 to 86400"},
		{func(a *initArgs) { a.GateSeconds = some[sdk.Duration](86401) }, "gate_seconds is 86401"},
		{func(a *initArgs) { a.SettleAfter = some[sdk.Duration](604801) }, "settle_after is 604801, must be 0 to 604800"},
		{func(a *initArgs) { a.Speed = 3601 }, "speed is 3601, must be 1 to 3600"},
		{func(a *initArgs) { a.Speed = -1 }, "speed is -1"},
		{func(a *initArgs) { a.AutoPmaxW = maxPower + 1 }, "auto_pmax_w is 100000001"},
		{func(a *initArgs) { a.Start = -1 }, "start is 1969"},
		{func(a *initArgs) { a.Start = lastTime + 1 }, "start is"},
		{func(a *initArgs) { a.FeedIn = some[int64](-1) }, "feed_in -1 and retail 300000"},
		{func(a *initArgs) { a.FeedIn = some[int64](300_001) }, "feed_in 300001 and retail 300000"},
		{func(a *initArgs) { a.Retail = some[int64](maxPrice + 1) }, "retail 100000001"},
		{func(a *initArgs) { a.K = some[int64](1001) }, "k is 1001, must be 0 to 1000"},
	} {
		a := initArgs{}
		c.change(&a)
		if _, err := sdktest.Try(t, sdktest.Contract{Dir: ".", Init: a}); err == nil || !strings.Contains(err.Error(), c.because) {
			t.Errorf("%v, want %q", err, c.because)
		}
	}
}

// Market time runs as fast as it was told to, from where it was told to; and so do the bounds of
// a meter's clock.
func TestSpeed(t *testing.T) {
	const start = 1782118800 // 2026-06-22T09:00:00Z
	f := newFair(t, func(a *initArgs) { a.Speed, a.Start = 300, start })
	h := f.house("h", 0)
	equal(t, "slot", f.market().Slot, sdk.Time(start))
	f.Advance(3)
	equal(t, "slot 3 s later", f.market().Slot, sdk.Time(start+slotLength))
	ahead := sdk.Time(start + 900 + 120*300)
	f.read(h, h.shows(ahead+1, 0, 0)).Failed("reading_future")
	h.seq = 0
	f.read(h, h.shows(ahead, 0, 0)).OK()
}

// costs holds what a call of a method uses, in gas, against the numbers of its row in README.md, which are millions: within a seventh, so that the page stays true
// and need not change with every toolchain.
func costs(t *testing.T, method string, used ...uint64) {
	t.Helper()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `" + method + "` \\| ([0-9].*) \\|$").FindSubmatch(page)
	if row == nil {
		t.Fatalf("README.md does not say what %s costs", method)
	}
	said := regexp.MustCompile(`\d+(\.\d+)?`).FindAllString(string(row[1]), len(used))
	for i, n := range used {
		if million, err := strconv.ParseFloat(said[i], 64); err != nil || math.Abs(million-float64(n)/1e6) > float64(n)/7e6 {
			t.Errorf("%s: number %d of %q is %s, it costs %.2f million gas: correct README.md", method, i+1, row[1], said[i], float64(n)/1e6)
		}
	}
}

// What each kind of call costs, beside what a client offers where it says nothing.
func TestGas(t *testing.T) {
	const offered = 20_000_000 // client.DefaultGas
	f := newFair(t, nil)
	seller, slot := f.house("seller", 1_000_000_000), f.Now()+2*slotLength
	f.at(seller, 0, 0)
	calls := []struct {
		what string
		r    *sdktest.Receipt
	}{
		{"a reading", f.read(seller, seller.shows(f.Now()+1, 0, 0))},
		{"100 readings", func() *sdktest.Receipt {
			var day []Reading
			for i := range 100 {
				day = append(day, seller.shows(f.Now()+2+sdk.Time(i), 0, 0))
			}
			return f.read(seller, day...)
		}()},
		{"a reading by the party", f.Call(seller.Key, "energy", "read", readArgs{[]Reading{seller.shows(f.Now()+110, 0, 0)}})},
		{"an order", f.order(seller, slot, "sell", 1000, feedIn)},
	}
	for _, c := range calls {
		c.r.OK()
		t.Logf("%s: %d gas", c.what, c.r.GasUsed)
		if c.r.GasUsed > offered {
			t.Errorf("%s takes %d gas, a client offers %d", c.what, c.r.GasUsed, offered)
		}
	}
	one, hundred := calls[0].r.GasUsed, calls[1].r.GasUsed
	costs(t, "read", one, (hundred-one)/99)
}

// Chunks, arrivals and everything between: the same wishes give the same fills, statements and
// accounts, whoever came first and however often clear and settle were called.
func TestWholeMarketIsTheSame(t *testing.T) {
	type offer struct {
		who   int
		side  string
		wh    int64
		limit int64
		index uint8
	}
	var wishes []offer
	for i := range 9 {
		for step := range 3 {
			o := offer{who: i, side: "buy", wh: int64(300 + 70*i + 31*step), limit: int64(100_000 + 10_000*((i*step)%7)), index: uint8(step)}
			if i%2 == 0 {
				o.side = "sell"
			}
			wishes = append(wishes, o)
		}
	}
	run := func(t *testing.T, n uint32, turn int) string {
		f := newFair(t, nil)
		slot := f.Now() + 2*slotLength
		var houses []*house
		for i := range 9 {
			h := f.house(fmt.Sprint("house ", i), 10_000_000)
			houses = append(houses, h)
			f.at(h, 0, 0)
		}
		var transactions [][]byte
		for i := range wishes {
			o := wishes[(i*turn+turn)%len(wishes)]
			transactions = append(transactions, f.Sign(houses[o.who].Key, "energy", "order", orderArgs{slot, o.side, o.wh, o.limit, o.index}))
		}
		for _, r := range f.Block(transactions...) {
			r.OK()
		}
		f.SetTime(slot)
		fills := f.clear(slot, n)
		for _, h := range houses {
			f.at(h, 0, 0)
		}
		f.SetTime(slot + slotLength)
		for i, h := range houses {
			f.at(h, int64(i*100), int64((8-i)*100))
		}
		f.SetTime(slot + 2*slotLength)
		f.settle(slot, n)
		var b strings.Builder
		fmt.Fprintf(&b, "%+v\n%+v\n", f.slot(slot).ClearedWh, fills)
		for _, h := range houses {
			fmt.Fprintf(&b, "%+v %+v\n", f.statement(h.Key, slot), f.account(h.Key))
		}
		fmt.Fprintf(&b, "%+v\n", f.account(f.operator))
		return b.String()
	}
	want := run(t, 64, 1)
	if !strings.Contains(want, "Wh:") || strings.HasPrefix(want, "0\n") {
		t.Fatalf("nothing is traded: %s", want)
	}
	for _, c := range []struct {
		n    uint32
		turn int
	}{{1, 1}, {3, 5}, {7, 13}, {256, 26}} {
		if got := run(t, c.n, c.turn); got != want {
			t.Errorf("in chunks of %d, arrived %d by %d:\n%s\nwant\n%s", c.n, c.turn, c.turn, got, want)
		}
	}
}

// A day with 92 and one with 100 quarter hours are days as any other: slots are UTC.
func TestClockChange(t *testing.T) {
	for _, c := range []struct {
		name  string
		start sdk.Time // midnight in Berlin
		slots int
	}{
		{"the clock goes forward", 1774738800, 92}, // 2026-03-28T23:00:00Z
		{"the clock goes back", 1792879200, 100},   // 2026-10-24T22:00:00Z
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFair(t, func(a *initArgs) { a.Start = c.start })
			h := f.house("h", 0)
			f.at(h, 0, 0)
			f.Advance(sdk.Duration(c.slots * slotLength))
			var day []Reading
			for i := 1; i <= c.slots; i++ {
				day = append(day, h.shows(c.start+sdk.Time(i*slotLength), int64(i*100), 0))
			}
			f.read(h, day...).OK()
			f.Advance(slotLength)
			f.settle(c.start+sdk.Time((c.slots-1)*slotLength), 64)
			var wh, micro int64
			var page statementPage
			f.View("energy", "statements", statementsArgs{Party: h.Address(), Limit: 100}).OK().Result(&page)
			for _, st := range page.Statements {
				if st.ImportWh != 100 || st.Estimated {
					t.Errorf("%+v", st)
				}
				wh, micro = wh+st.ImportWh, micro+st.Micro
			}
			if len(page.Statements) != c.slots || wh != int64(c.slots*100) || micro != -int64(c.slots*100*retail/1000) {
				t.Errorf("%d statements of %d Wh and %d micro", len(page.Statements), wh, micro)
			}
			if !slices.IsSortedFunc(page.Statements, func(a, b Statement) int { return int(b.Slot - a.Slot) }) {
				t.Error("not the latest first")
			}
		})
	}
}
