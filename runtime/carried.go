package runtime

import "embed"

// Source is the part of this folder that the SDK imports; see sdk.Source. It stands here because what is embedded must lie below.
//
//go:embed abi/*.go abi/specjson/*.go address/*.go cbor/*.go receipt/*.go
var Source embed.FS
