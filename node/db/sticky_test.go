package db

import (
	"errors"
	"testing"

	"github.com/syndtr/goleveldb/leveldb/storage"
)

var errDisk = errors.New("no space left, or worse")

// brokenDisk is a storage whose files can stop to sync.
type brokenDisk struct {
	storage.Storage
	broken bool
}

func (d *brokenDisk) Create(fd storage.FileDesc) (storage.Writer, error) {
	w, err := d.Storage.Create(fd)
	return &brokenFile{w, d}, err
}

type brokenFile struct {
	storage.Writer
	disk *brokenDisk
}

func (f *brokenFile) Sync() error {
	if f.disk.broken {
		return errDisk
	}
	return f.Writer.Sync()
}

// After a failed fsync nobody knows what is on disk: no later write may succeed
// on top of it.
func TestNoWriteAfterAFailedOne(t *testing.T) {
	disk := &brokenDisk{Storage: storage.NewMemStorage()}
	ldb, err := open(disk, Options{CacheMiB: 1, BufferMiB: 1})
	if err != nil {
		t.Fatal(err)
	}
	d := &DB{file: disk, ldb: ldb}
	defer d.Close()
	write := func(key string) error {
		var b Batch
		b.Set([]byte(key), []byte("v"))
		return d.Write(&b, true)
	}
	if err := write("before"); err != nil {
		t.Fatal(err)
	}
	disk.broken = true
	if err := write("lost"); !errors.Is(err, errDisk) {
		t.Errorf("a failed fsync was answered with %v", err)
	}
	disk.broken = false
	if err := write("after"); !errors.Is(err, errDisk) {
		t.Errorf("a write after a failed one was answered with %v", err)
	}
	if v, err := d.Get([]byte("before")); err != nil || string(v) != "v" {
		t.Errorf("reading on: %q, %v", v, err)
	}
}
