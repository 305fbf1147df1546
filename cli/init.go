package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/contracts"
	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/wire"
)

// operatorQuota is what the operator may use where --quota says nothing, in gas per hour:
// a gas aims at a nanosecond, so this is ten processors' whole time. Every account that the
// operator opens is carved from it.
const operatorQuota = 36_000_000_000_000

func initCommand() *urfave.Command {
	return &urfave.Command{
		Name: "init", Usage: "make the home of a new chain with one authority, or of another node of a chain",
		Description: `Writes the authority's keys, an operator's key, and the genesis with the standard contracts.
"ward node" then runs it. The operator may deploy contracts, keeps the device models, and answers for the
authority ("ward authority").

  ward init
  ward init --home ./site --chain site-7 --plain
  ward init --home ./second --join ./site/genesis.json     another node of that chain: its keys

The contracts are compiled from source with the Go command; a release carries them.`,
		Flags: []urfave.Flag{
			&urfave.StringFlag{Name: "chain", Usage: "`ID` of the chain, signed into every transaction", DefaultText: "ward- and eight random digits"},
			&urfave.StringFlag{Name: "name", Usage: "`LABEL` of the authority, for people"},
			&urfave.StringFlag{Name: "operator", Value: "operator", Usage: "`NAME` of the operator's key; it is made unless it is there"},
			&urfave.Uint64Flag{Name: "quota", Value: operatorQuota, Usage: "what the operator may use, in `GAS` per hour"},
			&urfave.BoolFlag{Name: "plain", Usage: "don't encrypt the operator's key"},
			&urfave.StringFlag{Name: "join", Usage: "`FILE` with the genesis of a chain that is there: make a node of it, without an operator"},
			homeFlag, passFlag, jsonFlag,
		},
		Action: initHome,
	}
}

func initHome(c *urfave.Context) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	if file := c.String("join"); file != "" {
		for _, name := range []string{"chain", "name", "operator", "quota", "plain"} {
			if c.IsSet(name) {
				return usagef("--%s doesn't go with --join: the chain is there already", name)
			}
		}
		return s.joinChain(file)
	}
	chain := c.String("chain")
	if chain == "" {
		random := make([]byte, 4)
		_, _ = rand.Read(random) // never fails
		chain = "ward-" + hex.EncodeToString(random)
	}
	genesisFile := filepath.Join(s.home, "genesis.json")
	if _, err := os.Stat(genesisFile); err == nil { // before anybody types a passphrase for nothing
		return s.homeTaken()
	}
	built, err := s.standardContracts()
	if err != nil {
		return err
	}
	operator, err := s.operatorKey(c.String("operator"), c.Bool("plain"))
	if err != nil {
		return err
	}
	id, err := node.CreateKeys(s.home)
	if err != nil {
		return err
	}
	label := c.String("name")
	if label == "" {
		label = c.String("operator")
	}
	all, err := standardGenesis(built, operator.Address(), nil, founder{operator.Address(), id.Authority, label})
	if err != nil {
		return err
	}
	g, err := node.Init(s.home, node.InitOptions{
		Chain: chain, Name: c.String("name"), Operator: operator.Address(),
		Accounts: []genesis.Account{{
			Name: "operator", Key: operator.Bytes, QuotaPerHour: c.Uint64("quota"), Scope: genesis.Everything(),
		}},
		Contracts: all,
	})
	if errors.Is(err, fs.ErrExist) {
		return s.homeTaken()
	} else if err != nil {
		return err
	}
	digest := g.Digest()
	result := struct {
		Chain    string   `json:"chain"`
		Home     string   `json:"home"`
		Genesis  string   `json:"genesis"`
		Digest   string   `json:"digest"`
		Operator string   `json:"operator"`
		Key      string   `json:"key"`
		Includes []string `json:"contracts"`
	}{chain, s.home, genesisFile, hex.EncodeToString(digest[:]), operator.Address().String(), c.String("operator"), contracts.Names()}
	return s.print(result, func() {
		s.table([][]string{
			{"chain", chain},
			{"home", s.home},
			{"genesis", fmt.Sprintf("%s, %x", genesisFile, digest)},
			{"operator", fmt.Sprintf("%s, key %q", operator.Address(), c.String("operator"))},
		})
		fmt.Fprintf(s.err, "\"ward node\" starts it\n")
	})
}

