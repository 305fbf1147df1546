package cli

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
)

func keyCommand() *urfave.Command {
	return &urfave.Command{
		Name:  "key",
		Usage: "make and show keys",
		Description: `Keys lie in the home's folder "keys", one file each, encrypted with a passphrase (the age tool
opens them too) unless made with --plain. The public part can be read without it.`,
		Subcommands: []*urfave.Command{
			{
				Name: "new", Usage: "make a key", ArgsUsage: "NAME",
				Description: `The passphrase comes from --passphrase-file, WARD_PASSPHRASE, or a question.

  ward key new owner
  ward key new lock-1 --alg ES256 --plain     for a device whose disk is its only secret`,
				Flags: []urfave.Flag{
					&urfave.StringFlag{Name: "alg", Value: tx.EdDSA.String(), Usage: "`ALGORITHM`: EdDSA (Ed25519) or ES256 (P-256, what secure elements have)"},
					&urfave.BoolFlag{Name: "plain", Usage: "don't encrypt it: whoever reads the file can sign"},
					homeFlag, passFlag, jsonFlag,
				},
				Action: keyNew,
			},
			{
				Name: "list", Usage: "list the keys in the home",
				Flags:  []urfave.Flag{homeFlag, jsonFlag},
				Action: keyList,
			},
			{
				Name: "show", Usage: "show a key, and with --chain what the chain knows of it", ArgsUsage: "NAME|ADDRESS",
				Description: `  ward key show owner
  ward key show owner --address        for other commands: $(ward key show owner --address)/door/1
  ward key show owner --chain          its account, scope, quota and next sequence
  ward key show ward1... --chain       of any key`,
				Flags: []urfave.Flag{
					&urfave.BoolFlag{Name: "chain", Usage: "ask the node too"},
					&urfave.BoolFlag{Name: "address", Usage: "print the address alone"},
					homeFlag, nodeFlag, jsonFlag,
				},
				Action: keyShow,
			},
			{
				Name: "prove", Usage: "sign what a device gives to be enrolled", ArgsUsage: "NAME",
				Description: `Prints the device's proof of possession: its signature that it agrees to belong to the owner,
on this chain. The contract devices takes it once.

  ward call --key owner devices enrol --model lock --key key:lock-1 --proof $(ward key prove lock-1 --owner @owner)`,
				Flags: []urfave.Flag{
					&urfave.StringFlag{Name: "owner", Usage: "`ADDRESS` of the owner's account, or @NAME", Required: true},
					chainFlag, nodeFlag, homeFlag, passFlag, jsonFlag,
				},
				Action: keyProve,
			},
			{
				Name: "answer", Usage: "sign a device's answer to a challenge", ArgsUsage: "NAME",
				Description: `Prints the proof that the methods authenticate and verify of the contract devices take. The
audience is who asked; the nonce is what it gave, or is made here.

  ward call --key guard devices authenticate --device @lock-1 --proof $(ward key answer lock-1 --audience @guard)`,
				Flags: []urfave.Flag{
					&urfave.StringFlag{Name: "audience", Usage: "`ADDRESS` of the account that asks, or @NAME", Required: true},
					&urfave.StringFlag{Name: "nonce", Usage: "16 to 32 bytes as `HEX`", DefaultText: "16 random bytes"},
					&urfave.DurationFlag{Name: "valid", Value: time.Minute, Usage: "`TIME` until the challenge expires, at most 5m"},
					chainFlag, nodeFlag, homeFlag, passFlag, jsonFlag,
				},
				Action: keyAnswer,
			},
		},
	}
}

var chainFlag = &urfave.StringFlag{Name: "chain", Usage: "`ID` of the chain", DefaultText: "the node's"}

type keyJSON struct {
	Name      string        `json:"name,omitempty"`
	Address   string        `json:"address"`
	Algorithm string        `json:"algorithm,omitempty"`
	Public    string        `json:"public,omitempty"`
	Sealed    *bool         `json:"encrypted,omitempty"`
	File      string        `json:"file,omitempty"`
	Chain     *keyChainJSON `json:"chain,omitempty"`
}

