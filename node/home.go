package node

import (
	"fmt"
	"path/filepath"
)

// home is the layout of a node's folder; see the package's documentation.
type home string

// openHome is the home in dir, as an absolute path. It creates nothing.
func openHome(dir string) (home, error) {
	if dir == "" {
		return "", fmt.Errorf("no home folder is named")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("home %q: %w", dir, err)
	}
	return home(abs), nil
}

func (h home) join(parts ...string) string {
	return filepath.Join(append([]string{string(h)}, parts...)...)
}

func (h home) genesis() string        { return h.join("genesis.json") }
func (h home) keys() string           { return h.join("keys") }
func (h home) validatorKey() string   { return h.join("keys", "validator.json") }
func (h home) nodeKey() string        { return h.join("keys", "node.json") }
func (h home) engine() string         { return h.join("data", "engine") }
func (h home) validatorState() string { return h.join("data", "engine", "validator-state.json") }
func (h home) state() string          { return h.join("data", "state") }
func (h home) events() string         { return h.join("data", "events") }
func (h home) cache() string          { return h.join("cache") }
func (h home) lockFile() string       { return h.join("ward.lock") }
