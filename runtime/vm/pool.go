package vm

import (
	"container/list"
	"sync"

	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
)

// Bounds of what waits for its next call.
const (
	defaultIdle      = 128
	defaultIdleBytes = 256 << 20
	// idleOverhead is what an instance holds beside what is copied into its memory, in bytes, about: wazero's
	// structures, page tables, a stack, which hostile code can make 1 MiB large.
	idleOverhead = 64 << 10
)

// pool is the instances that wait for their next call, of all modules together. Each is as the snapshot of its contract
// says, so that whoever waited longest can be closed at any time.
type pool struct {
	mu         sync.Mutex
	limit      int
	limitBytes int
	bytes      int
	byIdleTime *list.List // of *waiter, the one that waits longest in front
}

// A waiter is an instance in the pool.
type waiter struct {
	module   *module
	instance *instance
	bytes    int
}

func newPool(o Options) *pool {
	p := &pool{limit: o.Idle, limitBytes: o.IdleBytes, byIdleTime: list.New()}
	if p.limit == 0 {
		p.limit = defaultIdle
	}
	if p.limitBytes <= 0 {
		p.limitBytes = defaultIdleBytes
	}
	return p
}

// take returns an instance that is as a call must find it.
func (m *modules) take(mod *module) (*instance, error) {
	if m.fresh {
		return m.fromTheStart(mod)
	}
	if i := m.pool.take(mod); i != nil {
		return i, nil
	}
	i, err := m.instantiate(mod.contract, mod.hash, mod.image)
	if err != nil {
		return nil, err
	}
	if err := i.restore(); err != nil {
		i.close()
		return nil, err
	}
	return i, nil
}

// fromTheStart returns an instance that owes nothing to the snapshot.
func (m *modules) fromTheStart(mod *module) (*instance, error) {
	i, err := m.instantiate(mod.contract, mod.hash, nil)
	if err == nil {
		i.fill(mod.data)
		if err = i.start(&host.Call{Gas: gas.NewMeter(gas.MaxInit)}); err != nil {
			i.close()
		}
	}
	return i, err
}

// give puts an instance back to what it was and into the pool, or closes it.
func (m *modules) give(mod *module, i *instance) {
	if m.fresh || !i.reset() {
		i.close()
		return
	}
	for _, old := range m.pool.give(mod, i) {
		old.close()
	}
}

func (p *pool) take(mod *module) *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(mod.waiting)
	if n == 0 {
		return nil
	}
	return p.remove(mod.waiting[n-1])
}

// remove takes a waiter out, under the lock.
func (p *pool) remove(place *list.Element) *instance {
	w := p.byIdleTime.Remove(place).(*waiter)
	p.bytes -= w.bytes
	for n := len(w.module.waiting) - 1; n >= 0; n-- {
		if w.module.waiting[n] == place {
			w.module.waiting = append(w.module.waiting[:n], w.module.waiting[n+1:]...)
			break
		}
	}
	return w.instance
}

// give adds an instance and returns those that have no room any more.
func (p *pool) give(mod *module, i *instance) (old []*instance) {
	bytes := idleOverhead + i.memory.kept()
	p.mu.Lock()
	defer p.mu.Unlock()
	mod.waiting = append(mod.waiting, p.byIdleTime.PushBack(&waiter{mod, i, bytes}))
	p.bytes += bytes
	for p.byIdleTime.Len() > max(p.limit, 0) || p.bytes > p.limitBytes && p.byIdleTime.Len() > 0 {
		old = append(old, p.remove(p.byIdleTime.Front()))
	}
	return old
}

// empty closes the instances of a module that nobody uses.
func (p *pool) empty(mod *module) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(mod.waiting) > 0 {
		p.remove(mod.waiting[0]).close()
	}
}
