package site

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/sdk/client"
)

// TestCaughtUp: the node that is read may have a block a moment later, but not never.
func TestCaughtUp(t *testing.T) {
	var asked atomic.Int64
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"chain":"lab","height":%d}`, 39+asked.Add(1))
	}))
	defer node.Close()
	c := &client.Client{URL: node.URL}
	defer c.Close()
	s := &site{height: 43}
	if err := s.caughtUp(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	if asked.Load() != 4 {
		t.Errorf("asked %d times, the fourth answer has block 43", asked.Load())
	}
}

// TestAgain: what may pass is tried until the time is over, what won't is not.
func TestAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			err     error
			forGood bool
		}{
			{errBehind, false},
			{&client.Unserved{Status: http.StatusGatewayTimeout}, false},
			{&client.Unserved{Status: http.StatusNotFound}, true},
			{context.DeadlineExceeded, true},
		} {
			tries, began := 0, time.Now()
			err := again(context.Background(), time.Minute, func(context.Context) error { tries++; return c.err })
			if err != c.err {
				t.Errorf("%v became %v", c.err, err)
			}
			if took := time.Since(began); c.forGood != (tries == 1) || c.forGood != (took == 0) || took > 2*time.Minute {
				t.Errorf("%v: tried %d times in %s", c.err, tries, took)
			}
		}
	})
}

// TestUntil: whoever comes when a grant has ended is rightly refused, and a view that was asked before the end has promised
// nothing about a use after it.
func TestUntil(t *testing.T) {
	const end = 1_760_000_000
	before, after := time.Unix(end-1, 999_999_999), time.Unix(end, 0)
	if d := until(end); d(before) != decisionAllow || d(after) != decisionDeny {
		t.Errorf("before the end %s, at the end %s", d(before), d(after))
	}
	for _, c := range []struct {
		door     doorAt
		promised string
		asked    time.Time
		said     string
		used     time.Time
		kept     bool
	}{
		{until(end), decisionAllow, before, decisionAllow, before, true},
		{until(end), decisionAllow, before, decisionDeny, after, true},
		{until(end), decisionDeny, after, decisionAllow, before, true}, // a node's clock is ahead of its blocks
		{until(end), decisionAllow, before, decisionDeny, before, false},
		{until(end), decisionAllow, after, decisionDeny, after, false},
		{always(decisionDeny), decisionAllow, before, decisionDeny, after, false},
	} {
		if got := c.door.kept(c.promised, c.asked, c.said, c.used); got != c.kept {
			t.Errorf("%s promised at %d, %s at %d: kept %v", c.promised, c.asked.Unix(), c.said, c.used.Unix(), got)
		}
	}
}

// sellerAndBuyer is a market where one has sold 1,000 Wh at 0.10 to another.
func sellerAndBuyer(seller, buyer address.Address) *trade {
	const slot = 900
	t := &trade{site: &site{}, positions: map[place]*position{}}
	t.position(seller, slot).order = &orderArgs{slot, sell, 1000, 90_000}
	t.position(seller, slot).flow = &flow{exportWh: 1100}
	t.position(buyer, slot).order = &orderArgs{slot, buy, 1200, 110_000}
	t.position(buyer, slot).flow = &flow{importWh: 1000}
	return t
}

// TestChecksBite gives the site's checks a market that is right, and then one that lies
// in one thing.
func TestChecksBite(t *testing.T) {
	seller, buyer := address.OfContract("seller"), address.OfContract("buyer")
	price := int64(100_000)
	type said struct {
		sold, bought filledEvent
		cleared      clearedEvent
		bill         settledEvent
	}
	for _, c := range []struct {
		lie   func(*said)
		wrong string
	}{
		{func(*said) {}, ""},
		{func(s *said) { s.sold.Wh = 999 }, "1000 bought, 999 sold"},
		{func(s *said) { s.cleared.Wh = 1001 }, "1001 Wh cleared"},
		{func(s *said) { s.sold.Wh, s.bought.Wh, s.cleared.Wh, s.bill.BoughtWh = 1100, 1100, 1100, 1100 }, "would sell 1000 Wh at 90000, and got sell 1100"},
		{func(s *said) { s.sold.Price = 80_000 }, "would sell 1000 Wh at 90000"},
		{func(s *said) { s.bought.Price = 120_000 }, "would buy 1200 Wh at 110000"},
		{func(s *said) { s.bought.Side = sell }, "would buy 1200 Wh at 110000, and got sell"},
		{func(s *said) { s.sold.Price = retail + 1 }, "outside of 78000 to 350000"},
		{func(s *said) { low := int64(feedIn - 1); s.cleared.Price = &low }, "the price is 77999"},
		{func(s *said) { s.bill.BoughtWh = 900 }, "billed for 900 Wh bought"},
		{func(s *said) { s.bill.ImportWh = 1001 }, "its meter counted 1000"},
		{func(s *said) { s.bill.Estimated = true }, "estimated: true"},
		{func(s *said) { s.bill.Micro++ }, "its parts"},
	} {
		s := said{
			sold:    filledEvent{Slot: 900, Party: seller, Side: sell, Wh: 1000, Price: price},
			bought:  filledEvent{Slot: 900, Party: buyer, Side: buy, Wh: 1000, Price: price},
			cleared: clearedEvent{Slot: 900, Wh: 1000, Price: &price},
			bill: settledEvent{
				Slot: 900, Party: buyer, ImportWh: 1000, BoughtWh: 1000, TradeMicro: -100_000, Micro: -100_000,
			},
		}
		c.lie(&s)
		market := sellerAndBuyer(seller, buyer)
		market.filled(s.sold)
		market.filled(s.bought)
		market.balanced(s.cleared)
		market.settled(s.bill, &report{})
		got := strings.Join(market.site.summary.Wrong, "; ")
		if c.wrong == "" && got != "" || !strings.Contains(got, c.wrong) {
			t.Errorf("the site says %q, want %q", got, c.wrong)
		}
	}
}

// TestNothingSettled: a market that never settles anything is noticed.
func TestNothingSettled(t *testing.T) {
	for steps, wrong := range map[int]int{enough - 1: 0, enough: 1} {
		m := &trade{site: &site{}}
		if m.finish(steps); len(m.site.summary.Wrong) != wrong {
			t.Errorf("after %d steps: %q", steps, m.site.summary.Wrong)
		}
	}
}

// TestMarketTime: the clock of the site and that of the market agree.
func TestMarketTime(t *testing.T) {
	m := &trade{opened: time.Unix(1_760_000_000, 0), market: market{Start: Start.Unix(), Speed: 300, SlotSeconds: 900}}
	for _, c := range []struct {
		after time.Duration
		slot  string
	}{
		{0, "09:00"}, {2999 * time.Millisecond, "09:00"}, {3 * time.Second, "09:15"}, {12 * time.Hour / 300, "21:00"},
	} {
		at := m.opened.Add(c.after)
		if got := clock(m.slot(at)); got != c.slot {
			t.Errorf("after %s it is %s, want %s", c.after, got, c.slot)
		}
		if back := m.when(m.slot(at)); back.After(at) || at.Sub(back) >= 3*time.Second {
			t.Errorf("after %s: the slot began %s ago", c.after, at.Sub(back))
		}
	}
	if got := m.at(&client.Receipt{Time: m.opened.Add(7 * time.Second)}); got != Start.Unix()+2100 {
		t.Errorf("a block after 7 s has market time %s", clock(got))
	}
}

// TestHomes: the house has more than it needs at noon, and takes from the grid by night; nobody's meter
// ever passes its fuse, and forecasts are near.
func TestHomes(t *testing.T) {
	all := map[string]*party{}
	for _, name := range Households() {
		all[name], all[Meter(name)] = &party{name: name}, &party{name: Meter(name)}
	}
	for _, h := range newHomes(all) {
		var taken, given int64
		for q := range int64(96) {
			from := Start.Unix() + q*900
			net := h.net(from, from+900)
			if net > 0 {
				given += net
			} else {
				taken -= net
			}
			if net*4 > h.pmax || -net*4 > h.pmax {
				t.Errorf("%s: %d Wh in a quarter hour is over the fuse", h.name, net)
			}
			if f := h.forecast(from, from+900); max(f-net, net-f) > max(net, -net)/10+1 {
				t.Errorf("%s: %d Wh foreseen, %d came", h.name, f, net)
			}
			o, ok := h.offer(from, 900)
			if ok && (o.Limit <= feedIn || o.Limit >= retail || o.Wh < 1) {
				t.Errorf("%s offers %+v", h.name, o)
			}
			if ok && (o.Side == sell) != (net > 0) {
				t.Errorf("%s wants to %s with a net of %d Wh", h.name, o.Side, net)
			}
			if hour := time.Unix(from, 0).UTC().Hour(); hour < 3 && net > 0 {
				t.Errorf("%s gives %d Wh by night", h.name, net)
			}
		}
		if roof := h.name == House; roof != (given > 10_000) || taken < 2_000 || taken > 20_000 {
			t.Errorf("%s gives %d Wh and takes %d in a day", h.name, given, taken)
		}
	}
}

// TestCount: a meter fills the gap of a short rest and counts nothing in a long one.
func TestCount(t *testing.T) {
	h := newHomes(map[string]*party{House: {name: House}, Meter(House): {}})[0]
	start := Start.Unix()
	noted := 0
	note := func(int64, flow) { noted++ }
	first := h.count(start, 900, note)
	if len(first) != 1 || first[0].Seq != 1 || noted != 0 {
		t.Fatalf("the first reading is %+v", first)
	}
	made := h.count(start+4*900, 900, note)
	if len(made) != 4 || noted != 4 || made[3].Seq != 5 || made[3].Time != start+4*900 || made[3].ExportWh <= made[0].ExportWh {
		t.Errorf("an hour later: %+v", made)
	}
	if again := h.count(start+4*900, 900, note); len(again) != 0 {
		t.Errorf("at the same moment again: %+v", again)
	}
	exported := h.meter.exportWh
	late := h.count(start+(4+maxBatch+1)*900, 900, note)
	if len(late) != 1 || late[0].ExportWh != exported || late[0].Seq != 6 {
		t.Errorf("after a day: %+v", late)
	}
}
