package registry_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
)

func TestRoom(t *testing.T) {
	type step struct {
		at     int64
		charge uint64
		room   uint64 // before the charge
	}
	for _, test := range []struct {
		name  string
		quota uint64
		steps []step
	}{
		{"full at first", 3600, []step{{1_700_000_000, 0, 3600}}},
		{"one gas a second comes back", 3600, []step{{1000, 3600, 3600}, {1000, 0, 0}, {1001, 0, 1}, {1100, 100, 100}, {1100, 0, 0}}},
		{"all of it after an hour", 3600, []step{{1000, 3600, 3600}, {4599, 0, 3599}, {4600, 0, 3600}, {9999, 0, 3600}}},
		{"a part of a gas is no gas", 1800, []step{{1000, 1800, 1800}, {1001, 0, 0}, {1002, 0, 1}, {1003, 0, 1}}},
		{"parts add up over charges of nothing", 1, []step{{0, 1, 1}, {1200, 0, 0}, {2400, 0, 0}, {3599, 0, 0}, {3600, 0, 1}}},
		{"debt leaks like the rest", 3600, []step{{1000, 7200, 3600}, {1000, 0, 0}, {4600, 0, 0}, {4601, 0, 1}, {8200, 0, 3600}}},
		{"time that runs backwards", 3600, []step{{1000, 3600, 3600}, {500, 0, 0}, {1001, 0, 1}}},
		{"no quota", 0, []step{{1000, 0, 0}, {math.MaxInt64, 0, 0}}},
		{"the largest quota", registry.MaxQuota, []step{{1, registry.MaxQuota, registry.MaxQuota}, {1801, 0, registry.MaxQuota / 2}, {math.MaxInt64, 0, registry.MaxQuota}}},
		{"more than 64 bits hold", 3600, []step{{1, math.MaxUint64, 3600}, {1, math.MaxUint64, 0}, {math.MaxInt64, 0, 0}}},
	} {
		r := records(t)
		open(t, r, 1, abi.OpenAccount{Quota: test.quota})
		for i, s := range test.steps {
			room, err := r.Room(kid(1), s.at)
			must(t, err)
			if room != s.room {
				t.Errorf("%s: step %d: room %d, want %d", test.name, i, room, s.room)
			}
			must(t, r.Charge(kid(1), s.charge, s.at))
		}
	}
	r := records(t)
	if room, err := r.Room(kid(1), 5); room != 0 || err != nil {
		t.Errorf("room of nobody: %d, %v", room, err)
	}
	if err := r.Charge(kid(1), 5, 5); err == nil {
		t.Error("nobody was charged")
	}
}

// A full owner that carves gives its level along, and gets it back.
func TestCarvingMovesTheLevel(t *testing.T) {
	r := records(t)
	open(t, r, 1, abi.OpenAccount{Quota: 1000})
	must(t, r.Charge(kid(1), 900, 100))
	room := func(what string, want1, want2 uint64) {
		t.Helper()
		one, err := r.Room(kid(1), 100)
		must(t, err)
		two, err := r.Room(kid(2), 100)
		must(t, err)
		if one != want1 || two != want2 {
			t.Errorf("%s: room %d and %d, want %d and %d", what, one, two, want1, want2)
		}
	}
	room("before", 100, 0)
	open(t, r, 2, abi.OpenAccount{Owner: addr(1), Quota: 400}) // 300 of the 900 no longer fit into 600
	room("carved", 0, 100)
	must(t, r.Charge(kid(2), 100, 100))
	room("spent", 0, 0)
	if _, err := r.RetireKey(kid(2)); err != nil {
		t.Fatal(err)
	}
	room("given back", 0, 0)
	if a := account(t, r, 1); a.Room(100+3600/2) != 500 {
		t.Errorf("half an hour later there is room for %d, want 500", a.Room(100+3600/2))
	}
}

type spent struct {
	at  int64
	gas uint64
}

