package main

import (
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

// What devices takes, as its README has it.
type (
	deviceModel struct {
		Model string
		Scope []sdk.Scope
		Quota uint64
	}
	devicesInit struct{ Models []deviceModel }
	enrolArgs   struct {
		Owner *sdk.Address `wire:",omitempty"`
		Model string
		Key   sdk.PublicKey
		Proof []byte
	}
	possession struct {
		Chain    string
		Contract string
		Owner    sdk.Address
		Device   sdk.Address
		Nonce    []byte
	}
	suspendArgs struct {
		Device sdk.Address
		Reason string `wire:",omitempty"`
	}
)

// newSmartHouse is a house whose chain has devices too.
func newSmartHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, Chain: sdktest.New(t,
		sdktest.Contract{Dir: "../devices", Capabilities: []string{"accounts"}, Init: devicesInit{[]deviceModel{{
			Model: "robot", Quota: 100 * sdktest.DefaultGasLimit, Scope: []sdk.Scope{{Contract: "access"}},
		}}}},
		sdktest.Contract{Dir: "."},
	)}
	h.a, h.b, h.c, h.d = h.Account("a"), h.Account("b"), h.Account("c"), h.Account("d")
	h.door = h.register(h.a, "house/front-door")
	return h
}

// enrol enrols a device of A's, by A or an installer.
func (h *house) enrol(by, device *sdktest.Key) {
	h.t.Helper()
	owner := h.a.Address()
	proof := device.Message(h.t, "ward-enrol-v1", possession{sdktest.ID, registry, owner, device.Address(), make([]byte, 16)})
	h.Call(by, registry, "enrol", enrolArgs{&owner, "robot", device.Public(), proof}).OK()
}

// denied is what check says of somebody whose key can't sign, or who is no device that may.
func (h *house) denied(who *sdktest.Key, why, words string) {
	h.t.Helper()
	d := h.check(who, "open", h.door)
	if d.Allowed || d.Why != why || !strings.Contains(d.Reason, words) || d.Path != nil || d.ValidUntil != 0 {
		h.t.Errorf("%s: %+v, want %s, %s", who, d, why, words)
	}
}

// A device that is not active is denied at once and everywhere, though its grant lives.
func TestDeviceNotActive(t *testing.T) {
	h := newSmartHouse(t)
	robot := sdktest.P256("robot")
	h.enrol(h.a, robot)
	g := h.open(robot)
	g.Expires = h.Now() + 1000
	id := h.grant(h.a, g)
	h.may(robot, id)
	person := h.grant(h.a, h.open(h.b))
	h.may(h.b, person)

	// Another key of the same account, which suspending the device does not shut.
	second := sdktest.Ed25519("second")
	h.OpenKey(sdk.OpenKey{Key: second.Public(), Account: robot.Address(), Scope: []sdk.Scope{{Contract: "access"}}})
	useBySecond := func() (d Decision) {
		h.t.Helper()
		h.Call(second, "access", "use", useArgs{Relation: "open", Object: h.door}).OK().Result(&d)
		return d
	}
	if d := useBySecond(); !d.Allowed || d.Subject != robot.Address() {
		t.Errorf("%+v", d)
	}

	h.Call(h.a, registry, "suspend", suspendArgs{robot.Address(), "lost in the garden"}).OK()
	h.denied(robot, whyDevice, "lost in the garden")
	h.Call(robot, "access", "use", useArgs{Relation: "open", Object: h.door}).Refused(receipt.KeyShut)
	if d := useBySecond(); d.Allowed || d.Why != whyDevice {
		t.Errorf("the device's other key: %+v", d)
	}
	var d Decision
	if h.View("access", "check", checkArgs{robot.Address(), "open", h.door, id}).OK().Result(&d); d.Allowed || d.Why != whyDevice {
		t.Errorf("by the grant that is named: %+v", d)
	}
	h.may(h.b, person)
	// What denies a person denies a device in the same words.
	if d := h.check(robot, "drive", h.door); d.Why != whyRelation {
		t.Errorf("%+v", d)
	}
	h.Call(h.a, "access", "forbid", forbidArgs{Subject: robot.Address(), Object: h.door}).OK()
	if d := h.check(robot, "open", h.door); d.Why != whyForbidden {
		t.Errorf("%+v", d)
	}
	h.Call(h.a, "access", "unforbid", unforbidArgs{robot.Address(), h.door}).OK()

	h.Call(h.a, registry, "resume", suspendArgs{Device: robot.Address()}).OK()
	if d := h.may(robot, id); d.ValidUntil != g.Expires {
		t.Errorf("%+v", d)
	}
	h.Call(h.a, registry, "retire", suspendArgs{Device: robot.Address()}).OK()
	h.denied(robot, whyDevice, "retired")
}

// A pending device is not active, also if its key is open for another reason; nor does it
// help a device that it owns the object.
func TestDevicePendingAndOwner(t *testing.T) {
	h := newSmartHouse(t)
	robot := h.Account("robot")
	id := h.grant(h.a, h.open(robot))
	h.may(robot, id)
	h.enrol(h.d, robot)
	h.denied(robot, whyDevice, "its owner has not activated it")
	h.mayNot(robot, whyDevice)

	kiosk := sdktest.P256("kiosk")
	h.enrol(h.a, kiosk)
	h.door = h.register(kiosk, "drawer")
	if d := h.may(kiosk); d.Why != whyOwner {
		t.Errorf("%+v", d)
	}
	h.Call(h.a, registry, "suspend", suspendArgs{Device: kiosk.Address()}).OK()
	h.denied(kiosk, whyDevice, "suspended")
}

// What devices can't answer is neither yes nor no; and it is asked only about who would be let in.
func TestDevicesFails(t *testing.T) {
	h := &house{t: t, Chain: sdktest.New(t, sdktest.Contract{Dir: "../hello", Name: registry}, sdktest.Contract{Dir: "."})}
	h.a, h.b, h.c = h.Account("a"), h.Account("b"), h.Account("c")
	h.door = h.register(h.a, "door")
	h.grant(h.a, h.open(h.b))
	h.View("access", "check", checkArgs{Subject: h.b.Address(), Relation: "open", Object: h.door}).Failed("devices_failed").Because("devices.status: ")
	h.Call(h.b, "access", "use", useArgs{Relation: "open", Object: h.door}).Failed("devices_failed")
	h.mayNot(h.c, whyNoGrant)
}
