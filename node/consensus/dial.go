package consensus

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cometbft/cometbft/p2p"
)

const (
	// lookEvery is how often this node looks whether a peer is connected: a restarted
	// authority is back in the votes before anybody has waited for its proposal.
	lookEvery = 200 * time.Millisecond
	// otherTurn is how long the node with the greater id leaves the dialling to the other.
	otherTurn = 2 * time.Second
	// maxPause is the longest pause between two tries to reach a peer that is away.
	maxPause = 5 * time.Second
	// dialTimeout and handshakeTimeout bound one try, and so how long Stop can take.
	dialTimeout      = 2 * time.Second
	handshakeTimeout = 3 * time.Second
)

// keepConnected dials a peer, id@host:port, whenever it is not connected, until ctx ends.
//
// The engine can do that itself, for what it calls persistent peers, but both sides do it,
// at once and without a pause. Two nodes that dial each other at the same moment then each
// keep their own connection, drop the other's as a duplicate, lose theirs by that, and dial
// again: on one machine they do so a thousand times a second, for many seconds. Here the
// node with the smaller id dials; the other only helps out, because it may be the one that
// can reach the other.
func (e *Engine) keepConnected(ctx context.Context, peer string) {
	name, _, _ := strings.Cut(peer, "@")
	id, sw := p2p.ID(name), e.node.Switch()
	mine := e.node.NodeInfo().ID() < id
	missing, pause := time.Now(), lookEvery
	for wait := time.Duration(0); ; wait = pause/2 + rand.N(pause) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if sw.Peers().Has(id) {
			missing, pause = time.Now(), lookEvery
			continue
		}
		if !mine && time.Since(missing) < otherTurn {
			continue
		}
		err := dial(sw, peer)
		if busy := (p2p.ErrCurrentlyDialingOrExistingAddress{}); err != nil && !errors.As(err, &busy) {
			pause = min(2*pause, maxPause)
			e.config.Logger.Debug("peer not reached", "peer", peer, "error", err, "next_try", pause)
		}
	}
}

// dial resolves the peer's name anew for each try: its address may have changed.
func dial(sw p2p.Switcher, peer string) error {
	address, err := p2p.NewNetAddressString(peer)
	if err != nil {
		return err
	}
	return sw.DialPeerWithAddress(address)
}
