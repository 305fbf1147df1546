package main

import "github.com/wardledger/ward/sdk"

// devices is the contract that knows which subjects are devices. On a chain without
// it nobody is one.
const devices = "devices"

type deviceArgs struct{ Device sdk.Address }

// A deviceAnswer is the Answer of devices, whose every field must be here.
type deviceAnswer struct {
	Authentic bool
	Device    sdk.Address
	Owner     *sdk.Address
	Model     string `wire:",omitempty"`
	State     string `wire:",omitempty"`
	Assurance string `wire:",omitempty"`
	Why       string `wire:",omitempty"`
	Reason    string `wire:",omitempty"`
	At        sdk.Time
}

// unknownDevice is why a person does not authenticate as a device.
const unknownDevice = "unknown_device"

var deviceStatus = sdk.Remote[deviceArgs, deviceAnswer]("status")

// device asks also for who signed this very transaction with a key that is open. An open
// key does not say that the device is active: it may have been opened by somebody else than
// devices, for a device that is still pending, or be a second key of an account whose first
// one is suspended. And check and use must not differ. It costs the start of one more
// instance, and only whoever would be let in.
func (r rows) device(subject sdk.Address) (string, error) {
	a, err := deviceStatus.Call(r.c, devices, deviceArgs{subject})
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
