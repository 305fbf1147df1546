package abi

// Module is the import module of the functions in [Table].
const Module = "ward"

// The two value types that cross the line. Pointers and lengths are I32.
const (
	I32 = "i32"
	I64 = "i64"
)

// What functions answer besides lengths.
const (
	// Absent is answered instead of a length: no such row, not a valid
	// signature, not a key that only its owner can sign for.
	Absent = -1
	// ScanReverse is the bit of scan's flags that asks for descending keys.
	ScanReverse = 1
	// BlockSize is the size in bytes of what block writes: the height, then
	// the time, 8 bytes each.
	BlockSize = 16
	// AddressSize and HashSize are the sizes in bytes of what sender, origin,
	// key_address and of what sha256 write.
	AddressSize = 20
	HashSize    = 32
	// Answers of caller_kind.
	CallerNobody   = 0
	CallerAccount  = 1
	CallerContract = 2
	// MaxDerived is the most bytes that hkdf_sha256 derives: 255 hashes (RFC 5869).
	MaxDerived = 255 * 32
	// MaxBatch is the most signatures of one ed25519_verify_batch.
	MaxBatch = 64
	// ScanRowHead is the size in bytes of the two lengths before each row that
	// scan writes.
	ScanRowHead = 8
)

// Status is the answer of the functions that need a capability.
type Status int32

// The statuses; the list is only ever appended.
const (
	// StatusOK: done.
	StatusOK Status = 0
	// StatusUnknown: there is no such key, or no such owner account.
	StatusUnknown Status = -1
	// StatusExists: the key is, or once was, in use.
	StatusExists Status = -2
	// StatusRetired: the key is retired, which is final.
	StatusRetired Status = -3
	// StatusNoQuota: the owner has less quota left than was to be carved.
	StatusNoQuota Status = -4
	// StatusNotASet: what was handed over can't be the chain's authorities; see
	// [AuthoritySet.Check].
	StatusNotASet Status = -5
	// StatusNotParameters: what was handed over can't be the chain's parameters;
	// see [Parameters.Check].
	StatusNotParameters Status = -6
	// StatusNotAPermit: what was handed over can't be permitted; see
	// [Permit.Check].
	StatusNotAPermit Status = -7
	// StatusNameTaken: there is a contract of this name, so none can be deployed,
	// and the permit is not one for its code.
	StatusNameTaken Status = -8
	// StatusTooMany: as many permits wait as may.
	StatusTooMany Status = -9
	// StatusNoPermit: no permit waits for this name.
	StatusNoPermit Status = -10
	// StatusNotYours: the permit would hand out a capability that the contract
	// does not have itself.
	StatusNotYours Status = -11
)

// statuses are the words of each status: that of -n is at n.
var statuses = [...]string{
	"done",
	"no such key or owner account",
	"the key is already known",
	"the key is retired",
	"the owner has not enough quota left",
	"these keys can't be the chain's authorities",
	"these can't be the chain's parameters",
	"this can't be permitted",
	"there is a contract of this name already",
	"as many permits wait for their deployment as may",
	"there is no permit for this name",
	"the contract can't hand out a capability that it does not have itself",
}

// Statuses returns every status, StatusOK first.
func Statuses() []Status {
	all := make([]Status, len(statuses))
	for i := range all {
		all[i] = Status(-i)
	}
	return all
}

// String returns what happened, in words.
func (s Status) String() string {
	if s > 0 || int(s) <= -len(statuses) {
		return "unknown status"
	}
	return statuses[-s]
}

// The capabilities: extra powers that a contract must have been given.
const (
	// CapabilityAccounts is needed to call the account functions.
	CapabilityAccounts = "accounts"
	// CapabilityAuthorities is needed to say who the chain's authorities shall be.
	CapabilityAuthorities = "authorities"
	// CapabilityParameters is needed to change the chain's parameters.
	CapabilityParameters = "parameters"
	// CapabilityCode is needed to permit deployments.
	CapabilityCode = "code"
)

// Capabilities returns every capability that a function needs, in ascending order.
func Capabilities() []string {
	return []string{CapabilityAccounts, CapabilityAuthorities, CapabilityCode, CapabilityParameters}
}

