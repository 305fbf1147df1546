//go:build unix

package api

import (
	"fmt"
	"syscall"
)

// diskFree is how many bytes an ordinary user may still write where dir is.
func diskFree(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("free space of %q: %w", dir, err)
	}
	return uint64(max(0, int64(s.Bavail))) * uint64(s.Bsize), nil // both are signed on some systems
}
