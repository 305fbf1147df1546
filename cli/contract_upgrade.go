package cli

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/wire"
)

// upgradeCommands are for the admin of a contract, and for who wants to know what it did.
func upgradeCommands() []*urfave.Command {
	signing := []urfave.Flag{keyFlag, &urfave.Uint64Flag{Name: "gas", Usage: "gas `LIMIT`", DefaultText: "by what is to be done"}, nodeFlag, homeFlag, passFlag, jsonFlag}
	return []*urfave.Command{
		{
			Name: "upgrade", Usage: "replace the code of a contract and keep its rows", ArgsUsage: "FILE|FOLDER",
			Description: `By the admin of the contract, which "ward contract show" names. The new code has the old name, address and rows; its
hook (sdk.Upgrade) runs in the same transaction, and if that fails nothing has happened. Code that would break those who
call or listen, because a method is gone or takes something else, is refused with the list, unless --allow-breaking.

  ward contract upgrade ./door                       as its spec says: the contract "door"
  ward contract upgrade door.wasm --name front-door
  ward contract upgrade ./door --allow-breaking      everybody who relies on what is gone knows

If the contract has a delay, the first time announces the upgrade, and the same command after the delay carries it out.
A contract with capabilities needs a permit of the new code too: "ward authority propose-permit FILE --upgrade".`,
			Flags: append([]urfave.Flag{
				&urfave.StringFlag{Name: "name", Usage: "`NAME` of the contract on the chain", DefaultText: "as the new code's spec says"},
				&urfave.BoolFlag{Name: "allow-breaking", Usage: "also if it breaks those who call the contract"},
				&urfave.StringFlag{Name: "toolchain", Usage: "Go toolchain that must compile a FOLDER"},
			}, signing...),
			Action: contractUpgrade,
		},
		{
			Name: "rollback", Usage: "give a contract the code of an earlier version again", ArgsUsage: "NAME",
			Description: `By the admin of the contract. The code is exactly the earlier one. Its rows stay as they are; the hook of the
earlier code runs, if it has one, with the number of the version that it replaces. "ward contract history" shows the numbers.
With a delay it is announced first, as an upgrade is.

  ward contract rollback door --to 1`,
			Flags:  append([]urfave.Flag{&urfave.Uint64Flag{Name: "to", Usage: "`VERSION` in its history"}}, signing...),
			Action: contractRollback,
		},
		{
			Name: "history", Usage: "show how a contract came to its code", ArgsUsage: "NAME",
			Description: `The last 32 times that it got one, the oldest first; * is the code that it has now.

  ward contract history door
  ward contract history door --json`,
			Flags:  []urfave.Flag{nodeFlag, jsonFlag},
			Action: contractHistory,
		},
		{
			Name: "admin", Usage: "hand a contract over to another account, or to nobody", ArgsUsage: "NAME",
			Description: `By its admin. There is no way back but by the new one. What is nobody's never changes again.

  ward contract admin door --to ward1...
  ward contract admin door --to @alice       the key of this name in the home
  ward contract admin door --to nobody       for ever`,
			Flags:  append([]urfave.Flag{&urfave.StringFlag{Name: "to", Usage: "`ADDRESS` of an account, or nobody"}}, signing...),
			Action: contractAdmin,
		},
		{
			Name: "delay", Usage: "set how long changes of a contract's code are announced", ArgsUsage: "NAME",
			Description: `By its admin. A longer one is in force at once, a shorter one when the delay until now has passed.

  ward contract delay door --to 48h
  ward contract delay door --to 0s           changes at once`,
			Flags:  append([]urfave.Flag{&urfave.DurationFlag{Name: "to", Usage: "`TIME`, such as 48h"}}, signing...),
			Action: contractDelay,
		},
		{
			Name: "withdraw", Usage: "take back what was announced for a contract", ArgsUsage: "NAME",
			Description: `By its admin, before it was carried out.

  ward contract withdraw door`,
			Flags:  signing,
			Action: contractWithdraw,
		},
	}
}

