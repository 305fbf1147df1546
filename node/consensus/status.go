package consensus

import (
	"bytes"
	"time"

	cstypes "github.com/cometbft/cometbft/consensus/types"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/types"
)

const (
	// signedBlocks is in how many of the newest blocks an authority's vote is looked for. One
	// whose vote comes after two thirds have decided is often not in a block, but hardly in
	// none of ten.
	signedBlocks = 10
	// voteGrace is how long a decision may take until an authority that has not voted on it
	// counts as missing: a dead proposer's turn, and a slow vote.
	voteGrace = 3 * time.Second
)

// Status is how this node is doing.
type Status struct {
	Height     uint64 // last block that this node has committed
	CatchingUp bool   // it is still fetching blocks that others have
	NodeID     string
	Peers      []Peer
	Authority  []byte // this node's voting key, 32 bytes
	Votes      bool   // whether that key is an authority's now
	Waiting    int    // transactions in the mempool

	// Authorities are those of the block that comes next. What it says of their votes is as
	// this node sees it, and is nothing while it catches up.
	Authorities []Authority
	// Deciding is the decision that is under way: nil while nobody votes, because nothing
	// waits, and while this node catches up.
	Deciding *Deciding
}

// Peer is another node that this one is connected with.
type Peer struct {
	ID   string
	Name string // what it calls itself
}

// Authority is one of those that decide blocks.
type Authority struct {
	Key    []byte // 32 bytes Ed25519
	Signed uint64 // the newest of the last ten blocks that its vote has decided, 0 for none
	// Missing tells that it takes no part: it has not voted on a block that the others have
	// been voting on for some seconds, or its vote is in none of the last ten blocks.
	Missing bool
}

// Deciding is a decision on a block that is under way.
type Deciding struct {
	Height uint64    // of the block
	Round  int32     // how often it was tried already
	Since  time.Time // of the first vote on any try
	Voted  int       // authorities that have given the vote that this try waits for
	Needed int       // how many must for a decision: more than two thirds
}

// Status tells how this node is doing. It may be called after Stop too. It looks at what the
// engine has in memory, and waits while the engine executes a block.
func (e *Engine) Status() Status {
	rs := e.state.GetRoundState()
	s := Status{
		Height:     uint64(max(0, rs.Height-1)),
		CatchingUp: e.node.ConsensusReactor().WaitSync(),
		NodeID:     string(e.node.NodeInfo().ID()),
		Waiting:    e.node.Mempool().Size(),
		Authority:  e.validator.Key.PubKey.Bytes(),
	}
	for _, p := range e.node.Switch().Peers().Copy() {
		peer := Peer{ID: string(p.ID())}
		if info, ok := p.NodeInfo().(p2p.DefaultNodeInfo); ok {
			peer.Name = info.Moniker
		}
		s.Peers = append(s.Peers, peer)
	}
	for _, v := range rs.Validators.Validators {
		s.Authorities = append(s.Authorities, Authority{Key: v.PubKey.Bytes()})
		s.Votes = s.Votes || bytes.Equal(v.Address, e.validator.Key.Address)
	}
	if !s.CatchingUp {
		e.watchVotes(rs, &s, time.Now())
	}
	return s
}

// watchVotes says who takes part.
func (e *Engine) watchVotes(rs *cstypes.RoundState, s *Status, now time.Time) {
	signed := e.signed(rs)
	d := deciding(rs, e.validator.Key.Address)
	s.Deciding = d
	for i, v := range rs.Validators.Validators {
		a := &s.Authorities[i]
		a.Signed = signed[string(v.Address)]
		switch {
		case d != nil && now.Sub(d.Since) > voteGrace:
			voted := votedIn(rs, int32(i), d.Round)
			// A try that has just begun says nothing yet.
			if began := firstVote(rs, d.Round, e.validator.Key.Address); began.IsZero() || now.Sub(began) <= voteGrace {
				voted = voted || votedIn(rs, int32(i), d.Round-1)
			}
			a.Missing = !voted
		case rs.LastValidators != nil && rs.LastValidators.HasAddress(v.Address): // it could have signed
			a.Missing = a.Signed == 0
		}
	}
}

// signed is the newest block of the last few in which each authority's vote is, by its address.
func (e *Engine) signed(rs *cstypes.RoundState) map[string]uint64 {
	newest := make(map[string]uint64)
	note := func(height int64, voter []byte) {
		newest[string(voter)] = max(newest[string(voter)], uint64(height))
	}
	last := rs.Height - 1
	for _, vote := range votesOf(rs.LastCommit) { // with those that came after the decision
		note(last, vote.ValidatorAddress)
	}
	for height := last; height > max(0, last-signedBlocks); height-- {
		var commit *types.Commit
		if height == last {
			commit = e.node.BlockStore().LoadSeenCommit(height) // the next block is to carry it
		} else {
			commit = e.node.BlockStore().LoadBlockCommit(height)
		}
		if commit == nil { // pruned, or the engine has stopped
			break
		}
		for _, sig := range commit.Signatures {
			if sig.BlockIDFlag != types.BlockIDFlagAbsent {
				note(height, sig.ValidatorAddress)
			}
		}
	}
	return newest
}

// deciding is the decision under way, nil if nobody has voted on it.
func deciding(rs *cstypes.RoundState, own []byte) *Deciding {
	d := &Deciding{Height: uint64(rs.Height), Round: rs.Round, Needed: rs.Validators.Size()*2/3 + 1}
	for round := int32(0); round <= rs.Round && d.Since.IsZero(); round++ {
		d.Since = firstVote(rs, round, own)
	}
	if d.Since.IsZero() {
		return nil
	}
	for i := range rs.Validators.Validators {
		if votedIn(rs, int32(i), rs.Round) {
			d.Voted++
		}
	}
	return d
}

// firstVote is the time of the first vote of a round, zero if there is none. A vote's time is
// by its voter's clock, so this node's own votes count alone, where there are any.
func firstVote(rs *cstypes.RoundState, round int32, own []byte) time.Time {
	var mine, others time.Time
	for _, votes := range []*types.VoteSet{rs.Votes.Prevotes(round), rs.Votes.Precommits(round)} {
		for _, vote := range votesOf(votes) {
			first := &others
			if bytes.Equal(vote.ValidatorAddress, own) {
				first = &mine
			}
			if first.IsZero() || vote.Timestamp.Before(*first) {
				*first = vote.Timestamp
			}
		}
	}
	if !mine.IsZero() {
		return mine
	}
	return others
}

// votesOf lists the votes of a set, which may be nil. The set's own List takes no lock.
func votesOf(set *types.VoteSet) (votes []*types.Vote) {
	for i := range set.Size() {
		if vote := set.GetByIndex(int32(i)); vote != nil {
			votes = append(votes, vote)
		}
	}
	return votes
}

// votedIn tells whether an authority has given the vote that a round waits for, for a block or
// against all: the second one, once two thirds have given the first. One that dies between the
// two has voted and is missing all the same.
func votedIn(rs *cstypes.RoundState, index, round int32) bool {
	if round < 0 {
		return false
	}
	second := rs.Votes.Precommits(round)
	if first := rs.Votes.Prevotes(round); !first.HasTwoThirdsAny() {
		return first.GetByIndex(index) != nil || second.GetByIndex(index) != nil
	}
	return second.GetByIndex(index) != nil
}
