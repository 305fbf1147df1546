package specgo_test

import (
	"fmt"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/sdk/specgo"
)

// The contract bell rings, but not at night.
func ExampleClient() {
	bell := &abi.Spec{
		ABI: 1, Name: "bell", Doc: "Rings at the door.",
		Methods: []abi.Method{{
			Name: "ring", Doc: "Ring the bell.",
			Args:   &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{{Name: "times", Doc: "how often", Type: &abi.Type{Kind: abi.KindUint}}}},
			Result: &abi.Type{Kind: abi.KindUint},
		}},
		Errors: []abi.ErrorSpec{{Code: 2, Name: "asleep", Doc: "The neighbours sleep."}},
	}
	source, err := specgo.Client(bell, specgo.Options{})
	if err != nil {
		panic(err)
	}
	_, methods, _ := strings.Cut(string(source), "\n// Ring ")
	fmt.Print("// Ring ", methods)
	// Output:
	// // Ring calls the method ring. Ring the bell.
	// func (at Contract) Ring(c *sdk.Ctx, args RingArgs) (uint64, error) {
	// 	return remoteRing.CallWithGas(c, at.name, args, at.gas)
	// }
	//
	// // RingArgs is what ring takes.
	// type RingArgs struct {
	// 	Times uint64 // how often
	// }
	//
	// // The codes with which bell refuses, for errors.Is with what a call returned.
	// const (
	// 	ErrAsleep sdk.RemoteCode = 2 // asleep: The neighbours sleep.
	// )
	//
	// var (
	// 	remoteRing = sdk.Remote[RingArgs, uint64]("ring")
	// )
}
