package registry

import (
	"fmt"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
)

// MaxHistory is how many activations of an instance are remembered: one row of 3 KB, which each upgrade writes anew and a page
// shows as a whole. When there is one more the oldest is forgotten, and with it that its code was this contract's; a contract
// that is upgraded every month remembers two and a half years.
const MaxHistory = 32

// An Activation is a moment at which an instance got its code: it was deployed, upgraded or rolled back.
type Activation struct {
	Version uint64   // of the code, counted per instance from 1
	From    uint64   // the version before; 0: it was deployed
	Hash    [32]byte // SHA-256 of the code
	Height  uint64
	Time    int64           // of the block, unix seconds
	By      address.Address // who sent the transaction
	Gas     uint64          // that making the code ready took, which a rollback to it takes again
}

// Rollback reports whether the code was the instance's before.
func (a Activation) Rollback() bool { return a.Version <= a.From }

// History is how an instance came to its code.
type History struct {
	Last        uint64       // the highest version that there ever was
	Activations []Activation // the oldest first, at most MaxHistory
}

// Find returns the newest activation of a version.
func (h *History) Find(version uint64) (a Activation, found bool) {
	for i := len(h.Activations) - 1; i >= 0; i-- {
		if h.Activations[i].Version == version {
			return h.Activations[i], true
		}
	}
	return Activation{}, false
}

// Add appends an activation, and forgets the oldest if there is no room.
func (h *History) Add(a Activation) {
	h.Last = max(h.Last, a.Version)
	h.Activations = append(h.Activations, a)
	if n := len(h.Activations) - MaxHistory; n > 0 {
		h.Activations = h.Activations[n:]
	}
}

// History returns how an instance came to its code; empty if there is no such instance.
func (r *Records) History(name string) (h History, err error) {
	_, err = r.get(historyRows, []byte(name), "history", 2, func(d *decoder) {
		h.Last = d.uint()
		n := d.items()
		if d.err == nil && n > MaxHistory {
			d.err = fmt.Errorf("%d activations, limit %d", n, MaxHistory)
		}
		for range n {
			if d.err != nil {
				return
			}
			var a Activation
			d.array(7)
			a.Version, a.From = d.uint(), d.uint()
			d.fixed(a.Hash[:])
			a.Height, a.Time = d.uint(), d.int()
			d.fixed(a.By[:])
			a.Gas = d.uint()
			h.Activations = append(h.Activations, a)
		}
	})
	if err != nil {
		return History{}, err
	}
	return h, nil
}

// PutHistory replaces the history of an instance.
func (r *Records) PutHistory(name string, h History) error {
	b := cbor.AppendArray(cbor.AppendUint(encoder(2), h.Last), len(h.Activations))
	for _, a := range h.Activations {
		b = cbor.AppendUint(cbor.AppendUint(cbor.AppendArray(b, 7), a.Version), a.From)
		b = cbor.AppendInt(cbor.AppendUint(cbor.AppendBytes(b, a.Hash[:]), a.Height), a.Time)
		b = cbor.AppendUint(cbor.AppendBytes(b, a.By[:]), a.Gas)
	}
	return r.kv.Set(historyRows, []byte(name), b)
}

// A Timelock is how long a change of an instance's code is announced before it may happen, and what is announced.
// The zero value, of nearly every instance, is no row.
type Timelock struct {
	Delay     int64 // seconds
	Next      int64 // what Delay is from the time From on
	From      int64 // unix seconds; 0: Delay stays as it is
	Announced *Announcement
}

// An Announcement is a change of code that may happen later.
type Announcement struct {
	Hash     [32]byte // of the code
	Version  uint64   // that the instance will have
	Rollback bool     // to that version, which it had before
	Breaking bool     // it may break callers
	Earliest int64    // unix seconds
}

// At is the timelock as it stands at a time.
func (t Timelock) At(now int64) Timelock {
	if t.From != 0 && now >= t.From {
		t.Delay, t.Next, t.From = t.Next, 0, 0
	}
	return t
}

// Timelock returns the timelock of an instance.
func (r *Records) Timelock(name string) (t Timelock, err error) {
	_, err = r.get(timelockRows, []byte(name), "timelock", 4, func(d *decoder) {
		t.Delay, t.Next, t.From = d.int(), d.int(), d.int()
		switch n := d.items(); {
		case d.err != nil || n == 0:
			return
		case n != 5:
			d.err = fmt.Errorf("an announcement of %d items, must be 5", n)
			return
		}
		a := new(Announcement)
		d.fixed(a.Hash[:])
		a.Version, a.Rollback, a.Breaking, a.Earliest = d.uint(), take(d, d.Bool), take(d, d.Bool), d.int()
		t.Announced = a
	})
	if err != nil {
		return Timelock{}, err
	}
	return t, nil
}

// PutTimelock replaces the timelock of an instance.
func (r *Records) PutTimelock(name string, t Timelock) error {
	if t == (Timelock{}) {
		return r.kv.Delete(timelockRows, []byte(name))
	}
	b := cbor.AppendInt(cbor.AppendInt(cbor.AppendInt(encoder(4), t.Delay), t.Next), t.From)
	if a := t.Announced; a == nil {
		b = cbor.AppendArray(b, 0)
	} else {
		b = cbor.AppendUint(cbor.AppendBytes(cbor.AppendArray(b, 5), a.Hash[:]), a.Version)
		b = cbor.AppendInt(cbor.AppendBool(cbor.AppendBool(b, a.Rollback), a.Breaking), a.Earliest)
	}
	return r.kv.Set(timelockRows, []byte(name), b)
}
