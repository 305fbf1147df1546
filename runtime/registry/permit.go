package registry

import (
	"bytes"
	"fmt"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
)

var (
	parametersKey = []byte("parameters")
	permitsKey    = []byte("permits") // how many there are
)

// Parameters are the chain's parameters; the zero value, which stands for their defaults, if nobody ever said.
func (r *Records) Parameters() (p abi.Parameters, err error) {
	_, err = r.get(parameterRows, parametersKey, "parameters", 1, func(d *decoder) {
		if d.err != nil {
			return
		}
		// What the parameters may be is abi's alone: it reads and checks them.
		raw := take(d, d.Raw)
		if d.err == nil {
			p, d.err = abi.DecodeParameters(bytes.Clone(raw))
		}
		if d.err == nil {
			d.err = p.Check()
		}
	})
	if err != nil {
		return abi.Parameters{}, err
	}
	return p, nil
}

// SetParameters changes the chain's parameters.
func (r *Records) SetParameters(p abi.Parameters) error {
	if err := p.Check(); err != nil {
		return err
	}
	return r.kv.Set(parameterRows, parametersKey, append(encoder(1), p.Encode()...))
}

// A Permit that waits, and the contract that gave it.
type Permit struct {
	abi.Permit
	By address.Address
}

// Permit returns the permit that waits for a name, nil if none does: for a deployment, or for new code of the contract
// that has it.
func (r *Records) Permit(name string) (p *Permit, err error) {
	_, err = r.get(permitRows, []byte(name), "permit", 2, func(d *decoder) {
		raw := take(d, d.Raw)
		p = new(Permit)
		if d.err == nil {
			var decoded *abi.Permit
			if decoded, d.err = abi.DecodePermit(bytes.Clone(raw)); d.err == nil {
				p.Permit = *decoded
				d.err = p.Check()
			}
		}
		d.fixed(p.By[:])
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// PutPermit makes or replaces the permit for the name in it. It reports whether there was room: no more than
// abi.MaxPermits wait at once.
func (r *Records) PutPermit(p *Permit) (room bool, err error) {
	if err := p.Check(); err != nil {
		return false, err
	}
	before, err := r.Permit(p.Name)
	if err != nil {
		return false, err
	}
	if before == nil {
		n, err := r.permits()
		if err != nil || n >= abi.MaxPermits {
			return false, err
		}
		if err := r.setPermits(n + 1); err != nil {
			return false, err
		}
	}
	row := append(encoder(2), p.Encode()...)
	return true, r.kv.Set(permitRows, []byte(p.Name), cbor.AppendBytes(row, p.By[:]))
}

// DropPermit removes the permit for a name, and reports whether there was one.
func (r *Records) DropPermit(name string) (found bool, err error) {
	p, err := r.Permit(name)
	if p == nil || err != nil {
		return false, err
	}
	n, err := r.permits()
	if err != nil {
		return false, err
	}
	if n == 0 {
		return false, fmt.Errorf("registry: there is a permit for %q, and the count of permits is 0", name)
	}
	if err := r.setPermits(n - 1); err != nil {
		return false, err
	}
	return true, r.kv.Delete(permitRows, []byte(name))
}

// permits is how many wait. They are counted in a row of their own: a scan would also have to pass over all that
// were removed in the same block, and so have no price.
func (r *Records) permits() (n uint64, err error) {
	_, err = r.get(parameterRows, permitsKey, "the count of permits", 1, func(d *decoder) { n = d.uint() })
	return n, err
}

func (r *Records) setPermits(n uint64) error {
	return r.kv.Set(parameterRows, permitsKey, cbor.AppendUint(encoder(1), n))
}
