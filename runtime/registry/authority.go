package registry

import "github.com/wardledger/ward/runtime/abi"

// The two sets of authorities: the one that the contract in charge wants, and the one that
// was last handed over to the engine.
var (
	wantedKey = []byte("wanted")
	handedKey = []byte("handed over")
)

// WantedAuthorities is who the authorities shall be; nil if nobody ever said.
func (r *Records) WantedAuthorities() (abi.AuthoritySet, error) { return r.authorities(wantedKey) }

// SetWantedAuthorities says who the authorities shall be.
func (r *Records) SetWantedAuthorities(s abi.AuthoritySet) error {
	return r.setAuthorities(wantedKey, s)
}

// HandedAuthorities is the set that the engine has been given: it is in force, or will be in
// two blocks. It is nil on a chain without an engine.
func (r *Records) HandedAuthorities() (abi.AuthoritySet, error) { return r.authorities(handedKey) }

// SetHandedAuthorities notes what the engine is given.
func (r *Records) SetHandedAuthorities(s abi.AuthoritySet) error {
	return r.setAuthorities(handedKey, s)
}

func (r *Records) authorities(key []byte) (s abi.AuthoritySet, err error) {
	_, err = r.get(authorityRows, key, "authorities", 1, func(d *decoder) {
		for range d.items() {
			if d.err != nil {
				return
			}
			s = append(s, d.bytes())
		}
		if d.err == nil {
			d.err = s.Check()
		}
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (r *Records) setAuthorities(key []byte, s abi.AuthoritySet) error {
	if err := s.Check(); err != nil {
		return err
	}
	return r.kv.Set(authorityRows, key, append(encoder(1), s.Encode()...))
}
