package registry_test

import (
	"reflect"
	"testing"

	"github.com/wardledger/ward/runtime/registry"
)

// A history is as long as it may be: the oldest is forgotten, and no number is given twice.
func TestHistory(t *testing.T) {
	r := records(t)
	if h, err := r.History("a"); err != nil || h.Last != 0 || h.Activations != nil {
		t.Errorf("of no instance: %+v, %v", h, err)
	}
	var h registry.History
	h.Add(registry.Activation{Version: 1})
	h.Add(registry.Activation{Version: 2, From: 1, Hash: [32]byte{2}, Height: 7, Time: -3, By: kid(1)})
	must(t, r.PutHistory("a", h))
	got, err := r.History("a")
	if err != nil || !reflect.DeepEqual(got, h) {
		t.Errorf("%+v, want %+v, %v", got, h, err)
	}
	if back := (registry.Activation{Version: 1, From: 2}); !back.Rollback() || h.Activations[0].Rollback() || h.Activations[1].Rollback() {
		t.Error("only what goes back is a rollback")
	}
	for i := range registry.MaxHistory {
		h.Add(registry.Activation{Version: 1, From: 2, Height: uint64(i)})
	}
	if _, found := h.Find(2); len(h.Activations) != registry.MaxHistory || h.Last != 2 || found {
		t.Errorf("%d activations, the last version is %d, 2 is there: %v", len(h.Activations), h.Last, found)
	}
	if a, found := h.Find(1); !found || a.Height != registry.MaxHistory-1 {
		t.Errorf("the newest activation of version 1 is %+v, %v", a, found)
	}
	must(t, r.PutHistory("a", h))
	h.Activations = append(h.Activations, registry.Activation{Version: 3})
	must(t, r.PutHistory("b", h))
	if _, err := r.History("b"); err == nil {
		t.Error("a history that is too long was read")
	}
}

func TestTimelock(t *testing.T) {
	o := overlay(t)
	r := registry.New(o)
	for _, want := range []registry.Timelock{
		{Delay: 10, Next: 5, From: 100, Announced: &registry.Announcement{Hash: [32]byte{1}, Version: 7, Rollback: true, Earliest: 9}},
		{Delay: 10},
		{},
	} {
		must(t, r.PutTimelock("a", want))
		if got, err := r.Timelock("a"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v, %v", got, want, err)
		}
	}
	if row, err := o.Get([]byte("\x00timelocks"), []byte("a")); row != nil || err != nil {
		t.Errorf("no timelock is the row %x, %v", row, err)
	}
	lock := registry.Timelock{Delay: 10, Next: 5, From: 100}
	for now, want := range map[int64]int64{0: 10, 99: 10, 100: 5, 1000: 5} {
		if got := lock.At(now).Delay; got != want {
			t.Errorf("at %d the delay is %d, want %d", now, got, want)
		}
	}
}
