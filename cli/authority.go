package cli

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/wire"
)

// authorityGas is the gas limit of what this family sends: enough to remove one of a hundred
// authorities while each has as many proposals as it may. Half of it is charged at least.
const authorityGas = 50_000_000

// acceptFor is for how long an acceptance is good: long enough for a block, on a chain that was
// quiet, and clocks that differ by a minute.
const acceptFor = 2 * time.Minute

func authorityCommand() *urfave.Command {
	signing := []urfave.Flag{keyFlag, nodeFlag, homeFlag, passFlag, jsonFlag}
	return &urfave.Command{
		Name:  "authority",
		Usage: "who runs the chain: see, add and remove authorities, and what they decide",
		Description: `The authorities decide blocks. Each is a node with a voting key, and an operator: the account of
whoever answers for it. More than two thirds of them decide who joins and who leaves; what is
decided at the end of block H is in force from block H+2 on. They also decide who may deploy
contracts, and which contracts get capabilities; that is in force at once.

How a newcomer joins:

  ward init --join genesis.json                 there: makes the home of another node of this chain
  ward authority show                           there: the two keys that the others need
  ward authority propose-add --operator 0x... --voting 0x... --name Alice
  ward authority approve 1                      the others, until more than two thirds have
  ward node --peer ID@HOST:PORT                 there: the node must have caught up
  ward authority accept 1                       there: it must say itself that it is there`,
		Subcommands: append([]*urfave.Command{
			{
				Name: "list", Usage: "list the authorities, or the proposals",
				Description: `  ward authority list
  ward authority list --proposals        those that can be approved or accepted
  ward authority list --proposals --all  those that have ended too, the newest first`,
				Flags: []urfave.Flag{
					&urfave.BoolFlag{Name: "proposals", Usage: "the proposals instead"},
					&urfave.BoolFlag{Name: "all", Usage: "also proposals that have ended"},
					nodeFlag, jsonFlag,
				},
				Action: authorityList,
			},
			{
				Name: "show", Usage: "show a proposal, an authority, or what this home can be one with", ArgsUsage: "[PROPOSAL|ADDRESS]",
				Description: `  ward authority show 3            the proposal 3, and who has approved it
  ward authority show @operator    the authority whose operator has this key
  ward authority show              this home's own keys: what others need to propose it`,
				Flags:  []urfave.Flag{keyFlag, homeFlag, nodeFlag, jsonFlag},
				Action: authorityShow,
			},
			{
				Name: "propose-add", Usage: "propose a new authority, and approve it",
				Description: `By the operator of an authority. It is done when more than two thirds approve and the newcomer accepts.

  ward authority propose-add --operator 0x... --voting 0x... --name Alice --website https://alice.example`,
				Flags: append([]urfave.Flag{
					&urfave.StringFlag{Name: "operator", Usage: "public `KEY` of the newcomer's operator in hex, or key:NAME"},
					&urfave.StringFlag{Name: "voting", Usage: "`KEY` with which the newcomer's node votes, in hex"},
					&urfave.StringFlag{Name: "name", Usage: "`NAME` for people"},
					&urfave.StringFlag{Name: "website", Usage: "`URL` where to read about it"},
				}, signing...),
				Action: authorityProposeAdd,
			},
			{
				Name: "propose-remove", Usage: "propose that an authority leave, and approve it", ArgsUsage: "ADDRESS",
				Description: `By the operator of an authority; ADDRESS is that of the one that leaves, the own one too.

  ward authority propose-remove ward1...`,
				Flags:  signing,
				Action: authorityProposeRemove,
			},
			{
				Name: "approve", Usage: "approve a proposal", ArgsUsage: "PROPOSAL",
				Description: `By the operator of an authority. Look at it first: ward authority show PROPOSAL

  ward authority approve 3`,
				Flags:  signing,
				Action: func(c *urfave.Context) error { return authorityProposal(c, "approve") },
			},
			{
				Name: "withdraw", Usage: "take a proposal back", ArgsUsage: "PROPOSAL",
				Description: `By whoever proposed it while it is open, and by the newcomer once it is approved.

  ward authority withdraw 3`,
				Flags:  signing,
				Action: func(c *urfave.Context) error { return authorityProposal(c, "withdraw") },
			},
			{
				Name: "accept", Usage: "become an authority, once approved", ArgsUsage: "PROPOSAL",
				Description: `By the newcomer's operator, beside their running node, which must have caught up: its voting key signs
the acceptance, which is good for two minutes. --node is the newcomer's own node.

  ward authority accept 3
  ward authority accept 3 --wait 10m
  ward authority accept 3 --key alice --node-home /var/lib/ward`,
				Flags: append([]urfave.Flag{
					&urfave.DurationFlag{Name: "wait", Usage: "wait up to this `TIME` for the node to catch up"},
					&urfave.StringFlag{Name: "node-home", Usage: "`FOLDER` of the node, if it is not that of the keys", DefaultText: "the home"},
				}, signing...),
				Action: authorityAccept,
			},
		}, governanceCommands(signing)...),
	}
}