// within checks that no window of time saw more than quota * (1 + w/3600), exactly.
func within(t *rapid.T, quota uint64, all []spent) {
	for i := range all {
		sum := new(big.Int)
		for j := i; j < len(all); j++ {
			sum.Add(sum, new(big.Int).SetUint64(all[j].gas))
			most := new(big.Int).SetUint64(quota)
			most.Mul(most, big.NewInt(3600+all[j].at-all[i].at))
			if new(big.Int).Mul(sum, big.NewInt(3600)).Cmp(most) > 0 {
				t.Fatalf("%s gas within %d s of a quota of %d", sum, all[j].at-all[i].at, quota)
			}
		}
	}
}

var (
	quotas = rapid.OneOf(rapid.Uint64Range(0, 20), rapid.Uint64Range(0, 1<<40), rapid.SampledFrom([]uint64{1, 3599, 3600, 3601, registry.MaxQuota}))
	pauses = rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 10), rapid.Int64Range(0, 5000))
)

// Whoever is only let in with room never gets more than the quota and one burst,
// in no window of time; and always gets it all after an hour's rest.
func TestNeverMoreThanTheQuota(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := records(t)
		quota := quotas.Draw(rt, "quota")
		open(t, r, 1, abi.OpenAccount{Quota: quota})
		now := rapid.Int64Range(0, 1<<40).Draw(rt, "start")
		var all []spent
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			now += pauses.Draw(rt, "pause")
			room, err := r.Room(kid(1), now)
			must(t, err)
			if room > quota {
				rt.Fatalf("room for %d of a quota of %d", room, quota)
			}
			gas := room // greedy, mostly
			if rapid.IntRange(0, 3).Draw(rt, "modest") == 0 {
				gas = rapid.Uint64Range(0, room).Draw(rt, "gas")
			}
			must(t, r.Charge(kid(1), gas, now))
			all = append(all, spent{now, gas})
		}
		within(rt, quota, all)
		if room, err := r.Room(kid(1), now+3600); room != quota || err != nil {
			rt.Fatalf("an hour later there is room for %d of %d, %v", room, quota, err)
		}
	})
}

// A refund is of the charge, and only as far as it is still there.
func TestRefund(t *testing.T) {
	const now = 1_700_000_000
	for _, test := range []struct {
		name       string
		between    func(r *registry.Records)
		room1      uint64 // of the owner, after 2 was charged 500 and refunded 200
		capacity2  uint64
		room2      uint64
		laterRoom1 uint64 // half an hour later
	}{
		{"nothing", func(*registry.Records) {}, 500, 500, 200, 500},
		{"the last key is retired", func(r *registry.Records) {
			if s, err := r.RetireKey(kid(2)); s != abi.StatusOK || err != nil {
				t.Fatal(s, err)
			}
		}, 500, 0, 0, 1000},
		{"most of the quota is given back", func(r *registry.Records) { open(t, r, 3, abi.OpenAccount{Account: addr(2), Quota: 100}) }, 500, 100, 100, 900},
		{"most of the quota is carved out", func(r *registry.Records) { open(t, r, 3, abi.OpenAccount{Owner: addr(2), Quota: 400}) }, 500, 100, 100, 500},
	} {
		r := records(t)
		open(t, r, 1, abi.OpenAccount{Quota: 1000})
		open(t, r, 2, abi.OpenAccount{Owner: addr(1), Quota: 500})
		must(t, r.Charge(kid(2), 500, now))
		test.between(r)
		must(t, r.Refund(kid(2), 200))
		one, two := account(t, r, 1), account(t, r, 2)
		if one.Room(now) != test.room1 || two.Capacity() != test.capacity2 || two.Room(now) != test.room2 || one.Room(now+1800) != test.laterRoom1 {
			t.Errorf("%s: room %d, %d of %d, later %d; want %d, %d of %d, %d", test.name,
				one.Room(now), two.Room(now), two.Capacity(), one.Room(now+1800), test.room1, test.room2, test.capacity2, test.laterRoom1)
		}
	}
	if err := records(t).Refund(kid(1), 5); err == nil {
		t.Error("nobody was refunded")
	}
}

