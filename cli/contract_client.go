package cli

import (
	"bytes"
	"errors"
	"fmt"
	gobuild "go/build"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/contracts"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/specgo"
)

func clientCommand() *urfave.Command {
	return &urfave.Command{
		Name: "client", Usage: "write the Go with which another contract calls this one", ArgsUsage: "NAME|FILE|FOLDER",
		Description: `Writes a package of types and methods, made from the contract's spec, for a contract in Go that calls it. Keep
the file with that contract, and write it anew when the other one has changed.

  ward contract client devices                  devices/devices.go, of the contract on the chain; of a standard
                                                contract also if no node answers
  ward contract client door.wasm                of a file; no node is asked
  ward contract client ../door --method open    only this method, for a smaller module; --method can be repeated
  ward contract client devices --package remote --out remote/devices.go
  ward contract client devices --out -          to the terminal

  a, err := devices.At("devices").Status(c, devices.StatusArgs{Device: meter})`,
		Flags: []urfave.Flag{
			&urfave.StringFlag{Name: "package", Usage: "`NAME` of the Go package", DefaultText: "the contract's, without \"-\""},
			&urfave.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "`FILE` to write, or - for stdout", DefaultText: "PACKAGE/PACKAGE.go in the current folder"},
			&urfave.StringSliceFlag{Name: "method", Usage: "only the method `NAME`, and others named so", DefaultText: "all"},
			nodeFlag, jsonFlag,
		},
		Action: contractClient,
	}
}

// clientJSON says what was written. Without a file it has the Go itself.
type clientJSON struct {
	Contract string   `json:"contract"`
	Package  string   `json:"package"`
	Import   string   `json:"import,omitempty"`
	File     string   `json:"file,omitempty"`
	Methods  []string `json:"methods"`
	Go       string   `json:"go,omitempty"`
}

func contractClient(c *urfave.Context) error {
	args, err := arguments(c, "NAME, FILE or FOLDER")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	_, spec, err := s.specOf(args[0])
	if err != nil {
		return err
	}
	o := specgo.Options{Package: c.String("package"), Methods: c.StringSlice("method")}
	source, err := specgo.Client(spec, o)
	switch {
	case err != nil && (len(o.Methods) > 0 || o.Package != ""):
		return usagef("%w", err)
	case err != nil:
		return err
	}
	if o.Package == "" {
		o.Package = specgo.Package(spec.Name)
	}
	out := clientJSON{Contract: spec.Name, Package: o.Package, File: c.String("out"), Methods: specgo.Methods(spec)}
	if len(o.Methods) > 0 {
		out.Methods = slices.DeleteFunc(out.Methods, func(m string) bool { return !slices.Contains(o.Methods, m) })
	}
	switch {
	case out.File == "-":
		out.File, out.Go = "", string(source)
		return s.print(out, func() { s.printf("%s", source) })
	case out.File == "" && o.Package == "main":
		out.File = specgo.Package(spec.Name) + ".go"
	case out.File == "":
		out.File = filepath.Join(o.Package, o.Package+".go")
	}
	if err := writeGenerated(out.File, o.Package, source); err != nil {
		return err
	}
	if o.Package != "main" {
		out.Import = importPath(filepath.Dir(out.File))
	}
	return s.print(out, func() {
		rows := [][]string{{"contract", spec.Name}, {"file", out.File}, {"package", out.Package}}
		if out.Import != "" {
			rows = append(rows, []string{"import", fmt.Sprintf("%q", out.Import)})
		}
		s.table(append(rows, []string{"methods", strings.Join(out.Methods, ", ")}))
	})
}

// specOf finds a spec: of a file or folder if what names it can be no contract's name, of a contract on the chain otherwise. If
// no node answers, a standard contract is the one that this program has.
func (s *session) specOf(arg string) (name string, spec *abi.Spec, err error) {
	if filepath.Ext(arg) == ".wasm" || strings.ContainsRune(arg, filepath.Separator) || strings.HasPrefix(arg, ".") {
		m, err := s.module(arg, "")
		if err != nil {
			return "", nil, err
		}
		return m.Name, m.Spec, nil
	}
	spec, err = s.client.Spec(s.ctx, arg)
	if err == nil {
		return arg, spec, nil
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		if !slices.Contains(contracts.Names(), arg) {
			return "", nil, hint(err, "a node (\"ward node\", or --node for another), or the contract's .wasm file or folder")
		}
		p := s.progress()
		p.say("no node: reading the standard contract %s", arg)
		defer p.done()
		m, err := contracts.Named(s.ctx, contracts.Options{}, arg)
		if err != nil {
			return "", nil, err
		}
		if !s.json {
			p.done()
			fmt.Fprintf(s.err, "no node answers at %s: this is the standard contract %s as ward has it\n", text(s.node), arg)
		}
		return arg, m.Spec, nil
	}
	if u, ok := errors.AsType[*client.Unserved](err); ok && u.NotFound() {
		return "", nil, hint(err, "the contract has no spec: who wrote it can tell what it takes")
	}
	return "", nil, err
}

// writeGenerated writes a file of a Go package, in place of one that was generated, too, but of no other, and not beside another package, nor
// where Go would pass over it.
func writeGenerated(file, name string, source []byte) error {
	if err := compiled(file, source); err != nil {
		return err
	}
	there, err := os.ReadFile(file)
	switch {
	case err == nil && !bytes.HasPrefix(there, []byte(specgo.Header)):
		return hint(fmt.Errorf("%s is there already, and was not written by \"ward contract client\"", file), "another --out, or move it away")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	beside, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*.go"))
	for _, other := range beside {
		f, err := parser.ParseFile(token.NewFileSet(), other, nil, parser.PackageClauseOnly)
		if err == nil && !strings.HasSuffix(other, "_test.go") && f.Name.Name != name && filepath.Clean(other) != filepath.Clean(file) {
			return hint(fmt.Errorf("%s would be package %s beside %s, which is package %s", file, name, other, f.Name.Name),
				"--out in another folder, or --package %s", f.Name.Name)
		}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, source, 0o644)
}

// compiled says why a file would not be compiled into a contract, by its name and its folder's.
func compiled(file string, source []byte) error {
	base, folder := filepath.Base(file), filepath.Base(filepath.Dir(file))
	context := gobuild.Default
	context.GOOS, context.GOARCH = "wasip1", "wasm"
	context.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(source)), nil }
	match, err := context.MatchFile(filepath.Dir(file), base)
	why := ""
	switch {
	case filepath.Ext(base) != ".go":
		why = "its name doesn't end in .go"
	case strings.HasSuffix(base, "_test.go"):
		why = "it is taken for a test"
	case folder == "vendor" || folder == "testdata":
		why = "a folder " + folder + " is for something else"
	case err != nil || !match:
		why = "it is taken for a file of another system"
	default:
		return nil
	}
	return usagef("%s: Go would not find it in a contract: %s; --out says where, such as remote/devices.go", file, why)
}

// importPath is how Go files of the same module import the package in a folder, or "" if that is in no module.
func importPath(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for root := dir; ; root = filepath.Dir(root) {
		mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
		if err == nil {
			for line := range strings.Lines(string(mod)) {
				if f := strings.Fields(line); len(f) == 2 && f[0] == "module" {
					below, err := filepath.Rel(root, dir)
					if err != nil {
						return ""
					}
					return path.Join(strings.Trim(f[1], `"`), filepath.ToSlash(below))
				}
			}
			return ""
		}
		if root == filepath.Dir(root) {
			return ""
		}
	}
}
