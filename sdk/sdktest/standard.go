package sdktest

import (
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
)

// Standard returns standard contracts as `ward init` puts them on a chain, to be given to [New] before one's own: devices, access,
// energy and authority, or those that are named. The operator of each is [Chain.Operator]; devices has the power to open accounts and
// knows no model yet; the one authority is the operator too.
//
//	chain := sdktest.New(t, append(sdktest.Standard(t, "devices", "access"), sdktest.Contract{Dir: "."})...)
func Standard(t testing.TB, names ...string) []Contract {
	t.Helper()
	if len(names) == 0 {
		names = []string{"devices", "access", "energy", "authority"}
	}
	operator := Ed25519("operator")
	var all []Contract
	for _, name := range names {
		k := Contract{Standard: name}
		switch name {
		case "access":
		case "devices":
			k.Capabilities = []string{abi.CapabilityAccounts}
			k.Init = JSON(fmt.Sprintf(`{"operator":%q,"models":[]}`, operator.Address()))
		case "energy":
			k.Init = JSON(fmt.Sprintf(`{"operator":%q}`, operator.Address()))
		case "authority":
			k.Capabilities = abi.Capabilities()
			k.Init = JSON(fmt.Sprintf(`{"authorities":[{"operator":%q,"key":"0x%s","name":"operator"}]}`, operator.Address(), hex.EncodeToString(operator.Public())))
		default:
			t.Fatalf("no standard contract %q: there are devices, access, energy and authority", name)
		}
		all = append(all, k)
	}
	return all
}
