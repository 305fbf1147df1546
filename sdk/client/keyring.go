package client

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// MaxKeyName bounds a key's name, in bytes, so that the file name fits everywhere.
const MaxKeyName = 64

const keySuffix = ".key"

// Keyring is a folder of key files, one key each, named NAME.key. The files are readable
// by their owner alone. A Keyring holds nothing: every method looks at the disk.
type Keyring struct{ Dir string }

// CheckKeyName accepts names of at most MaxKeyName lower-case letters, digits, ".", "_" and
// "-" that start with a letter or digit: they are file names on every system.
func CheckKeyName(name string) error {
	if len(name) > MaxKeyName {
		return fmt.Errorf("key name is %d bytes, limit %d", len(name), MaxKeyName)
	}
	for i, c := range []byte(name) {
		word := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !word && (i == 0 || !strings.ContainsRune("._-", rune(c))) {
			return fmt.Errorf("key name %q: use lower-case letters, digits, \".\", \"_\" and \"-\"", name)
		}
	}
	if name == "" {
		return errors.New("key name is empty")
	}
	return nil
}

// Path is where the key of a name lies, whether it exists or not.
func (r Keyring) Path(name string) string { return filepath.Join(r.Dir, name+keySuffix) }

// Add writes a new key file, mode 0600, making the folder (0700) if need be. It is on disk
// when Add returns. A name that is taken is refused (fs.ErrExist): a key is never
// overwritten. A machine that dies meanwhile leaves an empty file at worst, never half a key.
func (r Keyring) Add(name string, f *KeyFile) error {
	if err := CheckKeyName(name); err != nil {
		return err
	}
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		return err
	}
	path := r.Path(name)
	// Take the name first: whoever else adds it at this moment fails here, and the rename
	// below replaces nothing but our own empty file.
	claim, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_ = claim.Close()
	if err := writeSynced(path, f.Bytes()); err != nil {
		_ = os.Remove(path)
		return err
	}
	return nil
}

// writeSynced puts content in path through a temporary file beside it.
func writeSynced(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(content)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return err
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync() // not every system can; the content is synced already
		_ = dir.Close()
	}
	return nil
}

// Load reads a key file. It fails with fs.ErrNotExist if there is no such name, and on a
// plain key that other users of the machine may read.
func (r Keyring) Load(name string) (*KeyFile, error) {
	if err := CheckKeyName(name); err != nil {
		return nil, err
	}
	return LoadKeyFile(r.Path(name))
}

// LoadKeyFile is Keyring.Load for a path.
func LoadKeyFile(path string) (*KeyFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, MaxKeyFile+1))
	if err != nil {
		return nil, err
	}
	f, err := ParseKeyFile(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if info, err := file.Stat(); err == nil && !f.Sealed() && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: plain key with mode %04o, which others can read: chmod 600 it", path, info.Mode().Perm())
	}
	return f, nil
}

// List gives the names in the folder, sorted. A folder that doesn't exist has none.
func (r Keyring) List() ([]string, error) {
	entries, err := os.ReadDir(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries { // ReadDir sorts
		if name, ok := strings.CutSuffix(entry.Name(), keySuffix); ok && CheckKeyName(name) == nil && !entry.IsDir() {
			names = append(names, name)
		}
	}
	return names, nil
}
