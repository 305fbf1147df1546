package state

import (
	"bytes"
	"sync"

	"github.com/google/btree"
)

// Memory is a [DB] that forgets everything when the process ends. It serves
// tests, simulations and `ward dev` without a home.
type Memory struct {
	mu   sync.Mutex
	rows *btree.BTreeG[op]
}

var _ DB = (*Memory)(nil)

// NewMemory returns an empty Memory.
func NewMemory() *Memory {
	return &Memory{rows: btree.NewG(32, func(a, b op) bool { return bytes.Compare(a.key, b.key) < 0 })}
}

// Clone returns a Memory with the same rows, which changes apart from this one. It takes no time: the rows are copied when they
// are written.
func (m *Memory) Clone() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Memory{rows: m.rows.Clone()}
}

// Get implements [DB].
func (m *Memory) Get(key []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row, ok := m.rows.Get(op{key: key})
	if !ok {
		return nil, nil
	}
	return row.value, nil
}

// Scan implements [DB].
func (m *Memory) Scan(start, end []byte, reverse bool, visit func(key, value []byte) bool) error {
	return m.View().Scan(start, end, reverse, visit)
}

// View implements [DB].
func (m *Memory) View() View {
	m.mu.Lock()
	defer m.mu.Unlock()
	return memoryView{m.rows.Clone()} // copy on write
}

// Write implements [DB].
func (m *Memory) Write(b *Batch, _ bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	b.Each(func(key, value []byte) {
		if value == nil {
			m.rows.Delete(op{key: key})
			return
		}
		m.rows.ReplaceOrInsert(op{bytes.Clone(key), append([]byte{}, value...)})
	})
	return nil
}

// Len returns the number of rows.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rows.Len()
}

// memoryView is a clone to which nobody writes.
type memoryView struct{ rows *btree.BTreeG[op] }

func (v memoryView) Get(key []byte) ([]byte, error) {
	row, _ := v.rows.Get(op{key: key})
	return row.value, nil
}

func (v memoryView) Scan(start, end []byte, reverse bool, visit func(key, value []byte) bool) error {
	walk(v.rows, start, end, reverse,
		func(key []byte) op { return op{key: key} },
		func(row op) []byte { return row.key },
		func(row op) bool { return visit(row.key, row.value) })
	return nil
}

func (v memoryView) Release() {}
