package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
)

// An invocation is a command line of call or query:
//
//	[options] CONTRACT METHOD [--field value ...] [options]
//
// Its flags beyond our own options come from the contract's spec, so urfave/cli can't read
// it: what --key means is known once the node has been asked. A field of the method beats
// an option of the same name after METHOD; before CONTRACT there are options only.
type invocation struct {
	*session
	options  map[string]string // by name
	spec     *abi.Spec         // nil if no contract was named
	contract string
	method   *abi.Method // nil if none was named
	args     client.Args
	require  []requirement
	help     bool
	flags    []urfave.Flag
	name     string // of the command, such as "ward call"
}

// parseInvocation reads a command line and asks the node for the contract's spec. The
// error is a *usageError with the method's help where the flags don't fit it.
func parseInvocation(c *urfave.Context, view bool) (*invocation, error) {
	v := &invocation{options: make(map[string]string), flags: c.Command.Flags, name: c.Command.HelpName}
	var names, later []string
	tokens := c.Args().Slice()
	for i := 0; i < len(tokens); i++ {
		if len(names) == 2 {
			later = tokens[i:]
			break
		}
		if !isFlag(tokens[i]) {
			names = append(names, tokens[i])
			continue
		}
		n, err := v.option(tokens[i:])
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, usagef("%s has no option %s before CONTRACT METHOD", v.name, tokens[i])
		}
		i += n - 1
	}
	for _, f := range v.flags { // what wasn't given: the environment's, or the default
		name := f.Names()[0]
		if _, given := v.options[name]; given {
			continue
		}
		if fromEnv, ok := f.(urfave.DocGenerationFlag); ok {
			for _, env := range fromEnv.GetEnvVars() {
				if value := os.Getenv(env); value != "" {
					v.options[name] = value
				}
			}
		}
	}
	if v.options[nodeFlag.Name] == "" {
		v.options[nodeFlag.Name] = DefaultNode
	}
	var err error
	if v.session, err = newSession(c, option{node: v.options[nodeFlag.Name], home: v.options[homeFlag.Name]}); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return v, v.withoutMethod(later)
	}
	v.contract = names[0]
	if err := v.ask(names[1:], later); err != nil {
		return nil, err
	}
	if len(names) == 1 {
		return v, v.withoutMethod(later)
	}
	m, ok := v.spec.Method(names[1])
	if !ok {
		refused := &client.Refused{Code: receipt.UnknownMethod, Reason: fmt.Sprintf("contract %q has no method %q", v.contract, names[1])}
		if there := v.methods(view); len(there) > 0 {
			return nil, hint(refused, "one of: %s", strings.Join(there, ", "))
		}
		return nil, hint(refused, "\"ward contract spec %s\": there is nothing for \"%s\" in it", v.contract, v.name)
	}
	v.method = &m
	switch {
	case m.View && !view && !asksHelp(later):
		return nil, usagef("%s is a view, it changes nothing: ward query %s %s", m.Name, v.contract, m.Name)
	case !m.View && view && !asksHelp(later):
		return nil, usagef("%s changes things, so it takes a transaction: ward call %s %s", m.Name, v.contract, m.Name)
	}
	if err := v.fields(later); err != nil {
		var usage *usageError
		if errors.As(err, &usage) && usage.help == "" {
			usage.help = v.methodHelp()
		}
		return nil, err
	}
	for _, r := range v.require {
		if err := r.check(v.method); err != nil && !v.help {
			return nil, err
		}
	}
	if node := v.options[nodeFlag.Name]; node != v.node {
		return nil, usagef("--node %q after METHOD: want http://host:port", node)
	}
	v.json, v.passFile, v.keyName = v.has(jsonFlag.Name), v.options[passFlag.Name], v.options[keyFlag.Name]
	return v, nil
}

// ask gets the contract's spec. Which node to ask can stand after METHOD, where --node may as
// well be a field, which only the spec tells: a URL there is asked, and if the method turns
// out to have such a field, the node that was meant is asked instead.
func (v *invocation) ask(method, later []string) error {
	usual := v.client.URL
	for i, token := range later {
		name, value, has := strings.Cut(strings.TrimLeft(token, "-"), "=")
		if !isFlag(token) || name != nodeFlag.Name {
			continue
		}
		if !has && i+1 < len(later) {
			value = later[i+1]
		}
		if strings.HasPrefix(value, "http://") || strings.HasPrefix(value, "https://") {
			v.talkTo(value)
		}
	}
	for {
		spec, err := v.client.Spec(v.ctx, v.contract)
		if err != nil {
			return err
		}
		v.spec = spec
		if len(method) == 0 || v.node == usual {
			return nil
		}
		if m, ok := spec.Method(method[0]); !ok || m.Args == nil || !slices.ContainsFunc(m.Args.Fields, isNode) {
			return nil
		}
		v.talkTo(usual)
	}
}