// A Param is one parameter of a function.
type Param struct {
	Name string
	Type string // I32 or I64
}

// A Function is one host function as a guest imports it.
type Function struct {
	Name    string
	Params  []Param
	Results []string // I32 or I64; at most one
	Since   int      // the Version that brought it
	// Gas is the price on top of crossing into the host: names of constants in runtime/gas, "x" for times, and the parameters whose
	// length counts.
	Gas string
	// Capability is what the contract must have been given, or "".
	Capability string
	// View tells whether a view may call it; elsewhere it traps.
	View bool
	Doc  string
}

// Table returns every host function of the module [Module], in the order of
// the documentation. The caller owns the slice.
//
// Conventions: out is where the answer goes and cap how much fits there. The
// answer's full length is returned; if it is larger than cap, nothing was
// written and the guest asks again with more room. Numbers in memory are
// little-endian. Misuse (a pointer outside memory, more than a bound of this
// package, a write in a view, a capability that is missing) ends the call; the
// guest never sees it.
func Table() []Function {
	return []Function{
		{Name: "method", Params: out("out", "cap"), Results: one(I32), Since: 1, Gas: "HostByte x out", View: true,
			Doc: "Writes the name of the method that was called; returns its length."},
		{Name: "args", Params: out("out", "cap"), Results: one(I32), Since: 1, Gas: "HostByte x out", View: true,
			Doc: "Writes the arguments of the call, one canonical CBOR item; returns their length."},
		{Name: "sender", Params: out("out20"), Since: 1, Gas: "HostByte x out", View: true,
			Doc: "Writes the 20-byte address of who called: the account of the signing key, or the calling contract. In a view without a sender it is all zero."},
		{Name: "origin", Params: out("out20"), Since: 1, Gas: "HostByte x out", View: true,
			Doc: "Writes the 20-byte address of the account whose key signed the transaction, at any call depth."},
		{Name: "contract", Params: out("out", "cap"), Results: one(I32), Since: 1, Gas: "HostByte x out", View: true,
			Doc: "Writes the name under which this contract was created; returns its length."},
		{Name: "chain", Params: out("out", "cap"), Results: one(I32), Since: 1, Gas: "HostByte x out", View: true,
			Doc: "Writes the chain id; returns its length."},
		{Name: "block", Params: out("out16"), Since: 1, Gas: "HostByte x out", View: true,
			Doc: "Writes the block's height (u64) and time (i64, unix seconds, UTC)."},
		{Name: "get", Params: out("col", "collen", "key", "keylen", "out", "cap"), Results: one(I32), Since: 1, Gas: "Read + ReadByte x (key + out)", View: true,
			Doc: "Writes the value of a row of this contract's collection; returns its length, or -1 if there is none."},
		{Name: "set", Params: out("col", "collen", "key", "keylen", "val", "vallen"), Since: 1, Gas: "Write + WriteByte x (key + val)",
			Doc: "Stores a row, replacing the value that it had."},
		{Name: "delete", Params: out("col", "collen", "key", "keylen"), Results: one(I32), Since: 1, Gas: "Read + Write + ReadByte x key + WriteByte x key",
			Doc: "Removes a row; returns 1 if there was one, else 0."},
		{Name: "scan", Params: out("col", "collen", "start", "startlen", "end", "endlen", "flags", "limit", "out", "cap"), Results: one(I32), Since: 1, Gas: "Scan + ReadByte x (start + end + out) + ScanRow for each row that is looked at", View: true,
			Doc: "Writes rows with start <= key < end in key order, or in descending order if flags bit 0 is set; an empty end is unbounded. Each row is the key's length (u32), the value's length (u32), key, value. As many whole rows as fit in cap and at most limit are written; returns the bytes written, 0 when there are no rows. If not even the first row fits, nothing is written and the size that it needs is returned. The next page starts at the last key with a zero byte appended, or, in descending order, ends at the last key."},
		{Name: "emit", Params: out("name", "namelen", "attrs", "attrslen"), Since: 1, Gas: "Emit + EmitByte x (name + attrs)",
			Doc: "Emits an event; attrs is a canonical CBOR map with text keys. It happens only if the transaction succeeds."},
		{Name: "ret", Params: out("ptr", "len"), Since: 1, Gas: "ReturnByte x len", View: true,
			Doc: "Sets the result of the call, one canonical CBOR item; a later call replaces it."},
		{Name: "fail", Params: out("code", "ptr", "len"), Since: 1, Gas: "HostByte x len", View: true,
			Doc: "Ends the call as failed with the contract's own code, which is not 0 (some are reserved, see FailUnknownMethod), and a reason in UTF-8. Does not return; writes and events of the call are undone."},
		{Name: "log", Params: out("ptr", "len"), Since: 1, Gas: "LogByte x len", View: true,
			Doc: "Adds a line to the debug log of this node. It is no part of the result."},
		{Name: "cose_verify", Params: out("key", "keylen", "aad", "aadlen", "msg", "msglen", "out", "cap"), Results: one(I32), Since: 1, Gas: "Verify + HashByte x msg", View: true,
			Doc: "Checks a COSE_Sign1 message of a device against a public key (32 bytes Ed25519, 33 bytes P-256) and the external AAD; writes its payload and returns the payload's length, or returns -1 if it is not a valid signature of that key in canonical form, or the key is one that key_address refuses."},
		{Name: "key_address", Params: out("key", "keylen", "out20"), Results: one(I32), Since: 1, Gas: "Key", View: true,
			Doc: "Writes the 20-byte address of a public key; returns 0, or -1 if it is not a public key, or an Ed25519 key of small order, for which anybody can sign."},
		{Name: "sha256", Params: out("ptr", "len", "out32"), Since: 1, Gas: "Hash + HashByte x len", View: true,
			Doc: "Writes the SHA-256 of some bytes."},
		{Name: "gas_left", Results: one(I64), Since: 1, Gas: "nothing more", View: true,
			Doc: "Returns how much gas the call may still use."},
		{Name: "account_open", Params: out("ptr", "len"), Results: one(I32), Since: 1, Gas: "Account + WriteByte x len", Capability: CapabilityAccounts,
			Doc: "Opens a key as the encoded OpenAccount says, so that it may sign transactions; returns a status."},
		{Name: "account_shut", Params: out("kid20"), Results: one(I32), Since: 1, Gas: "Account", Capability: CapabilityAccounts,
			Doc: "Shuts a key: from now on nothing that it signs is accepted; returns a status."},
		{Name: "account_reopen", Params: out("kid20"), Results: one(I32), Since: 1, Gas: "Account", Capability: CapabilityAccounts,
			Doc: "Opens a shut key again; returns a status."},
		{Name: "account_retire", Params: out("kid20"), Results: one(I32), Since: 1, Gas: "Account", Capability: CapabilityAccounts,
			Doc: "Shuts a key for ever and gives its quota back to the owner; returns a status."},
		{Name: "call", Params: out("contract", "contractlen", "method", "methodlen", "args", "argslen"), Results: one(I32), Since: 1, Gas: "Call + ReturnByte x args, and what the call uses", View: true,
			Doc: "Calls a method of another contract and returns when that has ended: 0, or the receipt code of its failure, which undoes what it wrote and emitted. It runs on the gas of this transaction, with this contract as its sender; in a view, or if its spec says that the method is one, it runs as a view. A contract that is running already and a call too deep are refused with their code. Out of gas ends the transaction."},
		{Name: "reply", Params: out("out", "cap"), Results: one(I32), Since: 1, Gas: "HostByte x out", View: true,
			Doc: "Writes what came of the last call: its result, nothing if it has none; after a failure a CBOR array of the contract's own code (0 if the runtime refused) and the reason. Returns its length."},
		{Name: "authorities_set", Params: out("ptr", "len"), Results: one(I32), Since: 1, Gas: "ReturnByte x len + Authority for each key", Capability: CapabilityAuthorities,
			Doc: "Says who the chain's authorities shall be: a CBOR array of their Ed25519 keys in ascending order. The engine runs the set of the end of block H from H+2 on. Returns a status."},
		{Name: "exists", Params: out("col", "collen", "key", "keylen"), Results: one(I32), Since: 2, Gas: "Read + ReadByte x key", View: true,
			Doc: "Returns 1 if there is a row of this contract's collection, else 0."},
		{Name: "caller_kind", Results: one(I32), Since: 2, Gas: "nothing more", View: true,
			Doc: "Returns what sender is: 0 nobody (a view that nobody asked for, init of what is nobody's), 1 the account of a key, 2 a contract (in init and upgrade: an admin that is one)."},
		{Name: "randomness", Params: out("out32"), Since: 2, Gas: "Hash", View: true,
			Doc: "Writes 32 bytes that differ from transaction to transaction and are the same on every node. They are public and whoever sends the transaction can choose them: never a secret, a nonce or a lottery."},
		{Name: "sha512", Params: out("ptr", "len", "out64"), Since: 2, Gas: "Hash + HashByte x len", View: true,
			Doc: "Writes the SHA-512 of some bytes (FIPS 180-4)."},
		{Name: "blake2b", Params: out("ptr", "len", "out32"), Since: 2, Gas: "Hash + HashByte x len", View: true,
			Doc: "Writes the BLAKE2b-256 of some bytes (RFC 7693)."},
		{Name: "hmac_sha256", Params: out("key", "keylen", "msg", "msglen", "out32"), Since: 2, Gas: "Mac + HashByte x (key + msg)", View: true,
			Doc: "Writes the HMAC-SHA-256 of a message (RFC 2104)."},
		{Name: "hkdf_sha256", Params: out("secret", "secretlen", "salt", "saltlen", "info", "infolen", "out", "cap"), Results: one(I32), Since: 2,
			Gas: "Mac + HashByte x (secret + salt) + (Mac + HashByte x info) x blocks of 32 bytes in out", View: true,
			Doc: "Fills out with keying material derived by HKDF-SHA-256 (RFC 5869), at most 8160 bytes; returns cap. What a contract derives is as public as what it derives it from."},
		{Name: "ed25519_verify", Params: out("key32", "sig64", "msg", "msglen"), Results: one(I32), Since: 2, Gas: "VerifyEd25519 + HashByte x msg", View: true,
			Doc: "Returns 1 if sig is a signature of the Ed25519 key over the message by the rules of ZIP-215, else 0. Those accept keys of small order, for which anybody can sign: key_address refuses them."},
		{Name: "ed25519_verify_batch", Params: out("ptr", "len"), Results: one(I32), Since: 2, Gas: "Hash + (VerifyEd25519 + HashByte x message) for each signature", View: true,
			Doc: "Returns 1 if all of several signatures are valid as ed25519_verify says, else 0. Each is the key (32 bytes), the signature (64), the message's length (u32) and the message; at most 64, and none is valid."},
		{Name: "p256_verify", Params: out("key33", "sig64", "msg", "msglen"), Results: one(I32), Since: 2, Gas: "Verify + HashByte x msg", View: true,
			Doc: "Returns 1 if sig, r and s of 32 bytes each, is an ECDSA signature of the compressed P-256 key over the SHA-256 of the message (FIPS 186-5), s high or low, else 0."},
		{Name: "p256_verify_digest", Params: out("key33", "sig64", "digest32"), Results: one(I32), Since: 2, Gas: "Verify", View: true,
			Doc: "Is p256_verify of a message whose SHA-256 the contract has."},
		{Name: "x509_verify", Params: []Param{{"chain", I32}, {"chainlen", I32}, {"anchors", I32}, {"anchorslen", I32}, {"time", I64}, {"out", I32}, {"cap", I32}}, Results: one(I32), Since: 2,
			Gas: "Certificate x (1 + signatures) + CertificateByte x (chain + anchors) + Verify x signatures", View: true,
			Doc: "Checks a chain of X.509 certificates in DER, leaf first, against anchors, both one behind the other, at a time in unix seconds, by the profile of runtime/cert: P-256 and SHA-256, at most 4 certificates and 16 anchors of 2,048 bytes. Writes what the leaf says, a CBOR map, and returns its length, or returns the negative number of the reason why not (1 to 26, see runtime/cert). Nothing is known of revocation: the map names each certificate by issuer and serial. Signatures are as many as are checked."},
		{Name: "call_with_gas", Params: append(out("contract", "contractlen", "method", "methodlen", "args", "argslen"), Param{"gas", I64}), Results: one(I32), Since: 2,
			Gas: "Call + ReturnByte x args, and what the call uses", View: true,
			Doc: "Is call with a limit of its own: if the call uses up gas, it fails as out of gas and this contract goes on. More than there is left is no limit."},
		{Name: "parameters_get", Params: out("out", "cap"), Results: one(I32), Since: 2, Gas: "Read + ReadByte x out", View: true,
			Doc: "Writes the chain's parameters, a canonical CBOR map: deploy is who may deploy any code (operator, list or open), and with list deployers are their addresses. Returns its length."},
		{Name: "parameters_set", Params: out("ptr", "len"), Results: one(I32), Since: 2, Gas: "Write + WriteByte x len", Capability: CapabilityParameters,
			Doc: "Changes the chain's parameters to what parameters_get would write, all of them; at most 64 deployers, in ascending order. They are in force at once: in this transaction and for those behind it in the block. Returns a status."},
		{Name: "code_permit", Params: out("ptr", "len"), Results: one(I32), Since: 2, Gas: "Permit + WriteByte x len", Capability: CapabilityCode,
			Doc: "Permits one deployment, whoever sends it: a canonical CBOR map of hash (SHA-256 of the code), init (SHA-256 of the arguments of its init, left out if there are none), name, admin (20 bytes, the sender of its init; zeros: nobody) and capabilities (in ascending order), of which this contract must have each. Until then the name is kept for it. For the name of a contract that is there, with its admin and capabilities and without init, it permits that code to become the contract's, once; the contract must have capabilities, or this one for its admin. Another permit for the name is replaced; at most 64 wait. Returns a status."},
		{Name: "code_withdraw", Params: out("name", "namelen"), Results: one(I32), Since: 2, Gas: "Permit", Capability: CapabilityCode,
			Doc: "Takes back what code_permit permitted for a name, if it has not happened yet; returns a status."},
	}
}

