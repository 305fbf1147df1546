package client

import (
	"context"
	"encoding/hex"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
)

// Timelock is how changes of a contract's code are announced; the zero value: they are not. Times are unix seconds, durations seconds.
type Timelock struct {
	Delay     int64         `json:"delay,omitempty"`   // between announcement and change
	Shorter   *int64        `json:"shorter,omitempty"` // what Delay is from the time From on; nil: it stays
	From      int64         `json:"from,omitempty"`
	Announced *Announcement `json:"announced,omitempty"`
}

// DelayAt is the delay at a time.
func (t Timelock) DelayAt(now int64) int64 {
	if t.Shorter != nil && now >= t.From {
		return *t.Shorter
	}
	return t.Delay
}

// Announcement is a change of code that may happen.
type Announcement struct {
	Version       uint64 `json:"version"`
	Code          string `json:"code"` // SHA-256, in hex
	Rollback      bool   `json:"rollback"`
	AllowBreaking bool   `json:"allow_breaking"`
	Earliest      int64  `json:"earliest"` // a time
}

// Activation is a moment at which a contract got its code.
type Activation struct {
	Version uint64 // of the code, from 1
	From    uint64 // the version before; 0: it was deployed
	Code    string // SHA-256, in hex
	Height  uint64
	Time    int64 // unix seconds
	By      address.Address
	Gas     uint64 // that making the code ready took
}

// History is how a contract came to its code, the oldest that the chain remembers first. For a contract that isn't there the error
// is a *Refused with receipt.UnknownContract.
func (c *Client) History(ctx context.Context, contract string) ([]Activation, error) {
	if err := checkNames(contract, ""); err != nil {
		return nil, err
	}
	var rows []struct {
		Version uint64
		From    uint64
		Hash    []byte
		Height  uint64
		Time    int64
		By      address.Address
		Gas     uint64
	}
	if err := c.Query(ctx, tx.DeployContract, "history", struct{ Name string }{contract}, &rows); err != nil {
		return nil, err
	}
	list := make([]Activation, len(rows))
	for i, r := range rows {
		list[i] = Activation{r.Version, r.From, hex.EncodeToString(r.Hash), r.Height, r.Time, r.By, r.Gas}
	}
	return list, nil
}
