package specdoc_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/sdk/specdoc"
)

func spec() *abi.Spec {
	text, address := &abi.Type{Kind: abi.KindText}, &abi.Type{Kind: abi.KindAddress}
	door := &abi.Type{Kind: abi.KindStruct, Name: "Door", Fields: []abi.Field{
		{Name: "name", Doc: "its name", Type: text},
		{Name: "owner", Doc: "whose|it is", Type: address},
		{Name: "labels", Type: &abi.Type{Kind: abi.KindMap, Elem: text}, Optional: true},
	}}
	return &abi.Spec{ABI: 1, Name: "door",
		Methods: []abi.Method{
			{Name: "open", Doc: "Opens it.", Args: &abi.Type{Kind: abi.KindStruct, Fields: door.Fields[:2]}},
			{Name: "doors", Doc: "All of them.", View: true, Result: &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{
				{Name: "doors", Type: &abi.Type{Kind: abi.KindList, Elem: door}}}}},
		},
		Events: []abi.EventSpec{{Name: "opened", Doc: "It was\nopened.", Fields: door.Fields}},
		Errors: []abi.ErrorSpec{{Code: 7, Name: "closed", Doc: "It is closed."}},
	}
}

const want = "### Methods\n\nA `?` marks what may be left out. A view needs no transaction.\n\n" +
	"| method | takes | answers | what it does |\n|---|---|---|---|\n" +
	"| `open` | `name`, `owner` |  | Opens it. |\n" +
	"| `doors` (view) |  | `doors` list of Door | All of them. |\n\n" +
	"### Arguments\n\n| method | field | what it is |\n|---|---|---|\n" +
	"| `open` | `name` text | its name |\n|  | `owner` address | whose\\|it is |\n\n" +
	"### Types\n\n| type | field | what it is |\n|---|---|---|\n" +
	"| `Door` | `name` text | its name |\n|  | `owner` address | whose\\|it is |\n|  | `labels?` map to text |  |\n\n" +
	"### Events\n\n| event | attributes | when |\n|---|---|---|\n" +
	"| `opened` | `name` text, `owner` address, `labels?` map to text | It was opened. |\n\n" +
	"### Codes\n\n| code | name | meaning |\n|---|---|---|\n| 7 | `closed` | It is closed. |\n"

func TestMarkdown(t *testing.T) {
	if got := specdoc.Markdown(spec()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	write := func(s string) {
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("# Door\n\n" + specdoc.Begin + "\nold\n" + specdoc.End + "\nend\n")
	if err := specdoc.Check(path, spec(), false); err == nil || !strings.Contains(err.Error(), "-update") {
		t.Error(err)
	}
	for _, update := range []bool{true, false} {
		if err := specdoc.Check(path, spec(), update); err != nil {
			t.Error(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(got); s != "# Door\n\n"+specdoc.Begin+"\n\n"+want+"\n"+specdoc.End+"\nend\n" {
		t.Errorf("%s", s)
	}
	for _, broken := range []string{"# Door\n", specdoc.Begin + "\n"} {
		write(broken)
		if err := specdoc.Check(path, spec(), true); err == nil {
			t.Errorf("%q: no error", broken)
		}
	}
	if err := specdoc.Check(path+"x", spec(), true); err == nil {
		t.Error("a README that is not there is fine")
	}
}
