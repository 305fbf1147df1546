package stream

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/runtime/receipt"
)

// TestWire holds the page that clients of other languages are written from against this
// package: it shows each kind of frame with all of its members and no other, and tells of each
// error.
func TestWire(t *testing.T) {
	b, err := os.ReadFile("../../sdk/WIRE.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)

	shown := make(map[string][]string) // kind of frame to its members
	for _, m := range regexp.MustCompile("(?ms)^```json frame (\\w+)\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		var frame map[string]any
		if err := json.Unmarshal([]byte(m[2]), &frame); err != nil {
			t.Errorf("sdk/WIRE.md, frame %s: %v", m[1], err)
			continue
		}
		if frame["type"] != m[1] {
			t.Errorf("sdk/WIRE.md, frame %s has the type %v", m[1], frame["type"])
		}
		shown[m[1]] = members(frame)
	}
	event := map[string]any{}
	if err := json.Unmarshal(eventFrame(Prev{}, AppendEvent(nil, &eventlog.Entry{Cursor: receipt.Cursor{Height: 1}}, nil)), &event); err != nil {
		t.Fatal(err)
	}
	sent := map[string][]string{"event": members(event)}
	kinds := frameKinds(t)
	for name, frame := range map[string]any{
		"helloFrame": helloFrame{}, "gapFrame": gapFrame{}, "liveFrame": liveFrame{}, "laggingFrame": laggingFrame{}, "errorFrame": errorFrame{},
	} {
		var tags []string
		for f := range reflect.TypeOf(frame).Fields() {
			tags = append(tags, f.Tag.Get("json"))
		}
		slices.Sort(tags)
		for _, kind := range kinds[name] {
			sent[kind] = tags
		}
		delete(kinds, name)
	}
	if len(kinds) != 0 {
		t.Errorf("frames that this test doesn't know, and sdk/WIRE.md perhaps neither: %v", kinds)
	}
	if !reflect.DeepEqual(shown, sent) {
		t.Errorf("sdk/WIRE.md shows the frames\n%v\nand this package sends\n%v", shown, sent)
	}

	rows := make(map[string]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `\\w+` \\| \\d+ \\| \\d+ \\|").FindAllString(page, -1) {
		rows[row] = true
	}
	for _, k := range []kind{badParameter, unknownName, badCursor, futureCursor, unexpectedFrame, tooManySubscribers, logDamaged, shuttingDown, internal} {
		row := fmt.Sprintf("| `%s` | %d | %d |", k.code, k.number, k.close)
		if !rows[row] {
			t.Errorf("sdk/WIRE.md has no row %q", row)
		}
		delete(rows, row)
	}
	for row := range rows {
		t.Errorf("sdk/WIRE.md has a row %q, which is no error", row)
	}
	for _, row := range []string{
		fmt.Sprintf("\n| attribute filters | %d |\n", eventlog.MaxAttributes),
		fmt.Sprintf("\n| value of a filter | %d bytes |\n", MaxValue),
		fmt.Sprintf("\n| pings and pongs of a stream's client at once | %d |\n", pingBurst),
	} {
		if !strings.Contains(page, row) {
			t.Errorf("sdk/WIRE.md has no row %q", row)
		}
	}
}

func members(object map[string]any) []string {
	var names []string
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// frameKinds reads from the source which kinds of frames are made: the first field of each
// literal of a type whose name ends in Frame.
func frameKinds(t *testing.T) map[string][]string {
	t.Helper()
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string][]string)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			of, ok := literal.Type.(*ast.Ident)
			if !ok || !strings.HasSuffix(of.Name, "Frame") {
				return true
			}
			first, ok := literal.Elts[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: a %s whose kind is no literal", name, of.Name)
				return true
			}
			kind, err := strconv.Unquote(first.Value)
			if err != nil {
				t.Error(err)
			}
			if !slices.Contains(kinds[of.Name], kind) {
				kinds[of.Name] = append(kinds[of.Name], kind)
			}
			return true
		})
	}
	return kinds
}
