//go:build !ward_carried && !wasip1

package sdk

import "embed"

// Source is the SDK as it lies here, with what a contract's tests need of it: `ward contract new` writes it beside a contract. It is not in
// contracts.
//
//go:embed *.go wire/*.go sdktest/*.go sdktest/link/*.go spelling/*.go c/ward.h c/README.md
var Source embed.FS
