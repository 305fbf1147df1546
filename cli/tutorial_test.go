package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestTutorial does what sdk/README.md tells an author to do, line by line: commands are run, Go is written to the file that the text
// before names, and what a dialogue shows is printed.
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
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tutorial.txtar"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, scripts(dir))
	if t.Failed() {
		t.Logf("the script was\n%s", script)
	}
}

// named is the file that a text says to write.
var named = regexp.MustCompile("`([a-z_]+\\.go)`")

// scriptOf makes a script of a page's blocks.
func scriptOf(t *testing.T, page string) string {
	var script, files strings.Builder
	script.WriteString("env GOPROXY=off\n")
	parts := strings.Split("\n"+page, "\n```")
	for i := 1; i < len(parts); i += 2 {
		kind, block, _ := strings.Cut(parts[i], "\n")
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
	return script.String() + files.String()
}

// commands writes those of a block, and what must be seen. Where a line begins with "$ ", what is below it is the answer.
func commands(t *testing.T, script *strings.Builder, block string) {
	lines := strings.Split(block, "\n")
	dialogue := strings.HasPrefix(block, "$ ")
	for i, line := range lines {
		command, ok := strings.CutPrefix(line, "$ ")
		if dialogue && !ok {
			fmt.Fprintf(script, "stdout '%s'\n", pattern(line))
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