func contractUpgrade(c *urfave.Context) error {
	args, err := arguments(c, "FILE or FOLDER")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	m, price, err := s.priced(c, args[0])
	if err != nil {
		return err
	}
	name := c.String("name")
	if name == "" {
		name = m.Name
	}
	k, err := s.changeable(name)
	if r, ok := errors.AsType[*client.Refused](err); ok && r.Code == receipt.UnknownContract {
		return hint(err, "--name, or \"ward contract deploy\" for a new contract")
	} else if err != nil {
		return err
	}
	hash := hex.EncodeToString(m.Hash[:])
	if k.Code == hash {
		return fmt.Errorf("%s has this code already, as version %d", name, k.Version)
	}
	old, err := s.client.Spec(s.ctx, name)
	if u, ok := errors.AsType[*client.Unserved](err); ok && u.NotFound() {
		old = nil // it says nothing of itself
	} else if err != nil {
		return err
	}
	breaking := c.Bool("allow-breaking")
	if breaks := abi.Breaks(old, m.Spec); len(breaks) > 0 {
		reason := fmt.Sprintf("the new code of %s breaks its callers: %s", name, strings.Join(breaks, "; "))
		if !s.json {
			fmt.Fprintf(s.err, "what this takes from those who rely on version %d:\n", k.Version)
			for _, b := range breaks {
				fmt.Fprintf(s.err, "  %s\n", text(b))
			}
			reason = fmt.Sprintf("the new code of %s breaks its callers in %d ways", name, len(breaks))
			if len(breaks) == 1 {
				reason = fmt.Sprintf("the new code of %s breaks its callers in one way", name)
			}
		}
		if !breaking {
			return hint(&client.Refused{Code: receipt.Breaking, Reason: reason}, breakingAdvice)
		}
	}
	want := client.Announcement{Code: hash, AllowBreaking: breaking}
	if announced, err := s.announced(c, k, want, struct {
		Name          string
		Hash          []byte
		AllowBreaking bool `wire:",omitempty"`
	}{name, m.Hash[:], breaking}); !announced || err != nil {
		return err
	}
	return s.code(c, name, "upgrade", struct {
		Code          []byte
		Name          string
		AllowBreaking bool `wire:",omitempty"`
	}{m.Wasm, name, breaking}, price+gas.MaxInit, m.Spec)
}

const breakingAdvice = "--allow-breaking, if everybody who calls or listens knows; or keep the old methods beside the new ones"

