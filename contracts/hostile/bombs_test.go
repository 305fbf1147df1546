package hostile

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/cert"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vet"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// bombTime is how long a deployment may keep a node: the time that its gas stands for, several times over because some
// machines are slow.
func bombTime(paid uint64) time.Duration { return 2*time.Second + 10*time.Duration(paid) }

// bombMemory is what one deployment may take, in bytes.
const bombMemory = 1 << 30

// A module that is much more work than it looks is refused, or paid for by its deployment. Never does it take long, or all memory.
func TestCompileBombs(t *testing.T) {
	repeat := func(n int, op wt.Op) wt.Op { return bytes.Repeat(op, n) }
	labels := func(n int) wt.Op { return table(make([]int, n)...) }
	nested := func(n int, open wt.Op, inside ...wt.Op) wt.Op {
		return wt.Seq(repeat(n, open), wt.Seq(inside...), repeat(n, wt.Raw(0x0b)))
	}
	with := func(locals int, body ...wt.Op) func(*wt.Module) {
		return func(m *wt.Module) { m.Func(nil, nil, locals, body...) }
	}
	leftEarly := func(n int, inside wt.Op) (op wt.Op) {
		for i := range n {
			op = append(op, wt.Seq(load(64), wt.BranchIf(i))...)
		}
		return nested(n, wt.Raw(0x02, 0x40), op, inside)
	}
	turn := func(n int) (op wt.Op) {
		for i := range n {
			op = append(op, wt.Get(i)...)
		}
		for i := range n {
			op = append(op, wt.Set(i)...)
		}
		return op
	}
	sets := func(n int) (op wt.Op) {
		for i := range n {
			op = append(op, wt.Seq(load(int32(4*i)), wt.Set(i))...)
		}
		return op
	}
	for _, test := range []struct {
		name  string
		build func(m *wt.Module)
	}{
		{"as many functions as there may be", func(m *wt.Module) {
			for range vet.MaxFunctions - 1 {
				m.Func(nil, nil, 0)
			}
		}},
		{"65,536 functions", func(m *wt.Module) {
			for range 65_535 {
				m.Func(nil, nil, 0)
			}
		}},
		{"20,000 functions of as many locals as there may be", func(m *wt.Module) {
			for range 20_000 {
				m.Func(nil, nil, vet.MaxLocals, wt.Call(0))
			}
		}},
		{"4,000 locals and 5,000 loops", with(4000, sets(4000), repeat(5000, wt.Loop(load(64), wt.BranchIf(0))))},
		{"1,000 locals and 2,000 loops", with(1000, sets(1000), repeat(2000, wt.Loop(load(64), wt.BranchIf(0))))},
		{"100 locals and 3,000 loops", with(100, sets(100), repeat(3000, wt.Loop(load(64), wt.BranchIf(0))))},
		{"1,000 locals in 30 loops in each other", with(1000, sets(1000), nested(30, wt.Raw(0x03, 0x40), load(64), wt.Drop))},
		{"300 loops in each other", with(0, nested(300, wt.Raw(0x03, 0x40), load(64), wt.Drop))},
		// Where each block ends, each local is the old or the new value.
		{"1,000 locals, set in 100 blocks that are left early", with(1000, leftEarly(100, sets(1000)))},
		{"1,000 locals, set in 1,000 blocks that are left early", with(1000, leftEarly(1000, sets(1000)))},
		{"1,000 locals, of which loops change the places", with(1000, sets(1000), wt.Loop(turn(1000), repeat(500, wt.Seq(load(64), wt.BranchIf(0)))))},
		{"4,000 conditions", with(100, sets(100), repeat(4000, wt.Seq(load(64), wt.If(load(0), wt.Set(99)))))},
		{"2,000 blocks in each other", with(0, nested(2000, wt.Raw(0x02, 0x40), load(0), wt.Drop))},
		{"2,000 conditions in each other", with(0, nested(2000, wt.Seq(load(0), wt.Raw(0x04, 0x40)), wt.Nop))},
		{"100,000 blocks in each other", with(0, nested(100_000, wt.Raw(0x02, 0x40), wt.Nop))},
		{"br_tables of 8,192 labels", with(0, repeat(30, wt.Block(load(0), labels(8192))))},
		{"br_tables of 4,000 labels, 60 in a function, in 10 functions", func(m *wt.Module) {
			for range 10 {
				m.Func(nil, nil, 0, repeat(60, wt.Block(load(0), labels(4000))))
			}
		}},
		{"a br_table to each of 2,000 blocks, twice", func(m *wt.Module) {
			to := make([]int, 4000)
			for i := range to {
				to[i] = i % 2000
			}
			m.Func(nil, nil, 1, nested(2000, wt.Raw(0x02, 0x40), load(0), table(to...)))
		}},
		{"a br_table of a quarter of a million labels", with(0, wt.Block(load(0), labels(250_000)))},
		{"two million additions in functions as long as there may be", func(m *wt.Module) {
			for range 25 {
				m.Func(nil, nil, 0, load(0), repeat(80_000, wt.Seq(wt.Get(0), wt.AddI32)), wt.Drop)
			}
		}},
		{"2,000 operands", with(0, repeat(2000, load(0)), repeat(2000, wt.Drop))},
		{"1,000 operands across 10,000 calls", with(0, repeat(1000, load(0)), repeat(10_000, wt.Call(0)), repeat(1000, wt.Drop))},
		{"calls with 128 parameters and 16 results", func(m *wt.Module) {
			p, r := bytes.Repeat([]byte{wt.TypeI64}, vet.MaxParams), bytes.Repeat([]byte{wt.TypeI64}, vet.MaxResults)
			m.Func(p, r, 0, wt.Unreachable)
			m.Func(nil, nil, 0, repeat(vet.MaxParams, wt.I64(1)),
				repeat(200, wt.Seq(wt.Call(0), repeat(vet.MaxParams-vet.MaxResults, wt.I64(1)))), repeat(vet.MaxParams, wt.Drop))
		}},
		{"loops with 16 parameters and results", func(m *wt.Module) {
			t := bytes.Repeat([]byte{wt.TypeI64}, vet.MaxResults)
			m.Func(t, t, 0, wt.Unreachable)
			m.Func(nil, nil, 0, repeat(vet.MaxResults, wt.I64(1)), repeat(3000, wt.Raw(0x03, 0x00, 0x41, 0, 0x28, 2, 0, 0x0d, 0, 0x0b)), repeat(vet.MaxResults, wt.Drop))
		}},
		{"10,000 fills", with(0, repeat(10_000, wt.Seq(wt.I32(0), wt.I32(0), wt.I32(0), wt.Fill)))},
		{"100,000 fills", with(0, repeat(100_000, wt.Seq(wt.I32(0), wt.I32(0), wt.I32(0), wt.Fill)))},
		{"200,000 square roots", with(0, wt.F32(2), repeat(200_000, wt.Raw(0x91)), wt.Drop)},
		{"200,000 calls through a table", func(m *wt.Module) {
			m.Table(0, 1)
			m.Func(nil, nil, 0, repeat(200_000, wt.Seq(load(0), wt.CallIndirect(0))))
		}},
		{"a table of 2^32-1 entries", func(m *wt.Module) { m.Table(0, 0xff, 0xff, 0xff, 0xff, 0x0f) }},
		{"a table of 10 million entries", func(m *wt.Module) { m.Table(0, 0x80, 0xad, 0xe2, 0x04) }},
		{"4 GiB of memory", func(m *wt.Module) { m.Pages = 65536 }},
		{"64 MiB of memory", func(m *wt.Module) { m.Pages = 1024 }},
		{"100,001 data segments", func(m *wt.Module) {
			for range 100_001 {
				m.DataAt(0, "")
			}
		}},
		{"2^32-1 locals", func(m *wt.Module) { m.Func(nil, nil, 1<<32-1) }},
		{"more functions than bytes", func(m *wt.Module) { m.Extra = wt.Raw(3, 5, 0xff, 0xff, 0xff, 0xff, 0x0f) }},
		{"a megabyte of sections of nothing", func(m *wt.Module) { m.Extra = bytes.Repeat([]byte{0, 1, 0}, 350_000) }},
		{"4 MiB of a custom section", func(m *wt.Module) {
			m.Extra = append(appendUvarint(wt.Raw(0), 4<<20-1000), make([]byte, 4<<20-1000)...)
		}},
		{"5 MiB", func(m *wt.Module) { m.Extra = make([]byte, 5<<20) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := wt.New()
			test.build(m)
			m.Export(abi.ExportCall)
			wasm := m.Bytes()
			answers := map[string]bool{}
			for _, e := range []vm.Options{{}, {Interpreter: true}} {
				engine, err := vm.New(e) // its own: what was compiled goes with it
				if err != nil {
					t.Fatal(err)
				}
				pay := gas.NewMeter(gas.MaxLimit)
				peaks(t, bombMemory, func() {
					took := works(t, func() { err = engine.Activate(pay, wasm) })
					answer := fmt.Sprintf("%d gas, %v", pay.Used(), err)
					answers[answer] = true
					t.Logf("%d bytes, %v: %.200s", len(wasm), took.Round(time.Millisecond), answer)
					if took > bombTime(pay.Used()) {
						t.Errorf("it took %v for %d gas", took, pay.Used())
					}
				})
				var no *vm.Refused
				var stop *host.Stop
				if err != nil && !errors.As(err, &no) && !errors.As(err, &stop) {
					t.Errorf("%v", err)
				}
				if err := engine.Close(); err != nil {
					t.Error(err)
				}
			}
			if len(answers) != 1 {
				t.Errorf("the engines differ: %.300v", answers)
			}
		})
	}
	for _, e := range engines {
		honest(t, e)
	}
}

