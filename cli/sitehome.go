package cli

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/testnet/site"
)

// What "ward dev" and "ward testnet" have in common: a home that holds the keys of the
// simulated site's parties, unencrypted, and a chain that knows them.

const (
	// partyQuota is what each party of the site may use, in gas per hour: a processor's
	// whole time.
	partyQuota = 3_600_000_000_000
	// lockQuota is what a lock may, carved from its owner's: a hundred calls an hour at the
	// usual limit, and each round of the site makes two.
	lockQuota = 100 * client.DefaultGas
	// meterQuota is what a meter may, carved from its owner's: 5,000 readings an hour at the usual
	// limit, and at most 2,400 quarter hours pass in one.
	meterQuota = 5000 * client.DefaultGas
)

// siteKeys are the keys in the home of a site.
type siteKeys struct {
	parties  map[string]*tx.SecretKey // all that site.Config wants, by the names of site.Keys
	operator *tx.SecretKey            // among them
}

// siteKeys opens the keys of the home, which are made where needed.
func (s *session) siteKeys() (keys siteKeys, err error) {
	keys.parties = map[string]*tx.SecretKey{}
	for name, alg := range site.Keys() {
		if keys.parties[name], err = s.plainKey(name, alg); err != nil {
			return keys, err
		}
	}
	keys.operator = keys.parties[site.Operator]
	return keys, nil
}

// plainKey is a key of the home, made unencrypted unless it is there.
func (s *session) plainKey(name string, alg tx.Alg) (*tx.SecretKey, error) {
	file, err := s.keys().Load(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		key, err := client.GenerateKey(alg)
		if err != nil {
			return nil, err
		}
		return key, s.keys().Add(name, client.PlainKey(key))
	case err != nil:
		return nil, err
	case file.Sealed():
		return nil, hint(fmt.Errorf("the key %q in %s is encrypted: this is not a home that this command made", name, s.home), "another --home")
	}
	return file.Open("")
}

// siteChain reads the genesis of a node's home, nil if it has none yet, and refuses that of a
// chain that has no such site, before anything is written into it. command is what makes such
// homes.
func (s *session) siteChain(home, command string) (*genesis.Genesis, error) {
	if _, err := os.Stat(filepath.Join(home, "genesis.json")); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	g, err := node.ReadGenesis(home)
	if err != nil {
		return nil, err
	}
	for _, name := range site.Names() {
		if !slices.ContainsFunc(g.Accounts, func(a genesis.Account) bool { return a.Name == name }) {
			return nil, hint(fmt.Errorf("%s is the home of chain %s, which %q did not make: it has no account of the %s", home, g.Chain, command, name),
				"another --home, or \"ward node --home %s\" to run that chain", home)
		}
	}
	return g, nil
}

// siteGenesis starts a chain with the standard contracts and accounts for the parties of the
// site, its name being a prefix and eight random digits. The time of its market runs speed times
// as fast as time.
func (s *session) siteGenesis(prefix string, keys siteKeys, authorities []genesis.Authority, speed int64) (*genesis.Genesis, error) {
	built, err := s.standardContracts()
	if err != nil {
		return nil, err
	}
	operator := keys.operator.Public()
	founders, accounts, err := s.founders(authorities, operator)
	if err != nil {
		return nil, err
	}
	contracts, err := standardGenesis(built, operator.Address(), []deviceModel{{
		Model: site.LockModel, Vendor: "Ward", Quota: lockQuota,
		Scope: []modelScope{{Contract: client.DevicesContract, Methods: []string{"authenticate_self"}}},
	}, {
		Model: site.MeterModel, Vendor: "Ward", Quota: meterQuota,
		Scope: []modelScope{{Contract: "energy", Methods: []string{"read"}}},
	}}, founders...)
	if err != nil {
		return nil, err
	}
	for i := range contracts {
		if contracts[i].Name == "energy" {
			if contracts[i].Init, err = site.MarketInit(operator.Address(), speed); err != nil {
				return nil, err
			}
		}
	}
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails
	g := &genesis.Genesis{
		Chain: prefix + hex.EncodeToString(random), Time: time.Now().UTC(), Operator: operator.Address(),
		Authorities: authorities, Contracts: contracts,
		Accounts: []genesis.Account{{
			Name: "operator", Key: operator.Bytes, QuotaPerHour: operatorQuota, Scope: genesis.Everything(),
		}},
	}
	g.Accounts = append(g.Accounts, accounts...)
	for _, name := range site.Names() {
		g.Accounts = append(g.Accounts, genesis.Account{
			Name: name, Key: keys.parties[name].Public().Bytes, QuotaPerHour: partyQuota,
			Scope: []abi.Scope{{Contract: "access"}, {Contract: client.DevicesContract}, {Contract: "energy"}},
		})
	}
	return g, nil
}

// checkSpeed refuses another speed of the market's time than a chain began with.
func (s *session) checkSpeed(g *genesis.Genesis, speed int64) error {
	i := slices.IndexFunc(g.Contracts, func(c genesis.Contract) bool { return c.Name == "energy" })
	if i < 0 {
		return fmt.Errorf("chain %s has no market", g.Chain)
	}
	has, err := site.MarketSpeed(g.Contracts[i].Init)
	if err != nil {
		return fmt.Errorf("the market of chain %s: %w", g.Chain, err)
	}
	if has != speed {
		return hint(fmt.Errorf("--speed %d: the market of chain %s in %s runs at %d, from its genesis on", speed, g.Chain, s.home, has),
			"--speed %d, or another --home", has)
	}
	return nil
}
