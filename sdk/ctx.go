package sdk

import (
	"encoding/binary"
	"unsafe"

	"github.com/wardledger/ward/runtime/abi"
)

// Ctx is the call that a method runs in: who called, when, and what the chain does
// for it. It must not be kept.
type Ctx struct{}

// Sender is who called: the account of the key that signed, or a contract. In a
// view it is whoever the asker claims to be, or zero.
func (c *Ctx) Sender() (a Address) {
	hostSender(unsafe.Pointer(&a))
	return a
}

// Origin is the account of the key that signed the transaction, at any call depth.
// Decide by Sender: the origin may not know what contracts do in its name.
func (c *Ctx) Origin() (a Address) {
	hostOrigin(unsafe.Pointer(&a))
	return a
}

// Contract is the name under which this instance was created.
func (c *Ctx) Contract() string { return string(mustRead(hostContract)) }

// Chain is the chain's id. What a device signs names it.
func (c *Ctx) Chain() string { return string(mustRead(hostChain)) }

// Height is the block's height; in a view, that of the last committed block.
func (c *Ctx) Height() uint64 {
	height, _ := block()
	return height
}

// Time is the block's time: the same for all calls in a block, never earlier than
// in the block before.
func (c *Ctx) Time() Time {
	_, t := block()
	return t
}

func block() (height uint64, t Time) {
	var b [abi.BlockSize]byte
	hostBlock(unsafe.Pointer(&b))
	return binary.LittleEndian.Uint64(b[:]), Time(binary.LittleEndian.Uint64(b[8:]))
}

// Log adds a line to the debug log of the node, formatted by [Text]. Nobody else
// ever sees it, and it changes nothing.
func (c *Ctx) Log(format string, args ...any) { hostLog(Text(format, args...)) }

// GasLeft is how much gas the call may still use.
func (c *Ctx) GasLeft() int64 { return hostGasLeft() }

// VerifyCOSE checks a COSE_Sign1 message against a key and the external AAD that says
// what the message is for, and returns its payload. ok is false if the key is none or weak,
// the signature not the key's under this AAD, or the message not canonical. Check
// in the payload that it was meant for this chain, contract and moment.
func (c *Ctx) VerifyCOSE(key PublicKey, aad string, message []byte) (payload []byte, ok bool) {
	kp, kn := pointer(key)
	mp, mn := pointer(message)
	answer, ok := read(func(out unsafe.Pointer, size uint32) int32 {
		return hostCoseVerify(kp, kn, aad, mp, mn, out, size)
	})
	return append([]byte(nil), answer...), ok
}

// KeyAddress is the address that a key has; ok is false if it is no public key, or a weak
// one: of small order, so that anybody can sign for it.
func (c *Ctx) KeyAddress(key PublicKey) (a Address, ok bool) {
	p, n := pointer(key)
	return a, hostKeyAddress(p, n, unsafe.Pointer(&a)) == 0
}

// SHA256 is the hash of b.
func (c *Ctx) SHA256(b []byte) (h Hash) {
	p, n := pointer(b)
	hostSHA256(p, n, unsafe.Pointer(&h))
	return h
}

// ContractAddress is the address of a contract: its calls come from there.
func (c *Ctx) ContractAddress(name string) (a Address) {
	h := c.SHA256([]byte("ward-contract-v1" + name))
	copy(a[:], h[:])
	return a
}

// Authorities says who decides blocks. The contract needs the capability "authorities", or
// the call ends as not permitted.
func (c *Ctx) Authorities() Authorities { return Authorities{} }

// Authorities is what a contract that governs the chain can do; see [Ctx.Authorities].
type Authorities struct{}

// Set says who the authorities shall be, by their Ed25519 keys in any order. The engine runs
// the set that stands at the end of block H from H+2 on. It fails for a set that no
// chain can have: none, more than abi.MaxAuthorities, a key twice, or a key that is none or weak.
func (Authorities) Set(keys []PublicKey) error {
	set := make(abi.AuthoritySet, 0, len(keys))
	for _, key := range keys {
		at := len(set) // insertion: the sets are small, and package sort would make the module larger
		for at > 0 && string(set[at-1]) > string(key) {
			at--
		}
		set = append(set, nil)
		copy(set[at+1:], set[at:])
		set[at] = key
	}
	if err := set.Check(); err != nil {
		return err
	}
	p, n := pointer(set.Encode())
	if status := hostAuthoritiesSet(p, n); status != int32(abi.StatusOK) {
		return authorityError(status)
	}
	return nil
}

type authorityError abi.Status

func (e authorityError) Error() string { return abi.Status(e).String() }

// Accounts opens and shuts keys. The contract needs the capability "accounts", or the
// call ends as not permitted.
func (c *Ctx) Accounts() Accounts { return Accounts{} }

// Accounts is what a contract that manages accounts can do; see [Ctx.Accounts].
type Accounts struct{}

// AccountError is why the chain did not do as asked with a key.
type AccountError abi.Status

// The reasons.
const (
	// KeyUnknown: there is no such key, or no such owner account.
	KeyUnknown = AccountError(abi.StatusUnknown)
	// KeyExists: the key is, or once was, in use.
	KeyExists = AccountError(abi.StatusExists)
	// KeyRetired: the key is retired, which is final.
	KeyRetired = AccountError(abi.StatusRetired)
	// NoQuota: the owner has less quota left than was to be carved.
	NoQuota = AccountError(abi.StatusNoQuota)
)

func (e AccountError) Error() string { return abi.Status(e).String() }

// An OpenKey says which key may sign for whom, what and how much.
type OpenKey struct {
	Key     PublicKey
	Account Address // whom it signs for; zero: a new account, named by the key
	Owner   Address // from whose quota the new one is carved; zero: nobody's
	Scope   []Scope // what it may call; none: nothing
	Expires Time    // 0: never
	Quota   uint64  // gas per hour
}

// A Scope is what a key may call of one contract.
type Scope struct {
	Contract string   `doc:"name of a contract"`
	Methods  []string `wire:",omitempty" doc:"names of its methods; none: all of them"`
}

// Open lets a key sign transactions. The names in the scope must be names, each
// contract at most once.
func (Accounts) Open(k OpenKey) error {
	open := abi.OpenAccount{Key: k.Key, Expires: int64(k.Expires), Quota: k.Quota}
	if !k.Account.IsZero() {
		open.Account = k.Account[:]
	}
	if !k.Owner.IsZero() {
		open.Owner = k.Owner[:]
	}
	for _, s := range k.Scope {
		open.Scope = append(open.Scope, abi.Scope{Contract: s.Contract, Methods: s.Methods})
	}
	p, n := pointer(open.Encode())
	return accountError(hostAccountOpen(p, n))
}

// Shut makes the chain refuse whatever the key signs, from now on.
func (Accounts) Shut(key Address) error { return accountError(hostAccountShut(unsafe.Pointer(&key))) }

// Reopen undoes Shut.
func (Accounts) Reopen(key Address) error {
	return accountError(hostAccountReopen(unsafe.Pointer(&key)))
}

// Retire is Shut for ever. What was carved from the owner goes back.
func (Accounts) Retire(key Address) error {
	return accountError(hostAccountRetire(unsafe.Pointer(&key)))
}

func accountError(status int32) error {
	if status == int32(abi.StatusOK) {
		return nil
	}
	return AccountError(status)
}
