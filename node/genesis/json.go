package genesis

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
)

// The document as it is written. Binary things are "0x" hexadecimal, code is
// zstd in base64, because it is large; account and contract addresses are bech32m.
type document struct {
	Chain       string          `json:"chain"`
	Time        time.Time       `json:"time"`
	Operator    address.Address `json:"operator"`
	Authorities []authorityDoc  `json:"authorities"`
	Accounts    []accountDoc    `json:"accounts"`
	Contracts   []contractDoc   `json:"contracts"`
	Params      paramsDoc       `json:"params"`
	Parameters  *parametersDoc  `json:"parameters,omitempty"` // none: the defaults
}

type authorityDoc struct {
	Name string `json:"name,omitempty"`
	Key  string `json:"key"`
}

type accountDoc struct {
	Name         string          `json:"name,omitempty"`
	Address      address.Address `json:"address"` // for people; must be the key's
	Key          string          `json:"key"`
	QuotaPerHour uint64          `json:"quota_per_hour"`
	Scope        []scopeDoc      `json:"scope,omitempty"`
}

type scopeDoc struct {
	Contract string   `json:"contract"`
	Methods  []string `json:"methods,omitempty"` // none: all
}

type contractDoc struct {
	Name         string          `json:"name"`
	Hash         string          `json:"hash"`
	Admin        address.Address `json:"admin"`
	Capabilities []string        `json:"capabilities,omitempty"`
	Init         string          `json:"init,omitempty"`
	Code         []byte          `json:"code"`
}

type parametersDoc struct {
	Deploy    string            `json:"deploy"`
	Deployers []address.Address `json:"deployers,omitempty"`
}

type paramsDoc struct {
	BlockBytes     uint64 `json:"block_bytes"`
	BlockGas       uint64 `json:"block_gas"`
	EvidenceBlocks uint64 `json:"evidence_blocks"`
	EvidenceAge    string `json:"evidence_age"`
}

