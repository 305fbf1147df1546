// Heavy has a compiler in it, for a test of what is said of modules that are too large.
package main

import (
	"go/types"

	"github.com/wardledger/ward/sdk"
)

func init() {
	sdk.Describe("heavy", "Has a compiler in it.")
	sdk.View("checks", func(*sdk.Ctx, sdk.None) (bool, error) {
		_, err := new(types.Config).Check("nothing", nil, nil, nil)
		return err == nil, nil
	}, "Does nothing compile?")
}

func main() {}
