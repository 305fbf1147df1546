package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/wardledger/ward/sdk"
)

// A side of the market.
type side uint8

const (
	buy side = iota
	sell
)

// A place is where an order stands on its side of a book: the better limit first, at the
// same limit by tie. It says nothing of when the order came.
type place struct {
	Limit int64       `wire:"l"`
	Tie   tie         `wire:"t"`
	Party sdk.Address `wire:"p"`
	Index uint8       `wire:"i"`
}

// A tie is the first half of the SHA-256 of party, slot, side and index: luck that nobody
// can wait for. Its collisions are as rare as anybody needs, and party and index decide
// them.
type tie [16]byte

// An entry is an order as clearing sees it: so much, at this limit or better.
type entry struct {
	place
	Wh int64
}

// A ledger is a frozen book.
type ledger interface {
	// next returns the entry behind a place, or the first one if after is nil, and whether
	// there is one.
	next(s side, after *place) (entry, bool)
}

// Terms are what a slot is cleared under.
type terms struct {
	k        int64 // permille of the way from lo to hi
	payAsBid bool
}

// A fill is what an order gets.
type fill struct {
	side  side
	order entry
	wh    int64
	price int64
}

// phase is what clearing does next.
type phase uint8

const (
	matching  phase = iota // walk both sides while they cross, which gives the volume and the price
	adding                 // add up what stands at the margin of each side
	sharing                // find out who gets the Wh that pro rata leaves over
	allotting              // tell everybody, from the best order on
	over                   // all is told
)

// Clearing is a uniform-price call auction that can be interrupted after any order: all that it
// knows is in its fields, which are stored between two calls.
//
//	price                 bids ▔▔▔▔┐
//	  │                            │   last accepted bid ┐
//	  │                            └▔▔▔▔▔┐               ├ hi = the lower of this and the best ask left
//	  │        asks                ┌─────┼──── …         │
//	  │             ┌──────────────┘     └▔▔▔▔ …         ├ lo = the higher of the last accepted ask
//	  │   ──────────┘                                    ┘      and the best bid left
//	  └────────────────────────────┬──────────────── Wh
//	                               Wh that is traded
//
// The walk needs the volumes of each side to fit an int64 together.
type Clearing struct {
	Phase phase
	Wh    int64 // traded
	Low   int64 `wire:",omitempty"`
	High  int64 `wire:",omitempty"`
	Price int64 `wire:",omitempty"`
	Bids  half
	Asks  half
}

// A half is one side of a Clearing.
type half struct {
	After  *place // the last order that was looked at
	Before *place // the one before it
	Limit  int64  `wire:",omitempty"` // of the last order looked at
	Left   int64  `wire:",omitempty"` // what of it is not matched
	Ended  bool   `wire:",omitempty"` // nothing more to look at in this phase

	Margin   int64  `wire:",omitempty"` // limit of the last order that gets something
	Start    *place // the last order better than the margin
	Better   int64  `wire:",omitempty"` // Wh of all orders better than the margin, which fill whole
	AtMargin int64  `wire:",omitempty"` // Wh of all orders at it

	Shared int64    `wire:",omitempty"` // Wh at the margin that pro rata gives out
	Rests  [][]byte `wire:",omitempty"` // of orders at the margin, largest remainder first; see rest
	Last   []byte   `wire:",omitempty"` // the last of them that gets one Wh more
}

// run looks at n orders at most and reports whether all is done. What it looks at, and in
// which order it tells fills, does not depend on n.
func (c *Clearing) run(book ledger, t terms, n int, tell func(fill)) bool {
	for c.Phase != over {
		looked, moved := c.step(book, t, n > 0, tell)
		if looked {
			n--
		}
		if !moved {
			return false
		}
	}
	return true
}

