package sdk_test

import (
	"fmt"

	"github.com/wardledger/ward/sdk"
)

func ExampleItem() {
	declares(func() {
		greeting := sdk.NewItem[string]("greeting")

		inCall(func(c *sdk.Ctx) {
			text, ok := greeting.Get(c)
			fmt.Printf("%q %v\n", text, ok)
			greeting.Set(c, "good morning")
			text, ok = greeting.Get(c)
			fmt.Printf("%q %v\n", text, ok)
			fmt.Println(greeting.Delete(c), greeting.Delete(c))
		})
	})
	// Output:
	// "" false
	// "good morning" true
	// true false
}

func ExampleMap() {
	declares(func() {
		until := sdk.NewMap[sdk.Address, sdk.Time]("guests")

		inCall(func(c *sdk.Ctx) {
			until.Set(c, bob.Address(), c.Time().Add(sdk.Day))
			t, ok := until.Get(c, bob.Address())
			fmt.Println(t, ok)
			fmt.Println(until.Has(c, alice.Address()))
			fmt.Println(until.Delete(c, bob.Address()), until.Delete(c, bob.Address()))
		})
	})
	// Output:
	// 2026-01-06T08:00:00Z true
	// false
	// true false
}

// Rows come in the order of their keys: numbers by their value, texts by their bytes, structs by their first field, then by the next.
func ExampleRows() {
	declares(func() {
		rooms := sdk.NewMap[uint64, string]("rooms")

		inCall(func(c *sdk.Ctx) {
			rooms.Set(c, 12, "kitchen")
			rooms.Set(c, 3, "hall")
			rooms.Set(c, 200, "attic")
			for number, name := range rooms.All().Each(c) {
				fmt.Println(number, name)
			}
			last, _ := rooms.All().Reverse().First(c)
			fmt.Println("the last is", last.Value, "and there are some:", rooms.All().Any(c))
			for number := range rooms.All().Keys(c) {
				fmt.Print(number, " ")
			}
		})
	})
	// Output:
	// 3 hall
	// 12 kitchen
	// 200 attic
	// the last is attic and there are some: true
	// 3 12 200
}

// A page and where the next one starts, for views: a list may be as long as it likes.
func ExampleRow() {
	declares(func() {
		rooms := sdk.NewMap[uint64, string]("rooms")

		inCall(func(c *sdk.Ctx) {
			for n, name := range []string{"hall", "kitchen", "attic"} {
				rooms.Set(c, uint64(n), name)
			}
			var next []byte
			for {
				var page []sdk.Row[uint64, string]
				page, next = rooms.All().Page(c, next, 2)
				fmt.Println(page, next != nil)
				if next == nil {
					break
				}
			}
			keys, _ := rooms.All().KeyPage(c, nil, 2)
			fmt.Println(keys)
		})
	})
	// Output:
	// [{0 hall} {1 kitchen}] true
	// [{2 attic}] false
	// [0 1]
}

type visitKey struct {
	Guest string
	At    sdk.Time
}

func ExampleBy() {
	declares(func() {
		visits := sdk.NewMap[visitKey, string]("visits")
		visitsOf := sdk.By[string](visits)  // by the first field of the key
		visitAt := sdk.By[visitKey](visits) // by all of it

		inCall(func(c *sdk.Ctx) {
			visits.Set(c, visitKey{"ann", 10}, "tea")
			visits.Set(c, visitKey{"ann", 20}, "dinner")
			visits.Set(c, visitKey{"ann", 30}, "breakfast")
			visits.Set(c, visitKey{"annette", 10}, "lunch")

			anns := visitsOf.Rows("ann")
			for key, what := range visitAt.Until(visitAt.From(anns, visitKey{"ann", 20}), visitKey{"ann", 30}).Each(c) {
				fmt.Println(key.At, what)
			}
		})
	})
	// Output:
	// 1970-01-01T00:00:20Z dinner
}

func ExamplePrefix() {
	declares(func() {
		visits := sdk.NewSet[visitKey]("visits")
		var visitsOf sdk.Prefix[string, visitKey, sdk.None] = sdk.By[string](visits)

		inCall(func(c *sdk.Ctx) {
			visits.Add(c, visitKey{"ann", 10})
			visits.Add(c, visitKey{"bob", 20})
			for visit := range visitsOf.Rows("bob").Keys(c) {
				fmt.Println(visit.Guest, visit.At)
			}
		})
	})
	// Output:
	// bob 1970-01-01T00:00:20Z
}

