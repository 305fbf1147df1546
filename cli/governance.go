package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/sdk/client"
)

// governanceCommands are what the authorities decide for the chain, beside who they are.
func governanceCommands(signing []urfave.Flag) []*urfave.Command {
	return []*urfave.Command{
		{
			Name: "parameters", Usage: "show the chain's parameters: who may deploy contracts",
			Description: `  ward authority parameters
  ward authority parameters --json`,
			Flags:  []urfave.Flag{nodeFlag, jsonFlag},
			Action: authorityParameters,
		},
		{
			Name: "propose-parameters", Usage: "propose who may deploy contracts, and approve it",
			Description: `By the operator of an authority. When more than two thirds approve it is in force at once. A list without
a --deployer is nobody: then nothing is deployed but what was permitted.

  ward authority propose-parameters --deploy open
  ward authority propose-parameters --deploy list --deployer ward1... --deployer @alice
  ward authority propose-parameters --deploy operator       as it is at first: the operator of genesis`,
			Flags: append([]urfave.Flag{
				&urfave.StringFlag{Name: "deploy", Usage: "`WHO` may deploy: operator, list or open"},
				&urfave.StringSliceFlag{Name: "deployer", Usage: "`ADDRESS` of an account in the list; repeat it for several"},
			}, signing...),
			Action: authorityProposeParameters,
		},
		{
			Name: "propose-permit", Usage: "propose that a contract may be deployed, and approve it", ArgsUsage: "FILE|FOLDER",
			Description: `By the operator of an authority. When more than two thirds approve, anybody with an account may deploy this
code under this name, once, with the same --init. They decide nothing: the contract gets the admin and the
capabilities that are proposed. Until then nobody else gets the name.

  ward authority propose-permit lamp.wasm --admin ward1...
  ward authority propose-permit lamp.wasm --name lamp-2 --admin @alice --init '{"limit":3}' --capability accounts
  ward authority propose-permit lamp.wasm --admin nobody
  ward authority propose-permit lamp2.wasm --name lamp --upgrade    new code for a contract that has capabilities, or is
                                                            governed by authority; "ward contract upgrade" then
  ward contract deploy lamp.wasm                            then, by anybody`,
			Flags: append([]urfave.Flag{
				&urfave.StringFlag{Name: "name", Usage: "`NAME` of the contract on the chain", DefaultText: "as its spec says"},
				&urfave.StringFlag{Name: "admin", Usage: "`ADDRESS` of whose contract it will be, or nobody"},
				&urfave.StringSliceFlag{Name: "capability", Usage: "`POWER` that it gets: " + strings.Join(abi.Capabilities(), ", ") + "; repeat it for several"},
				&urfave.StringFlag{Name: "init", Usage: "arguments for the contract's init as a `JSON` object, or @FILE"},
				&urfave.BoolFlag{Name: "upgrade", Usage: "it is new code for the contract of that name, with its admin and capabilities"},
				&urfave.StringFlag{Name: "toolchain", Usage: "Go toolchain that must compile a FOLDER"},
			}, signing...),
			Action: authorityProposePermit,
		},
		{
			Name: "propose-revoke", Usage: "propose to take a permit back, and approve it", ArgsUsage: "NAME",
			Description: `By the operator of an authority; NAME is that of the contract which was permitted and is not deployed yet.

  ward authority propose-revoke lamp`,
			Flags:  signing,
			Action: authorityProposeRevoke,
		},
	}
}

// What the contract authority says of parameters and permits; see its README.
type (
	parametersRow struct {
		Deploy    string
		Deployers []address.Address `wire:",omitempty"`
	}
	permitRow struct {
		Hash         []byte
		Init         []byte `wire:",omitempty"`
		Name         string
		Admin        address.Address
		Capabilities []string `wire:",omitempty"`
	}
)

type parametersJSON struct {
	Deploy    string   `json:"deploy"`
	Deployers []string `json:"deployers"`
}

type permitJSON struct {
	Hash         string   `json:"hash"`
	Init         string   `json:"init,omitempty"` // the SHA-256 of its arguments
	Name         string   `json:"name"`
	Admin        string   `json:"admin"` // empty: nobody
	Capabilities []string `json:"capabilities"`
}

func (p *parametersRow) json() *parametersJSON {
	if p == nil {
		return nil
	}
	j := &parametersJSON{Deploy: p.Deploy, Deployers: []string{}}
	for _, a := range p.Deployers {
		j.Deployers = append(j.Deployers, a.String())
	}
	return j
}

func (p *permitRow) json() *permitJSON {
	if p == nil {
		return nil
	}
	return &permitJSON{
		Hash: hex.EncodeToString(p.Hash), Init: hex.EncodeToString(p.Init), Name: p.Name, Admin: addressText(p.Admin),
		Capabilities: append([]string{}, p.Capabilities...),
	}
}

// rows are the parameters for people.
func (j *parametersJSON) rows() [][]string {
	if j == nil {
		return nil
	}
	who := map[string]string{
		abi.DeployOperator: "operator: that of genesis", abi.DeployOpen: "open: everybody with an account",
		abi.DeployList: fmt.Sprintf("list: %d accounts", len(j.Deployers)),
	}[j.Deploy]
	if who == "" {
		who = j.Deploy
	}
	rows := [][]string{{"deploy", who}}
	for _, a := range j.Deployers {
		rows = append(rows, []string{"deployer", a})
	}
	return rows
}

