package sdktest_test

import (
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk/sdktest"
)

func TestDevice(t *testing.T) {
	chain := sdktest.New(t, append(sdktest.Standard(t, "devices", "access"), sdktest.Contract{Dir: "../../contracts/hello"})...)
	owner := chain.Account("owner")
	lock := chain.Device("front door", owner, "access")
	phone := chain.Device("phone", owner, "access", "hello", "devices")

	if s := chain.View("devices", "device", sdktest.JSON(`{"device":"`+lock.Address().String()+`"}`)).OK().JSON(); !strings.Contains(s, `"owner":"`+owner.Address().String()) {
		t.Error(s)
	}
	chain.Call(lock, "devices", "authenticate_self", nil).OK()
	chain.Call(lock, "access", "register", sdktest.JSON(`{"name":"door/1"}`)).OK()
	chain.Call(lock, "hello", "open", nil).Refused(receipt.OutOfScope)
	chain.Call(phone, "hello", "open", nil).OK()
	chain.Call(owner, "devices", "suspend", sdktest.JSON(`{"device":"`+lock.Address().String()+`"}`)).OK()
	chain.Call(lock, "devices", "authenticate_self", nil).Refused(receipt.KeyShut)
}