// out makes I32 parameters of names; nearly every parameter is one.
func out(names ...string) []Param {
	params := make([]Param, len(names))
	for i, name := range names {
		params[i] = Param{name, I32}
	}
	return params
}

func one(t string) []string { return []string{t} }

// Names of what a contract exports.
const (
	// ExportMemory is its linear memory.
	ExportMemory = "memory"
	// ExportInitialize is the start of a WASI reactor; it runs once per
	// instance, before anything else, without host calls of [Module].
	ExportInitialize = "_initialize"
	// ExportCall runs the method that the function "method" names.
	ExportCall = "ward_call"
	// ExportSpec gives the contract's encoded [Spec] to the function "ret".
	// It runs when the contract is built, never on the chain.
	ExportSpec = "ward_spec"
)

// MethodInit is the method that runs once, when a contract instance is
// created, if the spec has it. Nobody can call it afterwards.
const MethodInit = "init"

// MethodUpgrade is the method that runs once each time when the code of a contract instance is replaced, by an upgrade or a
// rollback, if the spec of the new code has it. Its argument is a map with "from", the number of the version that the
// instance had until then; its sender is who upgrades. Nobody can call it otherwise.
const MethodUpgrade = "upgrade"

// An Export is a function that the runtime asks of a contract.
type Export struct {
	Name     string
	Required bool
	Doc      string
}

// Exports returns the functions that the runtime calls, all without
// parameters and results. Besides them a contract exports [ExportMemory].
func Exports() []Export {
	return []Export{
		{ExportInitialize, false, "Called once per instance, before anything else."},
		{ExportCall, true, "Runs one method: asks for its name and arguments, and gives its result back."},
		{ExportSpec, false, "Gives the spec; called when the contract is built."},
	}
}
