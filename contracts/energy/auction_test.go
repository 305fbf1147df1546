package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/wire"
)

// paper is a book in memory.
type paper struct{ sides [2][]entry }

var _ ledger = (*paper)(nil)

func (p *paper) next(s side, after *place) (entry, bool) {
	all, i := p.sides[s], 0
	if after != nil {
		i = 1 + slices.IndexFunc(all, func(e entry) bool { return e.place == *after })
		if i == 0 {
			panic(fmt.Sprintf("the walk stands behind %v, which is no order", *after))
		}
	}
	if i == len(all) {
		return entry{}, false
	}
	return all[i], true
}

// wish is an order as a test writes it.
type wish struct {
	s     side
	limit int64
	wh    int64
}

func bids(pairs ...[2]int64) []wish { return orders(buy, pairs) }
func asks(pairs ...[2]int64) []wish { return orders(sell, pairs) }

func orders(s side, pairs [][2]int64) (list []wish) {
	for _, p := range pairs {
		list = append(list, wish{s, p[0], p[1]})
	}
	return list
}

// book puts orders in their places. Each is of a party of its own, named by its number in
// the list, so the same list gives the same book however it is shuffled later.
func book(list []wish) *paper {
	p := &paper{}
	for i, o := range list {
		p.add(i, o)
	}
	return p.sort()
}

func (p *paper) add(i int, o wish) {
	e := entry{place: place{Limit: o.limit, Party: sdk.Address{0: byte(i >> 8), 1: byte(i)}}, Wh: o.wh}
	hash := sha256.Sum256(append(e.Party[:], byte(o.s)))
	copy(e.Tie[:], hash[:])
	p.sides[o.s] = append(p.sides[o.s], e)
}

func (p *paper) sort() *paper {
	for s := range sell + 1 {
		slices.SortFunc(p.sides[s], func(a, b entry) int {
			switch {
			case s.better(a.Limit, b.Limit):
				return -1
			case s.better(b.Limit, a.Limit):
				return 1
			}
			return bytes.Compare(append(a.Tie[:], a.Party[:]...), append(b.Tie[:], b.Party[:]...))
		})
	}
	return p
}

var halfway = terms{k: 500}

// clear runs the auction in calls of n orders, through the bytes that are stored between two calls,
// and returns what came of it.
func (p *paper) clear(t testing.TB, n int, rule terms) (Clearing, []fill) {
	var c Clearing
	var fills []fill
	most := 4*(len(p.sides[buy])+len(p.sides[sell])) + 8
	for calls := 1; ; calls++ {
		if calls > most {
			t.Fatalf("not done after %d calls of %d: %+v", calls, n, c)
		}
		over := c.run(p, rule, n, func(f fill) { fills = append(fills, f) })
		raw, err := wire.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		c = Clearing{}
		if err := wire.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		if over {
			return c, fills
		}
	}
}

func (p *paper) String() string {
	var b strings.Builder
	for s, name := range []string{"bids", "asks"} {
		b.WriteString(name)
		for _, e := range p.sides[s] {
			fmt.Fprintf(&b, " %dx%d", e.Limit, e.Wh)
		}
		b.WriteString("  ")
	}
	return b.String()
}

func got(fills []fill, s side, limit int64) (list []int64) {
	for _, f := range fills {
		if f.side == s && f.order.Limit == limit {
			list = append(list, f.wh)
		}
	}
	slices.Sort(list)
	return list
}

