package cli

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/build"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/wire"
)

func contractCommand() *urfave.Command {
	return &urfave.Command{
		Name: "contract", Usage: "start, test, build, deploy, upgrade and list contracts",
		Subcommands: slices.Concat(authorCommands(), []*urfave.Command{
			{
				Name: "build", Usage: "compile a contract written in Go", ArgsUsage: "FOLDER",
				Description: `Compiles the package main in FOLDER to Wasm with the Go command, asks it for its spec, and
writes both into one file. The same sources and toolchain give the same bytes.

  ward contract build ./mycontract
  ward contract build ./mycontract --out my.wasm --toolchain go1.26.8
  ward contract build ./mycontract --size    what fills the module
  ward contract build ./mycontract --debug   keep the names of functions, for traces`,
				Flags: []urfave.Flag{
					&urfave.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "`FILE` to write", DefaultText: "NAME.wasm in the current folder"},
					&urfave.StringFlag{Name: "toolchain", Usage: "Go toolchain that must compile it, such as go1.26.8"},
					&urfave.BoolFlag{Name: "debug", Usage: "keep the names of functions, so that a trace says where it trapped; another module than without"},
					&urfave.BoolFlag{Name: "size", Usage: "say what fills the module"},
					jsonFlag,
				},
				Action: contractBuild,
			},
			{
				Name: "deploy", Usage: "put a contract on the chain", ArgsUsage: "FILE|FOLDER",
				Description: `Deploys a .wasm file, or builds a folder first. "ward authority parameters" says who may: at first
only the chain's operator. Anybody may deploy what the authorities have permitted, with the same --init.

  ward contract deploy my.wasm --key operator
  ward contract deploy ./mycontract --name my-2 --init '{"limit":3}'
  ward contract deploy my.wasm --delay 48h         whoever relies on it hears of a change two days before`,
				Flags: []urfave.Flag{
					keyFlag,
					&urfave.StringFlag{Name: "name", Usage: "`NAME` of the contract on the chain", DefaultText: "as its spec says"},
					&urfave.StringFlag{Name: "init", Usage: "arguments for the contract's init as a `JSON` object, or @FILE"},
					&urfave.DurationFlag{Name: "delay", Usage: "`TIME` for which a change of its code is announced, such as 48h", DefaultText: "none"},
					&urfave.Uint64Flag{Name: "gas", Usage: "gas `LIMIT`", DefaultText: "by the size of the code"},
					&urfave.StringFlag{Name: "toolchain", Usage: "Go toolchain that must compile a FOLDER"},
					nodeFlag, homeFlag, passFlag, jsonFlag,
				},
				Action: contractDeploy,
			},
			{
				Name: "list", Usage: "list the contracts on the chain, and what powers they have",
				Flags:  []urfave.Flag{nodeFlag, jsonFlag},
				Action: contractList,
			},
			{
				Name: "show", Usage: "show a contract on the chain: its code and version, whose it is, what powers it has, what is announced", ArgsUsage: "NAME",
				Description: `  ward contract show devices
  ward contract show devices --json`,
				Flags:  []urfave.Flag{nodeFlag, jsonFlag},
				Action: contractShow,
			},
			{
				Name: "spec", Usage: "show what a contract offers", ArgsUsage: "NAME|FILE|FOLDER",
				Description: `  ward contract spec access         of a contract on the chain; of a standard one also if no node answers
  ward contract spec my.wasm        of a file, or a folder such as ./my; no node is asked
  ward contract spec access --json  with every type
  ward contract spec access --schema > access.schema.json
                                    as JSON Schema: of a call, and under $defs of all arguments, results
                                    and events, for editors, forms and validators`,
				Flags:  []urfave.Flag{&urfave.BoolFlag{Name: "schema", Usage: "as JSON Schema, draft 2020-12"}, nodeFlag, jsonFlag},
				Action: contractSpec,
			},
			clientCommand(),
		}, upgradeCommands()),
	}
}

type moduleJSON struct {
	Name      string    `json:"name"`
	File      string    `json:"file,omitempty"`
	Bytes     int       `json:"bytes"`
	Hash      string    `json:"hash"`
	Toolchain string    `json:"toolchain"`
	Size      *sizeJSON `json:"size,omitempty"`
}

// sizeJSON is what fills a module, in bytes.
type sizeJSON struct {
	Sections  []partJSON `json:"sections"`
	Packages  []partJSON `json:"packages"`
	Functions []partJSON `json:"functions"` // the largest
}

type partJSON struct {
	Name  string `json:"name"`
	Bytes int    `json:"bytes"`
}

