package cli_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/wardledger/ward"

// rule is one sentence of the house: the packages under Of may, or may not, import something.
type rule struct {
	sentence string
	of       []string // folders below the module, "" is the whole module; a trailing "." means that package alone
	except   []string // folders that the rule doesn't bind
	allow    []string // when set: the only folders of this module that may be imported
	deny     []string // import path prefixes that may not be imported
	std      bool     // when set: nothing outside the standard library and the allowed folders
}

// rules are those of the house. Arrows never go up, and each dependency has one door,
// so that an upgrade is one package's diff.
var rules = []rule{
	{
		sentence: "runtime is the state machine: it imports no sibling folder",
		of:       []string{"runtime"}, allow: []string{"runtime"},
	},
	{
		sentence: "runtime has no sockets, files or engine below it",
		of:       []string{"runtime"}, except: []string{"runtime/vm", "runtime/state/statetest"},
		deny: []string{"net", "os", "github.com/cometbft/cometbft", "math/rand", "math/rand/v2"},
	},
	{
		sentence: "runtime/cbor, runtime/address and runtime/wasm are leaves",
		of:       []string{"runtime/cbor", "runtime/address", "runtime/wasm"}, allow: []string{"runtime/wasm"},
	},
	{
		sentence: "runtime/gas imports only runtime/wasm, whose instructions it prices",
		of:       []string{"runtime/gas"}, allow: []string{"runtime/wasm"},
	},
	{
		sentence: "runtime/abi imports only runtime/cbor",
		of:       []string{"runtime/abi."}, allow: []string{"runtime/cbor"}, std: true,
	},
	{
		sentence: "the guest sdk imports only the standard library, runtime/abi, runtime/cbor and sdk/wire",
		of:       []string{"sdk.", "sdk/wire"}, allow: []string{"runtime/abi.", "runtime/cbor", "sdk/wire"}, std: true,
	},
	{
		sentence: "contracts import only the standard library, the guest sdk and the clients of other contracts in contracts/remote",
		of:       []string{"contracts"}, except: []string{"contracts.", "contracts/embed", "contracts/hostile"},
		allow: []string{"sdk.", "sdk/wire", "contracts/remote"}, std: true,
	},
	{
		sentence: "node is built on runtime: it imports no sdk, contract, cli or testnet",
		of:       []string{"node"}, allow: []string{"runtime", "node"},
	},
	{
		sentence: "testnet drives nodes as a user would: it imports no node, contract or cli",
		of:       []string{"testnet"}, except: []string{"testnet/bench"}, // which also measures the engine alone
		allow: []string{"runtime", "sdk", "testnet"},
	},
	{
		sentence: "nothing imports cli but its own main",
		of:       []string{""}, except: []string{"cli"}, deny: []string{module + "/cli"},
	},
	door("github.com/tetratelabs/wazero", "runtime/vm"),
	door("github.com/cosmos/ics23", "runtime/state"),
	door("github.com/hashicorp/golang-lru", "runtime/state"),
	door("github.com/syndtr/goleveldb", "node/db"),
	door("github.com/cometbft/cometbft", "node/app", "node/consensus", "sdk/client/light"),
	door("github.com/cometbft/cometbft-db", "node/consensus"),
	door("github.com/gorilla/websocket", "node/stream", "sdk/client"),
	door("github.com/urfave/cli", "cli"),
	door("filippo.io/age", "sdk/client"),
	door("github.com/hdevalence/ed25519consensus", "runtime/tx"),
	door("github.com/klauspost/compress", "node/genesis"),
}

func door(dependency string, folders ...string) rule {
	return rule{
		sentence: dependency + " has one door: " + strings.Join(folders, ", "),
		of:       []string{""}, except: folders, deny: []string{dependency},
	}
}

// within tells whether a package lies in a folder of the module; "x." is the package x alone.
func within(path, folder string) bool {
	if alone, ok := strings.CutSuffix(folder, "."); ok {
		return path == module+"/"+alone
	}
	full := module
	if folder != "" {
		full += "/" + folder
	}
	return path == full || strings.HasPrefix(path, full+"/")
}

func withinAny(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return within(path, f) })
}

// broken says why one import breaks the rule, or "".
func (r rule) broken(path, imported string) string {
	if !withinAny(path, r.of) || withinAny(path, r.except) {
		return ""
	}
	ours := imported == module || strings.HasPrefix(imported, module+"/")
	switch {
	case ours && r.allow != nil && !withinAny(imported, r.allow):
	case !ours && r.std && strings.Contains(strings.SplitN(imported, "/", 2)[0], "."):
	case slices.ContainsFunc(r.deny, func(d string) bool {
		return imported == d || strings.HasPrefix(imported, d+"/")
	}):
	default:
		return ""
	}
	return strings.TrimPrefix(path, module+"/") + " imports " + imported + ", but " + r.sentence
}

// TestHouse reads what each package imports, without its tests, and holds it against the rules.
func TestHouse(t *testing.T) {
	for _, env := range []string{"GOOS=linux", "GOOS=wasip1"} { // guests have files of their own
		cmd := exec.Command("go", "list", "-e", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", module+"/...")
		cmd.Env = append(cmd.Environ(), env, "CGO_ENABLED=0")
		if env == "GOOS=wasip1" {
			cmd.Env = append(cmd.Env, "GOARCH=wasm")
		}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		for line := range strings.Lines(string(out)) {
			fields := strings.Fields(line)
			for _, imported := range fields[1:] {
				for _, r := range rules {
					if why := r.broken(fields[0], imported); why != "" {
						t.Error(why)
					}
				}
			}
		}
	}
}

// TestRulesBite shows that each rule refuses something; a rule that can't fail protects nothing.
func TestRulesBite(t *testing.T) {
	for _, c := range []struct{ path, imported, sentence string }{
		{"runtime/vm", module + "/node/db", "runtime is the state machine"},
		{"runtime/state", "os", "runtime has no sockets"},
		{"runtime/cbor", module + "/runtime/abi", "are leaves"},
		{"runtime/abi", "github.com/fxamacker/cbor/v2", "runtime/abi imports only"},
		{"sdk", module + "/runtime/tx", "the guest sdk imports only"},
		{"contracts/access", module + "/runtime/abi", "contracts import only"},
		{"contracts/access", module + "/contracts", "contracts import only"},
		{"node/api", module + "/sdk/client", "node is built on runtime"},
		{"testnet/network", module + "/node", "testnet drives nodes as a user would"},
		{"node", module + "/cli", "nothing imports cli"},
		{"runtime/host", "github.com/tetratelabs/wazero/api", "wazero has one door"},
		{"node/eventlog", "github.com/syndtr/goleveldb/leveldb", "goleveldb has one door"},
		{"node/api", "github.com/gorilla/websocket", "websocket has one door"},
		{"node/stream", "github.com/cometbft/cometbft/types", "cometbft has one door"},
		{"sdk/client", "github.com/urfave/cli/v2", "cli has one door"},
	} {
		hit := slices.ContainsFunc(rules, func(r rule) bool {
			return strings.Contains(r.broken(module+"/"+c.path, c.imported), c.sentence)
		})
		if !hit {
			t.Errorf("no rule %q refuses that %s imports %s", c.sentence, c.path, c.imported)
		}
	}
}
