// Package ward carries the source of the SDK, from which `ward contract new` makes a contract's folder that needs nothing from
// anywhere else. It lies in the root because what is embedded must lie below.
package ward

import "embed"

// SDK has what a contract and its tests import, with the paths of this repository. Tests lie among it.
//
//go:embed sdk/*.go sdk/wire/*.go sdk/sdktest/*.go sdk/sdktest/link/*.go sdk/c/ward.h sdk/c/README.md
//go:embed runtime/abi/*.go runtime/abi/specjson/*.go runtime/address/*.go runtime/cbor/*.go runtime/receipt/*.go
//go:embed LICENSE
var SDK embed.FS