func parts(list []build.Part) (out []partJSON) {
	for _, p := range list {
		out = append(out, partJSON(p))
	}
	return out
}

// shownParts is how many packages and sections are shown to people.
const shownParts = 12

// printParts shows the largest parts of a whole.
func (s *session) printParts(title string, list []partJSON, whole int) {
	s.printf("\n%s\n", title)
	var rows [][]string
	rest := 0
	for i, p := range list {
		if i >= shownParts {
			rest += p.Bytes
			continue
		}
		rows = append(rows, []string{fmt.Sprintf("  %8d", p.Bytes), fmt.Sprintf("%4.1f%%", 100*float64(p.Bytes)/float64(whole)), text(p.Name)})
	}
	if rest > 0 {
		rows = append(rows, []string{fmt.Sprintf("  %8d", rest), fmt.Sprintf("%4.1f%%", 100*float64(rest)/float64(whole)), fmt.Sprintf("%d more", len(list)-shownParts)})
	}
	s.table(rows)
}

func contractBuild(c *urfave.Context) error {
	args, err := arguments(c, "FOLDER")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	options := build.Options{Dir: args[0], Toolchain: c.String("toolchain"), Debug: c.Bool("debug")}
	m, err := s.buildWith(options)
	if err != nil {
		return err
	}
	var size *sizeJSON
	if c.Bool("size") {
		sizes, err := build.Measure(s.ctx, options, m)
		if err != nil {
			return err
		}
		size = &sizeJSON{parts(sizes.Sections), parts(sizes.Packages), parts(sizes.Functions)}
	}
	path := c.String("out")
	if path == "" {
		path = m.Name + ".wasm"
	}
	if err := overwrite(path, m.Wasm, "a Wasm module", wasmMagic); err != nil {
		return err
	}
	return s.print(moduleJSON{m.Name, path, m.Size, hex.EncodeToString(m.Hash[:]), m.Toolchain, size}, func() {
		s.table([][]string{
			{"contract", m.Name},
			{"file", fmt.Sprintf("%s, %d bytes", path, m.Size)},
			{"hash", hex.EncodeToString(m.Hash[:])},
			{"toolchain", m.Toolchain},
		})
		if size != nil {
			s.printParts("sections", size.Sections, m.Size)
			s.printParts("code by package", size.Packages, m.Size)
			s.printParts("largest functions", size.Functions, m.Size)
		}
	})
}

// build compiles the contract in a folder.
func (s *session) build(dir, toolchain string) (*build.Module, error) {
	return s.buildWith(build.Options{Dir: dir, Toolchain: toolchain})
}

func (s *session) buildWith(o build.Options) (*build.Module, error) {
	p := s.progress()
	p.say("building %s (the first time on a machine takes a minute)", o.Dir)
	defer p.done()
	m, err := build.Contract(s.ctx, o)
	if s.ctx.Err() != nil {
		return nil, context.Cause(s.ctx)
	}
	return m, err
}

// module opens a .wasm file, or builds a folder.
func (s *session) module(path, toolchain string) (*build.Module, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return s.build(path, toolchain)
	}
	wasm, err := readFrom(s.in, path, abi.MaxModule)
	if err != nil {
		return nil, err
	}
	m, err := build.Open(wasm)
	if err != nil {
		return nil, hint(fmt.Errorf("%s: %w", path, err), "\"ward contract build FOLDER\" makes files that can be deployed")
	}
	return m, nil
}

// priced is module with the gas that its deployment takes before anything of it runs.
func (s *session) priced(c *urfave.Context, path string) (*build.Module, uint64, error) {
	m, err := s.module(path, c.String("toolchain"))
	if err != nil {
		return nil, 0, err
	}
	price, err := runtime.DeployGas(m.Wasm)
	if err != nil {
		return nil, 0, fmt.Errorf("%s would be refused: %w", path, err)
	}
	return m, price, nil
}

func contractDeploy(c *urfave.Context) error {
	args, err := arguments(c, "FILE or FOLDER")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	m, price, err := s.priced(c, args[0])
	if err != nil {
		return err
	}
	deploy := struct {
		Code  []byte
		Init  []byte `wire:",omitempty"`
		Name  string
		Delay int64 `wire:",omitempty"`
	}{Code: m.Wasm, Name: c.String("name")}
	if deploy.Delay, err = delaySeconds("delay", c.Duration("delay")); err != nil {
		return err
	}
	if deploy.Name == "" {
		deploy.Name = m.Name
	}
	if !abi.ValidContract(deploy.Name) {
		return usagef("--name %q: a lower-case letter, then lower-case letters, digits and \"-\", at most %d", deploy.Name, abi.MaxContractName)
	}
	if deploy.Init, err = s.initArgs(m.Spec, c.String("init")); err != nil {
		return err
	}
	key, err := s.signer()
	if err != nil {
		return err
	}
	encoded, err := wire.Marshal(deploy)
	if err != nil {
		return err
	}
	limit := c.Uint64("gas")
	if limit == 0 {
		limit = min(client.DefaultGas+gas.PerTxByte*uint64(len(encoded))+price+gas.MaxInit, gas.MaxLimit)
	}
	_, err = s.wait(key, tx.DeployContract, "deploy", client.Args(encoded), client.Options{GasLimit: limit}, m.Spec)
	return err
}

