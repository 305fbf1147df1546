package runtime

import "github.com/wardledger/ward/runtime/abi"

// The methods of CodeContract.
const (
	deployMethod   = "deploy"
	upgradeMethod  = "upgrade"
	rollbackMethod = "rollback"
	announceMethod = "announce"
	withdrawMethod = "withdraw"
	delayMethod    = "set_delay"
	adminMethod    = "set_admin"
	historyMethod  = "history"
)

// CodeSpec describes CodeContract as any contract describes itself. The caller must not change it.
func CodeSpec() *abi.Spec { return codeSpec }

var codeSpec = func() *abi.Spec {
	field := func(name string, kind abi.Kind, doc string) abi.Field {
		return abi.Field{Name: name, Doc: doc, Type: &abi.Type{Kind: kind}}
	}
	optional := func(f abi.Field) abi.Field {
		f.Optional = true
		return f
	}
	hashed := func(name, doc string) abi.Field {
		return abi.Field{Name: name, Doc: doc, Type: &abi.Type{Kind: abi.KindBytes, Size: abi.HashSize}}
	}
	of := func(name string, fields ...abi.Field) *abi.Type {
		return &abi.Type{Kind: abi.KindStruct, Name: name, Fields: fields}
	}
	var (
		code     = field("code", abi.KindBytes, "the Wasm module")
		hash     = hashed("hash", "SHA-256 of the code")
		name     = field("name", abi.KindText, "what the contract is called")
		admin    = field("admin", abi.KindAddress, "whose contract it is")
		version  = field("version", abi.KindUint, "number of the code among those of this contract, from 1")
		from     = field("from", abi.KindUint, "number of the code before")
		breaking = field("allow_breaking", abi.KindBool, "whether the new code may take away what callers rely on")
		earliest = field("earliest", abi.KindTime, "when it may happen")
		delay    = field("delay", abi.KindDuration, "how long a change of code is announced before it may happen")
	)
	changed := of("Changed", hash, version)
	moved := []abi.Field{name, version, hash, from, hashed("before", "SHA-256 of the code before"), field("by", abi.KindAddress, "who did it")}
	return &abi.Spec{
		ABI: abi.Version, Name: CodeContract,
		Doc: "Deploys contracts: for whoever the chain's parameters let, and what a contract with the capability code permits. Replaces their code, for their admin.",
		Methods: []abi.Method{
			{Name: deployMethod, Doc: "Creates a contract from its Wasm and calls its init.",
				Args: of("Deploy", code, optional(field("init", abi.KindBytes, "CBOR for the contract's init")), name,
					optional(field("delay", abi.KindDuration, "how long a change of its code will be announced before it may happen"))),
				Result: of("Deployed", hash)},
			{Name: upgradeMethod, Doc: "Replaces the code of a contract, keeps its rows, and calls the new code's upgrade with the version before.",
				Args: of("Upgrade", code, name, optional(breaking)), Result: changed},
			{Name: rollbackMethod, Doc: "Gives a contract the code of an earlier version in its history again, and calls that code's upgrade with the version before. The rows stay as they are.",
				Args: of("Rollback", name, field("to", abi.KindUint, "the version")), Result: changed},
			{Name: announceMethod, Doc: "Announces an upgrade, by the hash of the code, or a rollback, by the version, of a contract with a delay; in place of what was announced before. After the delay, and not later than 30 days after that, it may happen.",
				Args:   of("Announce", name, optional(hash), optional(field("to", abi.KindUint, "the version to roll back to")), optional(breaking)),
				Result: of("Announced", version, earliest)},
			{Name: withdrawMethod, Doc: "Takes back what was announced.", Args: of("Withdraw", name)},
			{Name: delayMethod, Doc: "Changes how long changes of the code are announced: to longer at once, to shorter when the delay before has passed. 0 is no delay; at most a year.",
				Args: of("SetDelay", name, delay), Result: of("DelaySet", field("from", abi.KindTime, "when it is in force"))},
			{Name: adminMethod, Doc: "Hands a contract over to another account. To nobody, an address of zeros, its code stays as it is for ever.",
				Args: of("SetAdmin", name, field("admin", abi.KindAddress, "whose contract it will be; zeros: nobody's"))},
			{Name: historyMethod, View: true, Doc: "How a contract came to its code: the last 32 times that it got one, the oldest first.",
				Args: of("OfContract", name),
				Result: &abi.Type{Kind: abi.KindList, Elem: of("Activation", version, field("from", abi.KindUint, "number of the code before; 0: it was deployed"), hash,
					field("height", abi.KindUint, "of the block"), field("time", abi.KindTime, "of the block"),
					field("by", abi.KindAddress, "who did it"), field("gas", abi.KindUint, "what making the code ready took, and will again"))}},
		},
		Events: []abi.EventSpec{
			{Name: "deployed", Doc: "A contract exists from now on.", Fields: []abi.Field{hash, name, admin}},
			{Name: "upgraded", Doc: "A contract has new code from now on.", Fields: moved},
			{Name: "rolled_back", Doc: "A contract has the code of an earlier version again.", Fields: moved},
			{Name: "announced", Doc: "The code of a contract may change, not before the time that is named.",
				Fields: []abi.Field{name, version, hash, field("rollback", abi.KindBool, "to a version that it had before"), breaking, earliest}},
			{Name: "withdrawn", Doc: "What was announced will not happen.", Fields: []abi.Field{name, version, hash}},
			{Name: "delay_set", Doc: "Changes of a contract's code are announced for another time, from the time that is named on.",
				Fields: []abi.Field{name, delay, field("from", abi.KindTime, "when it is in force")}},
			{Name: "admin_set", Doc: "A contract has another admin.", Fields: []abi.Field{name, admin, field("before", abi.KindAddress, "whose it was")}},
		},
	}
}()
