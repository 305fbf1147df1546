package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Folders and files of a home belong to whoever runs the node. Only genesis is for all
// to read.
const (
	modeDir    fs.FileMode = 0o700
	modeSecret fs.FileMode = 0o600
	modePublic fs.FileMode = 0o644
)

// writeFile makes file hold b, entirely or not at all, also if the machine loses power
// meanwhile. The folder must exist.
func writeFile(file string, b []byte, mode fs.FileMode) (err error) {
	dir := filepath.Dir(file)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(file)+".*") // made with 0600: never readable by others, not for a moment
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
	if err := os.Rename(tmp.Name(), file); err != nil {
		return err
	}
	return syncDir(dir)
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

func exists(file string) (bool, error) {
	_, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// readBounded reads a file of at most max bytes.
func readBounded(file string, max int64) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > max {
		return nil, fmt.Errorf("%s is %d bytes, limit %d", file, info.Size(), max)
	}
	return os.ReadFile(file)
}