// Only the document of genesis holds compressed code. It is never unpacked to more than a module may have, whatever the frame claims
// or hides. (A transaction's code is the module itself: TestNode deploys what zstd would write.)
func TestUnpackBombs(t *testing.T) {
	var packed bytes.Buffer
	w, err := zstd.NewWriter(&packed, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 1024 { // a GiB, of which the frame's head says nothing
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// A head that says 2^40 bytes, in one segment; then a block of a byte repeated 128 KiB times, as often as it likes.
	claims := binary.LittleEndian.AppendUint64([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0}, 1<<40)
	window := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8} // a window of 2 TiB
	blocks := bytes.Repeat([]byte{0x02, 0x00, 0x10, 0x00}, 10_000)
	many := make([]byte, 0, 3*len(packed.Bytes()))
	for range 3 {
		many = append(many, packed.Bytes()...)
	}
	for _, test := range []struct {
		name   string
		code   []byte
		reason string
	}{
		{"a GiB of zeros", packed.Bytes(), "size exceeded"},
		{"3 frames of a GiB", many, "size exceeded"},
		{"claims a TiB", append(claims, blocks...), "size"},
		{"a window of 2 TiB", append(window, blocks...), "window size"},
		{"a window of 1 KiB", append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00}, blocks...), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			code := base64.StdEncoding.EncodeToString(test.code)
			doc := `{"contracts":[` + strings.TrimSuffix(strings.Repeat(`{"code":"`+code+`"},`, genesis.MaxContracts), ",") + `]}`
			peaks(t, 256<<20, func() {
				var err error
				took := works(t, func() { _, err = genesis.Parse([]byte(doc)) })
				if err == nil || !strings.Contains(err.Error(), "contracts[0].code: ") || !strings.Contains(err.Error(), test.reason) {
					t.Errorf("%v; want that the code is refused: %s", err, test.reason)
				}
				if took > patience {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// answers is a contract that calls a function and returns what it answered, 4 bytes.
func answers(function string, arguments func(m *wt.Module) []wt.Op) []byte {
	m := wt.New()
	m.Pages = 8
	f, ret := m.Import(abi.Module, function), m.Import(abi.Module, "ret")
	given := arguments(m)
	m.DataAt(67, "\x44")
	m.Export(abi.ExportCall, wt.I32(68), wt.Seq(given...), wt.Call(f), wt.StoreI32, wt.I32(67), wt.I32(5), wt.Call(ret))
	return m.Bytes()
}

// A bomb is what is given to a function that reads a format, and what comes of it: an answer, or how the call ends.
type bomb struct {
	name   string
	input  []byte
	answer int32
	words  string // of a trap; "" is none
}

// explode runs a contract with a bomb. All answers are exact, and the same on every engine.
func (b bomb) explode(t *testing.T, wasm []byte) {
	t.Helper()
	code := receipt.OK
	if b.words != "" {
		code = receipt.Trapped
	}
	o := ends(t, wasm, way{}, code, b.words)
	if o.Code != receipt.OK {
		return
	}
	if want := "\x44" + string(binary.LittleEndian.AppendUint32(nil, uint32(b.answer))); o.returned != want {
		t.Errorf("answered %d, want %d", int32(binary.LittleEndian.Uint32([]byte(o.returned)[1:])), b.answer)
	}
}

// nest puts a head and its length around bytes, n times, in DER.
func nest(n int, tag byte, inside ...byte) []byte {
	// From the inside out, so backwards.
	b := slices.Clone(inside)
	slices.Reverse(b)
	for range n {
		switch size := len(b); {
		case size < 0x80:
			b = append(b, byte(size), tag)
		case size < 0x100:
			b = append(b, byte(size), 0x81, tag)
		default:
			b = append(b, byte(size), byte(size>>8), 0x82, tag)
		}
	}
	slices.Reverse(b)
	return b
}

// issue makes a leaf with an extension under a root that is not known, as crypto/x509 does.
func issue(t *testing.T, value []byte) (leaf, root []byte) {
	t.Helper()
	var keys [2]*ecdsa.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	from, until := time.Unix(1_600_000_000, 0), time.Unix(1_900_000_000, 0)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, NotBefore: from, NotAfter: until,
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign}
	device := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "lock"}, NotBefore: from, NotAfter: until,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature}
	if value != nil {
		device.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Value: value}}
	}
	root, err := x509.CreateCertificate(nil, ca, ca, &keys[0].PublicKey, keys[0])
	if err == nil {
		leaf, err = x509.CreateCertificate(nil, device, ca, &keys[1].PublicKey, keys[0])
	}
	if err != nil {
		t.Fatal(err)
	}
	return leaf, root
}

