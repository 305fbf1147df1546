// Package specgo writes a contract's spec as Go: a package with which another contract calls it, typed.
//
//	spec ──► Client ──► devices.go      package devices
//	                                    type StatusArgs struct { Device sdk.Address }
//	                                    func (at Contract) Status(c *sdk.Ctx, args StatusArgs) (Answer, error)
//	                                    const ErrUnknownDevice sdk.RemoteCode = 3
//
//	answer, err := devices.At("devices").Status(c, devices.StatusArgs{Device: meter})
//
// What comes out is a function of the spec and the options alone: it names no toolchain, machine or time, and with methods
// chosen it changes only when one of them or the codes do. So it is kept beside the contract that uses it, and a test that
// calls [Check] sees when the other contract has changed.
//
// # What it promises of any spec
//
// A spec may come from a chain, by anybody. Whatever abi.Spec.Check lets through compiles, and says the same on the
// wire: sdk/wire makes of each Go type the very type of the spec, but for docs and the names of structs. (One thing Go can't say: a list of
// uint8, which would be bytes. Those are uint16 here, and the other contract refuses what is too large.)
// Docs become comments on lines of ours, in which nothing is a directive: they reach neither the compiler nor the Go command.
// They are no doc tags, because those would lie in the module of each caller, where nothing reads them.
//
// # How things are called
//
//	the method set_labels         SetLabels, what it takes SetLabelsArgs, what it answers SetLabelsAnswer
//	a struct type that the        its name; used in several places, it is one Go type
//	  author has exported
//	another one inside a value    its name in upper case, or if it has none, where it lies: SetLabelsArgsLabels
//	the field device_id           DeviceID
//	the error wrong_state         ErrWrongState
//
// What would be called like something else before it gets a number: Answer2.
package specgo