// joinChain makes the home of a node of the chain that a genesis document starts.
func (s *session) joinChain(file string) error {
	document, err := readFrom(s.in, file, genesis.MaxDocument+1)
	if err != nil {
		return err
	}
	g, err := genesis.Parse(document)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	id, err := node.CreateKeys(s.home)
	if err != nil {
		return err
	}
	if err := node.WriteGenesis(s.home, g); errors.Is(err, fs.ErrExist) {
		return s.homeTaken()
	} else if err != nil {
		return err
	}
	digest := g.Digest()
	result := struct {
		Chain  string `json:"chain"`
		Home   string `json:"home"`
		Digest string `json:"digest"`
		Node   string `json:"node"`
		Voting string `json:"voting"`
	}{g.Chain, s.home, hex.EncodeToString(digest[:]), id.NodeID, "0x" + hex.EncodeToString(id.Authority)}
	return s.print(result, func() {
		s.table([][]string{
			{"chain", g.Chain}, {"digest", result.Digest}, {"home", s.home}, {"node", id.NodeID}, {"voting key", result.Voting},
		})
		fmt.Fprintf(s.err, "compare the digest with that of who gave you the genesis; \"ward node --peer ID@HOST:PORT\" starts it\n")
	})
}

func (s *session) homeTaken() error {
	return hint(fmt.Errorf("%s is the home of a chain already", s.home), "\"ward node\" to run it, or another --home")
}

// module is a standard contract, compiled.
type module struct {
	name string
	wasm []byte
}

// standardContracts builds the standard contracts.
func (s *session) standardContracts() ([]module, error) {
	p := s.progress()
	defer p.done()
	built, err := contracts.Standard(s.ctx, contracts.Options{Building: func(name string) {
		p.say("building %s (the first time on a machine takes a minute)", name)
	}})
	if s.ctx.Err() != nil {
		return nil, context.Cause(s.ctx)
	}
	if err != nil {
		return nil, err
	}
	var all []module
	for _, m := range built {
		all = append(all, module{m.Name, m.Wasm})
	}
	return all, nil
}

// operatorKey is the public part of the operator's key, which is made if it isn't there.
func (s *session) operatorKey(name string, plain bool) (tx.PublicKey, error) {
	file, err := s.keys().Load(name)
	if errors.Is(err, fs.ErrNotExist) {
		file, _, err = s.newKey(name, tx.EdDSA, plain)
	}
	if err != nil {
		return tx.PublicKey{}, err
	}
	return file.Public(), nil
}

// devicesInit are the arguments with which the contract devices begins; see its README.
type (
	devicesInit struct {
		Operator address.Address
		Models   []deviceModel `wire:",omitempty"`
	}
	deviceModel struct {
		Model  string
		Vendor string `wire:",omitempty"`
		Scope  []modelScope
		Quota  uint64
	}
	modelScope struct {
		Contract string
		Methods  []string
	}
)

// energyInit are the arguments with which the contract energy begins; see its README for what it
// takes where nobody says.
type energyInit struct{ Operator address.Address }

// authorityInit are the arguments with which the contract authority begins; see its README.
type (
	authorityInit struct{ Authorities []founder }
	founder       struct {
		Operator address.Address
		Key      []byte
		Name     string
	}
)

// standardGenesis says how the standard contracts come into a new chain: the operator is
// their admin, and devices has the capability to manage accounts and knows the models. The contract
// authority begins with the founders, who are the chain's authorities, and is nobody's; without founders
// the chain does not have it, and nobody can ever join or leave.
func standardGenesis(all []module, operator address.Address, models []deviceModel, founders ...founder) ([]genesis.Contract, error) {
	var out []genesis.Contract
	for _, m := range all {
		k := genesis.Contract{Name: m.name, Code: m.wasm, Admin: operator}
		var err error
		switch m.name {
		case client.DevicesContract:
			k.Capabilities = []string{abi.CapabilityAccounts}
			k.Init, err = wire.Marshal(devicesInit{operator, models})
		case "energy":
			k.Init, err = wire.Marshal(energyInit{operator})
		case client.AuthorityContract:
			if len(founders) == 0 {
				continue
			}
			// Whoever could replace its code would decide who runs the chain.
			k.Admin = address.OfContract(m.name)
			k.Capabilities = abi.Capabilities() // it can give another contract what it has
			k.Init, err = wire.Marshal(authorityInit{founders})
		}
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}
