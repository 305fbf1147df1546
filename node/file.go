package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Folders and files of a home belong to whoever runs the node. Only genesis is for all
// to read.
const (
	modeDir    fs.FileMode = 0o700
	modeSecret fs.FileMode = 0o600
	modePublic fs.FileMode = 0o644
)

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
