package sdk_test

import (
	"bytes"
	"crypto/sha256"
	"path/filepath"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk/sdktest"
)

type (
	putNote struct{ Name, Text string }
	getNote struct{ Name string }
)

// Rows of the first version are what the hook of the second makes of them; what it can't bring over stays, and so does the first version.
func TestUpgrade(t *testing.T) {
	run := func(t *testing.T) (roots []byte) {
		chain := sdktest.New(t, sdktest.Contract{Dir: filepath.Join("testdata", "notes1")})
		me := chain.Account("somebody")
		says := func(name, want string) {
			t.Helper()
			var text string
			chain.View("notes", "get", getNote{name}).OK().Result(&text)
			if text != want {
				t.Errorf("%s says %q, want %q", name, text, want)
			}
			roots = append(roots, chain.Root()...)
		}
		put := func(name, text string) {
			t.Helper()
			chain.Call(me, "notes", "put", putNote{name, text}).OK()
		}
		upgrade := func() *sdktest.Receipt {
			t.Helper()
			return chain.Upgrade(chain.Operator, "notes", sdktest.Contract{Dir: filepath.Join("testdata", "notes2")})
		}
		put("milk", "two bottles")
		put("bread", "poison")
		if r := upgrade().Failed("poisoned").Because(`"bread" is poison`); r.ContractCode != 3 {
			t.Errorf("it failed with code %d, want 3", r.ContractCode)
		}
		says("milk", "two bottles")
		put("bread", "crash")
		upgrade().Refused(receipt.Trapped)
		says("milk", "two bottles")
		put("bread", "rye")

		r := upgrade().OK().Emitted("upgraded", "migrated")
		var moved struct {
			From  uint32
			Notes uint64
		}
		r.Event("migrated").Decode(&moved)
		if moved.From != 1 || moved.Notes != 2 {
			t.Errorf("it was given %+v", moved)
		}
		if got := r.Event("migrated").String(); got != `notes.migrated {"from":1,"notes":2}` {
			t.Errorf("the event is %s", got)
		}
		before := chain.Checkpoint()
		chain.UpgradeBreaking(chain.Operator, "notes", sdktest.Contract{Dir: filepath.Join("testdata", "relay")}).OK()
		chain.Call(me, "notes", "put", putNote{"x", "y"}).Refused(receipt.UnknownMethod)
		chain.Revert(before)
		chain.Upgrade(chain.Operator, "notes", sdktest.Contract{Dir: filepath.Join("testdata", "relay")}).Refused(receipt.Breaking).Because("method put is gone")
		says("milk", "two bottles")
		says("bread", "rye")
		chain.Call(me, "notes", "upgrade", struct{ From uint32 }{1}).Refused(receipt.UnknownMethod).Because("can't be called")

		// Back: the first version finds its own rows only, which are gone. And forth again, from the number that was there last.
		chain.Rollback(chain.Operator, "notes", 1).OK().Emitted("rolled_back")
		chain.View("notes", "get", getNote{"milk"}).Failed("missing")
		before = chain.Checkpoint()
		put("bread", "poison")
		chain.Rollback(chain.Operator, "notes", 2).Failed("poisoned")
		chain.Revert(before)
		put("tea", "green")
		r = chain.Rollback(chain.Operator, "notes", 2).OK().Emitted("rolled_back", "migrated")
		r.Event("migrated").Decode(&moved)
		if moved.From != 1 || moved.Notes != 1 {
			t.Errorf("it was given %+v", moved)
		}
		says("tea", "green")
		says("milk", "two bottles")
		return roots
	}
	if one, two := run(t), run(t); !bytes.Equal(one, two) {
		t.Errorf("two runs have roots of hash %x and %x", sha256.Sum256(one), sha256.Sum256(two))
	}
}