// A certificate that is no certificate, or much more than it looks, is refused by its reason; what is longer than its bound is not read.
func TestCertificateBombs(t *testing.T) {
	leaf, root := issue(t, nil)
	deep, deepRoot := issue(t, nest(400, 0x30))
	if len(leaf) > 500 || len(deep) < 1500 || len(deep) > cert.MaxCertificate {
		t.Fatalf("certificates of %d and %d bytes", len(leaf), len(deep))
	}
	verified := func(chain, anchors []byte) int32 { // how long what the leaf says is
		said, err := cert.Verify(chain, anchors, 1_700_000_000)
		if err != nil {
			t.Fatal(err)
		}
		return int32(len(said.Encode()))
	}
	no := func(r cert.Reason) int32 { return -int32(r) }
	cat := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	indefinite := bytes.Repeat([]byte{0x30, 0x80}, 4096)
	if len(indefinite) != cert.MaxChain*cert.MaxCertificate {
		t.Fatal("4096 indefinite lengths no longer fill a chain")
	}
	within := func(size int) []byte { // a SEQUENCE of zeros
		return append([]byte{0x30, 0x82, byte((size - 4) >> 8), byte(size - 4)}, make([]byte, size-4)...)
	}
	for _, b := range []bomb{
		{"4096 SEQUENCEs of no definite length", indefinite, no(cert.Encoding), ""},
		{"4096 SEQUENCEs in each other, whole", nest(4096, 0x30), 0, "x509_verify: chain is 16213 bytes, limit 8192"},
		{"4096 SEQUENCEs in each other, cut", nest(4096, 0x30)[:8192], no(cert.Encoding), ""},
		{"2000 SEQUENCEs in each other", nest(2000, 0x30), no(cert.TooLarge), ""},
		{"500 SEQUENCEs in each other", nest(500, 0x30), no(cert.Encoding), ""},
		{"500 SETs in a SEQUENCE", nest(1, 0x30, nest(500, 0x31)...), no(cert.Encoding), ""},
		{"an indefinite length and its end", cat([]byte{0x30, 0x80}, leaf, []byte{0, 0}), no(cert.Encoding), ""},
		{"2^32-1 bytes", []byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0}, no(cert.Encoding), ""},
		{"2^31 bytes", []byte{0x30, 0x84, 0x80, 0, 0, 0, 0}, no(cert.Encoding), ""},
		{"2^64-1 bytes", []byte{0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}, no(cert.Encoding), ""},
		{"a length in 126 bytes", append([]byte{0x30, 0xfe}, bytes.Repeat([]byte{0xff}, 200)...), no(cert.Encoding), ""},
		{"the reserved length", append([]byte{0x30, 0xff}, make([]byte, 200)...), no(cert.Encoding), ""},
		{"a length that is not the shortest", cat([]byte{0x30, 0x83, 0, leaf[2], leaf[3]}, leaf[4:]), no(cert.Encoding), ""},
		{"a byte more than there is", cat([]byte{0x30, 0x82, leaf[2], leaf[3] + 1}, leaf[4:]), no(cert.Encoding), ""},
		{"a byte less than there is", cat([]byte{0x30, 0x82, leaf[2], leaf[3] - 1}, leaf[4:]), no(cert.Encoding), ""},
		{"a tag of many bytes", append([]byte{0x3f}, bytes.Repeat([]byte{0xff}, 2000)...), no(cert.Encoding), ""},
		{"nothing", nil, no(cert.Empty), ""},
		{"one byte", []byte{0x30}, no(cert.Encoding), ""},
		{"8192 zeros", make([]byte, 8192), no(cert.Encoding), ""},
		{"8193 zeros", make([]byte, 8193), 0, "x509_verify: chain is 8193 bytes, limit 8192"},
		{"a zero behind it", append(slices.Clone(leaf), 0), no(cert.Encoding), ""},
		{"an empty SEQUENCE behind it", append(slices.Clone(leaf), 0x30, 0), no(cert.Encoding), ""},
		{"itself behind it", cat(leaf, leaf), no(cert.Issuer), ""},
		{"its root behind it", cat(leaf, root), verified(leaf, root), ""},
		{"the largest that is none", within(cert.MaxCertificate), no(cert.Encoding), ""},
		{"a byte too large", within(cert.MaxCertificate + 1), no(cert.TooLarge), ""},
		{"five", cat(leaf, leaf, leaf, leaf, leaf), no(cert.TooMany), ""},
		{"4096 of nothing", bytes.Repeat([]byte{0x30, 0}, 4096), no(cert.Encoding), ""},
		{"as it should be", leaf, verified(leaf, root), ""},
	} {
		t.Run(b.name, func(t *testing.T) {
			b.explode(t, answers("x509_verify", func(m *wt.Module) []wt.Op {
				return []wt.Op{bytesOf(m, string(b.input)), bytesOf(m, string(root)), wt.I64(1_700_000_000), wt.I32(128), wt.I32(1024)}
			}))
		})
	}
	for _, b := range []bomb{
		{"4096 SEQUENCEs in each other", nest(4096, 0x30), no(cert.TooLarge), ""},
		{"4096 SEQUENCEs of no definite length", indefinite, no(cert.Encoding), ""},
		{"500 SEQUENCEs in each other", nest(500, 0x30), no(cert.Encoding), ""},
		{"2^32-1 bytes", []byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0}, no(cert.Encoding), ""},
		{"a zero behind it", append(slices.Clone(root), 0), no(cert.Encoding), ""},
		{"nothing", nil, no(cert.Empty), ""},
		{"32,768 zeros", make([]byte, 32768), no(cert.Encoding), ""},
		{"32,769 zeros", make([]byte, 32769), 0, "x509_verify: anchors is 32769 bytes, limit 32768"},
		{"17", bytes.Repeat(root, cert.MaxAnchors+1), no(cert.TooMany), ""},
		{"itself as often as there may be", bytes.Repeat(root, cert.MaxAnchors), verified(leaf, root), ""},
	} {
		t.Run("anchors/"+b.name, func(t *testing.T) {
			b.explode(t, answers("x509_verify", func(m *wt.Module) []wt.Op {
				return []wt.Op{bytesOf(m, string(leaf)), bytesOf(m, string(b.input)), wt.I64(1_700_000_000), wt.I32(128), wt.I32(1024)}
			}))
		})
	}
	// What nobody knows may hold anything: it is hashed, and never looked into.
	t.Run("400 SEQUENCEs in an extension", func(t *testing.T) {
		bomb{answer: verified(deep, deepRoot)}.explode(t, answers("x509_verify", func(m *wt.Module) []wt.Op {
			return []wt.Op{bytesOf(m, string(deep)), bytesOf(m, string(deepRoot)), wt.I64(1_700_000_000), wt.I32(128), wt.I32(1024)}
		}))
	})
}

