package tx_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// hexBlock is a fenced block of README.md: "```hex NAME", then lines of hex, each with a
// remark after two spaces perhaps.
var hexBlock = regexp.MustCompile("(?ms)^```hex ([a-z_]+)\n(.*?)^```$")

var (
	indent = regexp.MustCompile(`^ +`)
	remark = regexp.MustCompile(`  .*$`)
)

// TestREADME holds the page against the vectors, byte by byte.
func TestREADME(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]string{}
	for _, m := range hexBlock.FindAllStringSubmatch(string(page), -1) {
		var b strings.Builder
		for line := range strings.Lines(m[2]) {
			line = remark.ReplaceAllString(indent.ReplaceAllString(strings.TrimSuffix(line, "\n"), ""), "")
			b.WriteString(strings.ReplaceAll(line, " ", ""))
		}
		if _, ok := blocks[m[1]]; ok {
			t.Errorf("README.md has two blocks %q", m[1])
		}
		blocks[m[1]] = b.String()
	}
	v := readVectors(t)
	want := map[string]string{}
	for _, k := range v.Keys {
		if k.Alg == "ES256" {
			want["private_key"], want["public_key"], want["kid"] = k.PrivateKey, k.PublicKey, k.Kid
			if !strings.Contains(string(page), k.Address) {
				t.Errorf("README.md lacks the address %s", k.Address)
			}
		}
	}
	for _, c := range v.Transactions {
		if c.Alg == "ES256" && c.Name == "a meter reading" {
			want["args"], want["payload"], want["protected"], want["sig_structure"] = c.Fields.Args, c.Payload, c.Protected, c.SigStructure
			want["id"], want["signature"], want["transaction"] = c.ID, c.Signature, c.Transaction
		}
	}
	for _, c := range v.Messages {
		if c.Alg == "ES256" {
			want["message"] = c.Message
		}
	}
	for name, bytes := range want {
		if blocks[name] != bytes {
			t.Errorf("README.md, block %q:\n%s\nwant\n%s", name, blocks[name], bytes)
		}
	}
	if len(blocks) != len(want) {
		t.Errorf("README.md has %d blocks of hex, %d are checked", len(blocks), len(want))
	}
	// The answers that it quotes are in the vectors too.
	reasons := ""
	for _, r := range v.Refused {
		reasons += r.Reason + "\n"
	}
	for _, m := range regexp.MustCompile("\\| `malformed`, (.*) \\|").FindAllStringSubmatch(string(page), -1) {
		part := m[1]
		if _, after, ok := strings.Cut(part, ": "); ok {
			part = after
		}
		if !strings.Contains(reasons, part) {
			t.Errorf("README.md quotes the reason %q, which no vector has", part)
		}
	}
}
