package build_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wardledger/ward/sdk/build"
	"github.com/wardledger/ward/sdk/template"
)

// What spec.json says of a contract in C is held against the module: each mistake has its line and what to do.
func TestSpecOfC(t *testing.T) {
	needsClang(t)
	dir := filepath.Join(t.TempDir(), "count")
	if err := template.Write(dir, "count", template.C); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "c")
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	spec, source := read("spec.json"), read("main.c")
	for _, c := range []struct{ name, file, from, to, want string }{
		{"nothing", "spec.json", "", "", ""},
		{"a method that the contract hasn't", "spec.json", `{"name": "total"`, `{"name": "sum"`,
			"spec.json:11: the method sum: the contract says that it has no such method: no such method"},
		{"a method that the contract hasn't any more", "main.c", `called("add", 3`, `called("plus", 4`, "spec.json:6: the method add: the contract says that it has no such method"},
		{"an init that the contract hasn't", "spec.json", `"methods": [`, "\"methods\": [\n{\"name\": \"init\", \"doc\": \"Begins.\"},", "spec.json:5: the method init: "},
		{"arguments that nobody can send", "spec.json", `"methods": [`, "\"methods\": [\n" +
			`{"name": "big", "doc": "Takes much.", "args": {"kind": "struct", "fields": [{"name": "a", "type": {"kind": "bytes", "size": 65536}}]}},`,
			"spec.json:5: the method big: nobody can call it: what it takes is 65544 bytes and more, limit 65536"},
		{"something behind the end", "spec.json", "", "{}", "spec.json:1: spec: something stands behind its end, from byte "},
		{"a view that writes", "spec.json", `"doc": "Add to the total, and answer what it is.",`, `"doc": "Adds.", "view": true,`,
			`spec.json:6: the method add: it is a "view" and writes: set in a view: a view changes nothing`},
		{"a method that needs other rows", "main.c", "static void add(void) {", "static void add(void) { ward_fail(3, WARD_STR(\"not now\"));", ""},
		{"a method that traps", "main.c", "static void add(void) {", "static void add(void) { __builtin_trap();", ""},
		{"a method that never ends", "main.c", "static void add(void) {", "static void add(void) { for (volatile int i = 0;; i++);", ""},
		{"a comma", "spec.json", `"doc": "Counts to a million.",`, `"doc": "Counts to a million."`, "spec.json:4: spec: "},
		{"an end too early", "spec.json", `"doc": "It counts to a million."}]
}`, `"doc": "It counts to a million."}]`, "spec.json:24: spec: it ends too early"},
		{"nothing in it", "spec.json", spec, "", "spec.json:1: spec: it is empty"},
		{"more behind it", "spec.json", `"doc": "It counts to a million."}]
}`, `"doc": "It counts to a million."}]
}
{}`, "spec.json:25: spec: something stands behind its end, from byte "},
		{"a list", "spec.json", spec, "[]", "spec.json:1: spec: an array where an object must be"},
		{"no doc", "spec.json", `"doc": "Say what the total is."`, `"doc": ""`, "spec.json:11: the view total has no doc: say in a sentence what it does"},
		{"no doc of an event", "spec.json", `"doc": "The total has grown.",`, "", "spec.json:15: the event added has no doc: say"},
		{"no doc of an error", "spec.json", `, "doc": "It counts to a million."`, "", "spec.json:23: the error too_much has no doc: say"},
		{"another type", "spec.json", `"doc": "Counts to a million."`, `"doc": 7`, "spec.json:3: spec: "},
		{"a field that there isn't", "spec.json", `"view": true`, `"veiw": true`, `spec.json:11: spec: json: unknown field "veiw"`},
		{"a kind that there isn't", "spec.json", `"result": {"kind": "uint", "size": 32}
    }`, `"result": {"kind": "float"}
    }`, `spec.json:9: spec: method add: result: no kind "float"`},
		{"a field without a type", "spec.json", `{"name": "total", "doc": "to what", "type": {"kind": "uint", "size": 32}}`, `{"name": "total", "doc": "to what"}`,
			"spec.json:19: spec: event added: field total: has no type"},
		{"a name twice", "spec.json", `{"name": "total", "doc": "Say`, `{"name": "add", "doc": "Say`, "spec.json:11: spec: view add is there twice"},
		{"a code that is reserved", "spec.json", `"code": 2`, `"code": 0`, "spec.json:23: spec: error too_much has code 0, which means success"},
		{"a name that is none", "spec.json", `{"name": "total", "doc": "Say`, `{"name": "Total", "doc": "Say`, "spec.json:11: spec: view"},
		{"a size that there isn't", "spec.json", `"view": true, "result": {"kind": "uint", "size": 32}`, `"view": true, "result": {"kind": "uint", "size": 7}`,
			"spec.json:11: spec: view total: result: uint of 7 bits: 8, 16 and 32 are sizes"},
	} {
		edit := func(file, content string) string {
			if c.file != file {
				return content
			}
			if !strings.Contains(content, c.from) {
				t.Fatalf("%s: nothing to edit", c.name)
			}
			return strings.Replace(content, c.from, c.to, 1)
		}
		write(t, dir, "spec.json", edit("spec.json", spec))
		write(t, dir, "main.c", edit("main.c", source))
		_, err := build.Contract(t.Context(), build.Options{Dir: dir})
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), filepath.Join(dir, c.want)) || !as[*build.SourceError](err)):
			t.Errorf("%s: got\n%v\nwant\n%s", c.name, err, c.want)
		}
	}
}
