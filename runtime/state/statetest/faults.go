package statetest

import (
	"errors"
	"sync"

	"github.com/wardledger/ward/runtime/state"
)

// ErrFault is what a broken storage answers.
var ErrFault = errors.New("statetest: the storage was told to fail")

// Faults is a storage that fails when it is told to. The zero value around a DB
// is that DB. Fields are set between uses.
type Faults struct {
	DB state.DB

	mu     sync.Mutex
	reads  int // until the failure; 0 is none
	writes int
	lost   bool // the failing write does nothing, else it is done and denied
}

var _ state.DB = (*Faults)(nil)

// FailRead makes the n-th read from now fail, counted from 1, and no other. A
// scan is one read. 0 takes it back.
func (f *Faults) FailRead(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads = n
}

// FailWrite makes the n-th write from now fail, counted from 1, and no other.
// With lost it leaves no trace; otherwise it is written before it is denied, as
// when an fsync fails. 0 takes it back.
func (f *Faults) FailWrite(n int, lost bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes, f.lost = n, lost
}

// Pending reports whether an ordered failure has not happened yet.
func (f *Faults) Pending() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads > 0 || f.writes > 0
}

func (f *Faults) due(counter *int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if *counter == 0 {
		return false
	}
	*counter--
	return *counter == 0
}

// Get implements [state.DB].
func (f *Faults) Get(key []byte) ([]byte, error) {
	if f.due(&f.reads) {
		return nil, ErrFault
	}
	return f.DB.Get(key)
}

// Scan implements [state.DB].
func (f *Faults) Scan(start, end []byte, reverse bool, visit func(key, value []byte) bool) error {
	if f.due(&f.reads) {
		return ErrFault
	}
	return f.DB.Scan(start, end, reverse, visit)
}

// View implements [state.DB]. Its reads count too.
func (f *Faults) View() state.View { return faultyView{f, f.DB.View()} }

type faultyView struct {
	faults *Faults
	state.View
}

func (v faultyView) Get(key []byte) ([]byte, error) {
	if v.faults.due(&v.faults.reads) {
		return nil, ErrFault
	}
	return v.View.Get(key)
}

func (v faultyView) Scan(start, end []byte, reverse bool, visit func(key, value []byte) bool) error {
	if v.faults.due(&v.faults.reads) {
		return ErrFault
	}
	return v.View.Scan(start, end, reverse, visit)
}

// Write implements [state.DB].
func (f *Faults) Write(b *state.Batch, sync bool) error {
	if !f.due(&f.writes) {
		return f.DB.Write(b, sync)
	}
	if !f.lost {
		if err := f.DB.Write(b, sync); err != nil {
			return err
		}
	}
	return ErrFault
}