// A whole family of accounts, carving, spending, giving back and rotating keys
// in any order, also in the middle of spending, gets no more out of one quota than its
// first owner could alone. And no quota is lost on the way.
func TestAFamilyHasOneQuota(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := records(t)
		quota := quotas.Draw(rt, "quota")
		open(t, r, 0, abi.OpenAccount{Quota: quota})
		accounts := []int{0}          // by the number of their first key
		keys := map[int][]int{0: {0}} // that are not retired, of each account
		next := 1
		now := int64(1_700_000_000)
		var all []spent
		pick := func(rt *rapid.T) int { return rapid.SampledFrom(accounts).Draw(rt, "account") }
		carve := func(rt *rapid.T, owner int) {
			a := account(t, r, owner)
			o := abi.OpenAccount{Owner: addr(owner), Quota: rapid.Uint64Range(0, a.Capacity()).Draw(rt, "part")}
			if open(t, r, next, o) == abi.StatusOK { // or the owner is too deep
				accounts, keys[next] = append(accounts, next), []int{next}
			}
			next++
		}
		rotate := func(rt *rapid.T, n int) {
			var part uint64
			if n != 0 { // the first one's quota is the bound
				part = rapid.Uint64Range(0, quota).Draw(rt, "quota")
			}
			if open(t, r, next, abi.OpenAccount{Account: addr(n), Quota: part}) == abi.StatusOK {
				keys[n] = append(keys[n], next)
			}
			next++
		}
		retire := func(rt *rapid.T, n int) {
			if len(keys[n]) == 0 {
				return
			}
			if s, err := r.RetireKey(kid(keys[n][0])); s != abi.StatusOK || err != nil {
				rt.Fatal(s, err)
			}
			keys[n] = keys[n][1:]
		}
		changes := []func(*rapid.T, int){carve, rotate, retire}
		rt.Repeat(map[string]func(*rapid.T){
			"spend": func(rt *rapid.T) {
				n := pick(rt)
				room, err := r.Room(kid(n), now)
				must(t, err)
				must(t, r.Charge(kid(n), room, now))
				for range rapid.IntRange(0, 2).Draw(rt, "changes") {
					m := n // its own affairs, mostly
					if rapid.IntRange(0, 3).Draw(rt, "other") == 0 {
						m = pick(rt)
					}
					changes[rapid.IntRange(0, len(changes)-1).Draw(rt, "change")](rt, m)
				}
				unused := rapid.Uint64Range(0, room/2).Draw(rt, "unused")
				must(t, r.Refund(kid(n), unused))
				all = append(all, spent{now, room - unused})
			},
			"wait":   func(rt *rapid.T) { now += pauses.Draw(rt, "pause") },
			"carve":  func(rt *rapid.T) { carve(rt, pick(rt)) },
			"rotate": func(rt *rapid.T) { rotate(rt, pick(rt)) },
			"retire": func(rt *rapid.T) { retire(rt, pick(rt)) },
			"": func(rt *rapid.T) {
				sum := uint64(0)
				for _, n := range accounts {
					a := account(t, r, n)
					if a.Keys != uint64(len(keys[n])) {
						rt.Fatalf("account %d has %d keys, want %d", n, a.Keys, len(keys[n]))
					}
					sum += a.Capacity()
				}
				if sum != quota {
					rt.Fatalf("the family has %d gas an hour, want %d", sum, quota)
				}
			},
		})
		within(rt, quota, all)
	})
}

// BenchmarkAdmission is what a transaction asks of the records: its key, room, its
// sequence, the charge, and the refund.
func BenchmarkAdmission(b *testing.B) {
	o := overlay(b)
	r := registry.New(o)
	open(b, r, 0, abi.OpenAccount{Quota: registry.MaxQuota, Scope: []registry.Scope{
		{Contract: "access", Methods: []string{"use", "check"}}, {Contract: "devices"},
	}})
	id := kid(0)
	mark := o.Checkpoint()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%2000 == 0 { // a block's worth
			o.Revert(mark)
		}
		k, found, err := r.Key(id)
		if err != nil || !found {
			b.Fatal(found, err)
		}
		if _, err := r.Room(k.Account, 100); err != nil {
			b.Fatal(err)
		}
		if code, err := r.Reserve(id, 0, uint64(i%2000)+1); code != receipt.OK || err != nil {
			b.Fatal(code, err)
		}
		if err := r.Charge(k.Account, 1000, 100); err != nil {
			b.Fatal(err)
		}
		if err := r.Refund(k.Account, 500); err != nil {
			b.Fatal(err)
		}
	}
}
