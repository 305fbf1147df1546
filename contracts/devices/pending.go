package main

import "github.com/wardledger/ward/sdk"

// maxPending is how many of a device's pending enrolments are looked at or cleared away at
// once. Usually there is one. Whoever names the enroller is not bound by it.
const maxPending = 16

// wait writes an enrolment down that its owner has to agree to. What the same sender said
// of the device before is replaced.
func wait(c *sdk.Ctx, d Device) {
	key := pendingKey{d.Device, d.EnrolledBy}
	if old, ok := pending.Get(c, key); ok {
		pendingFor.Delete(c, pendingForKey{old.Owner, old.EnrolledBy, old.Device})
	}
	pending.Set(c, key, d)
	pendingFor.Set(c, pendingForKey{d.Owner, d.EnrolledBy, d.Device}, sdk.None{})
}

func drop(c *sdk.Ctx, d Device) {
	pending.Delete(c, pendingKey{d.Device, d.EnrolledBy})
	pendingFor.Delete(c, pendingForKey{d.Owner, d.EnrolledBy, d.Device})
}

// settle makes a device its owner's, whatever others said of it.
func settle(c *sdk.Ctx, d Device) {
	for _, p := range pendingOn(c, d.Device) {
		drop(c, p)
	}
	byOwner.Set(c, byOwnerKey{d.Owner, d.Device}, sdk.None{})
	put(c, d)
}

// pendingOn lists the first few pending enrolments of a device.
func pendingOn(c *sdk.Ctx, device sdk.Address) (list []Device) {
	for _, d := range pendingOf.Rows(device).Each(c) {
		list = append(list, d)
		if len(list) == maxPending {
			break
		}
	}
	return list
}

func firstPending(c *sdk.Ctx, device sdk.Address) (Device, bool) {
	for _, d := range pendingOf.Rows(device).Each(c) {
		return d, true
	}
	return Device{}, false
}

type activateArgs struct {
	Device sdk.Address  `doc:"the device"`
	Model  string       `doc:"the model that it is to be; if it was enrolled as another, this fails"`
	By     *sdk.Address `doc:"who enrolled it; needed only if several did"`
}

func activate(c *sdk.Ctx, a activateArgs) (sdk.None, error) {
	d, err := waiting(c, a.Device, a.By)
	if err != nil {
		return sdk.None{}, err
	}
	// Whoever enrolled it may have said otherwise since the owner looked.
	if d.Model != a.Model {
		return sdk.None{}, errOtherModel.Because("%s enrolled device %s as a %s, not as a %q", d.EnrolledBy, d.Device, d.Model, a.Model)
	}
	m, err := profile(c, d.Model)
	if err != nil {
		return sdk.None{}, err
	}
	if err := open(c, d, m); err != nil {
		return sdk.None{}, err
	}
	d.Vendor = m.Vendor
	d.enter(c, Active, "")
	settle(c, d)
	return sdk.None{}, nil
}

// waiting returns the enrolment that waits for the sender's word.
func waiting(c *sdk.Ctx, address sdk.Address, by *sdk.Address) (Device, error) {
	if devices.Has(c, address) {
		d, err := owned(c, address)
		if err == nil {
			err = wrongState(d, Pending)
		}
		return d, err
	}
	if by != nil {
		d, ok := pending.Get(c, pendingKey{address, *by})
		switch {
		case !ok:
			return d, errUnknown.Because("%s has not enrolled a device %s", *by, address)
		case d.Owner != c.Sender():
			return d, errNotPermitted.Because("%s enrolled device %s for %s, not for %s", *by, address, d.Owner, c.Sender())
		}
		return d, nil
	}
	var found []Device
	all := pendingOn(c, address)
	for _, d := range all {
		if d.Owner == c.Sender() {
			found = append(found, d)
		}
	}
	switch {
	case len(all) == 0:
		return Device{}, errUnknown.Because("no device %s is enrolled", address)
	case len(found) > 1, len(all) == maxPending:
		return Device{}, errSeveral.Because("%s and others have enrolled device %s: say whose word counts, with by", all[0].EnrolledBy, address)
	case len(found) == 0:
		return Device{}, errNotPermitted.Because("device %s was not enrolled for %s", address, c.Sender())
	}
	return found[0], nil
}

type withdrawArgs struct {
	Device sdk.Address  `doc:"the device"`
	By     *sdk.Address `doc:"turn down only what this account enrolled; missing: the sender's own enrolment, or if there is none, all"`
}

func withdraw(c *sdk.Ctx, a withdrawArgs) (sdk.None, error) {
	by := c.Sender()
	if a.By != nil {
		by = *a.By
	}
	var gone []Device
	if d, ok := pending.Get(c, pendingKey{a.Device, by}); ok && (d.Owner == c.Sender() || by == c.Sender()) {
		gone = []Device{d}
	} else if a.By == nil {
		for _, d := range pendingOn(c, a.Device) {
			if d.Owner == c.Sender() {
				gone = append(gone, d)
			}
		}
	}
	if len(gone) == 0 {
		return sdk.None{}, notWithdrawn(c, a.Device)
	}
	for _, d := range gone {
		drop(c, d)
		withdrew.Emit(c, stateEvent{d.Device, d.Owner, c.Sender(), ""})
	}
	return sdk.None{}, nil
}

// notWithdrawn says why there is nothing that the sender could take back.
func notWithdrawn(c *sdk.Ctx, address sdk.Address) error {
	if !devices.Has(c, address) {
		if _, ok := firstPending(c, address); ok {
			return errNotPermitted.Because("%s neither enrolled device %s nor is it for them", c.Sender(), address)
		}
	}
	d, err := owned(c, address)
	if err == nil {
		err = wrongState(d, Pending)
	}
	return err
}

type pendingArgs struct {
	Owner sdk.Address  `doc:"whom it waits for"`
	By    *sdk.Address `doc:"only what this account enrolled; missing: all"`
	After []byte       `wire:",omitempty" doc:"where the last page ended: its next"`
	Limit uint32       `wire:",omitempty" doc:"how many at most; 20 if missing, never more than 32"`
}

// pendingView leaves out what another has settled meanwhile, so a page may be shorter.
func pendingView(c *sdk.Ctx, a pendingArgs) (page devicePage, err error) {
	all := waitingFor.Rows(a.Owner)
	if a.By != nil {
		all = waitingForAnd.Rows(ownerAndBy{a.Owner, *a.By})
	}
	rows, next := all.Page(c, a.After, pageSize(a.Limit, maxDevicePage))
	for _, row := range rows {
		d, ok := pending.Get(c, pendingKey{row.Key.Device, row.Key.By})
		if !ok {
			panic("BUG: devices: the index names an enrolment that is not there")
		}
		if !devices.Has(c, d.Device) {
			page.Devices = append(page.Devices, d)
		}
	}
	page.Next = next
	return page, nil
}
