package api

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
)

// TestWire holds the page that clients of other languages are written from against this
// package: it tells of each endpoint and no other, and of each code with its status.
func TestWire(t *testing.T) {
	b, err := os.ReadFile("../../sdk/WIRE.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)

	var told []string
	for _, m := range regexp.MustCompile(`(?m)^### ((?:GET|POST|PUT|DELETE|PATCH) /.*)$`).FindAllStringSubmatch(page, -1) {
		told = append(told, m[1])
	}
	slices.Sort(told)
	var served []string
	for pattern := range maps.Keys((&Server{metrics: newMetrics(&Server{})}).handlers()) {
		served = append(served, strings.TrimSuffix(pattern, "{$}"))
	}
	slices.Sort(served)
	if !slices.Equal(told, served) {
		t.Errorf("sdk/WIRE.md tells of the endpoints\n%s\nand there are\n%s", strings.Join(told, "\n"), strings.Join(served, "\n"))
	}

	// | 1000 | `not_found` | 404 | ...
	rows := make(map[string]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| \\d+ \\| `\\w+` \\| \\d+ \\|").FindAllString(page, -1) {
		rows[row] = true
	}
	want := func(number int, code string, status int) {
		row := fmt.Sprintf("| %d | `%s` | %d |", number, code, status)
		if !rows[row] {
			t.Errorf("sdk/WIRE.md has no row %q", row)
		}
		delete(rows, row)
	}
	want(0, "ok", 200)
	for _, code := range receipt.Codes() {
		if code != receipt.OK {
			want(int(code), code.Name(), refusal(&receipt.Receipt{Code: code}, nil).status)
		}
	}
	for _, k := range []kind{notFound, badRequest, methodNotAllowed, unsupportedMediaType, bodyTooLarge, rateLimited, internal, unavailable, futureHeight, pruned, timedOut, notAView} {
		want(k.number, k.code, k.status)
	}
	want(1012, "forbidden_origin", 403) // node/stream answers these two by HTTP
	want(1013, "upgrade_required", 426)
	for row := range rows {
		t.Errorf("sdk/WIRE.md has a row %q, which is no code", row)
	}
	for _, row := range []string{
		fmt.Sprintf("\n| body of a query | %d bytes |\n", maxArguments),
		fmt.Sprintf("\n| items of a page | %d |\n", maxPage),
		fmt.Sprintf("\n| wait for a commit | %.0f s |\n", maxWait.Seconds()),
	} {
		if !strings.Contains(page, row) {
			t.Errorf("sdk/WIRE.md has no row %q", row)
		}
	}
}