type keyChainJSON struct {
	Known     bool                `json:"known"`
	Account   string              `json:"account,omitempty"`
	Owner     string              `json:"owner,omitempty"`
	State     string              `json:"state,omitempty"`
	Expires   int64               `json:"expires,omitempty"`
	Scope     map[string][]string `json:"scope,omitempty"`
	PerHour   integer             `json:"quota_per_hour,omitempty"`
	Available integer             `json:"quota_available,omitempty"`
	Next      integer             `json:"next_sequence,omitempty"`
}

func (s *session) keyJSON(name string, f *client.KeyFile) keyJSON {
	sealed := f.Sealed()
	return keyJSON{
		Name: name, Address: f.Address().String(), Algorithm: f.Public().Alg().String(),
		Public: hex.EncodeToString(f.Public().Bytes), Sealed: &sealed, File: s.keys().Path(name),
	}
}

func keyNew(c *urfave.Context) error {
	args, err := arguments(c, "NAME")
	if err != nil {
		return err
	}
	name := args[0]
	if err := client.CheckKeyName(name); err != nil {
		return &usageError{err: err}
	}
	alg, err := client.ParseAlg(c.String("alg"))
	if err != nil {
		return &usageError{err: err}
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	file, _, err := s.newKey(name, alg, c.Bool("plain"))
	if err != nil {
		return err
	}
	k := s.keyJSON(name, file)
	return s.print(k, func() { s.showKey(k) })
}

// newKey makes a key and puts it into the home.
func (s *session) newKey(name string, alg tx.Alg, plain bool) (*client.KeyFile, *tx.SecretKey, error) {
	if _, err := s.keys().Load(name); err == nil { // before anybody types a passphrase for nothing
		return nil, nil, s.taken(name)
	}
	key, err := client.GenerateKey(alg)
	if err != nil {
		return nil, nil, err
	}
	file := client.PlainKey(key)
	if !plain {
		passphrase, err := s.newPassphrase(name)
		if err != nil {
			return nil, nil, err
		}
		p := s.progress()
		p.say("encrypting %s", name)
		file, err = client.SealKey(key, passphrase)
		p.done()
		if err != nil {
			return nil, nil, err
		}
	}
	if err := s.keys().Add(name, file); errors.Is(err, fs.ErrExist) {
		return nil, nil, s.taken(name)
	} else if err != nil {
		return nil, nil, err
	}
	return file, key, nil
}

func (s *session) taken(name string) error {
	return hint(fmt.Errorf("there is a key %q in %s already", name, s.keys().Dir), "another name: a key is never overwritten")
}

func keyList(c *urfave.Context) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	names, err := s.keys().List()
	if err != nil {
		return err
	}
	var rows [][]string
	for _, name := range names {
		file, err := s.keys().Load(name)
		if err != nil {
			fmt.Fprintf(s.err, "ward: %s\n", text(err.Error())) // the others are still worth showing
			continue
		}
		k := s.keyJSON(name, file)
		if err := s.print(k, func() {
			sealed := "encrypted"
			if !file.Sealed() {
				sealed = "plain"
			}
			rows = append(rows, []string{name, k.Address, k.Algorithm, sealed})
		}); err != nil {
			return err
		}
	}
	s.table(rows)
	return nil
}

func keyShow(c *urfave.Context) error {
	args, err := arguments(c, "NAME or ADDRESS")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	var k keyJSON
	kid, err := address.Parse(args[0])
	if err == nil {
		if !c.Bool("chain") {
			return usagef("an address tells nothing more by itself: add --chain")
		}
		k.Address = kid.String()
	} else {
		file, err := s.keyFile(strings.TrimPrefix(args[0], "@"))
		if err != nil {
			return err
		}
		kid, k = file.Address(), s.keyJSON(strings.TrimPrefix(args[0], "@"), file)
	}
	if c.Bool("chain") {
		if k.Chain, err = s.keyOnChain(kid, &k); err != nil {
			return err
		}
	}
	if c.Bool("address") {
		s.printf("%s\n", k.Address)
		return nil
	}
	return s.print(k, func() { s.showKey(k) })
}

