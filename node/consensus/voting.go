package consensus

import (
	"github.com/cometbft/cometbft/crypto/ed25519"

	"github.com/wardledger/ward/runtime/tx"
)

// VotingKey gives the key with which a node votes to who signs something else with it: that
// the node accepts to be an authority. Only COSE messages may be signed; they begin with a byte and
// a text that no vote or proposal of the engine begins with, so neither can stand for the other.
func VotingKey(file string) (tx.Signer, error) {
	key, err := loadValidatorKey(file)
	if err != nil {
		return nil, err
	}
	secret := key.PrivKey.(ed25519.PrivKey) // checked
	return tx.NewEd25519(secret[:32])
}
