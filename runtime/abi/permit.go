package abi

import (
	"errors"
	"strconv"

	"github.com/wardledger/ward/runtime/cbor"
)

const (
	// MaxPermits is the most permits that wait for their deployment. Each keeps a name from everybody else: what is
	// not deployed in the end has to be taken back.
	MaxPermits = 64
	// MaxCapabilities is the most capabilities of one contract. They are read with every call.
	MaxCapabilities = 16
)

// A Permit says that one deployment may happen, once, whoever sends it, and everything that comes of it: whoever
// deploys decides nothing. Of a contract that is there, with the admin and the capabilities that it has and without Init, it says
// that its code may be replaced by this, once; its admin must send that, unless the admin is the contract that permits. It is the argument of the function code_permit, encoded as a canonical CBOR map with the
// keys "hash", "init", "name", "admin" and "capabilities"; "init" is left out if it is nil.
type Permit struct {
	Hash         []byte   // SHA-256 of the code
	Init         []byte   // SHA-256 of the arguments of its init; nil: there are none
	Name         string   // of the contract
	Admin        []byte   // its 20-byte address; zeros: nobody. It is the sender of the contract's init
	Capabilities []string // in ascending order
}

// Encode returns the canonical bytes.
func (p *Permit) Encode() []byte {
	n := 4
	if p.Init != nil {
		n++
	}
	b := cbor.AppendMap(nil, n)
	b = cbor.AppendBytes(cbor.AppendText(b, "hash"), p.Hash)
	if p.Init != nil {
		b = cbor.AppendBytes(cbor.AppendText(b, "init"), p.Init)
	}
	b = cbor.AppendText(cbor.AppendText(b, "name"), p.Name)
	b = cbor.AppendBytes(cbor.AppendText(b, "admin"), p.Admin)
	b = cbor.AppendArray(cbor.AppendText(b, "capabilities"), len(p.Capabilities))
	for _, c := range p.Capabilities {
		b = cbor.AppendText(b, c)
	}
	return b
}

// DecodePermit reads an encoded permit. Its bytes alias b. It does not check what the permit says.
func DecodePermit(b []byte) (*Permit, error) {
	p := new(Permit)
	r := cbor.NewReader(b)
	n, err := r.Map()
	if err != nil {
		return nil, err
	}
	var keys cbor.MapKeys
	has := 0
	for range n {
		key, err := keys.Text(r)
		if err != nil {
			return nil, err
		}
		switch key {
		case "hash":
			has |= 1
			p.Hash, err = r.Bytes()
		case "init":
			if p.Init, err = r.Bytes(); err == nil && len(p.Init) == 0 {
				err = errors.New("init is empty")
			}
		case "name":
			has |= 2
			p.Name, err = r.Text()
		case "admin":
			has |= 4
			p.Admin, err = r.Bytes()
		case "capabilities":
			has |= 8
			p.Capabilities, err = texts(r)
		default:
			err = errors.New("unknown key")
		}
		if err != nil {
			return nil, err
		}
	}
	if has != 15 {
		return nil, errors.New("hash, name, admin or capabilities is missing")
	}
	return p, r.End()
}

func texts(r *cbor.Reader) (list []string, err error) {
	n, err := r.Array()
	if err != nil {
		return nil, err
	}
	for range n {
		s, err := r.Text()
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// Check reports why p can't be a permit: a hash or an address of another size, what is no contract's name, or
// capabilities that are more than MaxCapabilities, badly named or don't ascend.
func (p *Permit) Check() error {
	switch {
	case len(p.Hash) != HashSize:
		return errors.New("hash has " + strconv.Itoa(len(p.Hash)) + " bytes, a SHA-256 has " + strconv.Itoa(HashSize))
	case p.Init != nil && len(p.Init) != HashSize:
		return errors.New("init has " + strconv.Itoa(len(p.Init)) + " bytes, a SHA-256 has " + strconv.Itoa(HashSize))
	case !ValidContract(p.Name):
		return errors.New("name is not a contract's name")
	case len(p.Admin) != AddressSize:
		return errors.New("admin has " + strconv.Itoa(len(p.Admin)) + " bytes, an address has " + strconv.Itoa(AddressSize))
	case len(p.Capabilities) > MaxCapabilities:
		return errors.New(strconv.Itoa(len(p.Capabilities)) + " capabilities, limit " + strconv.Itoa(MaxCapabilities))
	}
	for i, c := range p.Capabilities {
		if !ValidCapability(c) {
			return errors.New("capability " + strconv.Itoa(i) + " is not the name of one")
		}
		if i > 0 && p.Capabilities[i-1] >= c {
			return errors.New("capability " + strconv.Itoa(i) + " does not come after the one before it")
		}
	}
	return nil
}
