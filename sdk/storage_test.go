package sdk_test

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

// The types of testdata/storage.
type (
	parcel struct {
		Owner   string
		Due     sdk.Time
		Fetched bool `wire:",omitempty"`
	}
	putParcels struct {
		IDs    []uint64 `wire:"ids"`
		Parcel parcel
		Delete bool `wire:",omitempty"`
	}
	askParcels struct {
		Which   string
		Owner   string   `wire:",omitempty"`
		Due     sdk.Time `wire:",omitempty"`
		Reverse bool     `wire:",omitempty"`
		Keys    bool     `wire:",omitempty"`
		Page    bool     `wire:",omitempty"`
		After   []byte   `wire:",omitempty"`
		Limit   uint32   `wire:",omitempty"`
	}
	parcelsAnswer struct {
		IDs     []uint64 `wire:"ids,omitempty"`
		Parcels []parcel `wire:",omitempty"`
		Next    []byte   `wire:",omitempty"`
	}
	tagArgs struct {
		Owner  string
		Due    sdk.Time
		Delete bool `wire:",omitempty"`
	}
	countArgs struct {
		Add uint64 `wire:",omitempty"`
		Sub uint64 `wire:",omitempty"`
	}
	howArgs  struct{ How string }
	pageArgs struct {
		After []byte `wire:",omitempty"`
		Limit uint32 `wire:",omitempty"`
	}
)

func newStorage(t *testing.T) (*sdktest.Chain, *sdktest.Key) {
	chain := sdktest.New(t, sdktest.Contract{Dir: filepath.Join("testdata", "storage")})
	return chain, chain.Account("somebody")
}

// TestIndex: whatever is set and deleted, each index lists what a walk over a plain map would find, in its order.
func TestIndex(t *testing.T) {
	chain, me := newStorage(t)
	rows := map[uint64]parcel{}
	owners := []string{"", "a", "a\x00", "ab"}
	// want is the ids in a part of an index, in its order.
	want := func(in func(parcel) bool, less ...func(a, b parcel) int) (ids []uint64) {
		for id, p := range rows {
			if in(p) {
				ids = append(ids, id)
			}
		}
		slices.SortFunc(ids, func(a, b uint64) int {
			for _, by := range less {
				if c := by(rows[a], rows[b]); c != 0 {
					return c
				}
			}
			return cmp.Compare(a, b)
		})
		return ids
	}
	byOwner := func(a, b parcel) int { return strings.Compare(a.Owner, b.Owner) }
	byDue := func(a, b parcel) int { return cmp.Compare(a.Due, b.Due) }
	rapid.Check(t, func(t *rapid.T) {
		p := parcel{
			Owner: rapid.SampledFrom(owners).Draw(t, "owner"), Due: sdk.Time(rapid.Int64Range(-2, 3).Draw(t, "due")), Fetched: rapid.Bool().Draw(t, "fetched"),
		}
		put := putParcels{
			IDs: rapid.SliceOfN(rapid.Uint64Range(1, 60), 1, 15).Draw(t, "ids"), Parcel: p, Delete: rapid.IntRange(0, 3).Draw(t, "delete") == 0,
		}
		var gone, wantGone uint64
		for _, id := range put.IDs {
			if _, had := rows[id]; had && put.Delete {
				wantGone++
			}
			if delete(rows, id); !put.Delete {
				rows[id] = p
			}
		}
		if chain.Call(me, "storage", "put", put).OK().Result(&gone); gone != wantGone {
			t.Fatalf("%d were deleted, want %d", gone, wantGone)
		}

		owner, due := rapid.SampledFrom(owners).Draw(t, "ask owner"), sdk.Time(rapid.Int64Range(-3, 4).Draw(t, "ask due"))
		ask := askParcels{Owner: owner, Due: due, Reverse: rapid.Bool().Draw(t, "reverse"), Keys: rapid.Bool().Draw(t, "keys"), Limit: rapid.Uint32Range(1, 9).Draw(t, "limit")}
		for which, ids := range map[string][]uint64{
			"all":     want(func(parcel) bool { return true }, byOwner, byDue),
			"owner":   want(func(p parcel) bool { return p.Owner == owner }, byDue),
			"shelf":   want(func(p parcel) bool { return p.Owner == owner && p.Due == due }),
			"waiting": want(func(p parcel) bool { return !p.Fetched && p.Due < due }, byDue),
		} {
			if ask.Which = which; ask.Reverse {
				slices.Reverse(ids)
			}
			check := func(got parcelsAnswer, ids []uint64) {
				if !slices.Equal(got.IDs, ids) {
					t.Fatalf("%+v gives %v, want %v", ask, got.IDs, ids)
				}
				for i, p := range got.Parcels {
					if p != rows[ids[i]] {
						t.Fatalf("%+v gives %+v for %d, which is %+v", ask, p, ids[i], rows[ids[i]])
					}
				}
			}
			var got parcelsAnswer
			ask.Page, ask.After = false, nil
			chain.View("storage", "list", ask).OK().Result(&got)
			check(got, ids)
			for ask.Page = true; ; ids = ids[ask.Limit:] {
				got = parcelsAnswer{}
				chain.View("storage", "list", ask).OK().Result(&got)
				check(got, ids[:min(len(ids), int(ask.Limit))])
				if (got.Next == nil) != (len(ids) <= int(ask.Limit)) {
					t.Fatalf("%+v has next %x with %d rows left", ask, got.Next, len(ids))
				}
				if ask.After = got.Next; ask.After == nil {
					break
				}
			}
		}
	})

	// A walk over an index while its rows are deleted: each comes once, and none that is gone.
	var left, overdue []uint64
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		chain.Call(me, "storage", "put", putParcels{IDs: []uint64{id}, Delete: true}).OK()
	}
	clear(rows)
	for id := range uint64(90) {
		p := parcel{Owner: "a", Due: 5}
		if id >= 80 {
			p.Due, left = 9, append(left, id)
		} else if id%2 == 0 {
			overdue = append(overdue, id)
		}
		rows[id] = p
		chain.Call(me, "storage", "put", putParcels{IDs: []uint64{id}, Parcel: p}).OK()
	}
	var n uint64
	if chain.Call(me, "storage", "clear", askParcels{Which: "", Due: 6}).OK().Result(&n); n != uint64(len(overdue)) {
		t.Errorf("%d rows came while every other was deleted, want %d", n, len(overdue))
	}
	var got parcelsAnswer
	if chain.View("storage", "list", askParcels{Which: "all", Keys: true}).OK().Result(&got); !slices.Equal(got.IDs, left) {
		t.Errorf("the index has %v, want %v", got.IDs, left)
	}
	// Filling what is full already changes nothing.
	var next []byte
	chain.Call(me, "storage", "fill", pageArgs{Limit: 4}).OK().Result(&next)
	if len(next) == 0 {
		t.Error("ten rows are one page of four")
	}
	got = parcelsAnswer{}
	if chain.View("storage", "list", askParcels{Which: "all", Keys: true}).OK().Result(&got); !slices.Equal(got.IDs, left) {
		t.Errorf("once filled again, the index has %v, want %v", got.IDs, left)
	}
}

