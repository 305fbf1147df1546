package main

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/wardledger/ward/sdk/sdktest"
)

// What runtime/tx/README.md tells those who choose a gas limit, of calls through access and devices: within a seventh, so that the page need not change with every
// toolchain.
func TestGasOfTheGuide(t *testing.T) {
	h := newSmartHouse(t)
	lock := sdktest.P256("gas lock")
	owner := h.a.Address()
	proof := lock.Message(t, "ward-enrol-v1", possession{sdktest.ID, registry, owner, lock.Address(), make([]byte, 16)})
	enrolled := h.Call(h.a, registry, "enrol", enrolArgs{&owner, "robot", lock.Public(), proof}).OK().GasUsed
	h.grant(h.a, h.open(h.b))
	used := h.Call(h.b, "access", "use", useArgs{Relation: "open", Object: h.door}).OK().Emitted("allowed").GasUsed
	page, err := os.ReadFile("../../runtime/tx/README.md")
	if err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`takes ([0-9.]+) million, and more where many grants are to be\s+looked at; enrolling a device is ([0-9.]+) million`).FindSubmatch(page)
	if said == nil {
		t.Fatal("runtime/tx/README.md does not say it")
	}
	for i, gas := range []uint64{used, enrolled} {
		if million, err := strconv.ParseFloat(string(said[i+1]), 64); err != nil || math.Abs(million-float64(gas)/1e6) > float64(gas)/7e6 {
			t.Errorf("runtime/tx/README.md says %s million, it is %.2f: correct it", said[i+1], float64(gas)/1e6)
		}
	}
}
