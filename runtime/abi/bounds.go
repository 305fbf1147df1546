package abi

// Version is the version of the "ward" import module that this release speaks.
// A contract whose spec names a higher version is refused.
const Version = 2

// What crosses the line between contract and runtime, in bytes unless said
// otherwise. A contract that passes more traps; what comes from outside is
// refused before anything of that size is allocated.
const (
	// MaxKey is the longest storage key: several addresses, or a readable
	// path of them, and a number.
	MaxKey = 256
	// MaxValue is the largest stored value. Larger things are several rows:
	// a row is read, hashed and written whole.
	MaxValue = 64 << 10
	// MaxArgs is the largest argument document of a call: what fits in an
	// ordinary transaction.
	MaxArgs = 64 << 10
	// MaxReturn is the largest result of a call; longer lists are paged.
	MaxReturn = 64 << 10
	// MaxAttributes is the largest attribute map of one event. Events are
	// facts for dashboards, not a store for documents.
	MaxAttributes = 8 << 10
	// MaxReason is the longest reason of a failure: a few lines of a terminal. A
	// longer one is cut.
	MaxReason = 1024
	// MaxLog is the longest single log line of a contract; a longer one is cut.
	MaxLog = 4 << 10
	// MaxScanRows is the most rows that one scan returns, whatever limit the
	// contract asked for; the next page starts after the last key.
	MaxScanRows = 1024
	// MaxMessage is the largest document that cose_verify, sha256 and
	// account_open take.
	MaxMessage = 64 << 10
	// MaxDepth is how many contracts may be running at once, each called by the one
	// before: each has a memory of its own.
	MaxDepth = 8
	// MaxAuthorities is the most authorities of a chain. Every block carries a
	// signature of each, and a vote costs a message to each.
	MaxAuthorities = 100
)

// Bounds of a spec.
const (
	// MaxSpec is the largest encoded spec in bytes. It is returned by
	// ward_spec like any other result, so it can't be larger than one.
	MaxSpec = MaxReturn
	// MaxMethods, MaxEventSpecs and MaxErrorSpecs count what one contract may
	// declare: more than a person can read is more than one contract.
	MaxMethods    = 256
	MaxEventSpecs = 256
	MaxErrorSpecs = 256
	// MaxFields is the most fields of one struct or event.
	MaxFields = 64
	// MaxTypeDepth is how deep types nest: a list of structs is 2. A value
	// must stay below the 16 levels that runtime/cbor reads.
	MaxTypeDepth = 8
	// MaxDoc is the longest documentation of one thing in bytes: a paragraph.
	MaxDoc = 1024
	// MaxToolchain is the longest name of a toolchain, such as "go1.26.8".
	MaxToolchain = 64
	// MaxModule is the largest Wasm module in bytes whose sections are
	// looked through: what a deploying transaction can carry.
	MaxModule = 4 << 20
	// MaxSections is the most sections that a module may have. The Wasm spec
	// has 13 kinds; compilers add a handful of custom ones.
	MaxSections = 256
)