// What has an order can be a function's argument: a map, a set or an index.
func ExampleOrdered() {
	declares(func() {
		rooms := sdk.NewMap[uint64, string]("rooms")
		size := func(c *sdk.Ctx, of sdk.Ordered[uint64, string]) (n int) {
			for range of.All().Keys(c) {
				n++
			}
			return n
		}

		inCall(func(c *sdk.Ctx) {
			rooms.Set(c, 1, "hall")
			fmt.Println(size(c, rooms))
		})
	})
	// Output:
	// 1
}

// A nonce counts once.
func ExampleSet() {
	declares(func() {
		nonces := sdk.NewSet[string]("nonces")

		inCall(func(c *sdk.Ctx) {
			fmt.Println(nonces.Add(c, "a7"), nonces.Add(c, "a7"))
			fmt.Println(nonces.Has(c, "a7"), nonces.Has(c, "b8"))
			fmt.Println(nonces.Delete(c, "a7"), nonces.Delete(c, "a7"))
		})
	})
	// Output:
	// true false
	// true false
	// true false
}

func ExampleCounter() {
	declares(func() {
		tickets := sdk.NewCounter("tickets")

		inCall(func(c *sdk.Ctx) {
			fmt.Println(tickets.Next(c), tickets.Next(c), tickets.Add(c, 10), tickets.Sub(c, 5), tickets.Get(c))
			tickets.Sub(c, 8)
		})
	})
	// Output:
	// 1 2 12 7 7
	// failed 1: the counter tickets is at 7, which is less than the 8 to take away
}

type Parcel struct {
	Owner   string
	Due     sdk.Time
	Fetched bool `wire:",omitempty"`
}

// The map keeps its indexes in step: whoever sets a row has moved it in each of them.
func ExampleIndex() {
	declares(func() {
		parcels := sdk.NewMap[uint64, Parcel]("parcels")
		byOwner := sdk.NewIndex("parcels_by_owner", parcels, func(_ uint64, p Parcel) (string, bool) { return p.Owner, true })
		// Only what waits is in this one, so whatever is in it and due is overdue.
		waiting := sdk.NewIndex("waiting_by_due", parcels, func(_ uint64, p Parcel) (sdk.Time, bool) { return p.Due, !p.Fetched })
		dueBefore := sdk.By[sdk.Time](waiting)

		inCall(func(c *sdk.Ctx) {
			parcels.Set(c, 1, Parcel{Owner: "ann", Due: 300})
			parcels.Set(c, 2, Parcel{Owner: "bob", Due: 100})
			parcels.Set(c, 3, Parcel{Owner: "ann", Due: 200})
			parcels.Set(c, 2, Parcel{Owner: "bob", Due: 100, Fetched: true})

			for id, parcel := range byOwner.Of("ann").Each(c) {
				fmt.Println("ann's", id, int64(parcel.Due))
			}
			for id := range dueBefore.Until(waiting.All(), 250).Keys(c) {
				fmt.Println("overdue", id)
			}
			fmt.Println("bob has some:", byOwner.Of("bob").Any(c))
		})
	})
	// Output:
	// ann's 1 300
	// ann's 3 200
	// overdue 3
	// bob has some: true
}

// Rows that were there before the index come into it page by page, such as in an upgrade and the calls after it.
func ExampleIndex_Fill() {
	declares(func() {
		parcels := sdk.NewMap[uint64, Parcel]("parcels")

		inCall(func(c *sdk.Ctx) {
			parcels.Set(c, 1, Parcel{Owner: "ann"})
			parcels.Set(c, 2, Parcel{Owner: "ann"})

			byOwner := sdk.NewIndex("parcels_by_owner", parcels, func(_ uint64, p Parcel) (string, bool) { return p.Owner, true })
			fmt.Println(byOwner.Of("ann").Any(c))
			next := byOwner.Fill(c, nil, 1)
			next = byOwner.Fill(c, next, 1)
			fmt.Println(next == nil)
			for id := range byOwner.Of("ann").Keys(c) {
				fmt.Println(id)
			}
		})
	})
	// Output:
	// false
	// true
	// 1
	// 2
}