func isNode(f abi.Field) bool { return f.Name == nodeFlag.Name }

// withoutMethod ends the reading of a command line that names no method, which is good
// only for help.
func (v *invocation) withoutMethod(later []string) error {
	if v.help {
		return nil
	}
	if v.contract == "" {
		return usagef("%s needs CONTRACT and METHOD; --help says more", v.name)
	}
	return &usageError{err: fmt.Errorf("%s %s needs a METHOD", v.name, v.contract), help: v.contractHelp()}
}

func asksHelp(tokens []string) bool {
	return slices.Contains(tokens, "--help") || slices.Contains(tokens, "-h")
}

func isFlag(token string) bool {
	if len(token) < 2 || token[0] != '-' {
		return false
	}
	_, err := strconv.ParseFloat(token, 64)
	return err != nil // -5 is a value
}

// option takes one of our own options off the front of tokens and says how many it took: 0
// if it isn't one.
func (v *invocation) option(tokens []string) (int, error) {
	name, value, has := strings.Cut(strings.TrimLeft(tokens[0], "-"), "=")
	if name == "help" || name == "h" {
		v.help = true
		return 1, nil
	}
	for _, f := range v.flags {
		if !slices.Contains(f.Names(), name) {
			continue
		}
		name = f.Names()[0]
		if name == requireFlag.Name {
			if !has && len(tokens) < 2 {
				return 0, usagef("--%s needs a value", name)
			}
			if has {
				v.require = append(v.require, parseRequirement(value))
				return 1, nil
			}
			v.require = append(v.require, parseRequirement(tokens[1]))
			return 2, nil
		}
		if _, isBool := f.(*urfave.BoolFlag); isBool {
			if !has {
				value = "true"
			}
			on, err := strconv.ParseBool(value)
			if err != nil {
				return 0, usagef("--%s=%q: must be true or false", name, value)
			}
			v.options[name] = strconv.FormatBool(on)
			return 1, nil
		}
		if has {
			v.options[name] = value
			return 1, nil
		}
		if len(tokens) < 2 {
			return 0, usagef("--%s needs a value", name)
		}
		v.options[name] = tokens[1]
		return 2, nil
	}
	return 0, nil
}

// has tells whether a boolean option is on.
func (v *invocation) has(name string) bool { return v.options[name] == "true" }

// number is the value of an option that is a whole number, 0 if it wasn't given.
func (v *invocation) number(name string) (uint64, error) {
	value, ok := v.options[name]
	if !ok {
		return 0, nil
	}
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || n == 0 {
		return 0, usagef("--%s %q: must be a whole number above 0", name, value)
	}
	return n, nil
}

// fields reads what follows METHOD into args.
func (v *invocation) fields(tokens []string) error {
	var fields []abi.Field
	if v.method.Args != nil {
		fields = v.method.Args.Fields
	}
	type assignment struct {
		field abi.Field
		value string
	}
	var assigned []assignment // expanded below, when the home is known
	for i := 0; i < len(tokens); {
		token := tokens[i]
		if !isFlag(token) {
			return usagef("%q: write --field value", token)
		}
		name, value, has := strings.Cut(strings.TrimLeft(token, "-"), "=")
		at := slices.IndexFunc(fields, func(f abi.Field) bool { return f.Name == name })
		if at < 0 {
			n, err := v.option(tokens[i:])
			if err != nil {
				return err
			}
			if n == 0 {
				known := make([]string, len(fields))
				for i := range fields {
					known[i] = fields[i].Name
				}
				for _, f := range v.flags {
					known = append(known, f.Names()...)
				}
				return usagef("%s %s has no field --%s%s", v.contract, v.method.Name, name, perhaps(name, known))
			}
			i += n
			continue
		}
		i++
		if t := fields[at].Type; !has && t.Kind == abi.KindBool {
			value = "true"
			if i < len(tokens) && (tokens[i] == "true" || tokens[i] == "false") {
				value, has = tokens[i], false
				i++
			}
		} else if !has {
			if i == len(tokens) {
				return usagef("--%s needs a value: %s", name, specjson.Hint(t))
			}
			value = tokens[i]
			i++
		}
		assigned = append(assigned, assignment{fields[at], value})
	}
	if v.help {
		return nil
	}
	if home := v.options[homeFlag.Name]; home != "" {
		v.home = home // it may have stood among the fields
	}
	given := make(map[string][]string)
	for _, a := range assigned {
		value, err := v.expand(a.field, a.value)
		if err != nil {
			return err
		}
		given[a.field.Name] = append(given[a.field.Name], value)
	}
	return v.encode(given)
}