// Encode validates the document and writes it, defaults filled in, for people to
// read and for [Parse]. Two calls may differ in how code was compressed when the
// releases differ; the digest does not.
func (g *Genesis) Encode() ([]byte, error) {
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	p := g.Params.WithDefaults()
	d := document{
		Chain:       g.Chain,
		Time:        g.Time.UTC(),
		Operator:    g.Operator,
		Authorities: []authorityDoc{},
		Accounts:    []accountDoc{},
		Contracts:   []contractDoc{},
		Params: paramsDoc{
			BlockBytes: p.BlockBytes, BlockGas: p.BlockGas,
			EvidenceBlocks: p.EvidenceBlocks, EvidenceAge: p.EvidenceAge.String(),
		},
	}
	if !g.usual() {
		d.Parameters = &parametersDoc{Deploy: g.Parameters.Deploy}
		for _, a := range g.Parameters.Deployers {
			d.Parameters.Deployers = append(d.Parameters.Deployers, address.Address(a))
		}
	}
	for _, a := range g.Authorities {
		d.Authorities = append(d.Authorities, authorityDoc{Name: a.Name, Key: hexBytes(a.Key)})
	}
	for _, a := range g.Accounts {
		doc := accountDoc{Name: a.Name, Address: a.Address(), Key: hexBytes(a.Key), QuotaPerHour: a.QuotaPerHour}
		for _, s := range a.Scope {
			doc.Scope = append(doc.Scope, scopeDoc(s))
		}
		d.Accounts = append(d.Accounts, doc)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithWindowSize(abi.MaxModule), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	defer enc.Close()
	for _, c := range g.Contracts {
		hash := c.Hash()
		doc := contractDoc{
			Name: c.Name, Hash: hexBytes(hash[:]), Admin: c.Admin, Capabilities: c.Capabilities,
			Code: enc.EncodeAll(c.Code, nil),
		}
		if len(c.Init) > 0 {
			doc.Init = hexBytes(c.Init)
		}
		d.Contracts = append(d.Contracts, doc)
	}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	if len(b) > MaxDocument {
		return nil, fmt.Errorf("genesis: the document is %d bytes, limit %d", len(b), MaxDocument)
	}
	return append(b, '\n'), nil
}

// Parse reads and validates a document. Nothing is unpacked before its size is
// known to be within bounds.
func Parse(b []byte) (*Genesis, error) {
	g, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	return g, nil
}

func parse(b []byte) (*Genesis, error) {
	if len(b) > MaxDocument+1 {
		return nil, fmt.Errorf("the document is %d bytes, limit %d", len(b), MaxDocument)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var d document
	if err := dec.Decode(&d); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("something follows the document at byte %d", dec.InputOffset())
	}
	// Counted here as well as in Validate: code is unpacked below, up to 4 MiB for each.
	if len(d.Contracts) > MaxContracts {
		return nil, fmt.Errorf("contracts: there are %d, limit %d", len(d.Contracts), MaxContracts)
	}

	g := &Genesis{Chain: d.Chain, Time: d.Time.UTC(), Operator: d.Operator}
	var err error
	for i, a := range d.Authorities {
		out := Authority{Name: a.Name}
		if out.Key, err = parseHex(a.Key, 32); err != nil {
			return nil, fmt.Errorf("authorities[%d].key: %w", i, err)
		}
		g.Authorities = append(g.Authorities, out)
	}
	for i, a := range d.Accounts {
		out := Account{Name: a.Name, QuotaPerHour: a.QuotaPerHour}
		if out.Key, err = parseHex(a.Key, 33); err != nil {
			return nil, fmt.Errorf("accounts[%d].key: %w", i, err)
		}
		if !a.Address.IsZero() && a.Address != out.Address() {
			return nil, fmt.Errorf("accounts[%d].address: %s is not the address of its key, %s", i, a.Address, out.Address())
		}
		for _, s := range a.Scope {
			out.Scope = append(out.Scope, abi.Scope(s))
		}
		g.Accounts = append(g.Accounts, out)
	}
	// The bound on memory is what protects us: a few bytes of zstd can claim terabytes.
	unpack, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(abi.MaxModule), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer unpack.Close()
	for i, c := range d.Contracts {
		out := Contract{Name: c.Name, Admin: c.Admin, Capabilities: c.Capabilities}
		if out.Code, err = unpack.DecodeAll(c.Code, nil); err != nil {
			return nil, fmt.Errorf("contracts[%d].code: %w", i, err)
		}
		if hash := out.Hash(); c.Hash != hexBytes(hash[:]) {
			return nil, fmt.Errorf("contracts[%d].hash: says %q, but the code's is %s", i, c.Hash, hexBytes(hash[:]))
		}
		if c.Init != "" {
			if out.Init, err = parseHex(c.Init, MaxInit); err != nil {
				return nil, fmt.Errorf("contracts[%d].init: %w", i, err)
			}
		}
		g.Contracts = append(g.Contracts, out)
	}
	g.Params = Params{
		BlockBytes: d.Params.BlockBytes, BlockGas: d.Params.BlockGas, EvidenceBlocks: d.Params.EvidenceBlocks,
	}
	if p := d.Parameters; p != nil {
		g.Parameters.Deploy = p.Deploy
		for _, a := range p.Deployers {
			g.Parameters.Deployers = append(g.Parameters.Deployers, a[:])
		}
	}
	if d.Params.EvidenceAge != "" {
		if g.Params.EvidenceAge, err = time.ParseDuration(d.Params.EvidenceAge); err != nil {
			return nil, fmt.Errorf("params.evidence_age: %w", err)
		}
	}
	return g, nil
}

// parseHex reads "0x" and hexadecimal digits of at most max bytes.
func parseHex(s string, max int) ([]byte, error) {
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok {
		return nil, fmt.Errorf(`%.80q does not start with "0x"`, s)
	}
	if len(digits) > 2*max {
		return nil, fmt.Errorf("%d bytes, limit %d", len(digits)/2, max)
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf("%.80q: %w", s, err)
	}
	return b, nil
}