// initArgs are the arguments of a contract's init, nil for none.
func (s *session) initArgs(spec *abi.Spec, document string) ([]byte, error) {
	m, has := spec.Method(initMethod)
	if path, ok := strings.CutPrefix(document, "@"); ok {
		content, err := readFrom(s.in, path, specjson.MaxJSON)
		if err != nil {
			return nil, err
		}
		document = string(content)
	}
	if document == "" {
		if has && m.Args != nil {
			if _, err := specjson.FromFlags(m.Args, nil); err != nil {
				return nil, usagef("%s needs --init: %w", spec.Name, err)
			}
		}
		return nil, nil
	}
	if !has || m.Args == nil {
		return nil, usagef("--init: %s takes no arguments", spec.Name)
	}
	encoded, err := specjson.ToCBOR(m.Args, []byte(document))
	if err != nil {
		return nil, usagef("--init: %w", inDocument(err))
	}
	return encoded, nil
}

// initMethod is what is called when a contract is created, and never later.
const initMethod = "init"

func contractList(c *urfave.Context) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	var rows [][]string
	for after := ""; ; {
		contracts, next, err := s.client.Contracts(s.ctx, after, pageSize)
		if err != nil {
			return err
		}
		for _, k := range contracts {
			err := s.print(contractJSON{k, addressText(k.Admin)}, func() {
				rows = append(rows, []string{k.Name, k.Code, since(k), strings.Join(k.Capabilities, ",")})
			})
			if err != nil {
				return err
			}
		}
		if next == "" {
			s.table(rows)
			return nil
		}
		after = next
	}
}

type contractJSON struct {
	*client.Contract
	Admin string `json:"admin"`
}

// since is when a contract came to be, for people.
func since(k *client.Contract) string {
	if k.Created == 0 {
		return "from genesis"
	}
	return fmt.Sprintf("since block %d", k.Created)
}

func contractShow(c *urfave.Context) error {
	args, err := arguments(c, "NAME")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	k, err := s.client.Contract(s.ctx, args[0])
	if err != nil {
		return err
	}
	j := contractJSON{k, addressText(k.Admin)}
	return s.print(j, func() {
		admin, powers := j.Admin, strings.Join(k.Capabilities, ",")
		if admin == "" {
			admin = "nobody"
		}
		if powers == "" {
			powers = "none"
		}
		s.table([][]string{{"contract", k.Name}, {"code", k.Code}, {"version", fmt.Sprint(k.Version)}, {"there", since(k)}, {"admin", admin}, {"capabilities", powers}})
		s.table(timelockRows(k))
	})
}

func contractSpec(c *urfave.Context) error {
	args, err := arguments(c, "NAME, FILE or FOLDER")
	if err != nil {
		return err
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	name, spec, err := s.specOf(args[0])
	if err != nil {
		return err
	}
	if c.Bool("schema") {
		_, err := fmt.Fprintf(s.out, "%s\n", specjson.Schema(spec))
		return err
	}
	return s.print(json.RawMessage(specjson.Spec(spec)), func() { s.showSpec(name, spec) })
}

func (s *session) showSpec(name string, spec *abi.Spec) {
	v := &invocation{session: s, spec: spec, contract: name}
	s.printf("%s\n", v.contractHelp())
	if len(spec.Events) > 0 {
		s.printf("events\n")
		var rows [][]string
		for _, e := range spec.Events {
			var fields []string
			for _, f := range e.Fields {
				fields = append(fields, f.Name)
			}
			rows = append(rows, []string{"  " + e.Name, strings.Join(fields, ", ")})
		}
		s.table(rows)
		s.printf("\n")
	}
	if len(spec.Errors) > 0 {
		s.printf("errors\n")
		var rows [][]string
		for _, e := range spec.Errors {
			rows = append(rows, []string{fmt.Sprintf("  %d", e.Code), e.Name, e.Doc})
		}
		s.table(rows)
	}
}
