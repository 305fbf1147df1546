package cli_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestTutorial does what sdk/README.md tells an author to do, line by line: commands are run, Go is written to the file that the text
// before names, and what a dialogue shows is printed. With -v it says how long each step took, and with -cold it begins without anything that the Go command
// has compiled before, as on a new machine:
//
//	go test ./cli -run TestTutorial -v -cold
func TestTutorial(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "sdk", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, tutorial, ok := strings.Cut(string(page), "\n## Your own contract")
	tutorial, _, closed := strings.Cut(tutorial, "\n## ")
	if !ok || !closed {
		t.Fatal("sdk/README.md has no tutorial")
	}
	script := scriptOf(t, tutorial)
	if *cold {
		script = "env GOCACHE=$WORK/cache\n" + script
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tutorial.txtar"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	params := scripts(dir)
	var watch stopwatch
	params.Cmds["clock"], params.Cmds["gas"] = watch.stop, sayGas
	t.Run("steps", func(t *testing.T) { testscript.Run(t, params) })
	if t.Failed() {
		t.Logf("the script was\n%s", script)
	}
	t.Log(watch.String())
}

var cold = flag.Bool("cold", false, "run the tutorial without what the Go command has compiled before")

// stopwatch is when the steps of a script were begun.
type stopwatch struct {
	steps []string
	at    []time.Time
}

// stop is the command clock of a script: the step that is named begins.
func (w *stopwatch) stop(_ *testscript.TestScript, _ bool, args []string) {
	w.steps, w.at = append(w.steps, strings.Join(args, " ")), append(w.at, time.Now())
}

// String says how long each step took, and how much time has passed by its end.
func (w *stopwatch) String() string {
	var b strings.Builder
	for i := range len(w.at) - 1 {
		fmt.Fprintf(&b, "\n%6.1f s %6.1f s  %s", w.at[i+1].Sub(w.at[i]).Seconds(), w.at[i+1].Sub(w.at[0]).Seconds(), w.steps[i])
	}
	return b.String()
}

// step is how a step of the tutorial begins.
var step = regexp.MustCompile(`(?m)^\*\*(\d+\. [^*]+?)[.,]?\*\*`)

// named is the file that a text says to write.
var named = regexp.MustCompile("`([a-z_]+\\.go)`")

// scriptOf makes a script of a page's blocks.
func scriptOf(t *testing.T, page string) string {
	var script, files strings.Builder
	script.WriteString("env GOPROXY=off\n")
	parts := strings.Split("\n"+page, "\n```")
	for i := 1; i < len(parts); i += 2 {
		kind, block, _ := strings.Cut(parts[i], "\n")
		if begins := step.FindStringSubmatch(parts[i-1]); begins != nil {
			fmt.Fprintf(&script, "clock '%s'\n", begins[1])
		}
		switch kind {
		case "go":
			names := named.FindAllStringSubmatch(parts[i-1], -1)
			if len(names) == 0 {
				t.Fatalf("no file is named before\n%s", block)
			}
			name := names[len(names)-1][1]
			fmt.Fprintf(&script, "cp $WORK/%d.txt %s\n", i, name)
			fmt.Fprintf(&files, "-- %d.txt --\n%s\n", i, block)
		case "":
			commands(t, &script, block)
		default:
			t.Fatalf("a block of %s, which nothing is done with", kind)
		}
	}
	return script.String() + "clock end\n" + files.String()
}

var gasOf = regexp.MustCompile(`  gas (\d+) of \d+$`)

// sayGas is the command gas of a script: what the last call used, within a hundredth of what the page says. A toolchain or an SDK that is a little better need not
// change the page.
func sayGas(ts *testscript.TestScript, _ bool, args []string) {
	said, err := strconv.ParseFloat(args[0], 64)
	ts.Check(err)
	first, _, _ := strings.Cut(ts.ReadFile("stdout"), "\n")
	m := gasOf.FindStringSubmatch(first)
	if m == nil {
		ts.Fatalf("no gas in %q", first)
	}
	used, err := strconv.ParseFloat(m[1], 64)
	ts.Check(err)
	if math.Abs(used-said) > said/100 {
		ts.Fatalf("it used %s gas, sdk/README.md says %s: correct the page", m[1], args[0])
	}
}

// committed is the moment for which the steps before are there.
const committed = "clock 'more, after the first call is committed'\n"

// commands writes those of a block, and what must be seen. Where a line begins with "$ ", what is below it is the answer.
func commands(t *testing.T, script *strings.Builder, block string) {
	lines := strings.Split(block, "\n")
	dialogue := strings.HasPrefix(block, "$ ")
	for i, line := range lines {
		command, ok := strings.CutPrefix(line, "$ ")
		if dialogue && !ok {
			fmt.Fprintf(script, "stdout '%s'\n", pattern(line))
			if gas := gasOf.FindStringSubmatch(line); gas != nil {
				fmt.Fprintf(script, "gas %s\n", gas[1])
			}
			continue
		}
		command = strings.TrimSpace(strings.ReplaceAll(command, `"`, "'"))
		switch {
		case strings.HasPrefix(command, "cd "):
			script.WriteString(command + "\n")
		case command == "ward node":
			script.WriteString("node up\n")
		case strings.HasPrefix(command, "ward ") && dialogue && i+1 < len(lines) && strings.HasPrefix(lines[i+1], "failed"):
			script.WriteString("exits 3 " + command + "\n")
		case strings.HasPrefix(command, "ward "):
			script.WriteString("exec " + command + "\n")
		default:
			t.Fatalf("%q: only ward and cd are run", line)
		}
		if dialogue && strings.HasPrefix(command, "ward call ") && !strings.Contains(script.String(), committed) {
			script.WriteString(committed)
		}
	}
}

// varying is what differs from run to run in an answer.
var varying = regexp.MustCompile(`[0-9a-f]{64}|ward1[a-z0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+Z|\b[0-9]{3,}\b|\b[0-9]+\.[0-9]+\.[0-9]+\b|block [0-9]+| +`)

// pattern matches a line like this one.
func pattern(line string) string {
	var b strings.Builder
	b.WriteByte('^')
	at := 0
	for _, m := range varying.FindAllStringIndex(line, -1) {
		b.WriteString(regexp.QuoteMeta(line[at:m[0]]))
		switch found := line[m[0]:m[1]]; {
		case strings.HasPrefix(found, " "):
			b.WriteString(" +")
		case strings.HasPrefix(found, "block"):
			b.WriteString("block [0-9]+")
		default:
			b.WriteString("[0-9a-zTZ:.-]+")
		}
		at = m[1]
	}
	return b.String() + regexp.QuoteMeta(line[at:]) + "$"
}