// A sealed is a COSE_Sign1 of which everything but what a test spoils is in order: the signature is valid for header and payload as
// they are.
type sealed struct{ tag, array, headerHead, header, unprotected, payloadHead, payload, signatureHead, tail []byte }

const messageAAD = "ward-bomb-v1"

func seal(t *testing.T, key *tx.SecretKey, spoil func(*sealed)) []byte {
	t.Helper()
	kid := key.Public().Address()
	c := sealed{tag: []byte{0xd2}, array: []byte{0x84}, unprotected: []byte{0xa0}, payload: []byte("\xf5")}
	c.header = cbor.AppendInt(cbor.AppendUint(cbor.AppendMap(nil, 2), 1), int64(key.Public().Alg()))
	c.header = cbor.AppendBytes(cbor.AppendUint(c.header, 4), kid[:])
	spoil(&c)
	signed := cbor.AppendBytes(cbor.AppendText(cbor.AppendArray(nil, 4), "Signature1"), c.header)
	signed = cbor.AppendBytes(cbor.AppendBytes(signed, []byte(messageAAD)), c.payload)
	signature, err := key.Sign(signed)
	if err != nil {
		t.Fatal(err)
	}
	head := func(given, of []byte) []byte {
		if given != nil {
			return given
		}
		whole := cbor.AppendBytes(nil, of)
		return whole[:len(whole)-len(of)]
	}
	return slices.Concat(c.tag, c.array, head(c.headerHead, c.header), c.header, c.unprotected, head(c.payloadHead, c.payload), c.payload,
		head(c.signatureHead, signature), signature, c.tail)
}

