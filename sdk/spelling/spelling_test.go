package spelling_test

import (
	"testing"

	"github.com/wardledger/ward/sdk/spelling"
)

func TestNearest(t *testing.T) {
	known := []string{"node", "no-wait", "key", "k", "gas"}
	for name, want := range map[string]string{
		"nod": "node", "noed": "node", "nowait": "no-wait", "keys": "key", "gsa": "gas", "ga": "gas",
		"": "", "x": "", "kk": "", "xyz": "", "gasoline": "", "NODE": "",
	} {
		if got := spelling.Nearest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
