package main

import (
	"testing"

	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

type scene struct {
	*sdktest.Chain
	t                                   *testing.T
	owner, courier, recipient, stranger *sdktest.Key
}

func start(t *testing.T) scene {
	owner := sdktest.Ed25519("owner")
	chain := sdktest.New(t, sdktest.Contract{Dir: ".", Admin: owner, Init: Size{Boxes: 3}})
	chain.Open(owner)
	return scene{chain, t, owner, chain.Account("courier"), chain.Account("recipient"), chain.Account("stranger")}
}

func (s scene) lend(box uint8) *sdktest.Receipt {
	return s.Call(s.owner, "locker", "lend", Lending{box, s.courier.Address(), s.recipient.Address()})
}

func (s scene) open(who *sdktest.Key, box uint8, want bool, reason string) {
	s.t.Helper()
	var a Answer
	s.Call(who, "locker", "open", Which{box}).OK().Emitted("tried").Result(&a)
	if a.Allowed != want || a.Reason != reason {
		s.t.Errorf("%+v, want %v, %q", a, want, reason)
	}
}

func (s scene) mine(who *sdktest.Key) (parts []Part) {
	s.View("locker", "mine", Who{who.Address()}).OK().Result(&parts)
	return parts
}

func TestAParcel(t *testing.T) {
	s := start(t)
	s.lend(2).OK().Emitted("lent")
	s.open(s.recipient, 2, false, "the parcel isn't there yet")
	s.open(s.stranger, 2, false, "not your box")
	s.open(s.courier, 1, false, "not your box")

	s.Advance(sdk.Hour)
	s.open(s.courier, 2, true, "courier, this once")
	s.open(s.courier, 2, false, "the courier opened it already, at 2026-01-05T09:00:00Z")
	s.open(s.recipient, 2, true, "recipient, until 2026-01-07T09:00:00Z")
	s.Advance(48*sdk.Hour - 1)
	s.open(s.recipient, 2, true, "recipient, until 2026-01-07T09:00:00Z")
	s.Advance(1)
	s.open(s.recipient, 2, false, "the 48 hours ended at 2026-01-07T09:00:00Z; ask the owner")
	s.open(s.owner, 2, true, "owner")

	s.Call(s.owner, "locker", "free", Which{2}).OK().Emitted("freed")
	s.open(s.recipient, 2, false, "not your box")
}

// The owner brings a parcel.
func TestTheOwnerIsTheCourier(t *testing.T) {
	s := start(t)
	s.Call(s.owner, "locker", "lend", Lending{1, s.owner.Address(), s.recipient.Address()}).OK()
	s.open(s.owner, 1, true, "courier, this once")
	s.open(s.owner, 1, true, "owner")
	s.open(s.recipient, 1, true, "recipient, until 2026-01-07T08:00:00Z")
}

func TestWhoSeesWhat(t *testing.T) {
	s := start(t)
	s.lend(1).OK()
	s.lend(3).OK()
	s.open(s.courier, 3, true, "courier, this once")

	var list []State
	s.View("locker", "all", nil).OK().Result(&list)
	if len(list) != 2 || list[0].Box != 1 || !list[0].Parcel.Brought.IsZero() || list[1].Box != 3 || list[1].Parcel.Brought != s.Now() {
		t.Errorf("the owner sees %+v", list)
	}
	if m := s.mine(s.courier); len(m) != 1 || m[0].Box != 1 || m[0].Role != "courier" {
		t.Errorf("the courier sees %+v", m)
	}
	if m := s.mine(s.recipient); len(m) != 1 || m[0] != (Part{3, "recipient", s.Now(), s.Now().Add(keep)}) {
		t.Errorf("the recipient sees %+v", m)
	}
	s.Advance(keep)
	if m := s.mine(s.recipient); len(m) != 0 {
		t.Errorf("after 48 hours the recipient sees %+v", m)
	}
}

func TestOnlyTheOwnerLends(t *testing.T) {
	s := start(t)
	s.Call(s.courier, "locker", "lend", Lending{1, s.courier.Address(), s.courier.Address()}).Failed("not_owner")
	s.Call(s.recipient, "locker", "free", Which{1}).Failed("not_owner")
	s.lend(0).Failed("no_box")
	s.lend(4).Failed("no_box")
	s.Call(s.owner, "locker", "free", Which{1}).Failed("empty")
	s.lend(1).OK()
	s.lend(1).Failed("taken")
	s.Call(s.stranger, "locker", "open", Which{4}).Failed("no_box")
}

// Whatever anybody calls: between a lending and the next, a box opens to its courier once, then to its recipient, else to the owner alone.
func TestRandomCalls(t *testing.T) {
	s := start(t)
	for box := range uint8(3) {
		s.lend(box + 1).OK()
	}
	s.Explore(sdktest.Exploration{
		Contract: "locker",
		As:       []*sdktest.Key{s.owner, s.courier, s.recipient, s.stranger},
		Skip:     []string{"all", "mine"},
		Runs:     10,
		Calls:    200, // most name a box that isn't there
		Holds: func() string {
			now, brought := map[uint8]Lending{}, map[uint8]bool{}
			for _, e := range s.Events() {
				switch e.Name {
				case "lent":
					var l Lending
					e.Decode(&l)
					now[l.Box], brought[l.Box] = l, false
				case "freed":
					var w Which
					e.Decode(&w)
					delete(now, w.Box)
				case "tried":
					var x Tried
					if e.Decode(&x); !x.Allowed || x.By == s.owner.Address() {
						continue
					}
					l, ok := now[x.Box]
					switch {
					case ok && !brought[x.Box] && x.By == l.Courier:
						brought[x.Box] = true
					case ok && brought[x.Box] && x.By == l.Recipient:
					default:
						return sdk.Text("box %d opened to %s", x.Box, x.By)
					}
				}
			}
			return ""
		},
	})
}
