// Package durable makes files and folders that are there entirely or not at all,
// whenever the process is killed or the machine loses power.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// WriteFile makes file hold b. While it works, what was there before stays; no moment
// shows anything else, and nobody without mode's permission sees b. The folder must exist.
func WriteFile(file string, b []byte, mode fs.FileMode) (err error) {
	dir := filepath.Dir(file)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(file)+".*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", file, err), os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.Write(b)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), file); err != nil {
		return err
	}
	return syncDir(dir)
}

// MakeDir makes the folder dir, unless it exists, by letting fill prepare a folder of
// another name beside it. fill may be called again for what an earlier process left
// unfinished, and always gets the name of a folder that does not exist. What contains
// dir must exist.
func MakeDir(dir string, fill func(dir string) error) error {
	if _, err := os.Lstat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The ending stays last: a database may insist on the one of its folders.
	ext := filepath.Ext(dir)
	tmp := strings.TrimSuffix(dir, ext) + ".new" + ext
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	if err := fill(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// syncDir makes what was renamed in dir survive a power cut.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // which can't open a folder for that, and doesn't need it
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
