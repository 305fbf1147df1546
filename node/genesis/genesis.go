package genesis

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/tx"
)

const (
	// MaxDocument is the largest genesis document, in bytes: a few dozen contracts at
	// half a megabyte each, compressed, and ten thousand accounts.
	MaxDocument = 64 << 20
	// MaxChain is the longest chain id in bytes. It is the engine's bound; a transaction
	// would allow a little more.
	MaxChain = 50
	// MaxAuthorities bounds the authorities, the first and those who join later: far more
	// than the 30 that Ward is for.
	MaxAuthorities = abi.MaxAuthorities
	// Power is the voting power of every authority, old or new: they are equal.
	Power = 1
	// MaxAccounts bounds the first accounts; everybody else is enrolled by a transaction.
	MaxAccounts = 10_000
	// MaxContracts bounds the first contracts.
	MaxContracts = 64
	// MaxCapabilities bounds the extra powers of one contract.
	MaxCapabilities = abi.MaxCapabilities
	// MaxScope bounds the contracts, and the methods of one contract, in the scope of one key.
	MaxScope = 64
	// MaxInit is the longest init argument in bytes: what a call can carry.
	MaxInit = abi.MaxArgs
	// MaxName is the longest label of an authority or account in bytes; a line in a table.
	MaxName = 64
)

// Genesis is what a chain starts from. The order of accounts and contracts is the
// order in which they are created and therefore part of the chain.
type Genesis struct {
	// Chain is the chain's id. It is signed into every transaction, so a transaction of
	// one chain means nothing on another.
	Chain string
	// Time is the time of the first block, UTC.
	Time time.Time
	// Operator is the account that may deploy contracts, unless Parameters say otherwise. It must be one of Accounts.
	Operator address.Address
	// Authorities decide blocks, with equal power.
	Authorities []Authority
	Accounts    []Account
	Contracts   []Contract
	// Params bound every block. The zero value of each field is its default.
	Params Params
	// Parameters are what the chain can change later, by a contract with the capability; the zero value is their defaults.
	Parameters abi.Parameters
}

// Authority is a node that votes.
type Authority struct {
	Name string // a label for people; may be empty
	Key  []byte // Ed25519 public key, 32 bytes
}

// Account is an account with one open key; its address is the key's.
type Account struct {
	Name         string      // a label for people, not in the chain's state
	Key          []byte      // public key: 32 bytes Ed25519 or 33 bytes P-256 compressed
	QuotaPerHour uint64      // gas per hour
	Scope        []abi.Scope // what the key may call; at least one
}

// Address is the account's address.
func (a Account) Address() address.Address { return address.FromKey(a.Key) }

// Everything is the scope of a key that may call every contract, also those to come.
func Everything() []abi.Scope { return []abi.Scope{{Contract: runtime.AnyContract}} }

// Contract is a contract instance that exists from the first block on.
type Contract struct {
	Name         string
	Code         []byte // the Wasm module
	Admin        address.Address
	Capabilities []string
	Init         []byte // canonical CBOR for the method init; empty calls it without arguments
}

// Hash is the hash by which the contract's code is known.
func (c Contract) Hash() [32]byte { return sha256.Sum256(c.Code) }

// Validate reports the first thing wrong with the document, naming where and what.
// Missing parameters count as their defaults. It does not look into the code of
// contracts; the runtime does, when the chain starts.
func (g *Genesis) Validate() error {
	switch {
	case len(g.Chain) > MaxChain:
		return fmt.Errorf("chain: %d bytes, limit %d", len(g.Chain), MaxChain)
	case !abi.ValidChain(g.Chain):
		return fmt.Errorf(`chain: %q must be a letter or digit, then letters, digits, "-", "_" and "."`, g.Chain)
	case g.Time.Unix() <= 0:
		return fmt.Errorf("time: %v is not after 1970", g.Time)
	case g.Time.Year() > 9999:
		return fmt.Errorf("time: the year %d has no RFC 3339 text", g.Time.Year())
	}
	if err := g.validateAuthorities(); err != nil {
		return err
	}
	if err := g.validateAccounts(); err != nil {
		return err
	}
	if err := g.validateContracts(); err != nil {
		return err
	}
	if err := g.Parameters.Check(); err != nil {
		return fmt.Errorf("parameters: %w", err)
	}
	return g.Params.WithDefaults().validate()
}

