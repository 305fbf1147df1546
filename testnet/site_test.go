package testnet_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/testnet/site"
)

// told runs the site until a step comes, and returns what was told, and what was known by then.
func told(t *testing.T, url string, until func(site.Step) bool) (steps []site.Step, summary site.Summary) {
	t.Helper()
	ctx, stop := context.WithCancel(within(t, 3*time.Minute))
	defer stop()
	stopped := false
	summary, err := site.Run(ctx, site.Config{Node: url, Keys: siteKeys(), Report: func(s site.Step) {
		steps = append(steps, s)
		if !stopped && until(s) {
			stopped = true
			stop()
		}
	}})
	if !stopped {
		t.Fatalf("the story never came that far: %v, %+v", err, summary)
	}
	if len(summary.Wrong) > 0 {
		t.Errorf("on the way: %q", summary.Wrong)
	}
	return steps, summary
}

// TestSiteStoppedInTheMiddle stops the story where a grant is open that may be passed on. Told
// again on the same chain, it must come out right: what was left over opens no door. And
// it leaves no dead grant in the way of checks.
func TestSiteStoppedInTheMiddle(t *testing.T) {
	t.Parallel()
	n := start(t)
	url := "http://" + n.HTTP().String()
	told(t, url, func(s site.Step) bool { return strings.Contains(s.Does, "passes it on to the cleaner") })
	again, err := site.Run(within(t, 2*time.Minute), site.Config{Node: url, Keys: siteKeys(), For: time.Millisecond, Report: func(site.Step) {}})
	if err != nil || !again.OK || again.Rounds != 1 {
		t.Errorf("told again: %+v, %v", again, err)
	}

	// What was passed on in a whole round has been swept: sweeping it once more finds nothing.
	c, ctx := connect(t, n), within(t, time.Minute)
	var page struct {
		Grants []struct {
			ID     uint64 `wire:"id"`
			Parent uint64 `wire:",omitempty"`
		}
	}
	door := siteKeys()[site.Owner].Public().Address().String() + "/house/front-door"
	if err := c.Query(ctx, "access", "grants_on", struct {
		Object string
		Limit  uint32
	}{door, 50}, &page); err != nil {
		t.Fatal(err)
	}
	var passedOn []uint64
	for _, g := range page.Grants {
		if g.Parent != 0 {
			passedOn = append(passedOn, g.ID)
		}
	}
	if len(passedOn) != 2 {
		t.Fatalf("grants passed on: %v, want one of each story", passedOn)
	}
	// That of the story which was stopped is nobody's to sweep: bump_epoch ended it, and one is no crowd.
	r, err := c.Call(ctx, owner, "access", "sweep", struct{ Grants []uint64 }{passedOn[1:]}, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var result struct{ Swept uint64 }
	if err := r.Decode(&result); err != nil || result.Swept != 0 {
		t.Errorf("%d dead grants were left in the way, %v", result.Swept, err)
	}
}

// TestSiteTrades lets the market run until something was cleared and settled.
func TestSiteTrades(t *testing.T) {
	t.Parallel()
	n := start(t)
	url := "http://" + n.HTTP().String()
	settled := 0
	steps, _ := told(t, url, func(s site.Step) bool {
		if strings.Contains(s.Does+s.Why, "settles") && strings.Contains(s.Does, "clears") {
			settled++
		}
		return settled == 3
	})
	for _, wanted := range []struct{ who, does, decision string }{
		{"neighbour1-meter", "again, which was lost", "ok"},
		{"neighbour2-meter", "sends its reading of", "key_shut"},
		{"neighbour2", "carries it there", "meter_not_active"},
		{"neighbour2", "resumes its meter", "ok"},
		{"burglar", "orders without a meter", "no_meter"},
		{"operator", " Wh at 0.", "ok"},
	} {
		if !slices.ContainsFunc(steps, func(s site.Step) bool {
			return s.Who == wanted.who && strings.Contains(s.Does, wanted.does) && s.Decision == wanted.decision
		}) {
			t.Errorf("nobody told that the %s %s: %s", wanted.who, wanted.does, wanted.decision)
		}
	}
}

// TestSiteMarketStoppedInTheMiddle stops the site while orders wait for their gate and a meter is
// suspended. Told again on the same chain, the meter is resumed, its readings go on where they were, and
// what was held for the old orders is settled.
func TestSiteMarketStoppedInTheMiddle(t *testing.T) {
	t.Parallel()
	n := start(t)
	url := "http://" + n.HTTP().String()
	keys := siteKeys()
	told(t, url, func(s site.Step) bool { return s.Who == site.Neighbour2 && s.Does == "suspends its meter" })

	c := connect(t, n)
	meter := keys[site.Meter(site.Neighbour2)].Public().Address()
	before := meterOf(t, c, meter)
	var account struct{ Held int64 }
	ask(t, c, "account", struct{ Party address.Address }{keys[site.House].Public().Address()}, &account)
	if account.Held == 0 {
		t.Errorf("the house holds nothing for its orders: the test stops too late or too early")
	}
	var market struct { // no order is for a later slot than the open one
		OpenSlot int64 `json:"open_slot"`
	}
	ask(t, c, "market", struct{}{}, &market)

	settled := func(slot int64) bool {
		var state struct{ State string }
		ask(t, c, "slot", struct{ Slot int64 }{slot}, &state)
		return state.State == "settled"
	}
	steps, again := told(t, url, func(s site.Step) bool {
		return s.Who == site.Operator && strings.Contains(s.Does+s.Why, "settles") && settled(market.OpenSlot)
	})
	if !slices.ContainsFunc(steps, func(s site.Step) bool { return s.Who == site.Neighbour2 && s.Does == "resumes its meter" }) {
		t.Error("nobody resumed the meter")
	}
	if slices.ContainsFunc(steps, func(s site.Step) bool { return strings.Contains(s.Does, "enrols its meter") }) {
		t.Error("a meter was enrolled twice")
	}
	after := meterOf(t, c, meter)
	if after.Seq <= before.Seq || after.ImportWh <= before.ImportWh {
		t.Errorf("the meter went on from %+v to %+v", before, after)
	}
	if again.MoneySum != 0 || again.SettledSlots == 0 {
		t.Errorf("%+v", again)
	}
}

type meterRow struct {
	Seq      uint64
	ImportWh int64 `json:"import_wh"`
}

func meterOf(t *testing.T, c *client.Client, meter address.Address) (row meterRow) {
	t.Helper()
	ask(t, c, "meter", struct{ Meter address.Address }{meter}, &row)
	return row
}

// ask asks a view of the market.
func ask(t *testing.T, c *client.Client, view string, args, out any) {
	t.Helper()
	answer, err := c.Ask(within(t, time.Minute), client.Question{Contract: "energy", Method: view, Args: args})
	if err == nil {
		err = json.Unmarshal(answer.Result, out)
	}
	if err != nil {
		t.Fatal(err)
	}
}
