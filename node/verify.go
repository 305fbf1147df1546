package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/wardledger/ward/node/db"
	"github.com/wardledger/ward/runtime/state"
)

// VerifyState looks at everything in the state of a home whose node is not running, and computes every hash anew; see
// [state.State.Verify]. No file of the state is changed.
func VerifyState(ctx context.Context, dir string, progress func(reads uint64)) (*state.Report, error) {
	h, err := openHome(dir)
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	if _, err := h.readGenesis(); err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	lock, err := takeLock(h)
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	defer lock.release()
	if _, err := os.Stat(h.state()); errors.Is(err, fs.ErrNotExist) {
		return new(state.Report), nil // a home whose node has never run
	}
	rows, err := db.Open(h.state(), db.Options{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	report, err := verify(ctx, rows, progress)
	return report, errors.Join(err, rows.Close())
}

func verify(ctx context.Context, rows *db.DB, progress func(uint64)) (*state.Report, error) {
	s, err := state.Open(rows, state.Options{})
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	report, err := s.Verify(ctx, progress)
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	return report, nil
}
