package registry

import (
	"crypto/sha256"
	"fmt"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
)

// MaxPage is how many instances one call of Instances returns at most: what a
// reader of a list takes at once.
const MaxPage = 1000

// Instance is a contract that can be called: code under a name.
type Instance struct {
	Name         string
	Code         [32]byte        // SHA-256 of the module
	Admin        address.Address // who may replace the code; zero is nobody
	Capabilities []string
	Created      uint64 // height
	Version      uint64 // number of the code among those that the instance had, from 1
}

func (i *Instance) encode() []byte {
	b := encoder(instanceFields)
	b = cbor.AppendBytes(b, i.Code[:])
	b = cbor.AppendBytes(b, i.Admin[:])
	b = cbor.AppendArray(b, len(i.Capabilities))
	for _, c := range i.Capabilities {
		b = cbor.AppendText(b, c)
	}
	return cbor.AppendUint(cbor.AppendUint(b, i.Created), i.Version)
}

const instanceFields = 5

func (i *Instance) fields(d *decoder) {
	d.fixed(i.Code[:])
	d.fixed(i.Admin[:])
	if n := d.items(); n > 0 {
		i.Capabilities = make([]string, n)
	}
	for j := range i.Capabilities {
		i.Capabilities[j] = d.text()
	}
	i.Created, i.Version = d.uint(), d.uint()
}

// Instance returns the contract of a name.
func (r *Records) Instance(name string) (i Instance, found bool, err error) {
	found, err = r.get(instanceRows, []byte(name), "instance", instanceFields, i.fields)
	if !found || err != nil {
		return Instance{}, false, err
	}
	i.Name = name
	return i, true, nil
}

// PutInstance makes or replaces the contract of a name.
func (r *Records) PutInstance(i Instance) error {
	if i.Name == "" {
		return fmt.Errorf("registry: an instance without a name")
	}
	return r.kv.Set(instanceRows, []byte(i.Name), i.encode())
}

// Instances returns contracts in the order of their names, from the first one
// behind after on, at most limit and at most MaxPage. Fewer than both means that
// there are no more.
func (r *Records) Instances(after string, limit int) ([]Instance, error) {
	limit = min(limit, MaxPage)
	if limit <= 0 {
		return nil, nil
	}
	var start []byte
	if after != "" {
		start = append([]byte(after), 0)
	}
	var list []Instance
	var broken error
	err := r.kv.Scan(instanceRows, start, nil, false, func(key, row []byte) bool {
		if row == nil {
			return true
		}
		i := Instance{Name: string(key)}
		if broken = decode(row, instanceFields, i.fields); broken != nil {
			broken = fmt.Errorf("registry: record of instance %q: %w", key, broken)
			return false
		}
		list = append(list, i)
		return len(list) < limit
	})
	if err == nil {
		err = broken
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Code returns the module with a hash.
func (r *Records) Code(hash [32]byte) (code []byte, found bool, err error) {
	code, err = r.kv.Get(codeRows, hash[:])
	return code, code != nil, err
}

// PutCode keeps a module and returns its hash. A module that is there already
// is not written again.
func (r *Records) PutCode(code []byte) (hash [32]byte, err error) {
	hash = sha256.Sum256(code)
	if _, found, err := r.Code(hash); err != nil || found {
		return hash, err
	}
	return hash, r.kv.Set(codeRows, hash[:], code)
}
