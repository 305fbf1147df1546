package sdktest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/wardledger/ward/sdk"
)

// deviceModel is the model of the devices that the harness enrols, and deviceQuota what each gets of its owner's quota, in gas per hour.
const (
	deviceModel = "sdktest"
	deviceQuota = AmpleQuota / 1000
)

// Device enrols the Ed25519 key of a name as a device of an owner in the contract devices of [Standard], where it is active at once. It may
// call these contracts, and devices. [Chain.Operator] writes the model and the owner enrols, in two blocks.
func (c *Chain) Device(name string, owner *Key, contracts ...string) *Key {
	c.t.Helper()
	const devices = "devices"
	if c.specs[devices] == nil {
		c.t.Fatalf("device %s: no contract devices is on this chain: give New what Standard(t, %q) returns as well", name, devices)
	}
	type scope struct {
		Contract string `json:"contract"`
	}
	may := []scope{{devices}}
	for _, contract := range contracts {
		if contract != devices {
			may = append(may, scope{contract})
		}
	}
	c.Call(c.Operator, devices, "set_model", document(map[string]any{"model": deviceModel, "scope": may, "quota": deviceQuota})).OK()

	device, nonce := Ed25519(name), sha256.Sum256([]byte("sdktest nonce "+name))
	proof := device.Message(c.t, "ward-enrol-v1", struct {
		Chain         string
		Nonce         []byte
		Owner, Device sdk.Address
		Contract      string
	}{ID, nonce[:16], owner.Address(), device.Address(), devices})
	c.Call(owner, devices, "enrol", document(map[string]any{
		"model": deviceModel, "key": inHex(device.Public()), "proof": inHex(proof), "owner": owner.Address().String(),
	})).OK()
	return device
}

func document(v any) JSON {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: sdktest: " + err.Error())
	}
	return JSON(b)
}

func inHex(b []byte) string { return "0x" + hex.EncodeToString(b) }