// keyOnChain asks the node about a key; that it isn't known is an answer too.
func (s *session) keyOnChain(kid address.Address, k *keyJSON) (*keyChainJSON, error) {
	r, err := s.client.Key(s.ctx, kid)
	if u, ok := errors.AsType[*client.Unserved](err); ok && u.NotFound() {
		return &keyChainJSON{}, nil
	} else if err != nil {
		return nil, err
	}
	k.Algorithm, k.Public = r.Public.Alg().String(), hex.EncodeToString(r.Public.Bytes)
	on := &keyChainJSON{
		Known: true, Account: r.Account.String(), Owner: addressText(r.Owner), State: r.State,
		Scope: r.Scope, PerHour: integer(r.PerHour), Available: integer(r.Available), Next: integer(r.Next(0)),
	}
	if !r.Expires.IsZero() {
		on.Expires = r.Expires.Unix()
	}
	return on, nil
}

func (s *session) showKey(k keyJSON) {
	var rows [][]string
	row := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, value})
		}
	}
	row("name", k.Name)
	row("address", k.Address)
	row("algorithm", k.Algorithm)
	row("public", k.Public)
	if k.Sealed != nil {
		row("file", k.File+map[bool]string{true: ", encrypted", false: ", plain"}[*k.Sealed])
	}
	if on := k.Chain; on != nil && !on.Known {
		row("state", "not known to the chain")
	} else if on != nil {
		row("state", on.State)
		row("account", on.Account)
		row("owner", on.Owner)
		if on.Expires != 0 {
			row("expires", clockUnix(on.Expires))
		}
		row("may call", scopeText(on.Scope))
		row("quota", fmt.Sprintf("%d gas per hour, %d left now", on.PerHour, on.Available))
		row("sequence", fmt.Sprintf("%d is the next", on.Next))
	}
	s.table(rows)
}

// scopeText says what a key may call, as in "access (grant, revoke), devices".
func scopeText(scope map[string][]string) string {
	if len(scope) == 0 {
		return "nothing"
	}
	var parts []string
	for contract, methods := range scope {
		switch {
		case contract == "*":
			parts = append(parts, "every contract")
		case len(methods) == 0:
			parts = append(parts, contract)
		default:
			parts = append(parts, contract+" ("+strings.Join(methods, ", ")+")")
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func keyProve(c *urfave.Context) error {
	return withDevice(c, func(s *session, device tx.Signer, chain string) ([]byte, error) {
		owner, err := s.address(c.String("owner"))
		if err != nil {
			return nil, usagef("--owner: %w", err)
		}
		return client.ProvePossession(device, chain, owner)
	})
}

func keyAnswer(c *urfave.Context) error {
	return withDevice(c, func(s *session, device tx.Signer, chain string) ([]byte, error) {
		audience, err := s.address(c.String("audience"))
		if err != nil {
			return nil, usagef("--audience: %w", err)
		}
		challenge, err := client.NewChallenge(chain, device.Public().Address(), audience, time.Now(), c.Duration("valid"))
		if err != nil {
			return nil, usagef("--valid: %w", err)
		}
		if nonce := c.String("nonce"); nonce != "" {
			if challenge.Nonce, err = hex.DecodeString(strings.TrimPrefix(nonce, "0x")); err != nil {
				return nil, usagef("--nonce: %w", err)
			}
		}
		return challenge.Answer(device)
	})
}

// withDevice opens the key that the argument names, signs with it, and prints the result as
// the flag of a byte field takes it.
func withDevice(c *urfave.Context, sign func(s *session, device tx.Signer, chain string) ([]byte, error)) error {
	args, err := arguments(c, "NAME")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	s.keyName = args[0]
	device, err := s.signer()
	if err != nil {
		return err
	}
	chain := c.String("chain")
	if chain == "" {
		if chain, err = s.client.Chain(s.ctx); err != nil {
			return err
		}
	}
	signed, err := sign(s, device, chain)
	if err != nil {
		return err
	}
	proof := "0x" + hex.EncodeToString(signed)
	result := map[string]any{"device": device.Public().Address(), "chain": chain, "proof": proof}
	return s.print(result, func() { s.printf("%s\n", proof) })
}