func contractRollback(c *urfave.Context) error {
	args, err := arguments(c, "NAME")
	if err != nil {
		return err
	}
	version := c.Uint64("to")
	if version == 0 {
		return usagef("%s needs --to VERSION: \"ward contract history %s\" shows them", c.Command.HelpName, args[0])
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	k, err := s.changeable(args[0])
	if err != nil {
		return err
	}
	history, err := s.client.History(s.ctx, k.Name)
	if err != nil {
		return err
	}
	var to *client.Activation
	for i := range history {
		if history[i].Version == version {
			to = &history[i]
		}
	}
	switch {
	case version == k.Version:
		return fmt.Errorf("%s has the code of version %d already", k.Name, version)
	case to == nil:
		return hint(fmt.Errorf("%s has no version %d in its history", k.Name, version), "\"ward contract history %s\"", k.Name)
	}
	rollback := struct {
		Name string
		To   uint64
	}{k.Name, version}
	if announced, err := s.announced(c, k, client.Announcement{Code: to.Code, Version: version, Rollback: true}, rollback); !announced || err != nil {
		return err
	}
	return s.code(c, k.Name, "rollback", rollback, to.Gas+gas.MaxInit, nil)
}

// changeable asks for a contract whose code can change.
func (s *session) changeable(name string) (*client.Contract, error) {
	k, err := s.client.Contract(s.ctx, name)
	if err != nil {
		return nil, err
	}
	if k.Admin.IsZero() {
		return nil, hint(fmt.Errorf("%s is nobody's: its code stays as it is for ever", name), "another --name, with \"ward contract deploy\"")
	}
	return k, nil
}

// announced reports whether a change may be carried out now. If the contract has a delay and this is not what is announced, it announces it.
func (s *session) announced(c *urfave.Context, k *client.Contract, want client.Announcement, announce any) (now bool, err error) {
	clock := time.Now().Unix()
	delay := k.DelayAt(clock)
	if delay == 0 {
		return true, nil
	}
	if a := k.Announced; a != nil && a.Code == want.Code && a.Rollback == want.Rollback && (!a.Rollback || a.Version == want.Version) &&
		(a.AllowBreaking || !want.AllowBreaking) && clock <= a.Earliest+runtime.AnnouncedFor {
		if clock < a.Earliest {
			return false, hint(fmt.Errorf("version %d of %s is announced and may happen at %s", a.Version, k.Name, clockUnix(a.Earliest)),
				"the same command then, or \"ward contract withdraw %s\"", k.Name)
		}
		return true, nil
	}
	if err := s.code(c, k.Name, "announce", announce, 0, nil); err != nil {
		return false, err
	}
	if !s.json {
		fmt.Fprintf(s.err, "announced; the same command in %v carries it out\n", time.Duration(delay)*time.Second)
	}
	return false, nil
}

// code sends a transaction to the contract code about a contract. more is gas beside what is usual, of the spec of the code that comes, if it is known.
func (s *session) code(c *urfave.Context, name, method string, args any, more uint64, of *abi.Spec) error {
	key, err := s.signer()
	if err != nil {
		return err
	}
	encoded, err := wire.Marshal(args)
	if err != nil {
		return err
	}
	limit := c.Uint64("gas")
	if limit == 0 {
		limit = min(client.DefaultGas+gas.PerTxByte*uint64(len(encoded))+more, gas.MaxLimit)
	}
	_, err = s.wait(key, tx.DeployContract, method, client.Args(encoded), client.Options{GasLimit: limit}, of)
	if r, ok := errors.AsType[*client.Refused](err); ok {
		switch {
		case r.Code == receipt.Breaking:
			return hint(err, breakingAdvice)
		case r.Code == receipt.NotPermitted && strings.Contains(r.Reason, "must be permitted"):
			return hint(err, "\"ward authority propose-permit FILE --name %s --upgrade\", by the operator of an authority", name)
		case r.Code == receipt.NotPermitted:
			return hint(err, "\"ward contract show %s\" for its admin and what is announced; --key with the admin's key", name)
		}
	}
	return err
}

func contractHistory(c *urfave.Context) error {
	args, err := arguments(c, "NAME")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	k, err := s.client.Contract(s.ctx, args[0])
	if err != nil {
		return err
	}
	history, err := s.client.History(s.ctx, args[0])
	if err != nil {
		return err
	}
	var rows [][]string
	for i, a := range history {
		j := activationJSON{a.Version, a.From, a.Code, a.Height, a.Time, addressText(a.By), a.Gas, i == len(history)-1 && a.Version == k.Version}
		err := s.print(j, func() {
			how := "upgraded from " + fmt.Sprint(a.From)
			switch {
			case a.From == 0:
				how = "deployed"
			case a.Version < a.From:
				how = "rolled back from " + fmt.Sprint(a.From)
			}
			mark := ""
			if j.Current {
				mark = "*"
			}
			by := "by " + j.By
			if j.By == "" {
				by = ""
			}
			rows = append(rows, []string{fmt.Sprint(a.Version) + mark, how, clockUnix(a.Time), fmt.Sprintf("block %d", a.Height), a.Code, by})
		})
		if err != nil {
			return err
		}
	}
	s.table(rows)
	return nil
}

type activationJSON struct {
	Version uint64 `json:"version"`
	From    uint64 `json:"from"`
	Code    string `json:"code"`
	Height  uint64 `json:"height"`
	Time    int64  `json:"time"`
	By      string `json:"by"`
	Gas     uint64 `json:"gas"`
	Current bool   `json:"current"`
}

func contractAdmin(c *urfave.Context) error {
	args, err := arguments(c, "NAME")
	if err != nil {
		return err
	}
	if c.String("to") == "" {
		return usagef("%s needs --to: an address, @NAME of a key in the home, or nobody", c.Command.HelpName)
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	var to address.Address
	if text := c.String("to"); text != "nobody" {
		if to, err = s.address(text); err != nil {
			return usagef("--to: %w", err)
		}
	}
	return s.code(c, args[0], "set_admin", struct {
		Admin address.Address
		Name  string
	}{to, args[0]}, 0, nil)
}

func contractDelay(c *urfave.Context) error {
	args, err := arguments(c, "NAME")
	if err != nil {
		return err
	}
	if !c.IsSet("to") {
		return usagef("%s needs --to, such as --to 48h", c.Command.HelpName)
	}
	seconds, err := delaySeconds("to", c.Duration("to"))
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	return s.code(c, args[0], "set_delay", struct {
		Delay int64
		Name  string
	}{seconds, args[0]}, 0, nil)
}

// delaySeconds is a delay as the chain counts it.
func delaySeconds(flag string, d time.Duration) (int64, error) {
	const most = runtime.MaxDelay * time.Second
	if d < 0 || d > most || d%time.Second != 0 {
		return 0, usagef("--%s %v: must be whole seconds from 0s to %v", flag, d, most)
	}
	return int64(d / time.Second), nil
}

// timelockRows tell how changes of a contract's code are announced, and what is; none if they are not.
func timelockRows(k *client.Contract) (rows [][]string) {
	if k.Delay > 0 {
		rows = append(rows, []string{"delay", (time.Duration(k.Delay) * time.Second).String()})
	}
	if k.Shorter != nil {
		rows = append(rows, []string{"delay then", fmt.Sprintf("%v from %s", time.Duration(*k.Shorter)*time.Second, clockUnix(k.From))})
	}
	if a := k.Announced; a != nil {
		what := "upgrade to"
		if a.Rollback {
			what = "rollback to"
		}
		may := ""
		if a.AllowBreaking {
			may = ", may break callers"
		}
		rows = append(rows, []string{"announced", fmt.Sprintf("%s version %d, code %s, from %s%s", what, a.Version, a.Code, clockUnix(a.Earliest), may)})
	}
	return rows
}

func contractWithdraw(c *urfave.Context) error {
	args, err := arguments(c, "NAME")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	return s.code(c, args[0], "withdraw", struct{ Name string }{args[0]}, 0, nil)
}
