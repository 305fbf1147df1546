package consensus

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"
)

// validator is a signer with a new key in a new folder; load reads it again, as a restart does.
func validator(t *testing.T) (load func() signer) {
	t.Helper()
	keys, err := GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key, state := filepath.Join(dir, "key.json"), filepath.Join(dir, "state.json")
	for file, b := range map[string][]byte{key: keys.Validator, state: keys.ValidatorState} {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func() signer {
		s, err := loadValidator(key, state)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func proposal(block byte, at time.Time) *cmtproto.Proposal {
	return &cmtproto.Proposal{
		Type: cmtproto.ProposalType, Height: 5, PolRound: -1, Timestamp: at,
		BlockID: cmtproto.BlockID{
			Hash:          bytes.Repeat([]byte{block}, 32),
			PartSetHeader: cmtproto.PartSetHeader{Total: 1, Hash: bytes.Repeat([]byte{block}, 32)},
		},
	}
}

// The same block can be proposed again after a crash, another one can't.
func TestSignProposalAgain(t *testing.T) {
	load := validator(t)
	now := time.Now()
	sign := func(p *cmtproto.Proposal) error {
		at := p.Timestamp
		s := load()
		if err := s.SignProposal("chain", p); err != nil {
			return err
		}
		if !p.Timestamp.Equal(at) {
			t.Errorf("the timestamp was moved from %v to %v", at, p.Timestamp)
		}
		if !s.Key.PubKey.VerifySignature(types.ProposalSignBytes("chain", p), p.Signature) {
			t.Error("the signature is not over the proposal")
		}
		return nil
	}
	if err := sign(proposal(1, now)); err != nil {
		t.Fatal(err)
	}
	if err := sign(proposal(1, now)); err != nil {
		t.Errorf("the same proposal: %v", err)
	}
	if err := sign(proposal(1, now.Add(time.Second))); err != nil {
		t.Errorf("the same block later: %v", err)
	}
	if err := sign(proposal(2, now.Add(time.Second))); err == nil {
		t.Error("another block for the same height and round was signed")
	}
}

// A vote is never signed for two blocks of one height and round, whatever happens between.
func TestNeverTwoVotes(t *testing.T) {
	load := validator(t)
	vote := func(block byte, round int32) error {
		p := proposal(block, time.Now())
		return load().SignVote("chain", &cmtproto.Vote{
			Type: cmtproto.PrevoteType, Height: 5, Round: round, BlockID: p.BlockID, Timestamp: p.Timestamp,
		})
	}
	for _, c := range []struct {
		block byte
		round int32
		ok    bool
	}{{1, 0, true}, {1, 0, true}, {2, 0, false}, {2, 1, true}, {1, 0, false}} {
		if err := vote(c.block, c.round); (err == nil) != c.ok {
			t.Errorf("vote for block %d in round %d: %v", c.block, c.round, err)
		}
	}
}