// rows are the permit for people.
func (j *permitJSON) rows() [][]string {
	if j == nil {
		return nil
	}
	rows := [][]string{{"code", j.Hash}}
	if j.Init != "" {
		rows = append(rows, []string{"init hash", j.Init})
	}
	admin, powers := j.Admin, strings.Join(j.Capabilities, ",")
	if admin == "" {
		admin = "nobody"
	}
	if powers == "" {
		powers = "none"
	}
	return append(rows, []string{"admin", admin}, []string{"capabilities", powers})
}

// wish is what a proposal wants, for people, after "to".
func (j proposalJSON) wish() string {
	switch j.Kind {
	case "parameters":
		return "change the chain's parameters"
	case "permit":
		return fmt.Sprintf("permit the deployment of %q", j.Name)
	case "revoke":
		return fmt.Sprintf("take back what is permitted for %q", j.Name)
	}
	return fmt.Sprintf("%s %q", j.Kind, j.Name)
}

// about is a word on what a proposal is about, for a list.
func (j proposalJSON) about() string {
	if j.Parameters != nil {
		return "deploy " + j.Parameters.Deploy
	}
	return j.Name
}

func authorityParameters(c *urfave.Context) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	var p parametersRow
	if err := s.client.Query(s.ctx, client.AuthorityContract, "parameters", struct{}{}, &p); err != nil {
		return err
	}
	j := p.json()
	return s.print(j, func() { s.table(j.rows()) })
}

func authorityProposeParameters(c *urfave.Context) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	p := parametersRow{Deploy: c.String("deploy")}
	switch list := c.StringSlice("deployer"); {
	case p.Deploy == "":
		return usagef("%s needs --deploy operator, list or open", c.Command.HelpName)
	case !slices.Contains([]string{abi.DeployOperator, abi.DeployList, abi.DeployOpen}, p.Deploy):
		return usagef("--deploy %q: there are operator, list and open", p.Deploy)
	case p.Deploy != abi.DeployList && len(list) > 0:
		return usagef("--deployer goes with --deploy list")
	case len(list) > abi.MaxDeployers:
		return usagef("--deployer: %d accounts, limit %d", len(list), abi.MaxDeployers)
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	for _, arg := range c.StringSlice("deployer") {
		a, err := s.address(arg)
		if err != nil {
			return usagef("--deployer: %w", err)
		}
		p.Deployers = append(p.Deployers, a)
	}
	slices.SortFunc(p.Deployers, func(a, b address.Address) int { return bytes.Compare(a[:], b[:]) })
	p.Deployers = slices.Compact(p.Deployers)
	return s.govern("propose_parameters", p)
}

func authorityProposePermit(c *urfave.Context) error {
	args, err := arguments(c, "FILE or FOLDER")
	if err != nil {
		return err
	}
	upgrade := c.Bool("upgrade")
	switch {
	case upgrade && (c.String("admin") != "" || c.String("init") != "" || len(c.StringSlice("capability")) > 0):
		return usagef("--upgrade keeps admin and capabilities, and calls no init: neither --admin, --capability nor --init goes with it")
	case !upgrade && c.String("admin") == "":
		return usagef("%s needs --admin: an address, or nobody", c.Command.HelpName)
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	var p permitRow
	if admin := c.String("admin"); !upgrade && admin != "nobody" {
		if p.Admin, err = s.address(admin); err != nil {
			return usagef("--admin: %w", err)
		}
	}
	for _, power := range c.StringSlice("capability") {
		if !slices.Contains(abi.Capabilities(), power) {
			return usagef("--capability %q: there are %s", power, strings.Join(abi.Capabilities(), ", "))
		}
		p.Capabilities = append(p.Capabilities, power)
	}
	slices.Sort(p.Capabilities)
	p.Capabilities = slices.Compact(p.Capabilities)
	m, err := s.module(args[0], c.String("toolchain"))
	if err != nil {
		return err
	}
	if p.Name = c.String("name"); p.Name == "" {
		p.Name = m.Name
	}
	if !abi.ValidContract(p.Name) {
		return usagef("--name %q: a lower-case letter, then lower-case letters, digits and \"-\", at most %d", p.Name, abi.MaxContractName)
	}
	var init []byte
	if upgrade {
		k, err := s.changeable(p.Name)
		if err != nil {
			return err
		}
		p.Admin, p.Capabilities = k.Admin, k.Capabilities
	} else if init, err = s.initArgs(m.Spec, c.String("init")); err != nil {
		return err
	}
	if init != nil {
		hash := sha256.Sum256(init)
		p.Init = hash[:]
	}
	p.Hash = m.Hash[:]
	return s.govern("propose_permit", p)
}

func authorityProposeRevoke(c *urfave.Context) error {
	args, err := arguments(c, "NAME")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	return s.govern("propose_revoke", struct{ Name string }{args[0]})
}
