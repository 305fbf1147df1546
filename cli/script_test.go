package cli_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wardledger/ward/cli"
	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/testnet/port"
)

// The scripts in testdata/script are the manual of the command and its test at once. In
// them "ward" is this test's own binary.

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ward": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			os.Exit(cli.Run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, scripts("testdata/script"))
}

// scripts are those of a folder, with the commands below.
func scripts(dir string) testscript.Params {
	given := &addresses{taken: map[string]bool{}}
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"setmodule": setModule,
			"unhex":     unhex,
			"node":      startNode,
			"setvar":    setVar,
			"freeport":  freePort,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("WARD_HOME", env.Getenv("WORK")+"/home")
			// Contracts are built in the home that a script has; Go's caches are this machine's.
			for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
				value, err := exec.Command("go", "env", name).Output()
				if err != nil {
					return err
				}
				env.Setenv(name, strings.TrimSpace(string(value)))
			}
			n := new(scriptNode)
			env.Values[nodesKey{}] = n
			env.Values[addressesKey{}] = given
			env.Defer(func() {
				if n.node != nil {
					if err := n.node.Close(); err != nil {
						env.T().Fatal(err)
					}
				}
			})
			return nil
		},
	}
}

// exits CODE COMMAND... runs a command that must end with an exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// unhex FROM TO writes a file of the bytes that another holds in hex.
func unhex(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: unhex FROM TO")
	}
	b, err := hex.DecodeString(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o600))
}

// node up starts the node of $WARD_HOME in this process, and sets WARD_NODE; node down
// stops it. Up again, it listens where it did. node followed waits until somebody follows its events: a
// command in the background says nothing when it has come that far.
func startNode(ts *testscript.TestScript, neg bool, args []string) {
	nodes := ts.Value(nodesKey{}).(*scriptNode)
	switch {
	case neg || len(args) != 1:
		ts.Fatalf("usage: node up|down|followed")
	case args[0] == "up" && nodes.node == nil:
		if nodes.address == "" {
			nodes.address = free(ts)
		}
		n, err := node.New(context.Background(), node.Config{
			Home: ts.Getenv("WARD_HOME"), HTTP: nodes.address, P2P: "127.0.0.1:0", RPC: node.None,
			Logger: slog.New(slog.DiscardHandler), Version: "test",
		})
		ts.Check(err)
		nodes.node, nodes.address = n, n.HTTP().String()
		ts.Setenv("WARD_NODE", "http://"+nodes.address)
	case args[0] == "down" && nodes.node != nil:
		ts.Check(nodes.node.Close())
		nodes.node = nil
	case args[0] == "followed" && nodes.node != nil:
		c := &client.Client{URL: "http://" + nodes.address}
		defer c.Close()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			status, err := c.Status(context.Background())
			ts.Check(err)
			if status.Subscribers > 0 {
				return
			}
			if time.Now().After(deadline) {
				ts.Fatalf("nobody follows the events")
			}
		}
	default:
		ts.Fatalf("the node is not in a state to go %s", args[0])
	}
}

type nodesKey struct{}

type scriptNode struct {
	node    *node.Node
	address string
}

// setvar NAME sets a variable to what the last command printed, without the line's end.
// With a regular expression it is the first group of its first match.
func setVar(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: setvar NAME [PATTERN]")
	}
	value := strings.TrimSpace(ts.ReadFile("stdout"))
	if len(args) == 2 {
		m := regexp.MustCompile(args[1]).FindStringSubmatch(value)
		if len(m) != 2 {
			ts.Fatalf("%q has no match with one group in %q", args[1], value)
		}
		value = m[1]
	}
	ts.Setenv(args[0], value)
}

// free is an address that no other script finds too, and that stays free while a node of the script is down.
func free(ts *testscript.TestScript) string {
	all := ts.Value(addressesKey{}).(*addresses)
	all.mu.Lock()
	defer all.mu.Unlock()
	address, err := port.Free(all.taken)
	ts.Check(err)
	return address
}

type addressesKey struct{}

// addresses are those that scripts have been given.
type addresses struct {
	mu    sync.Mutex
	taken map[string]bool
}

// freeport NAME sets a variable to a TCP port of this machine that is free now.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: freeport NAME")
	}
	_, number, err := net.SplitHostPort(free(ts))
	ts.Check(err)
	ts.Setenv(args[0], number)
}

// setmodule writes a go.mod for the contract in the current folder that takes the SDK from
// this repository, as an author outside it has it from a release.
func setModule(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: setmodule")
	}
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	ts.Check(err)
	root := filepath.Dir(strings.TrimSpace(string(mod)))
	content, err := os.ReadFile(filepath.Join(root, "go.mod"))
	ts.Check(err)
	version := regexp.MustCompile(`(?m)^go .*$`).FindString(string(content))
	content = fmt.Appendf(nil, "module example.com/counter\n\n%s\n\nrequire github.com/wardledger/ward v0.0.0\n\nreplace github.com/wardledger/ward => %s\n", version, root)
	ts.Check(os.WriteFile(ts.MkAbs("go.mod"), content, 0o600))
}
