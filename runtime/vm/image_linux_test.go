//go:build !copied

package vm

import (
	"bytes"
	"testing"
)

// deep calls f with more stack in use.
//
//go:noinline
func deep(n int, f func()) int {
	var room [48]byte
	if room[n%len(room)] = byte(n); n == 0 {
		f()
		return 0
	}
	return deep(n-1, f) + int(room[n%len(room)])
}

// TestResetWhereStacksMove: a goroutine's stack grows, and so moves, while the kernel is asked what was written. Everything is put back
// all the same, at whatever depth that happens.
func TestResetWhereStacksMove(t *testing.T) {
	const blocks = 400
	image, err := newImage(make([]byte, blocks*blockSize))
	if err != nil {
		t.Fatal(err)
	}
	defer image.file.close()
	m := &memory{image: image, most: uint64(image.size())}
	defer m.Free()
	if m.Reallocate(m.most) == nil {
		t.Fatal(m.err)
	}
	zeros := make([]byte, blocks*blockSize)
	for depth := range 400 {
		done := make(chan error)
		go func() {
			var err error
			deep(depth, func() {
				for n := 0; n < blocks; n += 2 {
					m.b[n*blockSize] = 1
				}
				err = m.reset()
			})
			done <- err
		}()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(m.b, zeros) {
			t.Fatalf("depth %d: not everything was put back", depth)
		}
	}
}
