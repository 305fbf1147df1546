package abi

// Longest names in bytes. All names are ASCII.
const (
	MaxContractName = 64
	MaxMethodName   = 64
	MaxEventName    = 64
	MaxErrorName    = 64
	MaxFieldName    = 64
	MaxTypeName     = 64
	MaxCapability   = 64
	// MaxCollection leaves room for the longest contract name and a separator
	// in the 128 bytes that runtime/state allows a collection.
	MaxCollection = 63
	// MaxChain is the longest chain id, as the consensus engine has it for genesis
	// documents (50), rounded up to what a transaction's field allows.
	MaxChain = 64
)

// RefusedEvent is the event that only the runtime emits, for a transaction
// that was executed and failed. No contract may declare or emit it.
const RefusedEvent = "refused"

// ValidContract reports whether s can name a contract: a lower-case letter,
// then lower-case letters, digits and "-".
func ValidContract(s string) bool { return named(s, MaxContractName, false, "-") }

// ValidMethod reports whether s can name a method: a lower-case letter, then
// lower-case letters, digits and "_".
func ValidMethod(s string) bool { return named(s, MaxMethodName, false, "_") }

// ValidEvent reports whether s can name an event; written like a method. It
// does not refuse [RefusedEvent].
func ValidEvent(s string) bool { return named(s, MaxEventName, false, "_") }

// ValidErrorName reports whether s can name an error; written like a method.
func ValidErrorName(s string) bool { return named(s, MaxErrorName, false, "_") }

// ValidCapability reports whether s can name a capability; written like a method.
func ValidCapability(s string) bool { return named(s, MaxCapability, false, "_") }

// ValidCollection reports whether s can name a collection of a contract: a
// lower-case letter, then lower-case letters, digits, "_" and ".".
func ValidCollection(s string) bool { return named(s, MaxCollection, false, "_.") }

// ValidField reports whether s can name a field: a lower-case letter, then
// letters, digits and "_" (import_Wh). It becomes a flag of the CLI as it is.
func ValidField(s string) bool {
	return named(s, MaxFieldName, true, "_") && !upper(s[0])
}

// ValidType reports whether s can name a struct type: a letter, then letters,
// digits and "_", as Go, Rust and TypeScript all allow.
func ValidType(s string) bool { return named(s, MaxTypeName, true, "_") }

// ValidChain reports whether s can be a chain id: a letter or digit, then
// letters, digits, "-", "_" and ".".
func ValidChain(s string) bool {
	if s == "" || !lower(s[0]) && !upper(s[0]) && !digit(s[0]) {
		return false
	}
	return named("a"+s[1:], MaxChain, true, "-_.")
}

// named reports whether s starts with a letter, has at most max bytes and
// consists of lower-case letters, digits, the bytes of also, and upper-case
// letters where mixed.
func named(s string, max int, mixed bool, also string) bool {
	if s == "" || len(s) > max {
		return false
	}
	if !lower(s[0]) && (!mixed || !upper(s[0])) {
		return false
	}
	for i := 1; i < len(s); i++ {
		c := s[i]
		if lower(c) || digit(c) || mixed && upper(c) {
			continue
		}
		found := false
		for j := 0; j < len(also); j++ {
			found = found || also[j] == c
		}
		if !found {
			return false
		}
	}
	return true
}

func lower(c byte) bool { return 'a' <= c && c <= 'z' }
func upper(c byte) bool { return 'A' <= c && c <= 'Z' }
func digit(c byte) bool { return '0' <= c && c <= '9' }