// TestClear is a line for each thing that a book can be. Pairs are limit and Wh.
func TestClear(t *testing.T) {
	const big = math.MaxInt64
	for _, c := range []struct {
		name      string
		orders    []wish
		wh        int64
		low, high int64
		price     int64
		rule      terms
	}{
		{"the worked example", append(bids([2]int64{3, 1}, [2]int64{4, 2}, [2]int64{1, 5}), asks([2]int64{2, 4}, [2]int64{1, 1}, [2]int64{6, 5})...), 3, 2, 2, 2, halfway},
		{"nothing", nil, 0, 0, 0, 0, halfway},
		{"only bids", bids([2]int64{5, 5}), 0, 0, 0, 0, halfway},
		{"only asks", asks([2]int64{5, 5}), 0, 0, 0, 0, halfway},
		{"do not cross", append(bids([2]int64{4, 7}), asks([2]int64{5, 7})...), 0, 0, 0, 0, halfway},
		{"meet", append(bids([2]int64{5, 7}), asks([2]int64{5, 7})...), 7, 5, 5, 5, halfway},
		{"one Wh", append(bids([2]int64{9, 1}), asks([2]int64{4, 1})...), 1, 4, 9, 6, halfway},
		{"the seller's end", append(bids([2]int64{9, 1}), asks([2]int64{4, 1})...), 1, 4, 9, 9, terms{k: 1000}},
		{"the buyer's end", append(bids([2]int64{9, 1}), asks([2]int64{4, 1})...), 1, 4, 9, 4, terms{k: 0}},
		{"a bid is left over", append(bids([2]int64{9, 3}), asks([2]int64{4, 1})...), 1, 9, 9, 9, halfway},
		{"an ask is left over", append(bids([2]int64{9, 1}), asks([2]int64{4, 3})...), 1, 4, 4, 4, halfway},
		{"the next bid bounds the price", append(bids([2]int64{9, 1}, [2]int64{7, 1}), asks([2]int64{4, 1})...), 1, 7, 9, 8, halfway},
		{"one bid, many asks", append(bids([2]int64{9, 6}), asks([2]int64{1, 1}, [2]int64{2, 2}, [2]int64{3, 3}, [2]int64{4, 4})...), 6, 3, 4, 3, halfway},
		{"all at one price", append(bids([2]int64{5, 3}, [2]int64{5, 4}), asks([2]int64{5, 2}, [2]int64{5, 2})...), 4, 5, 5, 5, halfway},
		{"near the end of int64", append(bids([2]int64{big, big - 5}, [2]int64{big - 1, 5}), asks([2]int64{0, big})...), big, 0, big - 1, (big - 1) / 2, halfway},
		{"near the end of int64, pro rata", append(bids([2]int64{big, big / 2}, [2]int64{big, big / 2}), asks([2]int64{1, big - 2})...), big - 2, big, big, big, halfway},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := book(c.orders)
			a, fills := b.clear(t, 1, c.rule)
			if a.Wh != c.wh || a.Low != c.low || a.High != c.high || a.Price != c.price {
				t.Errorf("%s: %d Wh at %d in [%d, %d], want %d at %d in [%d, %d]", b, a.Wh, a.Price, a.Low, a.High, c.wh, c.price, c.low, c.high)
			}
			sound(t, b, a, fills)
		})
	}
}

// At the margin it is pro rata, by the largest remainder, and then by hash. 100 Wh for 40, 40
// and 50 is 30.8, 30.8 and 38.5: floors 30, 30, 38, and two more for those with .8.
func TestMargin(t *testing.T) {
	for _, c := range []struct {
		name  string
		bids  [][2]int64
		ask   int64
		limit int64
		want  []int64
	}{
		{"largest remainder", [][2]int64{{5, 40}, {5, 40}, {5, 50}}, 100, 5, []int64{31, 31, 38}},
		{"better ones fill whole", [][2]int64{{9, 60}, {5, 30}, {5, 50}}, 100, 5, []int64{15, 25}},
		{"a small one may get nothing", [][2]int64{{5, 1}, {5, 1000}}, 10, 5, []int64{10}},
		{"a hash decides", [][2]int64{{5, 7}, {5, 7}, {5, 7}}, 10, 5, []int64{3, 3, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := book(append(bids(c.bids...), asks([2]int64{1, c.ask})...))
			a, fills := b.clear(t, 3, halfway)
			if list := got(fills, buy, c.limit); !slices.Equal(list, c.want) {
				t.Errorf("%v, want %v", list, c.want)
			}
			sound(t, b, a, fills)
		})
	}
	// Who has the smaller hash, and nothing else, gets the odd Wh: which of them came first
	// is not known to the book.
	b := book(append(bids([2]int64{5, 7}, [2]int64{5, 7}, [2]int64{5, 7}), asks([2]int64{1, 10})...))
	_, fills := b.clear(t, 3, halfway)
	for _, f := range fills {
		first := f.order.place == b.sides[buy][0].place
		if f.side == buy && (f.wh == 4) != first {
			t.Errorf("%x gets %d", f.order.Tie, f.wh)
		}
	}
}

// sound says what must hold for every book, whatever the algorithm.
func sound(t testing.TB, b *paper, a Clearing, fills []fill) {
	t.Helper()
	var sum [2]int64
	filled := map[side]map[place]int64{buy: {}, sell: {}}
	for _, f := range fills {
		sum[f.side] += f.wh
		if f.wh < 1 || f.wh > f.order.Wh {
			t.Fatalf("%s: %d of %d Wh", b, f.wh, f.order.Wh)
		}
		if f.side.better(f.price, f.order.Limit) { // pays more, or gets less
			t.Fatalf("%s: limit %d pays or gets %d", b, f.order.Limit, f.price)
		}
		if _, twice := filled[f.side][f.order.place]; twice {
			t.Fatalf("%s: an order is filled twice", b)
		}
		filled[f.side][f.order.place] = f.wh
	}
	if sum[buy] != a.Wh || sum[sell] != a.Wh {
		t.Fatalf("%s: bought %d, sold %d, traded %d", b, sum[buy], sum[sell], a.Wh)
	}
	if a.Wh == 0 {
		return
	}
	if a.Low > a.High || a.Price < a.Low || a.Price > a.High {
		t.Fatalf("%s: price %d in [%d, %d]", b, a.Price, a.Low, a.High)
	}
	// Nobody who would have liked the price better than those who trade goes without: as far as
	// a limit was beaten, it was served whole.
	for s := range sell + 1 {
		for _, e := range b.sides[s] {
			if s.better(e.Limit, a.Price) && filled[s][e.place] != e.Wh && e.Limit != b.margin(s, filled[s]) {
				t.Fatalf("%s: %d Wh at %d are better than the price %d and get %d", b, e.Wh, e.Limit, a.Price, filled[s][e.place])
			}
		}
	}
}

