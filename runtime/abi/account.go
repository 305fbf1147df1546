package abi

import (
	"errors"
	"slices"
	"strconv"

	"github.com/wardledger/ward/runtime/cbor"
)

// Bounds of a key's scope. A scope is read with every transaction of the key.
const (
	// MaxScopeContracts is the most contracts that one key may be opened for.
	MaxScopeContracts = 32
	// MaxScopeMethods is the most methods of one contract that a scope names;
	// a key that needs more gets the whole contract.
	MaxScopeMethods = 64
	// MaxPublicKey is the longest public key in bytes: P-256 compressed.
	MaxPublicKey = 33
)

// OpenAccount is the argument of the function account_open.
//
// It is encoded as a canonical CBOR map: 1 key, 2 account, 3 owner,
// 4 scope {contract: [method...]}, 5 expires, 6 quota; 2, 3 and 5 are left out
// when they are zero.
type OpenAccount struct {
	Key     []byte  // the public key to open
	Account []byte  // the 20-byte account that it signs for; nil: a new one, named by the key
	Owner   []byte  // the 20-byte account from which the quota is carved; nil: none
	Scope   []Scope // what the key may call; no entry: nothing
	Expires int64   // unix seconds; 0: never
	Quota   uint64  // gas per hour of the account
}

// A Scope is the methods of one contract that a key may call.
type Scope struct {
	Contract string
	Methods  []string // none: all
}

// Encode returns the canonical bytes. The scope may be in any order, but must
// not have a contract twice.
func (o *OpenAccount) Encode() []byte {
	n := 3
	if o.Account != nil {
		n++
	}
	if o.Owner != nil {
		n++
	}
	if o.Expires != 0 {
		n++
	}
	b := cbor.AppendMap(nil, n)
	b = cbor.AppendBytes(cbor.AppendUint(b, 1), o.Key)
	if o.Account != nil {
		b = cbor.AppendBytes(cbor.AppendUint(b, 2), o.Account)
	}
	if o.Owner != nil {
		b = cbor.AppendBytes(cbor.AppendUint(b, 3), o.Owner)
	}
	scope := slices.Clone(o.Scope)
	slices.SortFunc(scope, func(x, y Scope) int { return cbor.CompareText(x.Contract, y.Contract) })
	b = cbor.AppendMap(cbor.AppendUint(b, 4), len(scope))
	for _, s := range scope {
		b = cbor.AppendText(b, s.Contract)
		b = cbor.AppendArray(b, len(s.Methods))
		for _, m := range s.Methods {
			b = cbor.AppendText(b, m)
		}
	}
	if o.Expires != 0 {
		b = cbor.AppendInt(cbor.AppendUint(b, 5), o.Expires)
	}
	return cbor.AppendUint(cbor.AppendUint(b, 6), o.Quota)
}

// DecodeOpenAccount reads what [OpenAccount.Encode] wrote. It checks sizes and
// names, not whether the key is a point of its curve.
func DecodeOpenAccount(b []byte) (*OpenAccount, error) {
	o := new(OpenAccount)
	r := cbor.NewReader(b)
	n, err := r.Map()
	if err != nil {
		return nil, err
	}
	var keys cbor.MapKeys
	has := 0
	for range n {
		key, err := keys.Uint(r)
		if err != nil {
			return nil, err
		}
		switch key {
		case 1:
			has |= 1
			o.Key, err = r.Bytes()
			if err == nil && (len(o.Key) == 0 || len(o.Key) > MaxPublicKey) {
				return nil, errors.New("key is " + strconv.Itoa(len(o.Key)) + " bytes, a public key is 32 or 33")
			}
		case 2:
			o.Account, err = address(r, "account")
		case 3:
			o.Owner, err = address(r, "owner")
		case 4:
			has |= 2
			o.Scope, err = scopes(r)
		case 5:
			o.Expires, err = r.Int()
			if err == nil && o.Expires <= 0 {
				return nil, errors.New("expires is " + strconv.FormatInt(o.Expires, 10) + ", not a time in unix seconds")
			}
		case 6:
			has |= 4
			o.Quota, err = r.Uint()
		default:
			return nil, errors.New("unknown key " + strconv.FormatUint(key, 10))
		}
		if err != nil {
			return nil, err
		}
	}
	if has != 7 {
		return nil, errors.New("key, scope or quota is missing")
	}
	if err := r.End(); err != nil {
		return nil, err
	}
	return o, nil
}

func address(r *cbor.Reader, what string) ([]byte, error) {
	b, err := r.Bytes()
	if err == nil && len(b) != AddressSize {
		return nil, errors.New(what + " is " + strconv.Itoa(len(b)) + " bytes, an address is " + strconv.Itoa(AddressSize))
	}
	return b, err
}

func scopes(r *cbor.Reader) ([]Scope, error) {
	n, err := r.Map()
	if err != nil {
		return nil, err
	}
	if n > MaxScopeContracts {
		return nil, errors.New("scope has " + strconv.Itoa(n) + " contracts, limit " + strconv.Itoa(MaxScopeContracts))
	}
	var list []Scope
	var keys cbor.MapKeys
	for range n {
		var s Scope
		if s.Contract, err = keys.Text(r); err != nil {
			return nil, err
		}
		if !ValidContract(s.Contract) {
			return nil, badName("scope: contract", s.Contract)
		}
		m, err := r.Array()
		if err != nil {
			return nil, err
		}
		if m > MaxScopeMethods {
			return nil, errors.New("scope: " + s.Contract + " has " + strconv.Itoa(m) + " methods, limit " + strconv.Itoa(MaxScopeMethods))
		}
		for range m {
			method, err := r.Text()
			if err != nil {
				return nil, err
			}
			if !ValidMethod(method) {
				return nil, badName("scope: method", method)
			}
			s.Methods = append(s.Methods, method)
		}
		list = append(list, s)
	}
	return list, nil
}
