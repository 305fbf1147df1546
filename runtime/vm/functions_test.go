package vm_test

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/cert"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

const functionsGolden = "testdata/functions.golden"

const functionsHead = `What every function of runtime/abi answers to a module that was written by hand, printed by TestFunctions:
first what the module asks and is told, with the gas of the function and the few instructions around it, then what came of the call. Every
scene starts from the rows doors: a="shut", b="" and c="open", and ends alike on wazero's compiler and interpreter. Bytes are hexadecimal, or
text in quotes; RFC8032 is the second example of section 7.1 there, RFC6979 the one of A.2.5 for SHA-256 and "sample".
`

// TestFunctions calls every function of the table from a hand-written module, with good arguments and bad ones, and holds what comes of
// it against a dialogue in the repository.
func TestFunctions(t *testing.T) {
	var said [2]string
	for i, e := range []*vm.Engine{engines.compiler(), engines.interpreter()} {
		said[i] = functionsHead
		known := scenes(t)
		for _, f := range abi.Table() {
			list := known[f.Name]
			if len(list) == 0 {
				t.Errorf("no scene for %s: add one to scenes", f.Name)
				continue
			}
			delete(known, f.Name)
			said[i] += fmt.Sprintf("\n== %s, since %d ==\n", f.Name, f.Since)
			for _, s := range list {
				said[i] += s.play(t, e)
			}
			said[i] += misuses(t, e, f, list[0])
		}
		for name := range known {
			t.Errorf("a scene for %s, which is not in the table", name)
		}
	}
	if said[0] != said[1] {
		t.Errorf("the engines differ:\n%s", firstDifference(said[0], said[1]))
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(functionsGolden, []byte(said[0]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(functionsGolden)
	if err != nil {
		t.Fatal(err)
	}
	// Git may have given it other line ends.
	if w := strings.ReplaceAll(string(want), "\r\n", "\n"); said[0] != w {
		t.Errorf("not what %s says; if it should be: go test ./runtime/vm -run TestFunctions -update\n%s", functionsGolden, firstDifference(said[0], w))
	}
}

// firstDifference shows where two texts part.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d: %s\nwant:    %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// A scene is a call of a contract that asks some functions, one after the other.
type scene struct {
	about string
	asks  []ask
	with  func(*host.Call) // what is not as usual; nil: nothing
}

// An ask is a call of one function. It gives a string (bytes that are pointed to), a room or a number for each argument that is not room
// of a fixed size.
type ask struct {
	function string
	given    []any
	forged   int // which argument, counted from 1, is a pointer to what lies half outside of memory; 0: none
}

// room is how many bytes there are for an answer.
type room int32

func asks(function string, given ...any) ask { return ask{function: function, given: given} }

// act makes a scene.
func act(about string, asks ...ask) scene { return scene{about: about, asks: asks} }

func (s scene) but(with func(*host.Call)) scene {
	s.with = with
	return s
}

func (s scene) view() scene {
	return s.but(func(c *host.Call) { c.View = true })
}

// function returns a row of the table.
func function(name string) abi.Function {
	for _, f := range abi.Table() {
		if f.Name == name {
			return f
		}
	}
	panic("no function " + name)
}

// parameter is one argument of an ask, with what the names of the function's parameters say of it, as the comment of abi.Table has it.
type parameter struct {
	name    string
	in, out bool
	fixed   int32 // the size of what has always the same, or 0
	wide    bool
	given   any
}

func (a ask) arguments() (list []parameter) {
	given := a.given
	params := function(a.function).Params
	for i := 0; i < len(params); i++ {
		name, next := params[i].Name, ""
		if i+1 < len(params) {
			next = params[i+1].Name
		}
		p := parameter{name: strings.TrimRight(name, "0123456789"), wide: params[i].Type == abi.I64}
		if p.name != name {
			_, _ = fmt.Sscan(name[len(p.name):], &p.fixed)
		}
		counted := next == "cap" || next == name+"len" || name == "ptr" && next == "len"
		if counted {
			i++ // a pointer and a size
		}
		p.out = p.name == "out"
		p.in = !p.out && (counted || p.fixed > 0)
		if !p.out || counted {
			p.given, given = given[0], given[1:]
		}
		list = append(list, p)
	}
	return list
}

// record is where the module keeps what it was told: the gas before, the answer, the gas after, 8 bytes each, and what was written.
const recordHead = 24

// size returns how long the record of an ask is.
func (a ask) size() int {
	size := recordHead
	for _, p := range a.arguments() {
		if p.out {
			size += int(p.fixed)
		}
		if r, ok := p.given.(room); ok {
			size += int(r)
		}
	}
	return size
}

// module assembles the contract of a scene. It returns the records of what it was told, one after the other, unless it returns something itself.
func (s scene) module() []byte {
	m := wt.New()
	left, ret := m.Import(abi.Module, "gas_left"), m.Import(abi.Module, "ret")
	imports, total := map[string]int{}, 0
	for _, a := range s.asks {
		if _, ok := imports[a.function]; !ok {
			imports[a.function] = m.Import(abi.Module, a.function)
		}
		total += a.size()
	}
	start, length := m.Data(string(cbor.AppendBytes(nil, make([]byte, total))))
	end := start + length
	record := end - int32(total)
	var body wt.Op
	for _, a := range s.asks {
		body = append(body, wt.Seq(wt.I32(record), wt.Call(left), wt.StoreI64, wt.I32(record+8))...)
		for i, p := range a.arguments() {
			ptr, size := record+recordHead, p.fixed
			switch given := p.given.(type) {
			case string:
				ptr, size = m.Data(given)
				end = ptr + size
			case room:
				size = int32(given)
			case int:
				number := wt.U32(uint32(given))
				if p.wide {
					number = wt.I64(int64(given))
				}
				body = append(body, number...)
				continue
			}
			if a.forged == i+1 {
				ptr, size = smallMemory-1, 5
			}
			body = append(body, wt.I32(ptr)...)
			if p.fixed == 0 {
				body = append(body, wt.I32(size)...)
			}
		}
		body = append(body, wt.Call(imports[a.function])...)
		switch f := function(a.function); {
		case len(f.Results) == 0:
			body = append(body, wt.Drop...) // where a result would have gone
		case f.Results[0] == abi.I64:
			body = append(body, wt.StoreI64...)
		default:
			body = append(body, wt.StoreI32...)
		}
		body = append(body, wt.Seq(wt.I32(record+16), wt.Call(left), wt.StoreI64)...)
		record += int32(a.size())
	}
	if !s.returns() {
		body = append(body, wt.Seq(wt.I32(start), wt.I32(length), wt.Call(ret))...)
	}
	m.Pages = uint32(end+smallMemory-1) / smallMemory
	m.Export(abi.ExportCall, body)
	return m.Bytes()
}

// smallMemory is the memory of a scene without large arguments.
const smallMemory = 65536

// returns tells whether the scene returns something itself.
func (s scene) returns() bool {
	return slices.ContainsFunc(s.asks, func(a ask) bool { return a.function == "ret" })
}

// String returns what is asked, as a call in a dialogue.
func (a ask) String() string {
	var args []string
	for _, p := range a.arguments() {
		switch given := p.given.(type) {
		case string:
			args = append(args, p.name+" "+show(given))
		case room:
			args = append(args, fmt.Sprintf("room for %d", given))
		case int:
			number := uint64(uint32(given))
			if p.wide {
				number = uint64(given)
			}
			args = append(args, fmt.Sprintf("%s %d", p.name, number))
		}
	}
	return a.function + "(" + strings.Join(args, ", ") + ")"
}

// show returns bytes as a person reads them: text in quotes, hexadecimal digits, of long ones the start.
func show(s string) string {
	printable := true
	for i := range len(s) {
		printable = printable && s[i] >= ' ' && s[i] <= '~'
	}
	switch {
	case named[s] != "":
		return named[s]
	case len(s) >= 20 && strings.Trim(s, "\x00") == "":
		return fmt.Sprintf("%d zeros", len(s))
	case len(s) > 80 && printable:
		return fmt.Sprintf("%q... (%d bytes)", s[:8], len(s))
	case len(s) > 80:
		return fmt.Sprintf("%x... (%d bytes)", s[:8], len(s))
	case printable:
		return fmt.Sprintf("%q", s)
	}
	return hex.EncodeToString([]byte(s))
}

// play runs a scene and returns the dialogue.
func (s scene) play(t *testing.T, e *vm.Engine) string {
	t.Helper()
	c, r, stage := s.run(t, e)
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", s.about)
	var told string
	if r.Code == receipt.OK && !s.returns() {
		reader := cbor.NewReader(c.Result())
		document, err := reader.Bytes()
		if err != nil {
			t.Fatalf("%s: %v", s.about, err)
		}
		told = string(document)
	}
	for _, a := range s.asks {
		fmt.Fprintf(&b, "  %s", a)
		if told != "" {
			b.WriteString(a.answer(told[:a.size()]))
			told = told[a.size():]
		}
		b.WriteString("\n")
	}
	if r.Code == receipt.OK && s.returns() {
		fmt.Fprintf(&b, "  result %x\n", c.Result())
	}
	if r.Code == receipt.OK {
		for _, event := range c.Events() {
			fmt.Fprintf(&b, "  event %s.%s %x\n", event.Contract, event.Name, event.Attributes)
		}
	}
	for _, line := range stage.differences(t) {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	for _, line := range c.Log() {
		fmt.Fprintf(&b, "  log %s\n", show(line))
	}
	fmt.Fprintf(&b, "  %s\n", outcome(r, c))
	return b.String()
}

// outcome is the line with which a scene ends.
func outcome(r vm.Result, c *host.Call) string {
	switch r.Code {
	case receipt.OK:
		return fmt.Sprintf("ok, gas %d", c.Gas.Used())
	case receipt.Failed:
		return fmt.Sprintf("failed with code %d: %s; gas %d", r.ContractCode, shortened(r.Reason), c.Gas.Used())
	}
	return fmt.Sprintf("%s: %s; gas %d", r.Code.Name(), shortened(r.Reason), c.Gas.Used())
}

func shortened(reason string) string {
	if len(reason) > 120 {
		return fmt.Sprintf("%s... (%d bytes)", reason[:12], len(reason))
	}
	return reason
}

// answer returns what a module was told.
func (a ask) answer(record string) string {
	before, after := binary.LittleEndian.Uint64([]byte(record)), binary.LittleEndian.Uint64([]byte(record[16:]))
	number := binary.LittleEndian.Uint64([]byte(record[8:]))
	out, s := record[recordHead:], ""
	switch f := function(a.function); {
	case len(f.Results) == 0:
	case f.Results[0] == abi.I64:
		s = fmt.Sprintf(" = %d", number)
	default:
		n := int(int32(number))
		s = fmt.Sprintf(" = %d", n)
		// An answer that fits is so long; where nothing was written there are zeros.
		written := len(strings.TrimRight(out, "\x00"))
		if list := a.arguments(); len(list) > 0 && list[len(list)-1].fixed == 0 && written <= n && n <= len(out) {
			out = out[:n]
		} else if written == 0 {
			out = ""
		}
	}
	if out != "" {
		s += " " + show(out)
	}
	return fmt.Sprintf("%s  (gas %d)", s, before-after-gas.Host)
}

// misuses plays a good scene with each pointer outside of memory, in a view and without capabilities.
func misuses(t *testing.T, e *vm.Engine, f abi.Function, good scene) string {
	i := slices.IndexFunc(good.asks, func(a ask) bool { return a.function == f.Name })
	alone := good
	alone.asks = slices.Clone(good.asks[i : i+1])
	var b strings.Builder
	ends := func(how string, s scene) {
		c, r, _ := s.run(t, e)
		fmt.Fprintf(&b, "  %s: %s\n", how, outcome(r, c))
	}
	for n, p := range good.asks[i].arguments() {
		if p.in || p.out {
			alone.asks[0].forged = n + 1
			ends(p.name+", half outside", alone)
		}
	}
	alone.asks[0].forged = 0
	if !f.View {
		ends("in a view", alone.view())
	}
	if f.Capability != "" {
		ends("without the capability", alone.but(func(c *host.Call) { c.Capabilities = nil }))
	}
	if b.Len() == 0 {
		return ""
	}
	return "\nmisuse\n" + b.String()
}

// stage is the state in which a scene plays.
type stage struct {
	overlay *state.Overlay
	before  map[string]string
	asked   []string // of accounts and authorities
}

// run plays a scene: a contract called locks, which has every capability, at height 7 of the chain test-1.
func (s scene) run(t *testing.T, e *vm.Engine) (*host.Call, vm.Result, *stage) {
	t.Helper()
	st := &stage{overlay: newStore(t)}
	for key, value := range map[string]string{"a": "shut", "b": "", "c": "open"} {
		if err := st.overlay.Set(host.Collection("locks", "doors"), []byte(key), []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	st.before = st.rows(t)
	c := newCall(t, "open_door")
	c.Args = []byte("\x64args")
	c.Sender, c.Origin = address.Address{1, 2}, address.Address{3}
	c.Store, c.Accounts, c.Authorities, c.Parameters, c.Permits = st.overlay, st, st, st, st
	c.Capabilities = abi.Capabilities()
	others := neighbours()
	c.Run = func(inner *host.Call) (*host.Stop, error) {
		wasm, ok := others[inner.Contract]
		if !ok {
			return host.Stopf(receipt.UnknownContract, "there is no contract %q", inner.Contract), nil
		}
		mark := st.overlay.Checkpoint()
		r, err := e.Call(context.Background(), code(wasm), inner)
		if err != nil || r.Code == receipt.OK {
			return nil, err
		}
		st.overlay.Revert(mark)
		return &host.Stop{Code: r.Code, ContractCode: r.ContractCode, Reason: r.Reason}, nil
	}
	if s.with != nil {
		s.with(c)
	}
	mark := st.overlay.Checkpoint()
	r := run(t, e, s.module(), c)
	if r.Code != receipt.OK {
		st.overlay.Revert(mark)
	}
	return c, r, st
}

// rows returns all rows, by collection and key.
func (s *stage) rows(t *testing.T) map[string]string {
	rows := map[string]string{}
	for contract, collection := range map[string]string{"locks": "doors", "lamp": "lamps"} {
		err := s.overlay.Scan(host.Collection(contract, collection), nil, nil, false, func(key, value []byte) bool {
			if value != nil {
				rows[contract+"/"+collection+" "+show(string(key))] = string(value)
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

// differences returns what has become of the rows, and what accounts and authorities were asked.
func (s *stage) differences(t *testing.T) (lines []string) {
	after := s.rows(t)
	for row, value := range after {
		if before, ok := s.before[row]; !ok {
			lines = append(lines, "row "+row+": none -> "+show(value))
		} else if before != value {
			lines = append(lines, "row "+row+": "+show(before)+" -> "+show(value))
		}
	}
	for row, value := range s.before {
		if _, ok := after[row]; !ok {
			lines = append(lines, "row "+row+": "+show(value)+" -> none")
		}
	}
	slices.Sort(lines)
	return append(lines, s.asked...)
}

// Accounts that know the key of zeros, and say what they were asked.

func (s *stage) OpenKey(o *abi.OpenAccount) (abi.Status, error) {
	s.asked = append(s.asked, fmt.Sprintf("accounts: open %x, quota %d", o.Key[:4], o.Quota))
	return abi.StatusOK, nil
}

func (s *stage) asking(what string, kid address.Address) (abi.Status, error) {
	s.asked = append(s.asked, fmt.Sprintf("accounts: %s %x", what, kid[:4]))
	if kid == (address.Address{}) {
		return abi.StatusOK, nil
	}
	return abi.StatusUnknown, nil
}

func (s *stage) ShutKey(kid address.Address) (abi.Status, error)   { return s.asking("shut", kid) }
func (s *stage) ReopenKey(kid address.Address) (abi.Status, error) { return s.asking("reopen", kid) }
func (s *stage) RetireKey(kid address.Address) (abi.Status, error) { return s.asking("retire", kid) }

func (s *stage) SetAuthorities(keys abi.AuthoritySet) (abi.Status, error) {
	s.asked = append(s.asked, fmt.Sprintf("authorities: %d", len(keys)))
	return abi.StatusOK, nil
}

// Parameters and permits: those of an open chain, and room for a permit for anything but the lamp.

func (s *stage) Parameters() (abi.Parameters, error) {
	return abi.Parameters{Deploy: abi.DeployOpen}, nil
}

func (s *stage) SetParameters(p abi.Parameters) error {
	s.asked = append(s.asked, fmt.Sprintf("parameters: deploy %s, %d deployers", p.Deploy, len(p.Deployers)))
	return nil
}

func (s *stage) Permit(_ string, p *abi.Permit) (abi.Status, error) {
	s.asked = append(s.asked, fmt.Sprintf("permits: %s for code %x with %q", p.Name, p.Hash[:4], p.Capabilities))
	if p.Name == "lamp" {
		return abi.StatusNameTaken, nil
	}
	return abi.StatusOK, nil
}

func (s *stage) Withdraw(name string) (abi.Status, error) {
	s.asked = append(s.asked, "permits: withdraw "+name)
	if name == "lamp" {
		return abi.StatusNoPermit, nil
	}
	return abi.StatusOK, nil
}

// neighbours are the contracts that a scene may call: a lamp that lights and tells, a fuse that fails after it has done so, a bomb that traps
// and a loop without end.
func neighbours() map[string][]byte {
	lit := func(after ...any) []byte {
		m := wt.New()
		set, emit, ret, fail := m.Import(abi.Module, "set"), m.Import(abi.Module, "emit"), m.Import(abi.Module, "ret"), m.Import(abi.Module, "fail")
		body := wt.Seq(bytesOf(m, "lamps"), bytesOf(m, "hall"), bytesOf(m, "on"), wt.Call(set),
			bytesOf(m, "lit"), bytesOf(m, "\xa0"), wt.Call(emit))
		if len(after) > 0 {
			body = append(body, wt.Seq(wt.I32(9), bytesOf(m, "blown"), wt.Call(fail))...)
		}
		m.Export(abi.ExportCall, body, bytesOf(m, "\x62on"), wt.Call(ret))
		return m.Bytes()
	}
	bomb := wt.New()
	bomb.Export(abi.ExportCall, wt.Unreachable)
	loop := wt.New()
	loop.Export(abi.ExportCall, wt.Loop(wt.Branch(0)))
	return map[string][]byte{"lamp": lit(), "fuse": lit("and fails"), "bomb": bomb.Bytes(), "loop": loop.Bytes()}
}

// unhex returns the bytes of hexadecimal digits.
func unhex(digits string) string {
	b, err := hex.DecodeString(digits)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Signatures from RFC 8032 (7.1, test 2) and RFC 6979 (A.2.5, SHA-256, "sample"), with the order of P-256 for the other s.
var (
	edKey   = unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
	edSig   = unhex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
	edMsg   = "\x72"
	p256Key = unhex("0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6")
	p256R   = unhex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716")
	p256S   = unhex("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8")
	p256Low = unhex("0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9") // the order without s
	sample  = unhex("af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf")
)

// named are the values that have a name in the dialogue.
var named = map[string]string{
	edKey: "RFC8032.key", edSig: "RFC8032.sig", p256Key: "RFC6979.key", p256R + p256S: "RFC6979.sig", p256R + p256Low: "RFC6979.sig-low-s", sample: "RFC6979.digest",
}

// signer is the Ed25519 key of a seed of zeros.
type signer struct{}

func (signer) key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, 32)) }

func (s signer) Public() tx.PublicKey {
	pub, err := tx.ParsePublicKey(s.key().Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	return pub
}

func (s signer) Sign(message []byte) ([]byte, error) { return ed25519.Sign(s.key(), message), nil }

// certificates are a chain and its anchor, of runtime/cert.
func certificates(t *testing.T) (chain, anchor string) {
	b, err := os.ReadFile("../cert/testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if der, err := hex.DecodeString(value); err == nil {
			found[name] = string(der)
		}
	}
	if found["chain"] == "" || found["anchors"] == "" {
		t.Fatal("no chain and anchors in the golden file of runtime/cert")
	}
	return found["chain"], found["anchors"]
}

// scenes are what is asked of each function; the first scene of a function is a good one.
func scenes(t *testing.T) map[string][]scene {
	chain, anchor := certificates(t)
	t.Helper()
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	long := func(n int) string { return strings.Repeat("x", n) }
	tells := func(name, answer string) []scene {
		n := room(len(answer))
		return []scene{
			act("room enough", asks(name, n+3)),
			act("just enough", asks(name, n)),
			act("one byte short: only the length is told", asks(name, n-1)),
			act("no room", asks(name, room(0))),
			act("in a view", asks(name, n)).view(),
		}
	}
	hash := func(name string) []scene {
		return []scene{
			act("three letters", asks(name, "abc")),
			act("nothing", asks(name, "")),
			act("as much as there may be", asks(name, long(abi.MaxMessage))),
			act("more than there may be", asks(name, long(abi.MaxMessage+1))),
			act("in a view", asks(name, "abc")).view(),
		}
	}
	account := func(name string) []scene {
		return []scene{
			act("a key that is known", asks(name, zeros(20))),
			act("a key that nobody knows", asks(name, "\x05"+zeros(19))),
		}
	}
	message, err := tx.SignMessage("ward-auth-v1", []byte("\x61a"), signer{})
	if err != nil {
		t.Fatal(err)
	}
	key := string(signer{}.Public().Bytes)
	batched := func(key, sig, msg string) string {
		return key + sig + string(binary.LittleEndian.AppendUint32(nil, uint32(len(msg)))) + msg
	}
	good := batched(edKey, edSig, edMsg)
	open := abi.OpenAccount{Key: []byte(key), Scope: []abi.Scope{{Contract: "locks"}}, Quota: 1000}
	permit := func(name string, capabilities ...string) string {
		p := abi.Permit{Hash: []byte(sample), Init: []byte(sample), Name: name, Admin: []byte(zeros(20)), Capabilities: capabilities}
		return string(p.Encode())
	}
	calls := func(name string, more ...any) func(about, contract string, rest ...any) scene {
		return func(about, contract string, rest ...any) scene {
			return act(about, asks(name, append([]any{contract, "light", "\x01"}, append(rest, more...)...)...), asks("reply", room(48)))
		}
	}
	call, callWith := calls("call"), calls("call_with_gas")
	const none = ""

	return map[string][]scene{
		"method":   tells("method", "open_door"),
		"args":     tells("args", "\x64args"),
		"contract": tells("contract", "locks"),
		"chain":    tells("chain", "test-1"),
		"sender": {
			act("the account that called", asks("sender")),
			act("a view that nobody asked for", asks("sender")).but(func(c *host.Call) { c.View, c.Sender = true, address.Address{} }),
		},
		"origin": {act("the account whose key signed", asks("origin"))},
		"block":  {act("height and time", asks("block"))},
		"caller_kind": {
			act("an account", asks("caller_kind")),
			act("a view that somebody asked for", asks("caller_kind")).view(),
			act("a view that nobody asked for", asks("caller_kind")).but(func(c *host.Call) { c.View, c.Sender = true, address.Address{} }),
		},
		"randomness": {
			act("twice the same in one call", asks("randomness"), asks("randomness")),
			act("another transaction", asks("randomness")).but(func(c *host.Call) { c.Seed = [32]byte{2} }),
			act("another contract", asks("randomness")).but(func(c *host.Call) { c.Contract = "lamp" }),
		},
		"gas_left": {
			act("what is left", asks("gas_left")),
			act("less of it", asks("gas_left")).but(func(c *host.Call) { c.Gas = gas.NewMeter(100_000) }),
		},

		"get": {
			act("a row", asks("get", "doors", "a", room(8))),
			act("a row without a value", asks("get", "doors", "b", room(8))),
			act("no such row, no such collection", asks("get", "doors", "z", room(8)), asks("get", "nothing", "a", room(8))),
			act("too little room", asks("get", "doors", "a", room(3))),
			act("in a view", asks("get", "doors", "a", room(8))).view(),
			act("the longest key, and no key", asks("get", "doors", long(abi.MaxKey), room(8)), asks("get", "doors", "", room(8))),
			act("a key too long", asks("get", "doors", long(abi.MaxKey+1), room(8))),
			act("not a collection's name", asks("get", "Doors", "a", room(8))),
			act("a collection's name too long", asks("get", long(abi.MaxCollection+1), "a", room(8))),
			act("a collection of the system", asks("get", "\x00accounts", "a", room(8))),
			act("too little gas", asks("get", "doors", "a", room(8))).but(func(c *host.Call) { c.Gas = gas.NewMeter(36_000) }),
		},
		"exists": {
			act("a row, with a value and without one", asks("exists", "doors", "a"), asks("exists", "doors", "b")),
			act("no such row", asks("exists", "doors", "z")),
			act("in a view", asks("exists", "doors", "a")).view(),
			act("a key too long", asks("exists", "doors", long(abi.MaxKey+1))),
			act("not a collection's name", asks("exists", "", "a")),
		},
		"set": {
			act("a new row, and another value of an old one", asks("set", "doors", "d", "ajar"), asks("set", "doors", "a", "open")),
			act("no value is a value", asks("set", "doors", "a", ""), asks("get", "doors", "a", room(8)), asks("exists", "doors", "a")),
			act("the largest value", asks("set", "doors", "d", long(abi.MaxValue))),
			act("a value too large", asks("set", "doors", "d", long(abi.MaxValue+1))),
			act("a key too long", asks("set", "doors", long(abi.MaxKey+1), "x")),
			act("not a collection's name", asks("set", "doors/1", "d", "x")),
		},
		"delete": {
			act("a row, and again", asks("delete", "doors", "a"), asks("delete", "doors", "a"), asks("exists", "doors", "a")),
			act("no such row", asks("delete", "doors", "z")),
			act("a key too long", asks("delete", "doors", long(abi.MaxKey+1))),
		},
		"scan": {
			act("all rows", asks("scan", "doors", none, none, 0, 10, room(64))),
			act("descending", asks("scan", "doors", none, none, abi.ScanReverse, 10, room(64))),
			act("from a on, before c", asks("scan", "doors", "a", "c", 0, 10, room(64))),
			act("pages of one", asks("scan", "doors", none, none, 0, 1, room(64)), asks("scan", "doors", "a\x00", none, 0, 1, room(64))),
			act("room for one and a half", asks("scan", "doors", none, none, 0, 10, room(20))),
			act("too little room for the first", asks("scan", "doors", none, none, 0, 10, room(12))),
			act("none wanted, none there, an end before the start", asks("scan", "doors", none, none, 0, 0, room(64)), asks("scan", "nothing", none, none, 0, 10, room(64)), asks("scan", "doors", "c", "a", 0, 10, room(64))),
			act("one that was deleted a moment ago is passed over, and paid for", asks("delete", "doors", "a"), asks("scan", "doors", none, none, 0, 10, room(64))),
			act("in a view", asks("scan", "doors", none, none, 0, 10, room(64))).view(),
			act("a start too long", asks("scan", "doors", long(abi.MaxKey+2), none, 0, 10, room(64))),
			act("an end too long", asks("scan", "doors", none, long(abi.MaxKey+2), 0, 10, room(64))),
		},

		"emit": {
			act("two events", asks("emit", "opened", "\xa1\x61n\x01"), asks("emit", "opened", "\xa0")),
			act("attributes that are no map", asks("emit", "opened", "\x01")),
			act("a key that is no text", asks("emit", "opened", "\xa1\x01\x01")),
			act("a number that could be shorter", asks("emit", "opened", "\xa1\x61n\x18\x01")),
			act("no attributes at all", asks("emit", "opened", "")),
			act("not an event's name", asks("emit", "Opened", "\xa0")),
			act("the runtime's event", asks("emit", abi.RefusedEvent, "\xa0")),
			act("a name too long", asks("emit", long(abi.MaxEventName+1), "\xa0")),
			act("attributes too large", asks("emit", "opened", long(abi.MaxAttributes+1))),
		},
		"ret": {
			act("a text", asks("ret", "\x62ok")),
			act("twice: the last one counts", asks("ret", "\x01"), asks("ret", "\x02")),
			act("in a view", asks("ret", "\x62ok")).view(),
			act("not CBOR", asks("ret", "\xff")),
			act("nothing", asks("ret", "")),
			act("two items", asks("ret", "\x01\x02")),
			act("too large", asks("ret", long(abi.MaxReturn+1))),
		},
		"fail": {
			act("with a code and a reason: what was done is undone", asks("set", "doors", "a", "open"), asks("emit", "opened", "\xa0"), asks("fail", 7, "the door is stuck")),
			act("the largest code of its own", asks("fail", int(abi.FirstReservedFail-1), "")),
			act("in a view", asks("fail", 7, "no")).view(),
			act("no such method", asks("fail", int(abi.FailUnknownMethod), "open_windows")),
			act("bad arguments", asks("fail", int(abi.FailBadArguments), "a door has a name")),
			act("another reserved code", asks("fail", int(abi.FirstReservedFail), "no")),
			act("code 0", asks("fail", 0, "no")),
			act("a reason that is not UTF-8", asks("fail", 7, "d\xf6\xf6r")),
			act("a reason too long is cut", asks("fail", 7, long(abi.MaxReason+1))),
		},
		"log": {
			act("a line", asks("log", "the door squeaks")),
			act("a line too long is cut", asks("log", long(abi.MaxLog+1))),
			act("in a view", asks("log", "nobody was here")).view(),
		},

		"cose_verify": {
			act("a message", asks("cose_verify", key, "ward-auth-v1", string(message), room(8))),
			act("too little room", asks("cose_verify", key, "ward-auth-v1", string(message), room(1))),
			act("for another purpose", asks("cose_verify", key, "ward-tx-v1", string(message), room(8))),
			act("of another key", asks("cose_verify", edKey, "ward-auth-v1", string(message), room(8))),
			act("of a key of small order", asks("cose_verify", zeros(32), "ward-auth-v1", string(message), room(8))),
			act("not a message", asks("cose_verify", key, "ward-auth-v1", "\x01", room(8))),
			act("with a byte behind it", asks("cose_verify", key, "ward-auth-v1", string(message)+"\x00", room(8))),
			act("too large", asks("cose_verify", key, "ward-auth-v1", long(abi.MaxMessage+1), room(8))),
		},
		"key_address": {
			act("an Ed25519 key, a P-256 key", asks("key_address", edKey), asks("key_address", p256Key)),
			act("a key of small order: anybody can sign", asks("key_address", zeros(32))),
			act("not a point", asks("key_address", "\x02"+zeros(31)+"\x07"), asks("key_address", "\x05"+p256Key[1:])),
			act("of no length that keys have", asks("key_address", ""), asks("key_address", edKey[1:]), asks("key_address", long(100))),
		},
		"sha256":  hash("sha256"),
		"sha512":  hash("sha512"),
		"blake2b": hash("blake2b"),
		"hmac_sha256": {
			act("RFC 4231, case 2", asks("hmac_sha256", "Jefe", "what do ya want for nothing?")),
			act("no key, no message", asks("hmac_sha256", "", "")),
			act("a key too long", asks("hmac_sha256", long(abi.MaxMessage+1), "")),
			act("a message too long", asks("hmac_sha256", "", long(abi.MaxMessage+1))),
		},
		"hkdf_sha256": {
			act("RFC 5869, case 1", asks("hkdf_sha256", strings.Repeat("\x0b", 22), unhex("000102030405060708090a0b0c"), unhex("f0f1f2f3f4f5f6f7f8f9"), room(42))),
			act("no salt, no info; no room", asks("hkdf_sha256", "secret", "", "", room(32)), asks("hkdf_sha256", "secret", "", "", room(0))),
			act("as much as there may be", asks("hkdf_sha256", "secret", "", "", room(abi.MaxDerived))),
			act("more than there may be", asks("hkdf_sha256", "secret", "", "", room(abi.MaxDerived+1))),
		},
		"ed25519_verify": {
			act("RFC 8032, test 2", asks("ed25519_verify", edKey, edSig, edMsg)),
			act("another message", asks("ed25519_verify", edKey, edSig, "\x73")),
			act("zeros: a key of small order, for which they are a signature", asks("ed25519_verify", zeros(32), zeros(64), "whatever")),
			act("s beyond the order", asks("ed25519_verify", edKey, edSig[:32]+strings.Repeat("\xff", 32), edMsg)),
			act("a message too long", asks("ed25519_verify", edKey, edSig, long(abi.MaxMessage+1))),
		},
		"ed25519_verify_batch": {
			act("two", asks("ed25519_verify_batch", good+good)),
			act("none is valid", asks("ed25519_verify_batch", "")),
			act("one of two is of another message", asks("ed25519_verify_batch", good+batched(edKey, edSig, "\x73"))),
			act("cut short", asks("ed25519_verify_batch", good+good[:50])),
			act("a message that is longer than all", asks("ed25519_verify_batch", edKey+edSig+"\xff\xff\xff\xff"+edMsg)),
			act("as many as there may be", asks("ed25519_verify_batch", strings.Repeat(good, abi.MaxBatch))),
			act("more than there may be", asks("ed25519_verify_batch", strings.Repeat(good, abi.MaxBatch+1))),
		},
		"x509_verify": {
			act("a device of a maker, by the maker's anchor", asks("x509_verify", chain, anchor, 1_800_000_000, room(512))),
			act("before its time; long after it: it never expires", asks("x509_verify", chain, anchor, 0, room(512)), asks("x509_verify", chain, anchor, 1<<40, room(512))),
			act("by nobody; the anchor as a leaf; none", asks("x509_verify", chain, "", 1_800_000_000, room(512)), asks("x509_verify", anchor, anchor, 1_800_000_000, room(512)), asks("x509_verify", "", anchor, 1_800_000_000, room(512))),
			act("cut short; a byte behind it", asks("x509_verify", chain[:200], anchor, 1_800_000_000, room(512)), asks("x509_verify", chain+"\x00", anchor, 1_800_000_000, room(512))),
			act("longer than any", asks("x509_verify", long(cert.MaxChain*cert.MaxCertificate+1), anchor, 0, room(512)), asks("x509_verify", chain, long(cert.MaxAnchors*cert.MaxCertificate+1), 0, room(512))),
		},
		"p256_verify": {
			act("RFC 6979, A.2.5", asks("p256_verify", p256Key, p256R+p256S, "sample")),
			act("with the other s", asks("p256_verify", p256Key, p256R+p256Low, "sample")),
			act("another message", asks("p256_verify", p256Key, p256R+p256S, "simple")),
			act("r of zero, s of zero", asks("p256_verify", p256Key, zeros(32)+p256S, "sample"), asks("p256_verify", p256Key, p256R+zeros(32), "sample")),
			act("the other point of this x; not a point", asks("p256_verify", "\x02"+p256Key[1:], p256R+p256S, "sample"), asks("p256_verify", zeros(33), p256R+p256S, "sample")),
			act("a message too long", asks("p256_verify", p256Key, p256R+p256S, long(abi.MaxMessage+1))),
		},
		"p256_verify_digest": {
			act("the SHA-256 of RFC 6979's message", asks("p256_verify_digest", p256Key, p256R+p256S, sample)),
			act("another digest", asks("p256_verify_digest", p256Key, p256R+p256S, zeros(32))),
		},

		"account_open": {
			act("a key", asks("account_open", string(open.Encode()))),
			act("not an account", asks("account_open", "\xa0")),
			act("too large", asks("account_open", long(abi.MaxMessage+1))),
		},
		"account_shut":   account("account_shut"),
		"account_reopen": account("account_reopen"),
		"account_retire": account("account_retire"),
		"authorities_set": {
			act("one", asks("authorities_set", string(abi.AuthoritySet{[]byte(edKey)}.Encode()))),
			act("none", asks("authorities_set", "\x80")),
			act("not in ascending order", asks("authorities_set", string(abi.AuthoritySet{[]byte(edKey), []byte(edKey)}.Encode()))),
			act("not a list", asks("authorities_set", "\x01")),
		},
		"parameters_get": tells("parameters_get", string(abi.Parameters{Deploy: abi.DeployOpen}.Encode())),
		"parameters_set": {
			act("a list of one", asks("parameters_set", string(abi.Parameters{Deploy: abi.DeployList, Deployers: [][]byte{[]byte(zeros(20))}}.Encode()))),
			act("a word that is none", asks("parameters_set", "\xa1\x66deploy\x63all")),
			act("a list of the same twice", asks("parameters_set", string(abi.Parameters{Deploy: abi.DeployList, Deployers: [][]byte{[]byte(zeros(20)), []byte(zeros(20))}}.Encode()))),
			act("not parameters", asks("parameters_set", "\xa0")),
			act("too large", asks("parameters_set", long(abi.MaxMessage+1))),
		},
		"code_permit": {
			act("with a capability", asks("code_permit", permit("bulb", "accounts"))),
			act("a name that is taken", asks("code_permit", permit("lamp"))),
			act("a name that is none", asks("code_permit", permit("Lamp"))),
			act("a capability that the contract does not have", asks("code_permit", permit("bulb", "accounts"))).but(func(c *host.Call) { c.Capabilities = []string{"code"} }),
			act("not a permit", asks("code_permit", "\xa0")),
			act("too large", asks("code_permit", long(abi.MaxMessage+1))),
		},
		"code_withdraw": {
			act("a permit", asks("code_withdraw", "bulb")),
			act("none", asks("code_withdraw", "lamp")),
			act("a name too long", asks("code_withdraw", long(abi.MaxContractName+1))),
		},

		"call": {
			call("a lamp that lights", "lamp"),
			call("one that fails: what it did is undone", "fuse"),
			call("one that traps", "bomb"),
			call("one that is not there", "ghost"),
			call("itself", "locks"),
			call("in a view, a lamp that would write", "lamp").view(),
			call("one without end: all gas is gone", "loop").but(func(c *host.Call) { c.Gas = gas.NewMeter(200_000) }),
			act("not a contract's name", asks("call", "Lamp", "light", "\x01")),
			act("not a method's name", asks("call", "lamp", "", "\x01")),
			act("arguments that are not CBOR", asks("call", "lamp", "light", "\xff")),
			act("arguments too large", asks("call", "lamp", "light", long(abi.MaxArgs+1))),
		},
		"call_with_gas": {
			callWith("enough", "lamp", 500_000),
			callWith("more than there is", "lamp", -1),
			callWith("too little", "lamp", 40_000),
			callWith("none", "lamp", 0),
			callWith("one without end: what it may use is gone", "loop", 100_000),
		},
		"reply": {
			act("before any call", asks("reply", room(8))),
			act("a result, too little room", asks("call", "lamp", "light", "\x01"), asks("reply", room(2)), asks("reply", room(3))),
			act("of the last call", asks("call", "fuse", "light", "\x01"), asks("call", "lamp", "light", "\x01"), asks("reply", room(8))),
		},
	}
}
