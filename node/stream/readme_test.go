package stream

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestReadme holds the table of errors in README.md against the code.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []kind{badParameter, unknownName, badCursor, futureCursor, unexpectedFrame, tooManySubscribers, logDamaged, shuttingDown, internal} {
		if row := fmt.Sprintf("\n| `%s` | %d | %d |", k.code, k.number, k.close); !strings.Contains(string(b), row) {
			t.Errorf("README.md has no row %q", row)
		}
	}
	for _, frame := range []string{"hello", "gap", "event", "live", "lagging", "error"} {
		if !strings.Contains(string(b), "\n**"+frame+"**, ") || !strings.Contains(string(b), `{"type":"`+frame+`",`) {
			t.Errorf("README.md does not explain the frame %q with an example", frame)
		}
	}
}
