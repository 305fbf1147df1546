package abi

// Codes that a contract passes to fail but may not declare as its own. With them the guest's
// dispatcher, which alone sees the method's name and decodes its arguments, says
// whose mistake it was; the host answers with the runtime's code of the same name.
const (
	// FailUnknownMethod: the contract has no such method.
	FailUnknownMethod uint32 = 0xffff_ffff
	// FailBadArguments: the arguments do not fit the method.
	FailBadArguments uint32 = 0xffff_fffe
	// FirstReservedFail is the lowest code that an ErrorSpec may not have.
	FirstReservedFail uint32 = 0xffff_0000
)