// TestIndexCosts: an index writes only when a row moves in it.
func TestIndexCosts(t *testing.T) {
	chain, me := newStorage(t)
	put := func(p parcel) uint64 {
		return chain.Call(me, "storage", "put", putParcels{IDs: []uint64{1}, Parcel: p}).OK().GasUsed
	}
	put(parcel{Owner: "a", Due: 1})
	same := put(parcel{Owner: "a", Due: 1})
	if fetched := put(parcel{Owner: "a", Due: 1, Fetched: true}); fetched < same+50_000 || fetched > same+100_000 {
		t.Errorf("leaving one of two indexes takes %d gas more, which is not one write", fetched-same)
	}
	if moved := put(parcel{Owner: "a", Due: 2, Fetched: true}); moved < same+100_000 || moved > same+150_000 {
		t.Errorf("moving in one of two indexes takes %d gas more, which is not two writes", moved-same)
	}
}

func TestSet(t *testing.T) {
	chain, me := newStorage(t)
	in := map[tagArgs]bool{}
	rapid.Check(t, func(t *rapid.T) {
		tag := tagArgs{Owner: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "owner"), Due: sdk.Time(rapid.Int64Range(1, 5).Draw(t, "due"))}
		change := tag
		change.Delete = rapid.Bool().Draw(t, "delete")
		var changed bool
		if chain.Call(me, "storage", "tag", change).OK().Result(&changed); changed != (in[tag] == change.Delete) {
			t.Fatalf("%+v changed %v, in the set was %v", change, changed, in[tag])
		}
		if in[tag] = !change.Delete; change.Delete {
			delete(in, tag)
		}
		var want []uint64
		for other := range in {
			if other.Owner == tag.Owner {
				want = append(want, uint64(other.Due))
			}
		}
		slices.Sort(want)
		var got parcelsAnswer
		if chain.View("storage", "list", askParcels{Which: "tags", Owner: tag.Owner}).OK().Result(&got); !slices.Equal(got.IDs, want) {
			t.Fatalf("the set has %v, want %v", got.IDs, want)
		}
	})
}

func TestCounter(t *testing.T) {
	chain, me := newStorage(t)
	var n uint64
	for _, c := range []struct {
		args countArgs
		want uint64
	}{{countArgs{}, 1}, {countArgs{}, 2}, {countArgs{Add: 40}, 42}, {countArgs{Sub: 40}, 2}, {countArgs{Sub: 2}, 0}, {countArgs{Add: 1<<64 - 2}, 1<<64 - 2}} {
		if chain.Call(me, "storage", "count", c.args).OK().Result(&n); n != c.want {
			t.Errorf("%+v gives %d, want %d", c.args, n, c.want)
		}
	}
	chain.Call(me, "storage", "count", countArgs{Add: 2}).Failed("failed").Because("the counter last is full")
	if chain.View("storage", "counted", nil).OK().Result(&n); n != 1<<64-2 {
		t.Errorf("after that it is %d", n)
	}
	chain.Call(me, "storage", "count", countArgs{Sub: 1<<64 - 3}).OK()
	chain.Call(me, "storage", "count", countArgs{Sub: 2}).Failed("failed").Because("the counter last is at 1, which is less than the 2 to take away")
}

// TestViewsDontWrite: the runtime stops a view at its first write, by whichever kind of storage it writes.
func TestViewsDontWrite(t *testing.T) {
	chain, me := newStorage(t)
	chain.Call(me, "storage", "put", putParcels{IDs: []uint64{1}, Parcel: parcel{Owner: "a", Due: 1}}).OK()
	chain.Call(me, "storage", "count", countArgs{Add: 5}).OK()
	for _, how := range []string{
		"item set", "item delete", "map set", "map delete", "set add", "set delete", "index fill", "counter next", "counter add", "counter sub",
	} {
		chain.View("storage", "write", howArgs{how}).Refused(receipt.NotPermitted).Because("view")
		// The same in a method is fine, so it was the view that was stopped.
		chain.Call(me, "storage", "write_here", howArgs{how}).OK()
	}
	var n uint64
	if chain.View("storage", "counted", nil).OK().Result(&n); n != 6 {
		t.Errorf("the counter is at %d, want 6: once next, once add, once sub", n)
	}
}