// margin is the worst limit on a side that got anything.
func (p *paper) margin(s side, filled map[place]int64) int64 {
	limit := int64(-1)
	for _, e := range p.sides[s] {
		if filled[e.place] > 0 {
			limit = e.Limit
		}
	}
	return limit
}

// best tries everything: each order from nothing to whole. It returns the best welfare, the most
// Wh with which it can be had, and the prices at which everybody gets just what they would want to.
func best(list []wish) (welfare, wh int64, low, high int64) {
	fills := make([]int64, len(list))
	var value, bought, sold int64
	var chosen []int64
	var try func(i int)
	try = func(i int) {
		if i == len(list) {
			if bought == sold && (value > welfare || value == welfare && bought > wh) {
				welfare, wh, chosen = value, bought, slices.Clone(fills)
			}
			return
		}
		o := list[i]
		for fills[i] = 0; fills[i] <= o.wh; fills[i]++ {
			before := [3]int64{value, bought, sold}
			if o.s == buy {
				value, bought = value+o.limit*fills[i], bought+fills[i]
			} else {
				value, sold = value-o.limit*fills[i], sold+fills[i]
			}
			try(i + 1)
			value, bought, sold = before[0], before[1], before[2]
		}
		fills[i] = 0
	}
	try(0)
	if wh == 0 {
		return welfare, wh, 0, 0
	}
	low, high = -1, -1
	for price := int64(0); price <= 20; price++ {
		content := true
		for i, o := range list {
			if chosen[i] > 0 && o.s.better(price, o.limit) { // pays too much, or gets too little
				content = false
			}
			if chosen[i] < o.wh && o.s.better(o.limit, price) { // would like more
				content = false
			}
		}
		if content {
			if low < 0 {
				low = price
			}
			high = price
		}
	}
	return welfare, wh, low, high
}

// Random small books against everything that could have been done with them.
func TestBestOfAll(t *testing.T) {
	crossed := 0
	rapid.Check(t, func(r *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) wish {
			return wish{side(rapid.IntRange(0, 1).Draw(r, "side")), rapid.Int64Range(0, 9).Draw(r, "limit"), rapid.Int64Range(1, 3).Draw(r, "wh")}
		}), 0, 7).Draw(r, "orders")
		rule := terms{k: rapid.Int64Range(0, 1000).Draw(r, "k")}
		b := book(list)
		a, fills := b.clear(t, rapid.IntRange(1, 9).Draw(r, "n"), rule)
		sound(t, b, a, fills)
		welfare, wh, low, high := best(list)
		var value int64
		for _, f := range fills {
			if f.side == buy {
				value += f.wh * f.order.Limit
			} else {
				value -= f.wh * f.order.Limit
			}
		}
		if value != welfare || a.Wh != wh {
			r.Fatalf("%s: welfare %d with %d Wh, the best is %d with %d", b, value, a.Wh, welfare, wh)
		}
		if a.Wh > 0 {
			crossed++
			if a.Low != low || a.High != high {
				r.Fatalf("%s: prices from %d to %d, all are content from %d to %d", b, a.Low, a.High, low, high)
			}
			if want := low + (high-low)*rule.k/1000; a.Price != want {
				r.Fatalf("%s: price %d, want %d", b, a.Price, want)
			}
		}
	})
	if crossed == 0 {
		t.Error("no book ever crossed: this test tests nothing")
	}
}

func drawBook(r *rapid.T) []wish {
	limits := rapid.Int64Range(0, rapid.SampledFrom([]int64{1, 3, 20, 1 << 40}).Draw(r, "limits"))
	whs := rapid.Int64Range(1, rapid.SampledFrom([]int64{1, 7, 1000, math.MaxInt64 / 64}).Draw(r, "whs"))
	return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) wish {
		return wish{side(rapid.IntRange(0, 1).Draw(r, "side")), limits.Draw(r, "limit"), whs.Draw(r, "wh")}
	}), 0, 40).Draw(r, "orders")
}

