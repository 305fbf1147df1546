package api

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
)

// TestReadme holds README.md against the code: every error with its number and status, every
// route and every metric is there.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(b)
	for _, k := range []kind{notFound, badRequest, methodNotAllowed, unsupportedMediaType, bodyTooLarge, rateLimited, internal, unavailable, futureHeight, pruned, timedOut, notAView} {
		if row := fmt.Sprintf("\n| %d | `%s` | %d |", k.number, k.code, k.status); !strings.Contains(readme, row) {
			t.Errorf("README.md has no row %q", row)
		}
	}
	// | 1 3 | `malformed` `wrong_chain` | 400 |
	documented := make(map[string]string) // code to "number status"
	for _, row := range regexp.MustCompile("(?m)^\\| ([\\d ]+) \\| ([`\\w ]+) \\| (\\d+)").FindAllStringSubmatch(readme, -1) {
		numbers, names := strings.Fields(row[1]), strings.Fields(strings.ReplaceAll(row[2], "`", ""))
		if len(numbers) != len(names) {
			t.Errorf("row %q has %d numbers and %d codes", row[0], len(numbers), len(names))
			continue
		}
		for i := range names {
			documented[names[i]] = numbers[i] + " " + row[3]
		}
	}
	for _, code := range receipt.Codes() {
		if code == receipt.OK {
			continue
		}
		f := refusal(&receipt.Receipt{Code: code}, nil)
		if want := strconv.Itoa(int(code)) + " " + strconv.Itoa(f.status); documented[code.Name()] != want {
			t.Errorf("README.md says %q of %s, want %q", documented[code.Name()], code.Name(), want)
		}
	}
	for _, heading := range []string{
		"GET /", "POST /v1/tx", "GET /v1/tx/{id}", "GET /v1/tx/{id}/trace", "GET /v1/blocks/{height}", "GET /v1/contracts", "GET /v1/contracts/{name}",
		"POST /v1/contracts/{name}/query/{method}", "POST /v1/contracts/{name}/simulate/{method}", "GET /v1/keys/{kid}", "GET /v1/events", "GET /v1/events/stream", "GET /v1/status", "GET /healthz", "GET /metrics",
	} {
		if !strings.Contains(readme, "\n## "+heading+"\n") {
			t.Errorf("README.md has no section %q", heading)
		}
	}
	for _, metric := range []string{
		"ward_height", "ward_block_time_lag_seconds", "ward_transactions_total{code}", "ward_events_total", "ward_mempool_transactions", "ward_subscribers",
		"ward_stream_frames_total", "ward_stream_closed_total{why}", "ward_http_requests_total{route,status}", "ward_http_request_seconds{route}",
	} {
		if !strings.Contains(readme, "| `"+metric+"` |") {
			t.Errorf("README.md has no metric %q", metric)
		}
	}
}
