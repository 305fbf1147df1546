package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/wardledger/ward/node/durable"
)

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	for _, text := range []string{"first", "second, longer", ""} {
		if err := durable.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(file); err != nil || string(b) != text {
			t.Errorf("read %q, %v; want %q", b, err, text)
		}
	}
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	// What can't be put in place leaves nothing behind.
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "folder", "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteFile(filepath.Join(dir, "folder"), nil, 0o600); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if err := durable.WriteFile(filepath.Join(dir, "nowhere", "file"), nil, 0o600); err == nil {
		t.Error("a file was written into no folder")
	}
	if got := names(t, dir); len(got) != 2 {
		t.Errorf("left in the folder: %v", got)
	}
}

func TestMakeDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	crash := errors.New("crash")
	half := func(tmp string) error {
		if err := os.Mkdir(tmp, 0o700); err != nil { // fails if anything is left of the try before
			t.Error(err)
		}
		return errors.Join(os.WriteFile(filepath.Join(tmp, "half"), nil, 0o600), crash)
	}
	for range 2 {
		if err := durable.MakeDir(dir, half); !errors.Is(err, crash) {
			t.Fatal(err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("half a folder is there: %v", err)
		}
	}
	whole := func(tmp string) error { return os.Mkdir(tmp, 0o700) }
	if err := durable.MakeDir(dir, whole); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("the folder holds %v", got)
	}
	if err := durable.MakeDir(dir, func(string) error { return crash }); err != nil {
		t.Errorf("the folder is there, and yet: %v", err)
	}
	if got := names(t, filepath.Dir(dir)); len(got) != 1 {
		t.Errorf("beside it is %v", got)
	}
}
