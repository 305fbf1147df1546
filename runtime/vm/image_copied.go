//go:build !linux || copied

// What every platform can do. The tag copied chooses it on Linux, too, so that it can be tested there.

package vm

// An imageFile is nothing here: an instance copies the image.
type imageFile struct{}

func (*imageFile) open(*image) error { return nil }
func (*imageFile) close()            {}

// A mapping is nothing here.
type mapping struct{}

// grow makes the first size bytes of the memory reachable.
func (m *memory) grow(size uint64) ([]byte, error) {
	if size <= uint64(cap(m.b)) {
		return m.b[:size], nil
	}
	room := size
	if m.b != nil {
		room = min(max(size, 2*uint64(len(m.b))), m.most) // so that who grows page by page is not copied each time
	} else {
		room = max(size, uint64(m.image.size()))
	}
	b := make([]byte, size, room)
	if m.b == nil && m.image != nil {
		m.image.copyTo(b[:room], 0, m.image.size())
	} else {
		copy(b, m.b)
	}
	return b, nil
}

// reset puts the memory back to what the image says. It must not have grown.
func (m *memory) reset() error {
	m.copyBack()
	return nil
}

// kept is how many bytes the memory holds for itself while it waits.
func (m *memory) kept() int { return cap(m.b) }

// Free ends the use of the memory. It may be called again.
func (m *memory) Free() { m.b = nil }
