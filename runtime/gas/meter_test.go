package gas_test

import (
	"math"
	"testing"

	"github.com/wardledger/ward/runtime/gas"
)

func TestMeter(t *testing.T) {
	m := gas.NewMeter(100)
	for _, step := range []struct {
		name   string
		charge uint64
		ok     bool
		used   uint64
	}{
		{"nothing is always left", 0, true, 0},
		{"part", 60, true, 60},
		{"to the unit", 40, true, 100},
		{"nothing, of nothing", 0, true, 100},
		{"one too many", 1, false, 100},
	} {
		if ok := m.Charge(step.charge); ok != step.ok || m.Used() != step.used {
			t.Errorf("%s: Charge(%d) = %v with %d used, want %v with %d", step.name, step.charge, ok, m.Used(), step.ok, step.used)
		}
		if m.Used()+m.Left() != m.Limit() || m.Limit() != 100 {
			t.Errorf("%s: used %d + left %d is not the limit %d", step.name, m.Used(), m.Left(), m.Limit())
		}
	}
}

func TestMeterTakesWhatIsLeft(t *testing.T) {
	for _, n := range []uint64{91, 1 << 32, math.MaxUint64} {
		m := gas.NewMeter(100)
		m.Charge(10)
		if m.Charge(n) || m.Used() != 100 {
			t.Errorf("Charge(%d) of 90 left: used %d, want failure and 100", n, m.Used())
		}
	}
}

func TestMinLimit(t *testing.T) {
	if got, want := gas.MinLimit(200), uint64(204_000); got != want {
		t.Errorf("MinLimit(200) = %d, want %d", got, want)
	}
	if gas.MinLimit(5<<20) > gas.MaxLimit {
		t.Error("a transaction of 5 MiB can't be paid for at all")
	}
}

func TestInstance(t *testing.T) {
	const flat = gas.Instantiate
	for _, test := range []struct {
		name                string
		pages, items, price uint64
	}{
		{"nothing", 0, 0, flat},
		{"all that is free", gas.FreePages, gas.FreeItems, flat},
		{"a page more", gas.FreePages + 1, 0, flat + 65_536},
		{"an item more", 0, gas.FreeItems + 1, flat + 80},
		{"64 MiB", 1024, 0, flat + 976*65_536},
		{"4 MiB of items", gas.FreePages, 4 << 20, flat + 80*(4<<20-gas.FreeItems)},
	} {
		if got := gas.Instance(test.pages, test.items); got != test.price {
			t.Errorf("%s: %d, want %d", test.name, got, test.price)
		}
	}
}
