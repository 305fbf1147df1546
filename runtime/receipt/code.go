package receipt

import "strconv"

// Code says how a transaction ended. The list is closed and only ever appended to:
// a number never changes its meaning, because it is in the chain's hashes.
//
// Below 32 are refusals before execution: the transaction changed nothing and its
// sequence is free still. From 32 on, and at OK, the transaction was executed: its
// sequence is used and gas was charged.
type Code uint32

// firstExecuted is the lowest code of a transaction that was executed and failed.
const firstExecuted Code = 32

// The codes.
const (
	OK Code = 0

	Malformed     Code = 1
	TooLarge      Code = 2
	WrongChain    Code = 3
	Expired       Code = 4
	UnknownKey    Code = 5
	KeyShut       Code = 6
	KeyExpired    Code = 7
	BadSignature  Code = 8
	OutOfScope    Code = 9
	Replayed      Code = 10
	SequenceJump  Code = 11
	GasLimit      Code = 12
	OverQuota     Code = 13
	Busy          Code = 14
	OneActivation Code = 15

	UnknownContract Code = 32
	UnknownMethod   Code = 33
	BadArguments    Code = 34
	Failed          Code = 35
	Trapped         Code = 36
	OutOfGas        Code = 37
	TooDeep         Code = 38
	NotPermitted    Code = 39
	BadResult       Code = 40
	BadCode         Code = 41
	Exists          Code = 42
	Breaking        Code = 43
)

// codes holds name and sentence of each code, in ascending order.
var codes = []struct {
	code           Code
	name, sentence string
}{
	{OK, "ok", "the transaction succeeded"},

	{Malformed, "malformed", "the bytes are not a transaction in canonical form"},
	{TooLarge, "too_large", "the transaction is larger than allowed"},
	{WrongChain, "wrong_chain", "the transaction was signed for another chain"},
	{Expired, "expired", "the last valid height has passed"},
	{UnknownKey, "unknown_key", "no account knows the signing key"},
	{KeyShut, "key_shut", "the signing key is suspended or retired"},
	{KeyExpired, "key_expired", "the signing key has expired"},
	{BadSignature, "bad_signature", "the signature does not match the key"},
	{OutOfScope, "out_of_scope", "the signing key may not call this contract or method"},
	{Replayed, "replayed", "the sequence was used before or lies behind the window"},
	{SequenceJump, "sequence_jump", "the sequence is too far ahead of the highest one used"},
	{GasLimit, "gas_limit", "the gas limit is out of bounds"},
	{OverQuota, "over_quota", "the account has used up its gas for now"},
	{Busy, "busy", "the node has no room for the transaction at present"},
	{OneActivation, "one_activation", "the block makes the code of another contract ready already"},

	{UnknownContract, "unknown_contract", "there is no contract of this name"},
	{UnknownMethod, "unknown_method", "the contract has no such method"},
	{BadArguments, "bad_arguments", "the arguments do not fit the method"},
	{Failed, "failed", "the contract refused, with a code of its own"},
	{Trapped, "trapped", "the contract crashed or misused the host"},
	{OutOfGas, "out_of_gas", "the gas limit was used up"},
	{TooDeep, "too_deep", "calls were nested too deeply"},
	{NotPermitted, "not_permitted", "the caller lacks the permission or the contract the capability"},
	{BadResult, "bad_result", "the contract returned something that is not allowed"},
	{BadCode, "bad_code", "the contract's code was refused"},
	{Exists, "exists", "something of this name exists already"},
	{Breaking, "breaking", "the new code takes something away that callers may rely on"},
}

// Codes returns every code, ascending.
func Codes() []Code {
	all := make([]Code, len(codes))
	for i, c := range codes {
		all[i] = c.code
	}
	return all
}

// ParseCode is the code with this Name.
func ParseCode(name string) (Code, bool) {
	for _, c := range codes {
		if c.name == name {
			return c.code, true
		}
	}
	return 0, false
}

// Name is the code as programs write it, such as "out_of_scope". A number that is
// not in the list, from a newer chain perhaps, is "code_" and the number.
func (c Code) Name() string {
	for _, k := range codes {
		if k.code == c {
			return k.name
		}
	}
	return "code_" + strconv.FormatUint(uint64(c), 10)
}

// String is the code as a sentence for people.
func (c Code) String() string {
	for _, k := range codes {
		if k.code == c {
			return k.sentence
		}
	}
	return "code " + strconv.FormatUint(uint64(c), 10) + ", which this version does not know"
}

// Executed reports whether a transaction with this code took its place in the
// chain: its sequence is used and gas was charged.
func (c Code) Executed() bool { return c == OK || c >= firstExecuted }
