package sdktest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wardledger/ward/sdk/sdktest"
)

// TestReadme builds the contract of sdk/README.md in a module of its own, as the page says,
// and runs the test that stands below it there.
func TestReadme(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```go\n")
	source, _, closed := strings.Cut(rest, "\n```")
	if !ok || !closed || !strings.Contains(source, "package main") {
		t.Fatal("sdk/README.md does not begin with a contract")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"main.go": source,
		"go.mod": "module example.com/visits\n\ngo 1.26.0\n\nrequire github.com/wardledger/ward v0.0.0\n\n" +
			"replace github.com/wardledger/ward => " + root + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	type visit struct{ Name string }
	chain := sdktest.New(t, sdktest.Contract{Dir: dir})
	ada := chain.Account("ada")
	chain.Call(ada, "visits", "visit", visit{"Ada"}).OK().Emitted("visited")
	chain.Call(ada, "visits", "visit", visit{}).Failed("nobody")
	var n uint64
	chain.View("visits", "count", nil).OK().Result(&n)
	if n != 1 {
		t.Errorf("%d visits, want 1", n)
	}
}
