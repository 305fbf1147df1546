package cli

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/spelling"
)

// commands are all of them, in the order of the help text: each family has a file.
func commands() []*urfave.Command {
	return []*urfave.Command{
		devCommand(), initCommand(), nodeCommand(), statusCommand(),
		keyCommand(), contractCommand(),
		callCommand(), queryCommand(), txCommand(), eventsCommand(), authorityCommand(),
		benchCommand(), testnetCommand(), doctorCommand(),
	}
}

const description = `A ward is the ridge inside a lock that stops every key but the right one.

Ward runs smart contracts that decide which device may do what, on a ledger that a few known
authorities keep together. This command starts a chain, keeps keys, and talks to nodes.

  ward init && ward node            a chain of your own, on this machine
  ward call access grant --help     what a method takes, from the contract itself
  ward events --follow              what happens, as it happens

Results go to stdout, everything else to stderr. With --json, results are one JSON object a
line. Exit codes: 0 done, 1 could not be done, 2 wrong command line, 3 refused by the chain,
4 done, but the answer is no (--require of call and query).`

// Run runs one command line, args[0] being the program's name, and returns its exit code.
// It returns soon after ctx ends.
func Run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	app := &urfave.App{
		Name:        "ward",
		Usage:       "a ledger for device policy",
		Description: description,
		Version:     version(),
		Commands:    commands(),
		Reader:      in, Writer: out, ErrWriter: errs,
		HideHelpCommand: true,
		ExitErrHandler:  func(*urfave.Context, error) {}, // Run decides
		OnUsageError:    onUsageError,
		Action:          group,
	}
	finish(app.Commands)
	if len(args) > 0 {
		args = append(args[:1:1], reorder(app.Commands, args[1:])...)
	}
	err := app.RunContext(ctx, args)
	return report(errs, err, asksJSON(args))
}

// finish gives every command what all have in common.
func finish(commands []*urfave.Command) {
	for _, c := range commands {
		c.OnUsageError = onUsageError
		c.HideHelpCommand = true
		if c.Subcommands != nil {
			if c.Action == nil {
				c.Action = group
			}
			finish(c.Subcommands)
		}
	}
}

func onUsageError(c *urfave.Context, err error, _ bool) error {
	var flags []urfave.Flag
	if c != nil && c.Command != nil {
		flags = c.Command.Flags
	}
	return &usageError{err: flagMistake(err, flags)}
}

// mistaken is how the library tells of a value that it can't read.
var mistaken = regexp.MustCompile(`^invalid value ("(?:[^"\\]|\\.)*") for flag -([a-z0-9-]+): `)

// flagMistake says what the library says about a flag in words for people.
func flagMistake(err error, flags []urfave.Flag) error {
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		var known []string
		for _, f := range flags {
			known = append(known, f.Names()...)
		}
		return fmt.Errorf("there is no option --%s%s", name, perhaps(name, known))
	}
	m := mistaken.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	for _, f := range flags {
		if _, isTime := f.(*urfave.DurationFlag); isTime && slices.Contains(f.Names(), m[2]) {
			return fmt.Errorf("--%s: %s is not a time such as 20s or 5m", m[2], m[1])
		}
	}
	return fmt.Errorf("--%s: %s can't be read: %s", m[2], m[1], err.Error()[len(m[0]):])
}

// perhaps names the option that a wrong one was likely meant to be, for the end of an error,
// or is "".
func perhaps(name string, known []string) string {
	if best := spelling.Nearest(name, known); best != "" {
		return ": perhaps --" + best
	}
	return ""
}

// group is the action of a command that only holds others: it shows them, or says that the
// one asked for isn't there.
func group(c *urfave.Context) error {
	if c.Args().Present() {
		name := c.Args().First()
		of := c.App.Name
		all := c.App.Commands
		if c.Command != nil && c.Command.Name != "" && c.Command.Subcommands != nil {
			of, all = c.Command.HelpName, c.Command.Subcommands
		}
		var names []string
		for _, command := range all {
			if command.Name != "help" {
				names = append(names, command.Name)
			}
		}
		return usagef("%s has no command %q: there are %s", of, name, strings.Join(names, ", "))
	}
	if c.Command != nil && c.Command.Subcommands != nil && c.Command.Name != "" && c.Command.Name != c.App.Name {
		return urfave.ShowSubcommandHelp(c)
	}
	return urfave.ShowAppHelp(c)
}

// reorder puts options before arguments, as urfave/cli wants them: "ward key new owner
// --plain" is what people type. What follows "--" stays as it is, and so do the command
// lines of commands that read their own.
func reorder(commands []*urfave.Command, args []string) []string {
	for i, arg := range args {
		if strings.HasPrefix(arg, "-") {
			continue // an option of the program: it has only --help and --version
		}
		for _, c := range commands {
			if !c.HasName(arg) {
				continue
			}
			head, rest := args[:i+1:i+1], args[i+1:]
			switch {
			case c.SkipFlagParsing:
				return args
			case c.Subcommands != nil && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && named(c.Subcommands, rest[0]):
				return append(head, reorder(c.Subcommands, rest)...)
			}
			options, arguments := split(c.Flags, rest)
			return append(append(head, options...), arguments...)
		}
		return args
	}
	return args
}

func named(commands []*urfave.Command, name string) bool {
	for _, c := range commands {
		if c.HasName(name) {
			return true
		}
	}
	return false
}

// split parts a command's options, with their values, from its arguments.
func split(flags []urfave.Flag, args []string) (options, arguments []string) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return options, append(arguments, args[i:]...)
		}
		if len(arg) < 2 || arg[0] != '-' {
			arguments = append(arguments, arg)
			continue
		}
		options = append(options, arg)
		if strings.Contains(arg, "=") || i+1 == len(args) {
			continue
		}
		for _, f := range flags {
			for _, name := range f.Names() {
				if _, isBool := f.(*urfave.BoolFlag); name == strings.TrimLeft(arg, "-") && !isBool {
					i++
					options = append(options, args[i])
				}
			}
		}
	}
	return options, arguments
}

// asksJSON tells whether errors are wanted as JSON too; the command line may be one that
// nobody could parse.
func asksJSON(args []string) bool {
	for _, arg := range args {
		if arg == "--json" || arg == "-json" || arg == "--json=true" {
			return true
		}
	}
	return false
}

// version is the module's, and the commit that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && v == "devel" {
			v += "-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return v
}

// A usageError is a wrong command line. Help, if there is any, is shown below it.
type usageError struct {
	err  error
	help string
}

func (u *usageError) Error() string { return u.err.Error() }
func (u *usageError) Unwrap() error { return u.err }

func usagef(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// arguments gives the arguments of a command, which must be as many as it has names.
func arguments(c *urfave.Context, names ...string) ([]string, error) {
	got := c.Args().Slice()
	if len(got) < len(names) {
		return nil, usagef("%s needs %s", c.Command.HelpName, strings.Join(names[len(got):], " and "))
	}
	if len(got) > len(names) {
		return nil, usagef("%s doesn't know what to do with %q", c.Command.HelpName, got[len(names)])
	}
	return got, nil
}

// readFrom reads a file of at most limit bytes; "-" is stdin.
func readFrom(stdin io.Reader, path string, limit int64) ([]byte, error) {
	r := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		r = file
	}
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s: more than %d bytes", path, limit)
	}
	return b, nil
}

// parsePublic reads a public key in hex, with or without "0x".
func parsePublic(s string) (tx.PublicKey, error) {
	b, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
	if err != nil {
		return tx.PublicKey{}, err
	}
	return tx.ParsePublicKey(b)
}
