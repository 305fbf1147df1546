package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/sdk/build"
	"github.com/wardledger/ward/sdk/sdktest/link"
	"github.com/wardledger/ward/sdk/sdktest/machine"
	"github.com/wardledger/ward/sdk/template"
)

// authorCommands are for who writes contracts; they talk to no node.
func authorCommands() []*urfave.Command {
	return []*urfave.Command{
		{
			Name: "new", Usage: "start a contract of your own", ArgsUsage: "NAME",
			Description: `Makes a folder NAME with a small policy, its tests, and the SDK. It builds and tests at once, without a
network and with nothing but Go and ward.

  ward contract new visits
  ward contract new visits --template blank
  ward contract new visits --lang c`,
			Flags: []urfave.Flag{
				&urfave.StringFlag{Name: "template", Value: template.Names()[0], Usage: "what to start from: " + strings.Join(template.Names(), ", ")},
				&urfave.StringFlag{Name: "lang", Value: "go", Usage: "go or c; in C there is one template, a counter"},
			},
			Action: contractNew,
		},
		{
			Name: "test", Usage: "run the tests of a contract", ArgsUsage: "[FOLDER] [GO TEST'S OPTIONS]",
			Description: `Runs "go test" in FOLDER, or in the current one, with this ward as the engine. Options of go test go after
the folder.

  ward contract test
  ward contract test . -run TestGuest -v
  ward contract test . -update        write the gas report anew`,
			SkipFlagParsing: true,
			Action:          contractTest,
		},
		{
			Name: "sdk", Usage: "give a contract the SDK of this ward", ArgsUsage: "[FOLDER]",
			Description: `Writes FOLDER/.ward/sdk anew. A contract built with another SDK is another module.`,
			Action:      contractSDK,
		},
		{
			// What sdk/sdktest starts and talks to over its input and output.
			Name: "serve-test", Hidden: true, Usage: "be the engine of a contract's tests",
			Action: func(c *urfave.Context) error {
				m, err := machine.New(machine.Options{Hurry: true})
				if err != nil {
					return err
				}
				return link.Serve(m, c.App.Reader, c.App.Writer)
			},
		},
	}
}

func contractNew(c *urfave.Context) error {
	args, err := arguments(c, "NAME")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	dir := args[0]
	name := filepath.Base(dir)
	from, source, folder := c.String("template"), "main.go", "."
	switch {
	case !slices.Contains(template.Names(), from):
		return usagef("--template %q: there are %s", from, strings.Join(template.Names(), ", "))
	case c.String("lang") == template.C && c.IsSet("template"):
		return usagef("--template is for Go: in C there is one, a counter")
	case c.String("lang") == template.C:
		from, source, folder = template.C, "c/main.c", "c"
	case name == ".":
		return usagef("%q is no NAME for a contract: a folder of that NAME is made for it", dir)
	case c.String("lang") != "go":
		return usagef("--lang %q: there are go and c; what other languages need is in sdk/README.md", c.String("lang"))
	}
	if err := template.Write(dir, name, from); err != nil {
		return err
	}
	s.printf("%s is a contract: %s, main_test.go, README.md\n\n  cd %s\n  ward contract test\n  ward contract build %s\n", name, source, dir, folder)
	return nil
}

func contractSDK(c *urfave.Context) error {
	dir, err := folder(c)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		return hint(fmt.Errorf("%s is not the folder of a contract: %w", dir, err), "\"ward contract new NAME\" starts one")
	}
	return template.SDK(dir)
}

// folder is the only argument, or the current folder.
func folder(c *urfave.Context) (string, error) {
	if c.NArg() == 0 {
		return ".", nil
	}
	args, err := arguments(c, "FOLDER")
	if err != nil {
		return "", err
	}
	return args[0], nil
}

func contractTest(c *urfave.Context) error {
	args := c.Args().Slice()
	if len(args) > 0 && slices.Contains([]string{"-h", "--help"}, args[0]) {
		return urfave.ShowSubcommandHelp(c)
	}
	dir := "."
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		dir, args = args[0], args[1:]
	}
	if err := build.Needs(c.Context, build.Options{Dir: dir}); err != nil {
		return err
	}
	ward, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(c.Context, "go", append([]string{"test"}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, c.App.Writer, c.App.ErrWriter
	cmd.Env = append(cmd.Environ(), "WARD="+ward, "GOWORK=off")
	if err := cmd.Run(); err != nil {
		if c.Context.Err() != nil {
			return c.Context.Err()
		}
		if _, failed := err.(*exec.ExitError); failed {
			return fmt.Errorf("the tests of %s failed", dir)
		}
		return err
	}
	return nil
}