// Every chunk size from one order to all of them, and every order of arrival, gives the same.
func TestChunksAndArrivals(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		list := drawBook(r)
		b := book(list)
		want, wantFills := b.clear(t, 1<<30, halfway)
		sound(t, b, want, wantFills)
		for n := 1; n <= 4*len(list)+1; n++ {
			a, fills := b.clear(t, n, halfway)
			if fmt.Sprint(a) != fmt.Sprint(want) || !slices.Equal(fills, wantFills) {
				r.Fatalf("%s: in chunks of %d %+v %v, at once %+v %v", b, n, a, fills, want, wantFills)
			}
		}
		arrived := &paper{}
		for _, i := range rand.New(rand.NewPCG(1, rapid.Uint64().Draw(r, "seed"))).Perm(len(list)) {
			arrived.add(i, list[i])
		}
		if a, fills := arrived.sort().clear(t, 5, halfway); fmt.Sprint(a) != fmt.Sprint(want) || !slices.Equal(fills, wantFills) {
			r.Fatalf("%s: after another arrival %+v %v, want %+v %v", b, a, fills, want, wantFills)
		}
	})
}

// An order that loses changes nothing but the price, and that only inside the old bounds.
func TestLoserChangesNothing(t *testing.T) {
	lost := 0
	rapid.Check(t, func(r *rapid.T) {
		list := drawBook(r)
		b := book(list)
		with, fills := b.clear(t, 100, halfway)
		if with.Wh == 0 {
			return
		}
		for s := range sell + 1 {
			filled := map[place]int64{}
			for _, f := range fills {
				if f.side == s {
					filled[f.order.place] = f.wh
				}
			}
			margin := b.margin(s, filled)
			for i, e := range b.sides[s] {
				if e.Limit == margin || filled[e.place] > 0 {
					continue
				}
				lost++
				less := &paper{sides: b.sides}
				less.sides[s] = slices.Delete(slices.Clone(b.sides[s]), i, i+1)
				without, same := less.clear(t, 100, halfway)
				for i := range same {
					same[i].price = with.Price
				}
				if !slices.Equal(same, fills) {
					r.Fatalf("%s: without %dx%d %v, with it %v", b, e.Limit, e.Wh, same, fills)
				}
				if with.Low < without.Low || with.High > without.High || with.Price < without.Low || with.Price > without.High {
					r.Fatalf("%s: [%d, %d], without %dx%d [%d, %d]", b, with.Low, with.High, e.Limit, e.Wh, without.Low, without.High)
				}
			}
		}
	})
	if lost == 0 {
		t.Error("no order ever lost: this test tests nothing")
	}
}

// Pay as bid: each its own limit; what is between them is the operator's.
func TestPayAsBid(t *testing.T) {
	b := book(append(bids([2]int64{9, 2}, [2]int64{7, 2}), asks([2]int64{3, 2}, [2]int64{5, 2})...))
	_, fills := b.clear(t, 100, terms{k: 500, payAsBid: true})
	if len(fills) != 4 {
		t.Fatal(fills)
	}
	for _, f := range fills {
		if f.price != f.order.Limit {
			t.Errorf("limit %d at %d", f.order.Limit, f.price)
		}
	}
}

func TestMulDiv(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := rapid.Int64Range(1, math.MaxInt64).Draw(r, "d")
		a := rapid.Int64Range(0, math.MaxInt64).Draw(r, "a")
		b := rapid.Int64Range(0, d).Draw(r, "b")
		q, m := mulDiv(a, b, d)
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		quotient, rest := product.QuoRem(product, big.NewInt(d), new(big.Int))
		if q != quotient.Int64() || m != rest.Int64() {
			r.Fatalf("%d * %d / %d = %d rest %d, want %s rest %s", a, b, d, q, m, quotient, rest)
		}
	})
}

func TestMoney(t *testing.T) {
	for _, c := range []struct{ wh, price, want int64 }{
		{0, 300_000, 0}, {1, 999, 0}, {1, 1000, 1}, {-1, 999, 0}, {-1, 1999, -1}, {250, 300_001, 75_000}, {1000, 1, 1},
		{maxWh, maxPrice, maxWh / 1000 * maxPrice}, {maxRegister, maxPrice, maxRegister / 1000 * maxPrice},
	} {
		if got := money(c.wh, c.price); got != c.want {
			t.Errorf("money(%d, %d) = %d, want %d", c.wh, c.price, got, c.want)
		}
	}
}

func BenchmarkClear(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	var list []wish
	for range maxOrders {
		list = append(list, wish{side(random.IntN(2)), random.Int64N(20), 1 + random.Int64N(5000)})
	}
	p := book(list)
	for b.Loop() {
		var c Clearing
		c.run(p, halfway, 1<<30, func(fill) {})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*maxOrders), "ns/order")
}
