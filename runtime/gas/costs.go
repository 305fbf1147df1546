package gas

// Limits of a transaction, in gas.
const (
	// MaxLimit is the most that one transaction may ask for: a fifth of a second in the middle, half a second at the
	// worst (ward bench gas), so that a block of a few such transactions still arrives in time.
	MaxLimit = 1_000_000_000

	// BaseTx is what every transaction pays before anything is looked at: its
	// signature (P-256 is the dearer one), the key's record, the replay slot
	// and the quota, which are written even if the rest fails.
	BaseTx = 200_000
	// PerTxByte is paid for each byte of the signed envelope: it is gossiped,
	// hashed, decoded and kept in a block by every node.
	PerTxByte = 20
)

// MinLimit returns the least gas limit with which a transaction of size bytes
// can be admitted: what is charged before its contract is even looked up.
func MinLimit(size int) uint64 { return BaseTx + PerTxByte*uint64(size) }

// The prices of what the engine does, in gas.
const (
	// Enter is paid for each call of a contract: an instance of it is taken from the pool and put back to
	// what it was.
	Enter = 20_000
	// EnterPage is paid on top for each page (64 KiB) of memory that the contract has before the call, up to NearPages: what
	// the call dirties of it must be put back afterwards. EnterFarPage is paid for each page beyond: an
	// instance that dirties so much doesn't keep it, and the system hands out each 4 KiB again.
	EnterPage    = 12_000
	EnterFarPage = 100_000
	NearPages    = 256
	// Renew is what a call pays that leaves no instance behind, because it trapped or grew its memory: the
	// next call must make one, and its stack grows again.
	Renew = 500_000
	// RenewItem is paid on top for each item that is made anew with an instance: an element of a table, a
	// global, an export. Plain Go has 2,000. An element is the dearest: its expression is evaluated.
	RenewItem = 80

	// Host is paid by every call that leaves the contract, whatever it asks
	// for: the crossing and the checks of its pointers.
	Host = 200
	// HostByte is paid for each byte that is copied between contract and host.
	HostByte = 1
)

// EnterPrice returns what a call pays to enter a contract with so many pages of memory.
func EnterPrice(pages uint64) uint64 {
	near := min(pages, NearPages)
	return Enter + EnterPage*near + EnterFarPage*(pages-near)
}

// RenewPrice returns what a call pays that leaves no instance behind of a contract with so many items.
func RenewPrice(items uint64) uint64 { return Renew + RenewItem*items }

// The prices of the host functions, in gas, on top of [Host]. A price that ends
// in Byte is per byte of what the sentence names.
const (
	// Read is paid to look for a row: get, and the look before a delete.
	Read = 5_000
	// ReadByte is paid for each byte of key and value.
	ReadByte = 2

	// Write is paid to set or delete a row: a path of the Merkle tree is hashed
	// anew and goes to disk on every node, and stays.
	Write = 50_000
	// WriteByte is paid for each byte of key and value.
	WriteByte = 20

	// Scan is paid to open a scan, and
	// ScanRow for each row that it looks at, the one that ends it and those that this
	// block has deleted included.
	Scan    = 10_000
	ScanRow = 2_000

	// Emit is paid for an event: it is hashed, logged and sent to subscribers.
	Emit = 10_000
	// EmitByte is paid for each byte of name and attributes. They stay in the
	// event log for good.
	EmitByte = 20

	// ReturnByte is paid for each byte of a result, and of the arguments of a call: checked to be canonical CBOR, copied and kept.
	ReturnByte = 10
	// LogByte is paid for each byte of a debug log line, and
	// LogLine for each line that is written to standard output or error.
	LogByte = 2
	LogLine = 200

	// Verify is paid to check a COSE_Sign1 message, at the price of P-256.
	Verify = 150_000
	// VerifyEd25519 is paid to check a signature of Ed25519.
	VerifyEd25519 = 150_000
	// Certificate is paid to read a chain of certificates, and for each signature of it for the point of a key, and
	// CertificateByte for each byte of chain and anchors.
	Certificate     = 10_000
	CertificateByte = 20
	// Mac is paid to start an HMAC-SHA-256.
	Mac = 2_000
	// Key is paid to check that bytes are a public key: a P-256 point is
	// decompressed by taking a square root.
	Key = 20_000
	// Hash is paid to start a SHA-256, and HashByte for each byte hashed.
	Hash     = 500
	HashByte = 3

	// Account is paid for each operation on a key: several records are read
	// and written.
	Account = 300_000

	// Call is paid to call another contract, on top of what its instance and whatever it
	// does cost: its record and spec are looked up.
	Call = 20_000
	// Authority is paid for each key of a set of authorities: a point of the curve is
	// decompressed, and two sets are compared when the block ends.
	Authority = 30_000
	// Permit is paid to permit a deployment or to take that back: three rows are read, two are written, and in the end
	// the deployment removes one.
	Permit = 200_000

	// Administer is paid to change what the chain says of a contract, its code, admin or delay: its record, history and permit
	// are read, and written.
	Administer = 200_000

	// DeployByte is paid for each byte of a module that is deployed: it is stored by every node for good.
	DeployByte = 20
	// ActivateByte is paid for each byte of a module that is looked through, and
	// ActivateWork for each unit of what vet.Work says that rewriting and compiling it takes: a tenth of a microsecond of one core, which
	// is ten times what gas buys elsewhere. All cores share it, a block has one activation at most, and a
	// node begins as soon as it hears of the transaction.
	ActivateByte = 20
	ActivateWork = 50
	// MaxInit is the most that _initialize may use. What it did use is paid by the deployment, once: a call starts
	// from what it left behind.
	MaxInit = 100_000_000

	// RandomByte is paid for each byte of the random stream of WASI.
	RandomByte = 8
)
