package main

import (
	"github.com/wardledger/ward/contracts/remote/devices"
	"github.com/wardledger/ward/sdk"
)

// registry is the contract that knows which subjects are devices. On a chain without
// it nobody is one.
const registry = "devices"

// unknownDevice is why a person does not authenticate as a device.
const unknownDevice = "unknown_device"

// device asks also for who signed this very transaction with a key that is open. An open
// key does not say that the device is active: it may have been opened by somebody else than
// devices, for a device that is still pending, or be a second key of an account whose first
// one is suspended. And check and use must not differ. It costs the start of one more
// instance, and only whoever would be let in.
func (r rows) device(subject sdk.Address) (string, error) {
	a, err := devices.At(registry).Status(r.c, devices.StatusArgs{Device: subject})
	switch {
	case sdk.NoContract(err):
		return "", nil
	case err != nil:
		return "", errDevices.Because("%s", err)
	case a.Authentic || a.Why == unknownDevice:
		return "", nil
	}
	return sdk.Text("%s is no active device: %s", subject, a.Reason), nil
}
