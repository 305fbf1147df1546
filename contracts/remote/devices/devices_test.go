package devices_test

import (
	"flag"
	"testing"

	"github.com/wardledger/ward/sdk/sdktest"
	"github.com/wardledger/ward/sdk/specgo"
)

var update = flag.Bool("update", false, "write devices.go anew")

// TestGenerated sees when the contract devices has changed what its callers rely on.
func TestGenerated(t *testing.T) {
	o := specgo.Options{Methods: []string{"status"}}
	if err := specgo.Check("devices.go", sdktest.Build(t, "../../devices").Spec, o, *update); err != nil {
		t.Error(err)
	}
}
