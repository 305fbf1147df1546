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

// TestTicks: a contract counts in ticks; a unit that was begun is used.
func TestTicks(t *testing.T) {
	m := gas.NewMeter(100)
	if m.TicksLeft() != 100*gas.Ticks {
		t.Fatalf("%d ticks of 100", m.TicksLeft())
	}
	for _, step := range []struct {
		name  string
		ticks int64
		ok    bool
		used  uint64
	}{
		{"nothing", 100 * gas.Ticks, true, 0},
		{"one tick", 100*gas.Ticks - 1, true, 1},
		{"a unit", 99 * gas.Ticks, true, 1},
		{"more than there was", 200 * gas.Ticks, true, 1},
		{"the last", 0, true, 100},
		{"too many", -1, false, 100},
	} {
		if ok := m.SetTicksLeft(step.ticks); ok != step.ok || m.Used() != step.used {
			t.Errorf("%s: %v with %d used, want %v with %d", step.name, ok, m.Used(), step.ok, step.used)
		}
	}
	m = gas.NewMeter(10)
	m.SetTicksLeft(10*gas.Ticks - 1)
	if m.Left() != 9 || m.Charge(10) || m.Used() != 10 {
		t.Errorf("a charge of 10 with 99 ticks left: %d left, %d used", m.Left(), m.Used())
	}
	if huge := gas.NewMeter(math.MaxUint64); int64(huge.TicksLeft()) <= 0 || huge.Left() != huge.Limit() {
		t.Errorf("a meter without a bound has %d ticks", huge.TicksLeft())
	}
}