// encode makes args of the fields given, or of the document that --args names.
func (v *invocation) encode(given map[string][]string) error {
	document, whole := v.options[argsFlag.Name]
	switch {
	case whole && len(given) > 0:
		return usagef("--args gives all arguments: no field can be given beside it")
	case v.method.Args == nil && whole:
		return usagef("%s %s takes no arguments", v.contract, v.method.Name)
	case whole:
		if path, ok := strings.CutPrefix(document, "@"); ok {
			content, err := readFrom(v.in, path, specjson.MaxJSON)
			if err != nil {
				return err
			}
			document = string(content)
		}
		encoded, err := specjson.ToCBOR(v.method.Args, []byte(document))
		if err != nil {
			return &usageError{err: fmt.Errorf("--args: %w", inDocument(err))}
		}
		v.args = encoded
	default:
		encoded, err := specjson.FromFlags(v.method.Args, given)
		if err != nil {
			return &usageError{err: flagError(err)}
		}
		v.args = encoded
	}
	return nil
}

// flagError names the flag in an error of specjson, which names the field.
func flagError(err error) error {
	if e, ok := errors.AsType[*specjson.Error](err); ok && e.Path != "" {
		return fmt.Errorf("--%w", err)
	}
	return err
}

// inDocument adds to an error about JSON that what is short for something else, such as @NAME,
// is so in flags only.
func inDocument(err error) error {
	if said := err.Error(); strings.Contains(said, `"@`) || strings.Contains(said, `"+`) {
		return fmt.Errorf("%w: @NAME and +2h work only in flags, not in JSON", err)
	}
	return err
}

// expand replaces what a person writes for short, by the field's type:
//
//	address  @NAME            a key in the home; in lists of addresses too
//	bytes    @FILE            a file's content, @- for stdin
//	         key:NAME         the public part of a key in the home
//	time     now, +2h, -5m    by this machine's clock
func (v *invocation) expand(f abi.Field, value string) (string, error) {
	switch {
	case f.Type.Kind == abi.KindAddress:
		return v.expandAddress(f, value)
	case f.Type.Kind == abi.KindList && f.Type.Elem.Kind == abi.KindAddress && !strings.HasPrefix(value, "["):
		parts := strings.Split(value, ",")
		for i := range parts {
			var err error
			if parts[i], err = v.expandAddress(f, parts[i]); err != nil {
				return "", err
			}
		}
		return strings.Join(parts, ","), nil
	case f.Type.Kind == abi.KindBytes && strings.HasPrefix(value, "key:"):
		file, err := v.keyFile(value[len("key:"):])
		if err != nil {
			return "", fmt.Errorf("--%s: %w", f.Name, err)
		}
		return fmt.Sprintf("0x%x", file.Public().Bytes), nil
	case f.Type.Kind == abi.KindBytes && strings.HasPrefix(value, "@"):
		content, err := readFrom(v.in, value[1:], abi.MaxModule)
		if err != nil {
			return "", fmt.Errorf("--%s: %w", f.Name, err)
		}
		return fmt.Sprintf("0x%x", content), nil
	case f.Type.Kind == abi.KindTime && (value == "now" || strings.HasPrefix(value, "+") || strings.HasPrefix(value, "-")):
		var offset time.Duration
		if value != "now" {
			var err error
			if offset, err = time.ParseDuration(value); err != nil {
				return value, nil // specjson says what a time is
			}
		}
		return strconv.FormatInt(time.Now().Add(offset).Unix(), 10), nil
	}
	return value, nil
}

func (v *invocation) expandAddress(f abi.Field, value string) (string, error) {
	a, err := v.address(value)
	if err != nil && !strings.HasPrefix(value, "@") {
		return "", usagef("--%s: %w", f.Name, err)
	} else if err != nil {
		return "", fmt.Errorf("--%s: %w", f.Name, err)
	}
	return a.String(), nil
}

// hook reports whether only the chain calls a method. The chain's own contract has one of that name.
func (v *invocation) hook(method string) bool {
	return method == abi.MethodInit || method == abi.MethodUpgrade && v.contract != tx.DeployContract
}

