package cli_test

import (
	"os"
	"strings"
	"testing"
)

// TestReadmeContract keeps the README's contract the one that is built and tested.
func TestReadmeContract(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("../contracts/hello/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```go\n"+strings.TrimSpace(string(source))+"\n```") {
		t.Error("the contract in README.md is not contracts/hello/main.go")
	}
}
