package consensus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/cometbft/cometbft/crypto"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"
)

// Keys are a new node's secrets and the first record of what it signed, as the bytes of
// their files. Files of keys must be readable by their owner alone.
type Keys struct {
	Validator      []byte // for Config.ValidatorKey
	ValidatorState []byte // for Config.ValidatorState: nothing was signed yet
	Node           []byte // for Config.NodeKey

	Authority []byte // the public key with which the node votes, 32 bytes Ed25519
	NodeID    string // by which peers name the node
}

// GenerateKeys makes the keys of a new node from the system's randomness.
func GenerateKeys() (*Keys, error) {
	vote := ed25519.GenPrivKey()
	pv := privval.NewFilePV(vote, "", "")
	k := &Keys{Authority: vote.PubKey().Bytes()}
	var err error
	if k.Validator, err = cmtjson.MarshalIndent(pv.Key, "", "  "); err != nil {
		return nil, fmt.Errorf("validator key: %w", err)
	}
	if k.ValidatorState, err = cmtjson.MarshalIndent(&pv.LastSignState, "", "  "); err != nil {
		return nil, fmt.Errorf("validator state: %w", err)
	}
	node := p2p.NodeKey{PrivKey: ed25519.GenPrivKey()}
	if k.Node, err = cmtjson.Marshal(node); err != nil {
		return nil, fmt.Errorf("node key: %w", err)
	}
	k.NodeID = string(node.ID())
	return k, nil
}

// ReadKeys returns the public key with which a node votes, and the id by which peers name
// it, from the files of its keys.
func ReadKeys(validatorKey, nodeKey string) (authority []byte, nodeID string, err error) {
	key, err := loadValidatorKey(validatorKey)
	if err != nil {
		return nil, "", err
	}
	node, err := loadNodeKey(nodeKey)
	if err != nil {
		return nil, "", err
	}
	return key.PrivKey.PubKey().Bytes(), string(node.ID()), nil
}

func loadValidatorKey(file string) (*privval.FilePVKey, error) {
	var key privval.FilePVKey
	if err := loadJSON("validator key", file, &key); err != nil {
		return nil, err
	}
	if err := checkKey(key.PrivKey); err != nil {
		return nil, fmt.Errorf("validator key: %s: %w", file, err)
	}
	return &key, nil
}

// loadValidator reads the key and the record of what it signed last. The engine's own
// loader ends the process when a file can't be read.
func loadValidator(keyFile, stateFile string) (signer, error) {
	key, err := loadValidatorKey(keyFile)
	if err != nil {
		return signer{}, err
	}
	var state privval.FilePVLastSignState
	if err := loadJSON("validator state", stateFile, &state); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return signer{}, fmt.Errorf("%w; without it this authority could sign two different votes for one height, which is what evidence removes authorities for", err)
		}
		return signer{}, err
	}
	pv := privval.NewFilePV(key.PrivKey, keyFile, stateFile)
	// Field by field: the file name is a private field that NewFilePV has set.
	last := &pv.LastSignState
	last.Height, last.Round, last.Step = state.Height, state.Round, state.Step
	last.Signature, last.SignBytes = state.Signature, state.SignBytes
	return signer{pv}, nil
}

func loadNodeKey(file string) (*p2p.NodeKey, error) {
	var key p2p.NodeKey
	if err := loadJSON("node key", file, &key); err != nil {
		return nil, err
	}
	if err := checkKey(key.PrivKey); err != nil {
		return nil, fmt.Errorf("node key: %s: %w", file, err)
	}
	return &key, nil
}

func checkKey(key crypto.PrivKey) error {
	if key == nil {
		return errors.New("holds no private key")
	}
	if key.Type() != ed25519.KeyType {
		return fmt.Errorf("is a key of type %q, must be %q", key.Type(), ed25519.KeyType)
	}
	if n := len(key.Bytes()); n != ed25519.PrivateKeySize {
		return fmt.Errorf("is a key of %d bytes, must be %d", n, ed25519.PrivateKeySize)
	}
	return nil
}

// signer signs as CometBFT's file signer does, and mends a fault at its seam with the engine.
type signer struct{ *privval.FilePV }

// SignProposal signs a proposal. After a crash the engine often proposes the very block
// again that it had signed before; the file signer then answers with the old signature and
// the old timestamp, of which the engine takes only the signature, finds it wrong, and
// loses a round. Nobody is harmed by a second signature here: the block is the same, and
// the timestamp of a proposal decides nothing.
func (s signer) SignProposal(chain string, p *cmtproto.Proposal) error {
	now := p.Timestamp
	if err := s.FilePV.SignProposal(chain, p); err != nil || p.Timestamp.Equal(now) {
		return err
	}
	p.Timestamp = now
	sig, err := s.Key.PrivKey.Sign(types.ProposalSignBytes(chain, p))
	if err != nil {
		return fmt.Errorf("sign proposal: %w", err)
	}
	p.Signature = sig
	return nil
}

// maxKeyFile is the largest file of a key or of the record of signatures, in bytes; they
// are a few hundred.
const maxKeyFile = 64 << 10

func loadJSON(what, file string, v any) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if info.Size() > maxKeyFile {
		return fmt.Errorf("%s: %s is %d bytes, limit %d", what, file, info.Size(), maxKeyFile)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := cmtjson.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %s: %w", what, file, err)
	}
	return nil
}

// exposed names the secret files that others on this machine can read.
func exposed(files ...string) (open []string) {
	if runtime.GOOS == "windows" { // its mode bits say nothing about who may read
		return nil
	}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && info.Mode().Perm()&0o077 != 0 {
			open = append(open, f)
		}
	}
	return open
}

// sweep removes the temporary files that the engine leaves beside the record of
// signatures when it is killed between writing and renaming one. The record itself is
// replaced atomically and is whole.
func sweep(stateFile string) error {
	dir := filepath.Dir(stateFile)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("validator state: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "write-file-atomic-") && e.Type().IsRegular() {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("validator state: %w", err)
			}
		}
	}
	return nil
}
