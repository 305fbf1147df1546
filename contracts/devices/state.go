package main

import "github.com/wardledger/ward/sdk"

type deviceArgs struct {
	Device sdk.Address `doc:"the device"`
}

type reasonArgs struct {
	Device sdk.Address `doc:"the device"`
	Reason string      `wire:",omitempty" doc:"why, for people"`
}

// known returns a device that its owner has agreed to and that is not retired.
func known(c *sdk.Ctx, address sdk.Address) (Device, error) {
	d, ok := devices.Get(c, address)
	if !ok {
		if p, ok := firstPending(c, address); ok {
			return p, errState.Because("device %s is pending: its owner has not activated it", address)
		}
		return d, errUnknown.Because("no device %s is enrolled", address)
	}
	if d.State == Retired {
		return d, errRetired.Because("device %s is retired", address)
	}
	return d, nil
}

// owned is known, if the sender is the owner.
func owned(c *sdk.Ctx, address sdk.Address) (Device, error) {
	d, err := known(c, address)
	if err == nil && c.Sender() != d.Owner {
		err = errNotPermitted.Because("%s is not the owner of device %s", c.Sender(), address)
	}
	return d, err
}

func put(c *sdk.Ctx, d Device) {
	d.Changed = c.Height()
	devices.Set(c, d.Device, d)
}

func (d *Device) enter(c *sdk.Ctx, s State, reason string) {
	d.State, d.Reason, d.Since = s, reason, c.Height()
}

func wrongState(d Device, want State) error {
	return errState.Because("device %s is %s, not %s", d.Device, d.State, want)
}

// open lets an active device's key sign.
func open(c *sdk.Ctx, d Device, m Model) error {
	err := c.Accounts().Open(sdk.OpenKey{Key: d.Key, Owner: d.Owner, Scope: m.Scope, Quota: m.Quota})
	switch err {
	case nil:
		activated.Emit(c, activatedEvent{d.Device, d.Owner, m.Model, m.Quota})
		return nil
	case sdk.NoQuota:
		return errNoQuota.Because("owner %s has less than %d gas per hour left, which a %s needs", d.Owner, m.Quota, m.Model)
	case sdk.KeyUnknown:
		return errNoOwner.Because("owner %s has no account, out of whose quota the device could live", d.Owner)
	}
	return errKeyInUse.Because("the key of device %s: %s", d.Device, err)
}

// must panics if the chain doesn't know the key of a device that this contract opened.
func must(err error) {
	if err != nil {
		panic("BUG: devices: the chain lost a device's key: " + err.Error())
	}
}

func suspend(c *sdk.Ctx, a reasonArgs) (sdk.None, error) {
	d, err := known(c, a.Device)
	if err != nil {
		return sdk.None{}, err
	}
	// A device that finds itself opened or moved may stop itself; only its owner starts it again.
	if by := c.Sender(); by != d.Owner && by != d.Device {
		return sdk.None{}, errNotPermitted.Because("%s is neither the owner of device %s nor the device", by, a.Device)
	}
	if err := checkText("reason", a.Reason, maxReason); err != nil {
		return sdk.None{}, err
	}
	if d.State != Active {
		return sdk.None{}, wrongState(d, Active)
	}
	must(c.Accounts().Shut(d.Device))
	d.enter(c, Suspended, a.Reason)
	put(c, d)
	suspended.Emit(c, stateEvent{d.Device, d.Owner, c.Sender(), a.Reason})
	return sdk.None{}, nil
}

func resume(c *sdk.Ctx, a deviceArgs) (sdk.None, error) {
	d, err := owned(c, a.Device)
	if err != nil {
		return sdk.None{}, err
	}
	if d.State != Suspended {
		return sdk.None{}, wrongState(d, Suspended)
	}
	must(c.Accounts().Reopen(d.Device))
	d.enter(c, Active, "")
	put(c, d)
	resumed.Emit(c, stateEvent{d.Device, d.Owner, c.Sender(), ""})
	return sdk.None{}, nil
}

func retire(c *sdk.Ctx, a reasonArgs) (sdk.None, error) {
	if err := checkText("reason", a.Reason, maxReason); err != nil {
		return sdk.None{}, err
	}
	d, err := retirable(c, a.Device)
	if err != nil {
		return sdk.None{}, err
	}
	if d.State != Pending { // a pending device's key was never opened
		must(c.Accounts().Retire(d.Device))
	}
	d.enter(c, Retired, a.Reason)
	settle(c, d)
	retired.Emit(c, stateEvent{d.Device, d.Owner, c.Sender(), a.Reason})
	return sdk.None{}, nil
}

// retirable is a device of the sender's, or one that waits for the sender: that is how an
// owner sees to it that a device which was stolen on the way to them never comes back.
func retirable(c *sdk.Ctx, address sdk.Address) (Device, error) {
	if !devices.Has(c, address) {
		for _, d := range pendingOn(c, address) {
			if d.Owner == c.Sender() {
				return d, nil
			}
		}
	}
	d, err := owned(c, address)
	if err != nil && d.State == Pending {
		err = errNotPermitted.Because("%s is not the owner of device %s", c.Sender(), address)
	}
	return d, err
}

type labelsArgs struct {
	Device sdk.Address       `doc:"the device"`
	Labels map[string]string `wire:",omitempty" doc:"all its labels from now on"`
}

func setLabels(c *sdk.Ctx, a labelsArgs) (sdk.None, error) {
	d, err := owned(c, a.Device)
	if err != nil {
		return sdk.None{}, err
	}
	if err := checkLabels(a.Labels); err != nil {
		return sdk.None{}, err
	}
	d.Labels = a.Labels
	put(c, d)
	labelled.Emit(c, labelledEvent{d.Device, a.Labels})
	return sdk.None{}, nil
}

func device(c *sdk.Ctx, a deviceArgs) (Device, error) {
	d, ok := devices.Get(c, a.Device)
	if !ok {
		d, ok = firstPending(c, a.Device)
	}
	if !ok {
		return d, errUnknown.Because("no device %s is enrolled", a.Device)
	}
	return d, nil
}

type devicesArgs struct {
	Owner sdk.Address `doc:"whose devices"`
	After []byte      `wire:",omitempty" doc:"where the last page ended: its next"`
	Limit uint32      `wire:",omitempty" doc:"how many at most; 20 if missing, never more than 32"`
}

type devicePage struct {
	Devices []Device
	Next    []byte `wire:",omitempty" doc:"for the next page; missing on the last"`
}

// maxDevicePage keeps a page below the 64 KiB of a result, also if every record is
// as large as it can be.
const maxDevicePage = 32

func devicesView(c *sdk.Ctx, a devicesArgs) (page devicePage, err error) {
	rows, next := devicesOf.Rows(a.Owner).Page(c, a.After, pageSize(a.Limit, maxDevicePage))
	for _, row := range rows {
		d, ok := devices.Get(c, row.Key.Device)
		if !ok {
			panic("BUG: devices: the index names a device that is not there")
		}
		page.Devices = append(page.Devices, d)
	}
	page.Next = next
	return page, nil
}