// What the contract's views answer, as far as it is shown; see contracts/authority/README.md.
type (
	authorityRow struct {
		Operator address.Address
		Key      []byte
		Name     string
		Website  string `wire:",omitempty"`
		Since    uint64
	}
	authorityPage struct {
		Authorities []authorityRow
		Present     uint32
		Needed      uint32
		Next        []byte `wire:",omitempty"`
	}
	proposalRow struct {
		Proposal   uint64
		Kind       string
		Operator   address.Address `wire:",omitempty"`
		Key        []byte          `wire:",omitempty"`
		Name       string          `wire:",omitempty"`
		Website    string          `wire:",omitempty"`
		Parameters *parametersRow
		Permit     *permitRow
		By         address.Address
		Created    uint64
		Expires    int64
		Status     string
		Decided    uint64 `wire:",omitempty"`
		Reason     string `wire:",omitempty"`
		Approvals  []address.Address
	}
	proposalPage struct {
		Proposals []proposalRow
		Needed    uint32
		Next      []byte `wire:",omitempty"`
	}
	proposalAnswer struct {
		Proposal proposalRow
		Needed   uint32
	}
)

type authorityJSON struct {
	Operator string `json:"operator"`
	Key      string `json:"key"`
	Name     string `json:"name"`
	Website  string `json:"website,omitempty"`
	Since    uint64 `json:"since"`
	Votes    bool   `json:"votes"`
	Missing  bool   `json:"missing"`
}

