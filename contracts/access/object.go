package main

import "github.com/wardledger/ward/sdk"

type registerArgs struct {
	Name string `doc:"a path below the sender's address, such as house/front-door"`
}

type objectArgs struct {
	Object string `doc:"name of the object: an address, / and a path"`
}

func register(c *sdk.Ctx, a registerArgs) (objectArgs, error) {
	if err := checkPath(a.Name); err != nil {
		return objectArgs{}, err
	}
	owner := c.Sender()
	name := owner.String() + "/" + a.Name
	if o, ok := objects.Get(c, name); ok {
		return objectArgs{}, errExists.Because("%s is registered since height %d, and belongs to %s", name, o.Registered, o.Owner)
	}
	put(c, Object{Object: name, Owner: owner, Registered: c.Height()})
	owned.Set(c, ownedKey{owner, name}, sdk.None{})
	registered.Emit(c, registeredEvent{name, owner})
	return objectArgs{name}, nil
}

func put(c *sdk.Ctx, o Object) {
	o.Changed = c.Height()
	objects.Set(c, o.Object, o)
}

// stored returns an object as its row says, without an offer that an epoch has ended: a
// thief who offered it to himself must not be able to wait.
func stored(c *sdk.Ctx, name string) (Object, bool) {
	o, ok := objects.Get(c, name)
	if o.OfferedTo != nil {
		if now, _ := epochs.Get(c, o.Owner); now != o.OfferEpoch {
			o.OfferedTo, o.OfferEpoch = nil, 0
		}
	}
	return o, ok
}

// find returns a registered object.
func find(c *sdk.Ctx, name string) (Object, error) {
	if _, err := parseObject(name); err != nil {
		return Object{}, err
	}
	o, ok := stored(c, name)
	if !ok {
		return o, errUnknown.Because("no object %s is registered", name)
	}
	return o, nil
}

type transferArgs struct {
	Object string      `doc:"name of the object"`
	To     sdk.Address `doc:"who shall own it; the owner: nobody, after all"`
}

func transfer(c *sdk.Ctx, a transferArgs) (sdk.None, error) {
	o, err := find(c, a.Object)
	if err != nil {
		return sdk.None{}, err
	}
	if c.Sender() != o.Owner {
		return sdk.None{}, errNotPermitted.Because("%s does not own %s", c.Sender(), o.Object)
	}
	if a.To.IsZero() {
		return sdk.None{}, errValue.Because("to is the zero address, which nobody has")
	}
	o.OfferedTo = &a.To
	o.OfferEpoch, _ = epochs.Get(c, o.Owner)
	if a.To == o.Owner {
		o.OfferedTo, o.OfferEpoch = nil, 0
	}
	put(c, o)
	offered.Emit(c, offeredEvent{o.Object, o.Owner, o.OfferedTo})
	return sdk.None{}, nil
}

func accept(c *sdk.Ctx, a objectArgs) (sdk.None, error) {
	o, err := find(c, a.Object)
	if err != nil {
		return sdk.None{}, err
	}
	if o.OfferedTo == nil || *o.OfferedTo != c.Sender() {
		return sdk.None{}, errNotOffered.Because("%s is not offered to %s", o.Object, c.Sender())
	}
	old := o.Owner
	owned.Delete(c, ownedKey{old, o.Object})
	owned.Set(c, ownedKey{c.Sender(), o.Object}, sdk.None{})
	// From now on only grants that are still to be numbered count: those that an owner gave
	// earlier don't come back with the object.
	last, _ := lastGrant.Get(c)
	o.Owner, o.OfferedTo, o.OfferEpoch, o.Since = c.Sender(), nil, 0, last+1
	put(c, o)
	transferred.Emit(c, transferredEvent{o.Object, old, o.Owner})
	return sdk.None{}, nil
}

func object(c *sdk.Ctx, a objectArgs) (Object, error) { return find(c, a.Object) }

type ownerPageArgs struct {
	Owner sdk.Address `doc:"whose"`
	After []byte      `wire:",omitempty" doc:"where the last page ended: its next"`
	Limit uint32      `wire:",omitempty" doc:"how many at most; 20 if missing, never more than 50"`
}

// maxPageRows keeps a page below the 64 KiB of a result, also if every row of it is as
// large as it can be.
const maxPageRows = 50

func pageSize(limit uint32) uint32 {
	if limit == 0 {
		limit = sdk.DefaultPage
	}
	return min(limit, maxPageRows)
}

type objectPage struct {
	Objects []Object
	Next    []byte `wire:",omitempty" doc:"for the next page; missing on the last"`
}

func objectsView(c *sdk.Ctx, a ownerPageArgs) (page objectPage, err error) {
	list, next := objectsOf.Rows(a.Owner).Page(c, a.After, pageSize(a.Limit))
	for _, row := range list {
		o, ok := stored(c, row.Key.Object)
		if !ok {
			panic("BUG: access: the index names an object that is not there")
		}
		page.Objects = append(page.Objects, o)
	}
	page.Next = next
	return page, nil
}