// step looks at one order if it must and may. It has moved unless it must and may not.
func (c *Clearing) step(book ledger, t terms, may bool, tell func(fill)) (looked, moved bool) {
	if c.Phase == matching {
		for s := range sell + 1 {
			if h := c.half(s); h.Left == 0 && !h.Ended {
				if may {
					h.match(book.next(s, h.After))
				}
				return may, may
			}
		}
		c.cross(t)
		return false, true
	}
	for s := range sell + 1 {
		h := c.half(s)
		if h.Ended {
			continue
		}
		if !may {
			return false, false
		}
		e, ok := book.next(s, h.After)
		h.After = &e.place
		better := ok && s.better(e.Limit, h.Margin)
		if h.Ended = !better && (!ok || e.Limit != h.Margin); h.Ended {
			return true, true
		}
		switch c.Phase {
		case adding:
			h.AtMargin += e.Wh
		case sharing:
			share, remainder := mulDiv(e.Wh, c.Wh-h.Better, h.AtMargin)
			h.Shared += share
			if remainder > 0 { // who has none left can't be among those that get one Wh more
				h.Rests = insert(h.Rests, rest(remainder, e.place))
			}
		case allotting:
			f := fill{side: s, order: e, wh: e.Wh, price: c.Price}
			if !better {
				share, remainder := mulDiv(e.Wh, c.Wh-h.Better, h.AtMargin)
				if f.wh = share; bytes.Compare(rest(remainder, e.place), h.Last) <= 0 {
					f.wh++
				}
			}
			if t.payAsBid {
				f.price = e.Limit
			}
			if f.wh > 0 {
				tell(f)
			}
		}
		return true, true
	}
	c.enter(c.Phase + 1)
	return false, true
}

func (c *Clearing) half(s side) *half {
	if s == buy {
		return &c.Bids
	}
	return &c.Asks
}

// better reports whether limit a comes before limit b.
func (s side) better(a, b int64) bool {
	if s == buy {
		return a > b
	}
	return a < b
}

// match takes the next order to the front of its side.
func (h *half) match(e entry, ok bool) {
	if h.Ended = !ok; ok {
		h.Before, h.After = h.After, &e.place
		h.Limit, h.Left = e.Limit, e.Wh
	}
}

// cross matches the two orders at the front, or ends the walk.
func (c *Clearing) cross(t terms) {
	bid, ask := &c.Bids, &c.Asks
	if bid.Left == 0 || ask.Left == 0 || bid.Limit < ask.Limit {
		c.value(t)
		return
	}
	for _, h := range [...]*half{bid, ask} {
		if c.Wh == 0 || h.Margin != h.Limit { // the first of its limit that gets something
			h.Margin, h.Start, h.Better = h.Limit, h.Before, c.Wh
		}
	}
	wh := min(bid.Left, ask.Left)
	c.Wh += wh
	bid.Left -= wh
	ask.Left -= wh
}

// value finds the price once the walk has ended.
func (c *Clearing) value(t terms) {
	if c.Wh == 0 {
		c.enter(over)
		return
	}
	bid, ask := &c.Bids, &c.Asks
	c.Low, c.High = ask.Margin, bid.Margin
	if bid.Left > 0 {
		c.Low = max(c.Low, bid.Limit)
	}
	if ask.Left > 0 {
		c.High = min(c.High, ask.Limit)
	}
	part, _ := mulDiv(c.High-c.Low, t.k, 1000)
	c.Price = c.Low + part
	c.enter(adding)
}

// enter begins a phase.
func (c *Clearing) enter(p phase) {
	for s := range sell + 1 {
		h := c.half(s)
		switch p {
		case adding:
			h.AtMargin = 0
		case allotting:
			if more := c.Wh - h.Better - h.Shared; more > 0 {
				h.Last = h.Rests[more-1]
			}
			h.Rests = nil
		}
		h.After, h.Before, h.Ended = h.Start, nil, false
		if p == allotting {
			h.After = nil
		}
		if p == over {
			*h = half{}
		}
	}
	c.Phase = p
}

// rest is a remainder of pro rata and who has it, as bytes that sort as they are served: the
// largest remainder first, then as their places.
func rest(remainder int64, p place) []byte {
	b := make([]byte, 0, 8+len(p.Tie)+len(p.Party)+1)
	b = binary.BigEndian.AppendUint64(b, math.MaxUint64-uint64(remainder))
	return append(append(append(b, p.Tie[:]...), p.Party[:]...), p.Index)
}

// insert puts b where it belongs in a sorted list.
func insert(list [][]byte, b []byte) [][]byte {
	low, high := 0, len(list)
	for low < high {
		if mid := (low + high) / 2; bytes.Compare(list[mid], b) < 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	list = append(list, nil)
	copy(list[low+1:], list[low:])
	list[low] = b
	return list
}

// mulDiv is a × b / d and what is left over, for numbers that are not negative, of
// which one of a and b is at most d or the result fits for another reason: the product may
// need 128 bits.
func mulDiv(a, b, d int64) (quotient, remainder int64) {
	high, low := bits.Mul64(uint64(a), uint64(b))
	q, r := bits.Div64(high, low, uint64(d))
	return int64(q), int64(r)
}

// money is what wh cost at a price per kWh, rounded toward zero.
func money(wh, price int64) int64 {
	if wh < 0 {
		return -money(-wh, price)
	}
	micro, _ := mulDiv(wh, price, 1000)
	return micro
}
