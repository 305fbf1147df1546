package node

import (
	"fmt"

	"github.com/wardledger/ward/node/consensus"
	"github.com/wardledger/ward/runtime/tx"
)

// VotingKey is the key with which the node of a home votes, to accept with it that the node
// become an authority; see [consensus.VotingKey].
func VotingKey(dir string) (tx.Signer, error) {
	h, err := openHome(dir)
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	key, err := consensus.VotingKey(h.validatorKey())
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	return key, nil
}