// methods are the names of the contract's methods: the views, or the others.
func (v *invocation) methods(views bool) []string {
	var names []string
	for _, m := range v.spec.Methods {
		if m.View == views && !v.hook(m.Name) {
			names = append(names, m.Name)
		}
	}
	return names
}

// showHelp prints help as deep as the command line goes.
func (v *invocation) showHelp(c *urfave.Context) error {
	switch {
	case v.method != nil:
		v.printf("%s", v.methodHelp())
	case v.contract != "":
		v.printf("%s", v.contractHelp())
	default:
		return urfave.ShowSubcommandHelp(c)
	}
	return nil
}

// contractHelp lists the contract's methods.
func (v *invocation) contractHelp() string {
	var b strings.Builder
	if v.spec.Doc != "" {
		fmt.Fprintf(&b, "%s\n\n", text(v.spec.Doc))
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, m := range v.spec.Methods {
		if v.hook(m.Name) {
			continue
		}
		verb := "call"
		if m.View {
			verb = "query"
		}
		fmt.Fprintf(w, "  ward %s %s %s\t%s\n", verb, v.contract, m.Name, text(firstSentence(m.Doc)))
	}
	_ = w.Flush()
	fmt.Fprintf(&b, "\n--help after a method says what it takes.\n")
	return b.String()
}

// methodHelp says what a method takes, answers and refuses.
func (v *invocation) methodHelp() string {
	var b strings.Builder
	m := v.method
	verb := "call"
	if m.View {
		verb = "query"
	}
	fmt.Fprintf(&b, "usage: ward %s %s %s", verb, v.contract, m.Name)
	var fields []abi.Field
	if m.Args != nil {
		fields = m.Args.Fields
	}
	for _, f := range fields {
		if f.Optional {
			fmt.Fprintf(&b, " [--%s %s]", f.Name, short(f.Type))
		} else {
			fmt.Fprintf(&b, " --%s %s", f.Name, short(f.Type))
		}
	}
	b.WriteString("\n")
	if m.Doc != "" {
		fmt.Fprintf(&b, "\n%s\n", text(m.Doc))
	}
	if len(fields) > 0 {
		b.WriteString("\nfields:\n")
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, f := range fields {
			describe(w, "  ", "--", f)
		}
		_ = w.Flush()
	}
	if m.Result != nil {
		if m.Result.Kind == abi.KindStruct {
			b.WriteString("\nanswers:\n")
			w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
			for _, f := range m.Result.Fields {
				describe(w, "  ", "", f)
			}
			_ = w.Flush()
		} else {
			fmt.Fprintf(&b, "\nanswers: %s\n", specjson.Hint(m.Result))
		}
	}
	fmt.Fprintf(&b, "\n\"ward %s --help\" lists the options.\n", verb)
	for _, f := range fields {
		if slices.ContainsFunc(v.flags, func(o urfave.Flag) bool { return slices.Contains(o.Names(), f.Name) }) {
			fmt.Fprintf(&b, "--%s is a field here: put the option of this name before %s.\n", f.Name, v.contract)
		}
	}
	return b.String()
}

// short names a type in a line of usage, where what is in a list doesn't matter yet.
func short(t *abi.Type) string {
	if t.Elem != nil {
		return t.Kind.String()
	}
	return t.String()
}

// describe prints one line about a field, and below it the fields that it is made of.
func describe(w io.Writer, indent, dashes string, f abi.Field) {
	how := specjson.Hint(f.Type)
	switch f.Type.Kind {
	case abi.KindText:
		how = "text"
	case abi.KindAddress:
		how += ", or @NAME of a key"
	case abi.KindBytes:
		how += ", or @FILE"
		if size := f.Type.Size; size == 0 || size == 32 || size == 33 { // a public key of Ed25519 or P-256
			how += ", or key:NAME"
		}
	case abi.KindTime:
		how += ", or +2h"
	}
	if dashes == "" {
		how = f.Type.String()
	}
	if f.Optional {
		how += " (optional)"
	}
	fmt.Fprintf(w, "%s%s%s\t%s\t%s\n", indent, dashes, f.Name, how, text(f.Doc))
	inner := f.Type
	for inner.Elem != nil {
		inner = inner.Elem
	}
	for _, g := range inner.Fields {
		describe(w, indent+"    ", "", g)
	}
}

func firstSentence(doc string) string {
	if s, _, found := strings.Cut(doc, ". "); found {
		return s + "."
	}
	return doc
}
