// Storage keeps parcels in each kind of storage that the sdk has, for its tests.
package main

import (
	"errors"

	"github.com/wardledger/ward/sdk"
)

// A Parcel waits for its owner until it is due, or has been fetched.
type Parcel struct {
	Owner   string
	Due     sdk.Time
	Fetched bool `wire:",omitempty"`
}

type shelf struct {
	Owner string
	Due   sdk.Time
}

var (
	last    = sdk.NewCounter("last")
	note    = sdk.NewItem[string]("note")
	parcels = sdk.NewMap[uint64, Parcel]("parcels")
	tags    = sdk.NewSet[shelf]("tags")

	byShelf = sdk.NewIndex("parcels_by_shelf", parcels, func(_ uint64, p Parcel) (shelf, bool) { return shelf{p.Owner, p.Due}, true })
	waiting = sdk.NewIndex("waiting_by_due", parcels, func(_ uint64, p Parcel) (sdk.Time, bool) { return p.Due, !p.Fetched })

	ofOwner  = sdk.By[string](byShelf)
	dueAt    = sdk.By[sdk.Time](waiting)
	tagsOf   = sdk.By[string](tags)
	parcelAt = sdk.By[uint64](parcels)
)

type Put struct {
	IDs    []uint64 `wire:"ids"`
	Parcel Parcel
	Delete bool `wire:",omitempty"`
}

type Ask struct {
	Which   string   // shelf, owner, waiting, all, tags
	Owner   string   `wire:",omitempty"`
	Due     sdk.Time `wire:",omitempty"`
	Reverse bool     `wire:",omitempty"`
	Keys    bool     `wire:",omitempty"`
	Page    bool     `wire:",omitempty"`
	After   []byte   `wire:",omitempty"`
	Limit   uint32   `wire:",omitempty"`
}

type Answer struct {
	IDs     []uint64 `wire:"ids,omitempty"`
	Parcels []Parcel `wire:",omitempty"`
	Next    []byte   `wire:",omitempty"`
}

type Tag struct {
	Owner  string
	Due    sdk.Time
	Delete bool `wire:",omitempty"`
}

type Count struct {
	Add uint64 `wire:",omitempty"`
	Sub uint64 `wire:",omitempty"`
}

type How struct{ How string }

type Page struct {
	After []byte `wire:",omitempty"`
	Limit uint32 `wire:",omitempty"`
}

func init() {
	sdk.Describe("storage", "Keeps parcels in each kind of storage.")
	sdk.Method("put", func(c *sdk.Ctx, a Put) (n uint64, err error) {
		for _, id := range a.IDs {
			if !a.Delete {
				parcels.Set(c, id, a.Parcel)
			} else if parcels.Delete(c, id) {
				n++
			}
		}
		return n, nil
	}, "Sets or deletes parcels.")
	sdk.View("list", list, "Lists parcels.")
	sdk.Method("tag", func(c *sdk.Ctx, a Tag) (bool, error) {
		if s := (shelf{a.Owner, a.Due}); a.Delete {
			return tags.Delete(c, s), nil
		} else if had := tags.Has(c, s); had == tags.Add(c, s) {
			return false, errors.New("has and add agree")
		} else {
			return !had, nil
		}
	}, "Puts a tag into the set or takes it out.")
	sdk.Method("count", func(c *sdk.Ctx, a Count) (uint64, error) {
		switch {
		case a.Sub > 0:
			return last.Sub(c, a.Sub), nil
		case a.Add > 0:
			return last.Add(c, a.Add), nil
		}
		return last.Next(c), nil
	}, "Counts.")
	sdk.View("counted", func(c *sdk.Ctx, _ sdk.None) (uint64, error) { return last.Get(c), nil }, "The count.")
	sdk.Method("clear", func(c *sdk.Ctx, a Ask) (n uint64, err error) {
		for id := range dueAt.Until(waiting.All(), a.Due).Each(c) {
			// The next one too, which this walk has read already.
			parcels.Delete(c, id)
			parcels.Delete(c, id+1)
			n++
		}
		return n, nil
	}, "Deletes what is overdue, while walking over it.")
	sdk.Method("fill", func(c *sdk.Ctx, a Page) ([]byte, error) { return byShelf.Fill(c, a.After, a.Limit), nil }, "Fills an index.")
	sdk.View("write", write, "Tries to write in a view.")
	sdk.Method("write_here", write, "Does the same where it may.")
}

func list(c *sdk.Ctx, a Ask) (out Answer, err error) {
	var rows sdk.Rows[uint64, Parcel]
	switch a.Which {
	case "tags":
		keys := tagsOf.Rows(a.Owner)
		if a.Reverse {
			keys = keys.Reverse()
		}
		for tag := range keys.Keys(c) {
			out.IDs = append(out.IDs, uint64(tag.Due))
		}
		if keys.Any(c) != (len(out.IDs) > 0) {
			return out, errors.New("any is wrong")
		}
		return out, nil
	case "shelf":
		rows = byShelf.Of(shelf{a.Owner, a.Due})
	case "owner":
		rows = ofOwner.Rows(a.Owner)
	case "waiting":
		rows = dueAt.Until(waiting.All(), a.Due)
	case "map":
		rows = parcelAt.From(parcels.All(), uint64(a.Due))
	default:
		rows = byShelf.All()
	}
	if a.Reverse {
		rows = rows.Reverse()
	}
	switch {
	case a.Page && a.Keys:
		out.IDs, out.Next = rows.KeyPage(c, a.After, a.Limit)
	case a.Page:
		page, next := rows.Page(c, a.After, a.Limit)
		for _, row := range page {
			out.IDs, out.Parcels = append(out.IDs, row.Key), append(out.Parcels, row.Value)
		}
		out.Next = next
	case a.Keys:
		for id := range rows.Keys(c) {
			out.IDs = append(out.IDs, id)
		}
	default:
		for id, p := range rows.Each(c) {
			out.IDs, out.Parcels = append(out.IDs, id), append(out.Parcels, p)
		}
		first, ok := rows.First(c)
		if ok != (len(out.IDs) > 0) || ok && (first.Key != out.IDs[0] || first.Value != out.Parcels[0]) || ok != rows.Any(c) {
			return out, errors.New("first is another")
		}
	}
	return out, nil
}

func write(c *sdk.Ctx, a How) (sdk.None, error) {
	switch a.How {
	case "item set":
		note.Set(c, "")
	case "item delete":
		note.Delete(c)
	case "map set":
		parcels.Set(c, 1<<40, Parcel{})
	case "map delete":
		parcels.Delete(c, 1<<40)
	case "set add":
		tags.Add(c, shelf{"new", 1})
	case "set delete":
		tags.Delete(c, shelf{"new", 1})
	case "index fill":
		byShelf.Fill(c, nil, 1)
	case "counter next":
		last.Next(c)
	case "counter add":
		last.Add(c, 1)
	case "counter sub":
		last.Sub(c, 1)
	default:
		return sdk.None{}, errors.New("no such way")
	}
	return sdk.None{}, nil
}

func main() {}