func (g *Genesis) validateAuthorities() error {
	if len(g.Authorities) == 0 {
		return errors.New("authorities: there are none, nobody could decide a block")
	}
	if len(g.Authorities) > MaxAuthorities {
		return fmt.Errorf("authorities: there are %d, limit %d", len(g.Authorities), MaxAuthorities)
	}
	seen := make(map[string]int, len(g.Authorities))
	for i, a := range g.Authorities {
		if err := checkLabel(a.Name); err != nil {
			return fmt.Errorf("authorities[%d].name: %w", i, err)
		}
		if len(a.Key) != 32 {
			return fmt.Errorf("authorities[%d].key: %d bytes, an Ed25519 key has 32", i, len(a.Key))
		}
		if key, err := tx.ParsePublicKey(a.Key); err != nil || key.Weak() {
			return fmt.Errorf("authorities[%d].key: 0x%x is no point of the curve, or one of small order: anybody could sign for it", i, a.Key)
		}
		if first, ok := seen[string(a.Key)]; ok {
			return fmt.Errorf("authorities[%d].key: 0x%x is the key of authorities[%d] already", i, a.Key, first)
		}
		seen[string(a.Key)] = i
	}
	return nil
}

func (g *Genesis) validateAccounts() error {
	if len(g.Accounts) > MaxAccounts {
		return fmt.Errorf("accounts: there are %d, limit %d", len(g.Accounts), MaxAccounts)
	}
	seen := make(map[address.Address]int, len(g.Accounts))
	for i, a := range g.Accounts {
		if err := checkLabel(a.Name); err != nil {
			return fmt.Errorf("accounts[%d].name: %w", i, err)
		}
		key, err := tx.ParsePublicKey(a.Key)
		if err != nil {
			return fmt.Errorf("accounts[%d].key: %w", i, err)
		}
		if key.Weak() {
			return fmt.Errorf("accounts[%d].key: 0x%x is a point of small order, anybody could sign for it", i, a.Key)
		}
		if first, ok := seen[a.Address()]; ok {
			return fmt.Errorf("accounts[%d].key: 0x%x is the key of accounts[%d] already", i, a.Key, first)
		}
		seen[a.Address()] = i
		if err := checkScope(a.Scope); err != nil {
			return fmt.Errorf("accounts[%d].scope: %w", i, err)
		}
	}
	if _, ok := seen[g.Operator]; !ok {
		return fmt.Errorf("operator: %s is not one of the accounts, nobody could deploy a contract", g.Operator)
	}
	return nil
}

func (g *Genesis) validateContracts() error {
	if len(g.Contracts) > MaxContracts {
		return fmt.Errorf("contracts: there are %d, limit %d", len(g.Contracts), MaxContracts)
	}
	seen := make(map[string]int, len(g.Contracts))
	for i, c := range g.Contracts {
		if !abi.ValidContract(c.Name) {
			return fmt.Errorf(`contracts[%d].name: %q must be a lower-case letter, then lower-case letters, digits and "-", at most %d bytes`,
				i, c.Name, abi.MaxContractName)
		}
		if first, ok := seen[c.Name]; ok {
			return fmt.Errorf("contracts[%d].name: %q is the name of contracts[%d] already", i, c.Name, first)
		}
		seen[c.Name] = i
		if len(c.Code) == 0 {
			return fmt.Errorf("contracts[%d].code: %q has no code", i, c.Name)
		}
		if len(c.Code) > abi.MaxModule {
			return fmt.Errorf("contracts[%d].code: %q is %d bytes, limit %d", i, c.Name, len(c.Code), abi.MaxModule)
		}
		if c.Admin.IsZero() {
			return fmt.Errorf("contracts[%d].admin: %q has none", i, c.Name)
		}
		if len(c.Capabilities) > MaxCapabilities {
			return fmt.Errorf("contracts[%d].capabilities: there are %d, limit %d", i, len(c.Capabilities), MaxCapabilities)
		}
		for _, name := range c.Capabilities {
			if !abi.ValidCapability(name) {
				return fmt.Errorf("contracts[%d].capabilities: %q is not the name of a capability", i, name)
			}
		}
		if len(c.Init) > MaxInit {
			return fmt.Errorf("contracts[%d].init: %d bytes, limit %d", i, len(c.Init), MaxInit)
		}
		if len(c.Init) > 0 {
			if err := cbor.Valid(c.Init); err != nil {
				return fmt.Errorf("contracts[%d].init: %w", i, err)
			}
		}
	}
	return nil
}

