//go:build !copied

package vm

import (
	"fmt"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix" // memfd and mmap at an address, which syscall lacks

	"github.com/wardledger/ward/runtime/gas"
)

// An imageFile is an image as a file in memory that many instances map.
type imageFile struct{ fd int }

// open makes the file. Blocks of zeros are holes in it, which take no memory until they are looked at.
func (f *imageFile) open(i *image) error {
	fd, err := unix.MemfdCreate("ward-contract", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("memory of a contract: %w", err)
	}
	f.fd = fd
	if err := unix.Ftruncate(fd, int64(i.size())); err != nil {
		f.close()
		return fmt.Errorf("memory of a contract: %d bytes: %w", i.size(), err)
	}
	for n, block := range i.blocks {
		if block == nil {
			continue
		}
		if written, err := unix.Pwrite(fd, block, int64(n)*int64(blockSize)); err != nil || written != len(block) {
			f.close()
			return fmt.Errorf("memory of a contract: %d of %d bytes: %w", written, len(block), err)
		}
	}
	return nil
}

func (f *imageFile) close() {
	if f.fd > 0 {
		_ = unix.Close(f.fd) // of memory: nothing can be lost
	}
	f.fd = 0
}

// A mapping is address space for all that a memory may grow to. What isn't reached yet takes nothing.
type mapping struct {
	b       []byte
	private int // blocks that were written since all were dropped, and so are no longer shared
	calls   int // since there are many of them
}

// grow makes the first size bytes of the memory reachable.
func (m *memory) grow(size uint64) ([]byte, error) {
	if m.room.b == nil && m.most > 0 {
		room, err := unix.Mmap(-1, 0, int(m.most), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
		if err != nil {
			return nil, err
		}
		m.room.b = room
		if n := m.image.size(); n > 0 {
			// A private view of the image: what is written is the instance's alone.
			_, err := unix.MmapPtr(m.image.file.fd, 0, unsafe.Pointer(&m.room.b[0]), uintptr(n),
				unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
			if err != nil {
				return nil, err
			}
		}
	}
	if from := max(uint64(len(m.b)), uint64(m.image.size())); size > from {
		if err := unix.Mprotect(m.room.b[from:size], unix.PROT_READ|unix.PROT_WRITE); err != nil {
			return nil, err
		}
	}
	return m.room.b[:size:size], nil
}

// How a memory is put back. Measured with BenchmarkCall: see runtime/README.md.
const (
	// maxCopied is the largest memory that is copied back as a whole, in bytes: a system call takes longer.
	maxCopied = 64 << 10
	// maxPrivate is the most blocks that stay private to an instance, and are copied back one by one. It is what
	// gas.NearPages hold.
	maxPrivate = gas.NearPages * pageSize / 4096
	// If more than manyPrivate blocks stay private, they are all dropped every dropEvery calls, so that one
	// large call doesn't make those after it copy what they don't use.
	manyPrivate = 256
	dropEvery   = 16
)

// reset puts the memory back to what the image says. It must not have grown.
func (m *memory) reset() error {
	if len(m.b) <= maxCopied {
		m.copyBack()
		return nil
	}
	if m.copyWritten() {
		return nil
	}
	// The next access to any block finds what the image says.
	m.room.private, m.room.calls = 0, 0
	if err := unix.Madvise(m.b, unix.MADV_DONTNEED); err != nil {
		return fmt.Errorf("memory of a contract: %w", err)
	}
	return nil
}

// kept is how many bytes the memory holds for itself while it waits, about.
func (m *memory) kept() int {
	if len(m.b) <= maxCopied {
		return len(m.b)
	}
	return m.room.private * blockSize
}

// copyWritten copies back what was written, which only a kernel from 6.7 on can tell. It returns false if this one can't, or
// if it is better to drop everything.
func (m *memory) copyWritten() bool {
	if pagemap == nil {
		return false
	}
	room := maxPrivate * blockSize
	private, ok := m.written(pagemap, func(from, to int) bool {
		if room -= to - from; room < 0 {
			return false
		}
		m.image.copyTo(m.b, from, to)
		return true
	})
	m.room.private = private
	if private > manyPrivate {
		m.room.calls++
	}
	return ok && m.room.calls < dropEvery
}

// written visits the blocks that were written, until visit returns false, and returns how many there are. ok is false if visit
// said so or the kernel can't tell.
func (m *memory) written(pagemap *os.File, visit func(from, to int) bool) (blocks int, ok bool) {
	// On the heap: the kernel is given an address, and a stack may move while visit runs.
	s := scans.Get().(*scan)
	defer scans.Put(s)
	base := uint64(uintptr(unsafe.Pointer(&m.b[0])))
	end := base + uint64(len(m.b))
	for at := base; at < end; {
		s.page = pageScan{
			size: uint64(unsafe.Sizeof(s.page)), start: at, end: end,
			vec: uint64(uintptr(unsafe.Pointer(&s.regions))), vecLen: uint64(len(s.regions)),
			// Not of the file: a block that was written is a copy, in memory or swapped out.
			inverted: pageIsFile, mask: pageIsFile, anyOf: pageIsPresent | pageIsSwapped,
		}
		n, _, errno := unix.Syscall(unix.SYS_IOCTL, pagemap.Fd(), pagemapScan, uintptr(unsafe.Pointer(&s.page)))
		if errno != 0 || n > uintptr(len(s.regions)) || s.page.walkEnd <= at || s.page.walkEnd > end {
			return 0, false
		}
		for _, r := range s.regions[:n] {
			if r.start < at || r.end > s.page.walkEnd || r.start >= r.end || !visit(int(r.start-base), int(r.end-base)) {
				return 0, false
			}
			blocks += int(r.end-r.start) / blockSize
		}
		at = s.page.walkEnd
	}
	return blocks, true
}

// A scan is what is asked of the kernel and what it answers.
type scan struct {
	page    pageScan
	regions [64]pageRegion
}

var scans = sync.Pool{New: func() any { return new(scan) }}

// pagemap is where the kernel tells what became of pages, nil if it can't.
var pagemap = openPagemap()

// openPagemap tries whether the kernel tells what it should, on a memory of two blocks of which one is written: what it says
// decides what the next call finds.
func openPagemap() (f *os.File) {
	image, err := newImage(make([]byte, 2*blockSize))
	if err != nil {
		return nil
	}
	defer image.file.close()
	m := &memory{image: image, most: uint64(image.size())}
	defer m.Free()
	if m.Reallocate(m.most) == nil {
		return nil
	}
	if f, err = os.Open("/proc/self/pagemap"); err != nil {
		return nil
	}
	read := m.b[0] == 0 // a block that was only read is not written
	m.b[blockSize] = 1
	if private, ok := m.written(f, func(from, to int) bool { return from == blockSize }); !read || !ok || private != 1 {
		_ = f.Close()
		return nil
	}
	return f
}

// pageScan and pageRegion are pm_scan_arg and page_region of linux/fs.h (PAGEMAP_SCAN, Linux 6.7), which
// golang.org/x/sys does not have.
type pageScan struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages uint64
	inverted, mask, anyOf, answer                           uint64
}

type pageRegion struct{ start, end, _ uint64 }

const (
	pagemapScan = 3<<30 | 96<<16 | 'f'<<8 | 16 // _IOWR('f', 16, struct pm_scan_arg)

	pageIsFile    = 1 << 2
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
)

// Free ends the use of the memory. It may be called again.
func (m *memory) Free() {
	if m.room.b != nil {
		_ = unix.Munmap(m.room.b) // fails only if it is not mapped
	}
	m.room, m.b = mapping{}, nil
}
