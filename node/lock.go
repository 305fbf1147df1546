package node

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// lock is the right to use a home. The system takes it back when the process dies.
type lock struct{ file *os.File }

// errLocked is what tryLock answers when another process, or another part of this one,
// holds the lock.
var errLocked = errors.New("locked")

// takeLock takes the lock of a home, which must exist, or says who has it. The file stays
// when the lock is given back: removing it would let a third process lock a file that is no
// longer there.
func takeLock(h home) (*lock, error) {
	f, err := tryLock(h.lockFile())
	if errors.Is(err, errLocked) {
		return nil, &LockedError{Home: string(h), File: h.lockFile(), PID: holder(h.lockFile())}
	}
	if err != nil {
		return nil, fmt.Errorf("lock home %s: %w", string(h), err)
	}
	// For people; the lock itself is the system's.
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lock home %s: %w", string(h), err), f.Close())
		}
	}
	return &lock{f}, nil
}

// release gives the lock back.
func (l *lock) release() error { return errors.Join(unlock(l.file), l.file.Close()) }

// holder reads which process wrote itself into the lock file, 0 if none can be read.
func holder(file string) int {
	b, err := readBounded(file, 32)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}

// LockedError says that a home is in use.
type LockedError struct {
	Home string
	File string // whose lock is held
	PID  int    // the process that holds it; 0 if it did not say
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("home %s is in use by another process, which holds %s", e.Home, e.File)
	}
	return fmt.Sprintf("home %s is in use by process %d, which holds %s", e.Home, e.PID, e.File)
}
