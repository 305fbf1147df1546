package db

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"

	lerrors "github.com/syndtr/goleveldb/leveldb/errors"
	"github.com/syndtr/goleveldb/leveldb/journal"
	"github.com/syndtr/goleveldb/leveldb/storage"
)

// checkJournals refuses a folder in which a whole record follows a damaged one,
// in a journal of writes or in the list of tables. A damaged record at the end
// is what a crash leaves, and LevelDB drops it.
func checkJournals(file storage.Storage) error {
	files, err := file.List(storage.TypeJournal)
	if err != nil {
		return err
	}
	if manifest, err := file.GetMeta(); err == nil {
		files = append(files, manifest)
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, fd := range files {
		if err := checkJournal(file, fd); err != nil {
			return err
		}
	}
	return nil
}

func checkJournal(file storage.Storage, fd storage.FileDesc) error {
	f, err := file.Open(fd)
	if err != nil {
		return err
	}
	defer f.Close()
	var damage damage
	records := journal.NewReader(f, &damage, false, true)
	for n := 0; ; n++ {
		record, err := records.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, record); err == io.ErrUnexpectedEOF {
			continue // noted in damage
		} else if err != nil {
			return err
		}
		if damage.err != nil {
			return fmt.Errorf("%w: %s: a record is damaged, and record %d behind it is whole: %w", ErrCorrupt, fd, n, damage.err)
		}
	}
}

// damage keeps the first damage that the journal reader reports.
type damage struct{ err error }

func (d *damage) Drop(err error) {
	if d.err == nil {
		d.err = err
	}
}

func leveldbCorrupt(err error) bool { return lerrors.IsCorrupted(err) }

// locked tells whether opening failed because the folder is locked.
func locked(err error) bool {
	const sharingViolation = syscall.Errno(32) // ERROR_SHARING_VIOLATION of Windows
	return errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, storage.ErrLocked) ||
		runtime.GOOS == "windows" && errors.Is(err, sharingViolation)
}