// A message that is no COSE_Sign1 in the one form that there is, or whose payload is no CBOR, is not valid, whoever has signed it.
func TestMessageBombs(t *testing.T) {
	var keys []*tx.SecretKey
	for _, make := range []func([]byte) (*tx.SecretKey, error){tx.NewEd25519, tx.NewP256} {
		key, err := make(bytes.Repeat([]byte{7}, 32))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	arrays := func(n int) []byte { return append(bytes.Repeat([]byte{0x81}, n), 0xf6) }
	payload := func(p ...byte) func(*sealed) { return func(c *sealed) { c.payload = p } }
	header := func(change func(h []byte) []byte) func(*sealed) {
		return func(c *sealed) { c.header = change(c.header) }
	}
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	type spoiled struct {
		name   string
		spoil  func(*sealed)
		answer int32
	}
	for _, key := range keys {
		alg := key.Public().Alg().String()
		run := func(name string, message []byte, answer int32, words string) {
			t.Run(alg+"/"+name, func(t *testing.T) {
				bomb{answer: answer, words: words}.explode(t, answers("cose_verify", func(m *wt.Module) []wt.Op {
					return []wt.Op{bytesOf(m, string(key.Public().Bytes)), bytesOf(m, messageAAD), bytesOf(m, string(message)), wt.I32(128), wt.I32(1024)}
				}))
			})
		}
		for _, s := range []spoiled{
			{"as it should be", func(*sealed) {}, 1},
			{"a payload of 16 arrays in each other", payload(arrays(16)...), 17},
			{"a payload of 17 arrays in each other", payload(arrays(17)...), abi.Absent},
			{"a payload of 4096 arrays in each other", payload(arrays(4096)...), abi.Absent},
			{"a payload of 4096 maps in each other", payload(append(bytes.Repeat([]byte{0xa1, 0x60}, 4096), 0xf6)...), abi.Absent},
			{"a payload of 4096 tags", payload(append(bytes.Repeat([]byte{0xc1}, 4096), 0xf6)...), abi.Absent},
			{"a payload of arrays of no definite length", payload(append(bytes.Repeat([]byte{0x9f}, 4096), bytes.Repeat([]byte{0xff}, 4096)...)...), abi.Absent},
			{"a payload of an array of 2^64-1", payload(append([]byte{0x9b}, huge...)...), abi.Absent},
			{"a payload of a map of 2^64-1", payload(append([]byte{0xbb}, huge...)...), abi.Absent},
			{"a payload of a map of 2^63", payload(0xbb, 0x80, 0, 0, 0, 0, 0, 0, 0), abi.Absent},
			{"a payload of a text of 2^64-1", payload(append([]byte{0x7b}, huge...)...), abi.Absent},
			{"a payload of 2^32-1 bytes", payload(0x5a, 0xff, 0xff, 0xff, 0xff, 0), abi.Absent},
			{"a payload of text in pieces", payload(0x7f, 0x61, 'a', 0x61, 'b', 0xff), abi.Absent},
			{"a payload with a key twice", payload(0xa2, 0x61, 'a', 1, 0x61, 'a', 1), abi.Absent},
			{"a payload with something behind it", payload(0xf5, 0xf5), abi.Absent},
			{"no payload", payload(), abi.Absent},
			{"a payload of null in its place", func(c *sealed) { c.payloadHead, c.payload = []byte{0xf6}, nil }, abi.Absent},
			{"the algorithm twice", header(func(h []byte) []byte { return slices.Concat([]byte{0xa3}, h[1:3], h[1:]) }), abi.Absent},
			{"the kid twice", header(func(h []byte) []byte { return slices.Concat([]byte{0xa3}, h[1:], h[3:]) }), abi.Absent},
			{"the algorithm in both headers", func(c *sealed) { c.unprotected = slices.Concat([]byte{0xa1}, c.header[1:3]) }, abi.Absent},
			{"the kid in both headers", func(c *sealed) { c.unprotected = slices.Concat([]byte{0xa1}, c.header[3:]) }, abi.Absent},
			{"a parameter more", header(func(h []byte) []byte { return append([]byte{0xa3}, append(slices.Clone(h[1:]), 5, 0x41, 0)...) }), abi.Absent},
			{"a critical parameter", header(func(h []byte) []byte {
				return append([]byte{0xa3}, append(slices.Concat(h[1:3], []byte{2, 0x81, 1}), h[3:]...)...)
			}), abi.Absent},
			{"the header in the other order", header(func(h []byte) []byte { return slices.Concat([]byte{0xa2}, h[3:], h[1:3]) }), abi.Absent},
			{"a header of no definite length", header(func(h []byte) []byte { return slices.Concat([]byte{0xbf}, h[1:], []byte{0xff}) }), abi.Absent},
			{"a header that claims 2^64-1 parameters", header(func(h []byte) []byte { return slices.Concat([]byte{0xbb}, huge, h[1:]) }), abi.Absent},
			{"a header of 4096 arrays in each other", header(func([]byte) []byte { return arrays(4096) }), abi.Absent},
			{"a header with something behind it", header(func(h []byte) []byte { return append(slices.Clone(h), 0) }), abi.Absent},
			{"no header", header(func([]byte) []byte { return nil }), abi.Absent},
			{"a header in pieces", func(c *sealed) { c.headerHead = []byte{0x5f, 0x58, byte(len(c.header))} }, abi.Absent},
			{"a header of 2^64-1 bytes", func(c *sealed) { c.headerHead = append([]byte{0x5b}, huge...) }, abi.Absent},
			{"a payload's length in 8 bytes", func(c *sealed) { c.payloadHead = []byte{0x5b, 0, 0, 0, 0, 0, 0, 0, 1} }, abi.Absent},
			{"a payload's length of 2^63", func(c *sealed) { c.payloadHead = []byte{0x5b, 0x80, 0, 0, 0, 0, 0, 0, 0} }, abi.Absent},
			{"a signature of 2^32-1 bytes", func(c *sealed) { c.signatureHead = []byte{0x5a, 0xff, 0xff, 0xff, 0xff} }, abi.Absent},
			{"a signature's length in 2 bytes", func(c *sealed) { c.signatureHead = []byte{0x59, 0, 64} }, abi.Absent},
			{"a signature a byte short", func(c *sealed) { c.signatureHead = []byte{0x58, 63} }, abi.Absent},
			{"an unprotected header of 4096 maps in each other", func(c *sealed) { c.unprotected = append(bytes.Repeat([]byte{0xa1, 0x00}, 4096), 0xf6) }, abi.Absent},
			{"an unprotected header that claims 2^64-1 parameters", func(c *sealed) { c.unprotected = append([]byte{0xbb}, huge...) }, abi.Absent},
			{"an unprotected header of no definite length", func(c *sealed) { c.unprotected = []byte{0xbf, 0xff} }, abi.Absent},
			{"no tag", func(c *sealed) { c.tag = nil }, abi.Absent},
			{"two tags", func(c *sealed) { c.tag = []byte{0xd2, 0xd2} }, abi.Absent},
			{"4096 tags", func(c *sealed) { c.tag = bytes.Repeat([]byte{0xd2}, 4096) }, abi.Absent},
			{"the tag in two bytes", func(c *sealed) { c.tag = []byte{0xd8, 18} }, abi.Absent},
			{"COSE_Sign", func(c *sealed) { c.tag = []byte{0xd8, 98} }, abi.Absent},
			{"an array of no definite length", func(c *sealed) { c.array, c.tail = []byte{0x9f}, []byte{0xff} }, abi.Absent},
			{"an array of five", func(c *sealed) { c.array, c.tail = []byte{0x85}, []byte{0xf6} }, abi.Absent},
			{"an array of 2^64-1", func(c *sealed) { c.array = append([]byte{0x9b}, huge...) }, abi.Absent},
			{"4096 arrays around it", func(c *sealed) { c.array = append(bytes.Repeat([]byte{0x81}, 4096), 0x84) }, abi.Absent},
			{"a zero behind it", func(c *sealed) { c.tail = []byte{0} }, abi.Absent},
			{"itself behind it", func(c *sealed) { c.tail = seal(t, key, func(*sealed) {}) }, abi.Absent},
			{"60,000 zeros behind it", func(c *sealed) { c.tail = make([]byte, 60_000) }, abi.Absent},
		} {
			run(s.name, seal(t, key, s.spoil), s.answer, "")
		}
		run("64 KiB of arrays in each other", append([]byte{0xd2}, bytes.Repeat([]byte{0x81}, 65_535)...), abi.Absent, "")
		run("64 KiB of tags", bytes.Repeat([]byte{0xd2}, 65_536), abi.Absent, "")
		run("64 KiB of zeros", make([]byte, 65_536), abi.Absent, "")
		run("a byte more than there may be", make([]byte, 65_537), 0, "cose_verify: message is 65537 bytes, limit 65536")
		run("nothing", nil, abi.Absent, "")
	}
}

// A batch whose counts and lengths do not agree ends the call; nothing is verified of it, and no length wraps around.
func TestBatchBombs(t *testing.T) {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	one := func(claim uint32, message string) []byte {
		b := slices.Concat(private[32:], ed25519.Sign(private, []byte(message)))
		return append(binary.LittleEndian.AppendUint32(b, claim), message...)
	}
	honest := one(4, "open")
	bad := slices.Clone(honest)
	bad[40] ^= 1
	many := func(n int) []byte { return bytes.Repeat(honest, n) }
	for _, b := range []bomb{
		{"none", nil, 0, ""},
		{"one", honest, 1, ""},
		{"as many as there may be", many(abi.MaxBatch), 1, ""},
		{"one more", many(abi.MaxBatch + 1), 0, "ed25519_verify_batch: more than 64 signatures"},
		{"a byte more", append(many(abi.MaxBatch), 0), 0, "ed25519_verify_batch: more than 64 signatures"},
		{"the last of all is bad", append(many(abi.MaxBatch-1), bad...), 0, ""},
		{"the first of all is bad", append(slices.Clone(bad), many(abi.MaxBatch-1)...), 0, ""},
		{"all are bad", bytes.Repeat(bad, abi.MaxBatch), 0, ""},
		{"two bad ones that would add up", slices.Concat(bad, bad), 0, ""},
		{"64 KiB of zeros", make([]byte, 65_536), 0, "ed25519_verify_batch: more than 64 signatures"},
		{"64 KiB and a byte", make([]byte, 65_537), 0, "ed25519_verify_batch: batch is 65537 bytes, limit 65536"},
		{"zeros as many as there may be", make([]byte, 100*abi.MaxBatch), 1, ""}, // keys of order 4, for which anybody signs
		{"one byte", []byte{0}, 0, "ed25519_verify_batch: signature 0 is cut short"},
		{"99 bytes", honest[:99], 0, "ed25519_verify_batch: signature 0 is cut short"},
		{"100 bytes, a message of none", one(0, ""), 1, ""},
		{"a message of 2^32-1", one(1<<32-1, "open"), 0, "ed25519_verify_batch: message 0 is 4294967295 bytes, 4 are left"},
		{"a message of 2^31", one(1<<31, "open"), 0, "ed25519_verify_batch: message 0 is 2147483648 bytes, 4 are left"},
		{"a message of 2^31-1", one(1<<31-1, "open"), 0, "ed25519_verify_batch: message 0 is 2147483647 bytes, 4 are left"},
		{"with its head 2^32 bytes", one(1<<32-100, "open"), 0, "ed25519_verify_batch: message 0 is 4294967196 bytes, 4 are left"},
		{"with its head 2^32 and its message", one(1<<32-96, "open"), 0, "ed25519_verify_batch: message 0 is 4294967200 bytes, 4 are left"},
		{"a message of a byte more", one(5, "open"), 0, "ed25519_verify_batch: message 0 is 5 bytes, 4 are left"},
		{"a message of a byte less", one(3, "open"), 0, "ed25519_verify_batch: signature 1 is cut short"},
		{"a message that eats the next", append(one(108, "open"), honest...), 0, ""},
		{"a message that eats half of the next", append(one(50, "open"), honest...), 0, "ed25519_verify_batch: signature 1 is cut short"},
		{"the second of 2^32-1", append(slices.Clone(honest), one(1<<32-1, "open")...), 0, "ed25519_verify_batch: message 1 is 4294967295 bytes, 4 are left"},
		{"the 64th of 2^32-1", append(many(abi.MaxBatch-1), one(1<<32-1, "open")...), 0, "ed25519_verify_batch: message 63 is 4294967295 bytes, 4 are left"},
		{"big-endian", slices.Concat(honest[:96], []byte{0, 0, 0, 4}, []byte("open")), 0, "ed25519_verify_batch: message 0 is 67108864 bytes, 4 are left"},
	} {
		t.Run(b.name, func(t *testing.T) {
			b.explode(t, answers("ed25519_verify_batch", func(m *wt.Module) []wt.Op { return []wt.Op{bytesOf(m, string(b.input))} }))
		})
	}
	// What is verified was paid for, one by one: with too little gas for all of them the call ends, and so it does before it has looked at one.
	t.Run("more than was paid for", func(t *testing.T) {
		wasm := answers("ed25519_verify_batch", func(m *wt.Module) []wt.Op { return []wt.Op{bytesOf(m, string(many(abi.MaxBatch)))} })
		ends(t, wasm, way{gas: gas.VerifyEd25519 * (abi.MaxBatch - 1)}, receipt.OutOfGas, "is used up")
	})
}