type proposalJSON struct {
	Proposal   uint64          `json:"proposal"`
	Kind       string          `json:"kind"`
	Status     string          `json:"status"`
	Operator   string          `json:"operator,omitempty"`
	Key        string          `json:"key,omitempty"`
	Name       string          `json:"name,omitempty"`
	Website    string          `json:"website,omitempty"`
	Parameters *parametersJSON `json:"parameters,omitempty"`
	Permit     *permitJSON     `json:"permit,omitempty"`
	By         string          `json:"by"`
	Created    uint64          `json:"created"`
	Expires    int64           `json:"expires"`
	Decided    uint64          `json:"decided,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	Approvals  []string        `json:"approvals"`
	Needed     uint32          `json:"needed"`
}

func newProposalJSON(p proposalRow, needed uint32) proposalJSON {
	j := proposalJSON{
		Proposal: p.Proposal, Kind: p.Kind, Status: p.Status, Operator: addressText(p.Operator),
		Name: p.Name, Website: p.Website, Parameters: p.Parameters.json(), Permit: p.Permit.json(), By: p.By.String(), Created: p.Created, Expires: p.Expires,
		Decided: p.Decided, Reason: p.Reason, Approvals: []string{}, Needed: needed,
	}
	if len(p.Key) > 0 {
		j.Key = "0x" + hex.EncodeToString(p.Key)
	}
	for _, a := range p.Approvals {
		j.Approvals = append(j.Approvals, a.String())
	}
	return j
}

// describe adds to what the contract knows of an authority what the node sees of it.
func (a authorityRow) describe(st *client.Status) authorityJSON {
	j := authorityJSON{
		Operator: a.Operator.String(), Key: "0x" + hex.EncodeToString(a.Key), Name: a.Name, Website: a.Website, Since: a.Since,
	}
	for _, v := range st.Authorities {
		if v.Key == hex.EncodeToString(a.Key) {
			j.Votes, j.Missing = true, v.Missing
		}
	}
	return j
}

// state is whether an authority takes part, for people.
func (j authorityJSON) state() string {
	switch {
	case j.Missing:
		return "missing"
	case j.Votes:
		return "votes"
	}
	return "votes soon"
}

func authorityList(c *urfave.Context) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	if c.Bool("all") && !c.Bool("proposals") {
		return usagef("--all goes with --proposals: who is no authority any more is in the events")
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	if c.Bool("proposals") {
		return s.listProposals(c.Bool("all"))
	}
	st, err := s.client.Status(s.ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	var page authorityPage
	for after := []byte(nil); ; after = page.Next {
		page = authorityPage{}
		args := struct {
			After []byte `wire:",omitempty"`
		}{after}
		if err := s.client.Query(s.ctx, client.AuthorityContract, "authorities", args, &page); err != nil {
			return err
		}
		for _, a := range page.Authorities {
			j := a.describe(st)
			if err := s.print(j, func() {
				rows = append(rows, []string{j.Name, j.state(), j.Operator, j.Key})
			}); err != nil {
				return err
			}
		}
		if page.Next == nil {
			break
		}
	}
	s.table(rows)
	if !s.json {
		s.printf("%d of %d must approve a proposal\n", page.Needed, page.Present)
	}
	return nil
}

func (s *session) listProposals(all bool) error {
	var rows [][]string
	for after := []byte(nil); ; {
		var page proposalPage
		args := struct {
			All   bool   `wire:",omitempty"`
			After []byte `wire:",omitempty"`
		}{all, after}
		if err := s.client.Query(s.ctx, client.AuthorityContract, "proposals", args, &page); err != nil {
			return err
		}
		for _, p := range page.Proposals {
			j := newProposalJSON(p, page.Needed)
			if err := s.print(j, func() { rows = append(rows, []string{fmt.Sprint(j.Proposal), j.Kind, j.about(), j.standing()}) }); err != nil {
				return err
			}
		}
		if after = page.Next; after == nil {
			s.table(rows)
			return nil
		}
	}
}

// standing is how far a proposal has come, for people.
func (j proposalJSON) standing() string {
	switch j.Status {
	case "open":
		return fmt.Sprintf("open until %s, %d of %d approvals", clockUnix(j.Expires), len(j.Approvals), j.Needed)
	case "approved":
		return fmt.Sprintf("approved, may accept until %s", clockUnix(j.Expires))
	}
	text := j.Status
	if j.Decided > 0 {
		text += fmt.Sprintf(" at height %d", j.Decided)
	}
	if j.Reason != "" {
		text += ": " + j.Reason
	}
	return text
}

func authorityShow(c *urfave.Context) error {
	if c.Args().Len() > 1 {
		return usagef("%s doesn't know what to do with %q", c.Command.HelpName, c.Args().Get(1))
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	what := c.Args().First()
	if what == "" {
		return s.showCandidate()
	}
	if number, err := strconv.ParseUint(what, 10, 64); err == nil {
		return s.showProposal(number)
	}
	operator, err := s.address(what)
	if err != nil {
		return err
	}
	st, err := s.client.Status(s.ctx)
	if err != nil {
		return err
	}
	var a authorityRow
	if err := s.client.Query(s.ctx, client.AuthorityContract, "authority", struct{ Operator address.Address }{operator}, &a); err != nil {
		return err
	}
	j := a.describe(st)
	return s.print(j, func() {
		s.table([][]string{
			{"name", j.Name}, {"website", j.Website}, {"state", j.state()}, {"operator", j.Operator}, {"voting key", j.Key},
			{"since", fmt.Sprintf("height %d", j.Since)},
		})
	})
}

func (s *session) showProposal(number uint64) error {
	var answer proposalAnswer
	if err := s.client.Query(s.ctx, client.AuthorityContract, "proposal", struct{ Proposal uint64 }{number}, &answer); err != nil {
		return err
	}
	j := newProposalJSON(answer.Proposal, answer.Needed)
	return s.print(j, func() {
		rows := [][]string{
			{"proposal", fmt.Sprintf("%d, to %s", j.Proposal, j.wish())}, {"state", j.standing()},
		}
		if j.Operator != "" {
			rows = append(rows, []string{"website", j.Website}, []string{"operator", j.Operator}, []string{"voting key", j.Key})
		}
		rows = slices.Concat(rows, j.Parameters.rows(), j.Permit.rows(), [][]string{{"proposed", fmt.Sprintf("by %s at height %d", j.By, j.Created)}})
		for _, a := range j.Approvals {
			rows = append(rows, []string{"approved", "by " + a})
		}
		s.table(rows)
	})
}

// showCandidate shows what others need to propose the node of this home. No node is asked.
func (s *session) showCandidate() error {
	voting, err := node.VotingKey(s.home)
	if errors.Is(err, fs.ErrNotExist) {
		return hint(fmt.Errorf("%s is not the home of a node", s.home), "\"ward init --join genesis.json\", or --home")
	} else if err != nil {
		return err
	}
	result := struct {
		Voting   string `json:"voting"`
		Operator string `json:"operator,omitempty"`
		Address  string `json:"address,omitempty"`
	}{Voting: "0x" + hex.EncodeToString(voting.Public().Bytes)}
	name := s.keyName
	if names, _ := s.keys().List(); name == "" && len(names) == 1 {
		name = names[0]
	}
	if name != "" {
		file, err := s.keyFile(name)
		if err != nil {
			return err
		}
		result.Operator, result.Address = "0x"+hex.EncodeToString(file.Public().Bytes), file.Address().String()
	}
	return s.print(result, func() {
		rows := [][]string{{"--voting", result.Voting}}
		if name != "" {
			rows = append(rows, []string{"--operator", fmt.Sprintf("%s  (%s, %s)", result.Operator, name, result.Address)})
		}
		s.table(rows)
		if name == "" {
			fmt.Fprintf(s.err, "the operator is a person's key: --key NAME shows it, \"ward key new NAME\" makes it\n")
		}
	})
}

// govern signs a call of the contract authority and sends it.
func (s *session) govern(method string, args any) error {
	key, err := s.signer()
	if err != nil {
		return err
	}
	encoded, err := wire.Marshal(args)
	if err != nil {
		return err
	}
	return s.send(key, client.AuthorityContract, method, encoded, client.Options{GasLimit: authorityGas}, false)
}

func authorityProposeAdd(c *urfave.Context) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	for _, name := range []string{"operator", "voting", "name"} {
		if c.String(name) == "" {
			return usagef("%s needs --%s", c.Command.HelpName, name)
		}
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	operator, err := s.publicKey(c.String("operator"))
	if err != nil {
		return usagef("--operator: %w", err)
	}
	voting, err := parsePublic(c.String("voting"))
	if err != nil {
		return usagef("--voting: %w", err)
	}
	return s.govern("propose_add", struct {
		OperatorKey []byte
		Key         []byte
		Name        string
		Website     string `wire:",omitempty"`
	}{operator.Bytes, voting.Bytes, c.String("name"), c.String("website")})
}

// publicKey reads a public key in hex, or key:NAME for one in the home.
func (s *session) publicKey(arg string) (tx.PublicKey, error) {
	if name, ok := strings.CutPrefix(arg, "key:"); ok {
		file, err := s.keyFile(name)
		if err != nil {
			return tx.PublicKey{}, err
		}
		return file.Public(), nil
	}
	return parsePublic(arg)
}

func authorityProposeRemove(c *urfave.Context) error {
	args, err := arguments(c, "ADDRESS")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	operator, err := s.address(args[0])
	if err != nil {
		return usagef("%w", err)
	}
	return s.govern("propose_remove", struct{ Operator address.Address }{operator})
}

func authorityProposal(c *urfave.Context, method string) error {
	number, err := proposalNumber(c)
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	return s.govern(method, struct{ Proposal uint64 }{number})
}

func proposalNumber(c *urfave.Context) (uint64, error) {
	args, err := arguments(c, "PROPOSAL")
	if err != nil {
		return 0, err
	}
	number, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return 0, usagef("%q is not the number of a proposal; \"ward authority list --proposals\" lists them", args[0])
	}
	return number, nil
}

func authorityAccept(c *urfave.Context) error {
	number, err := proposalNumber(c)
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	home := c.String("node-home")
	if home == "" {
		home = s.home
	}
	voting, err := node.VotingKey(home)
	if errors.Is(err, fs.ErrNotExist) {
		return hint(fmt.Errorf("%s is not the home of a node", home), "--node-home")
	} else if err != nil {
		return err
	}
	key, err := s.signer()
	if err != nil {
		return err
	}
	st, err := s.caughtUp(voting.Public(), c.Duration("wait"))
	if err != nil {
		return err
	}
	operator, err := s.account(key)
	if err != nil {
		return err
	}
	acceptance, err := client.NewAcceptance(st.Chain, number, operator, time.Now(), acceptFor)
	if err != nil {
		return err
	}
	proof, err := acceptance.Sign(voting)
	if err != nil {
		return err
	}
	args, err := wire.Marshal(struct {
		Proposal uint64
		Proof    []byte
	}{number, proof})
	if err != nil {
		return err
	}
	return s.send(key, client.AuthorityContract, "accept", args, client.Options{GasLimit: authorityGas}, false)
}

// caughtUp waits for up to wait until the node with a voting key follows the chain. The contract
// can only tell that the key was at hand a moment ago; that the node which has it runs, and will
// vote, is seen here.
func (s *session) caughtUp(voting tx.PublicKey, wait time.Duration) (*client.Status, error) {
	p := s.progress()
	defer p.done()
	for end := time.Now().Add(wait); ; {
		st, err := s.client.Status(s.ctx)
		switch {
		case err != nil:
			return nil, err
		case st.Authority != hex.EncodeToString(voting.Bytes):
			return nil, hint(fmt.Errorf("the node at %s votes with another key, 0x%s", s.node, st.Authority), "--node with the newcomer's own node, and --node-home with its home")
		case !st.CatchingUp && st.Peers > 0 && st.Height > 0: // a node that knows only others without a block thinks that it has caught up
			return st, nil
		case time.Now().After(end):
			return nil, hint(fmt.Errorf("the node at %s has not caught up with the chain: height %d, %d peers", s.node, st.Height, st.Peers), "--wait 10m")
		}
		p.say("waiting for %s to catch up, at height %d", s.node, st.Height)
		select {
		case <-s.ctx.Done():
			return nil, s.ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// account is the account that a key signs for.
func (s *session) account(key tx.Signer) (address.Address, error) {
	record, err := s.client.Key(s.ctx, key.Public().Address())
	if u, ok := errors.AsType[*client.Unserved](err); ok && u.NotFound() {
		return address.Address{}, hint(fmt.Errorf("the chain doesn't know the key %s", key.Public().Address()),
			"\"ward authority list --proposals\": it gets an account when the proposal is approved")
	} else if err != nil {
		return address.Address{}, err
	}
	return record.Account, nil
}

// founders gives each of a new chain's authorities an operator: a single one has the chain's,
// of several each has a key of its own in the home, authority-0 and so on, made unencrypted
// where needed, and an account that may govern and nothing else.
func (s *session) founders(authorities []genesis.Authority, operator tx.PublicKey) (all []founder, accounts []genesis.Account, err error) {
	for i, a := range authorities {
		f := founder{operator.Address(), a.Key, a.Name}
		if f.Name == "" {
			f.Name = fmt.Sprintf("authority %d", i)
		}
		if len(authorities) > 1 {
			name := fmt.Sprintf("authority-%d", i)
			key, err := s.plainKey(name, tx.EdDSA)
			if err != nil {
				return nil, nil, err
			}
			f.Operator = key.Public().Address()
			accounts = append(accounts, genesis.Account{
				Name: name, Key: key.Public().Bytes, QuotaPerHour: partyQuota, Scope: []abi.Scope{{Contract: client.AuthorityContract}},
			})
		}
		all = append(all, f)
	}
	return all, accounts, nil
}
