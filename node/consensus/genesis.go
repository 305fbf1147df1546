package consensus

import (
	"encoding/json"
	"fmt"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/types"

	"github.com/wardledger/ward/node/genesis"
)

// document is the engine's genesis of a chain. The application state is the chain's
// whole document, so that whoever asks the engine's RPC for genesis gets all of it.
func document(g *genesis.Genesis) (*types.GenesisDoc, error) {
	state, err := g.Encode()
	if err != nil {
		return nil, err
	}
	p := g.Params.WithDefaults()
	params := types.DefaultConsensusParams()
	params.Block.MaxBytes = int64(p.BlockBytes)
	params.Block.MaxGas = int64(p.BlockGas)
	params.Evidence.MaxAgeNumBlocks = int64(p.EvidenceBlocks)
	params.Evidence.MaxAgeDuration = p.EvidenceAge
	params.Evidence.MaxBytes = genesis.MaxEvidenceBytes
	params.Validator.PubKeyTypes = []string{types.ABCIPubKeyTypeEd25519}
	doc := &types.GenesisDoc{
		ChainID:         g.Chain,
		GenesisTime:     g.Time,
		InitialHeight:   1,
		ConsensusParams: params,
		AppState:        json.RawMessage(state),
	}
	for _, a := range g.Authorities {
		key := ed25519.PubKey(a.Key)
		doc.Validators = append(doc.Validators, types.GenesisValidator{
			Address: key.Address(), PubKey: key, Power: genesis.Power, Name: a.Name,
		})
	}
	if err := doc.ValidateAndComplete(); err != nil {
		return nil, fmt.Errorf("genesis: the engine refuses it: %w", err)
	}
	return doc, nil
}

// sameChain compares the genesis that the engine's store began with to the one that
// this node was given. The engine silently goes on with its own.
func sameChain(stored *types.GenesisDoc, g *genesis.Genesis) error {
	old, err := genesis.Parse(stored.AppState)
	if err != nil {
		return fmt.Errorf("the stored %w", err)
	}
	if was, is := old.Digest(), g.Digest(); was != is {
		return fmt.Errorf("genesis: this home began with the chain %q, digest %x; its genesis document now says %q, digest %x",
			old.Chain, was[:8], g.Chain, is[:8])
	}
	return nil
}