func checkScope(scope []abi.Scope) error {
	if len(scope) == 0 {
		return fmt.Errorf("is empty, the key could call nothing; %q is every contract", runtime.AnyContract)
	}
	if len(scope) > MaxScope {
		return fmt.Errorf("names %d contracts, limit %d", len(scope), MaxScope)
	}
	seen := make(map[string]bool, len(scope))
	for _, s := range scope {
		if !abi.ValidContract(s.Contract) && s.Contract != runtime.AnyContract {
			return fmt.Errorf("%q is not the name of a contract", s.Contract)
		}
		if seen[s.Contract] {
			return fmt.Errorf("names the contract %q twice", s.Contract)
		}
		seen[s.Contract] = true
		if len(s.Methods) > MaxScope {
			return fmt.Errorf("names %d methods of %q, limit %d", len(s.Methods), s.Contract, MaxScope)
		}
		for _, m := range s.Methods {
			if !abi.ValidMethod(m) {
				return fmt.Errorf("%q is not the name of a method of %q", m, s.Contract)
			}
		}
	}
	return nil
}

// checkLabel refuses what could not be printed in a table.
func checkLabel(s string) error {
	if len(s) > MaxName {
		return fmt.Errorf("%d bytes, limit %d", len(s), MaxName)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return fmt.Errorf("%q holds a character that can't be printed", s)
		}
	}
	return nil
}

// State is what the state machine starts from.
func (g *Genesis) State() runtime.Genesis {
	out := runtime.Genesis{Chain: g.Chain, Operator: g.Operator}
	if !g.usual() {
		out.Parameters = g.Parameters
	}
	for _, a := range g.Authorities {
		out.Authorities = append(out.Authorities, a.Key)
	}
	for _, a := range g.Accounts {
		out.Accounts = append(out.Accounts, runtime.GenesisAccount{Key: a.Key, Quota: a.QuotaPerHour, Scope: a.Scope})
	}
	for _, c := range g.Contracts {
		out.Contracts = append(out.Contracts, runtime.GenesisContract{
			Name: c.Name, Code: c.Code, Admin: c.Admin, Capabilities: c.Capabilities, Init: c.Init,
		})
	}
	return out
}

// usual reports whether the parameters are the defaults, written out or not.
func (g *Genesis) usual() bool { return bytes.Equal(g.Parameters.Encode(), abi.Parameters{}.Encode()) }

// Digest names the chain that the document starts: equal digests, equal chains. It
// covers everything but labels and the way in which code was compressed.
func (g *Genesis) Digest() [32]byte {
	h := sha256.New()
	// Every part is preceded by its length, so that no two documents write the same bytes.
	put := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	num := func(n uint64) { put(binary.BigEndian.AppendUint64(nil, n)) }

	put([]byte("ward-genesis-v1"))
	put([]byte(g.Chain))
	num(uint64(g.Time.Unix()))
	num(uint64(g.Time.Nanosecond()))
	put(g.Operator[:])
	num(uint64(len(g.Authorities)))
	for _, a := range g.Authorities {
		put(a.Key)
	}
	num(uint64(len(g.Accounts)))
	for _, a := range g.Accounts {
		put(a.Key)
		num(a.QuotaPerHour)
		num(uint64(len(a.Scope)))
		for _, s := range a.Scope {
			put([]byte(s.Contract))
			num(uint64(len(s.Methods)))
			for _, m := range s.Methods {
				put([]byte(m))
			}
		}
	}
	num(uint64(len(g.Contracts)))
	for _, c := range g.Contracts {
		put([]byte(c.Name))
		hash := c.Hash()
		put(hash[:])
		put(c.Admin[:])
		num(uint64(len(c.Capabilities)))
		for _, name := range c.Capabilities {
			put([]byte(name))
		}
		put(c.Init)
	}
	p := g.Params.WithDefaults()
	num(p.BlockBytes)
	num(p.BlockGas)
	num(p.EvidenceBlocks)
	num(uint64(p.EvidenceAge))
	if !g.usual() {
		put(g.Parameters.Encode())
	}
	return [32]byte(h.Sum(nil))
}

// hexBytes is "0x" and hexadecimal digits.
func hexBytes(b []byte) string { return "0x" + hex.EncodeToString(b) }
