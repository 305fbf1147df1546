package sdktest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/wardledger/ward/runtime/receipt"
)

// gasUse is what calls of one method have used.
type gasUse struct{ calls, least, most uint64 }

// count keeps the gas of a call that succeeded, or that the contract refused.
func (c *Chain) count(r *receipt.Receipt) {
	if r.Code != receipt.OK && r.Code != receipt.Failed {
		return
	}
	name := r.Contract + "." + r.Method
	u, ok := c.gas[name]
	if !ok {
		u.least = r.GasUsed
	}
	u.calls++
	u.least, u.most = min(u.least, r.GasUsed), max(u.most, r.GasUsed)
	if c.gas == nil {
		c.gas = map[string]gasUse{}
	}
	c.gas[name] = u
}

// GasReport holds what each method has used on this chain, in gas, against a file that is kept with the contract, so that a change
// of price is seen in review. With update, or if there is no file yet, it writes the file instead: have the test say when, by a flag of its own.
//
// Gas follows from the module, which follows from the source, the SDK and the Go toolchain. The file says which toolchain; with
// another one nothing is compared, and the test says so.
func (c *Chain) GasReport(file string, update bool) {
	c.t.Helper()
	var b strings.Builder
	b.WriteString("# gas by method; written by the test with -update\n")
	toolchain := c.toolchains()
	b.WriteString("# " + toolchain + "\n")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "method\tcalls\tleast\tmost")
	for _, name := range slices.Sorted(maps.Keys(c.gas)) {
		u := c.gas[name]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", name, u.calls, u.least, u.most)
	}
	w.Flush()
	was, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		c.t.Logf("no gas report yet: this is the first, keep %s with the contract", file)
		update = true
	} else if err != nil {
		c.t.Fatal(err)
	}
	if update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			c.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			c.t.Fatal(err)
		}
		return
	}
	wanted := strings.ReplaceAll(string(was), "\r\n", "\n")
	if wanted == b.String() {
		return
	}
	if lines := strings.Split(wanted, "\n"); len(lines) > 1 && lines[1] != "# "+toolchain {
		c.t.Logf("NOT COMPARED: %s was written with %s, this is %s: \"go test -update\" writes it anew", file, strings.TrimPrefix(lines[1], "# "), toolchain)
		return
	}
	c.t.Errorf("gas has changed; if that is meant, \"go test -update\" writes %s anew:\n%s", file, difference(wanted, b.String()))
}

// toolchains is what the contracts of the chain were built with.
func (c *Chain) toolchains() string {
	var all []string
	for _, spec := range c.specs {
		if spec.Toolchain != "" && !slices.Contains(all, spec.Toolchain) {
			all = append(all, spec.Toolchain)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// difference shows the lines that only one of two texts has.
func difference(was, is string) string {
	before, after := strings.Split(was, "\n"), strings.Split(is, "\n")
	var b strings.Builder
	for _, line := range before {
		if !slices.Contains(after, line) {
			b.WriteString("- " + line + "\n")
		}
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			b.WriteString("+ " + line + "\n")
		}
	}
	return b.String()
}
