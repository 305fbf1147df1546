package registry_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
)

var _ registry.KV = (*state.Overlay)(nil)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func overlay(t testing.TB) *state.Overlay {
	t.Helper()
	s, err := state.Open(state.NewMemory(), state.Options{})
	must(t, err)
	return s.Overlay()
}

func records(t testing.TB) *registry.Records { return registry.New(overlay(t)) }

// public returns the n-th public key, and kid its address.
func public(n int) []byte {
	seed := make([]byte, ed25519.SeedSize)
	seed[0], seed[1] = byte(n), byte(n>>8)
	return ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
}

func kid(n int) address.Address { return address.FromKey(public(n)) }

func addr(n int) []byte { a := kid(n); return a[:] }

// open opens key n and returns the answer.
func open(t testing.TB, r *registry.Records, n int, o abi.OpenAccount) abi.Status {
	t.Helper()
	o.Key = public(n)
	status, err := r.OpenKey(&o, 7)
	must(t, err)
	return status
}

func account(t testing.TB, r *registry.Records, n int) registry.Account {
	t.Helper()
	a, found, err := r.Account(kid(n))
	must(t, err)
	if !found {
		t.Fatalf("account %d does not exist", n)
	}
	return a
}

func TestOpenKey(t *testing.T) {
	scope := []registry.Scope{{Contract: "devices", Methods: []string{"enrol", "renew"}}, {Contract: "access"}}
	r := records(t)
	if s := open(t, r, 1, abi.OpenAccount{Scope: scope, Expires: 99, Quota: 1000}); s != abi.StatusOK {
		t.Fatal(s)
	}
	k, found, err := r.Key(kid(1))
	must(t, err)
	want := registry.Key{
		ID: kid(1), Account: kid(1), Public: public(1), Expires: 99, State: registry.KeyOpen,
		Scope: []registry.Scope{{Contract: "access"}, {Contract: "devices", Methods: []string{"enrol", "renew"}}},
	}
	if !found || !reflect.DeepEqual(k, want) {
		t.Errorf("key %+v, want %+v", k, want)
	}
	if a := account(t, r, 1); a.QuotaPerHour != 1000 || a.Keys != 1 || a.Created != 7 || !a.Owner.IsZero() || a.Room(0) != 1000 {
		t.Errorf("account %+v", a)
	}
	if _, found, err := r.Key(kid(2)); found || err != nil {
		t.Errorf("a key that was never opened: %v, %v", found, err)
	}
	if _, err := r.OpenKey(&abi.OpenAccount{Key: public(3), Scope: []registry.Scope{{Contract: "a"}, {Contract: "a"}}}, 1); err == nil {
		t.Error("a scope with a contract twice was taken")
	}

	const owner, rotated = 10, 11
	open(t, r, owner, abi.OpenAccount{Quota: 100})
	for _, test := range []struct {
		name   string
		key    []byte
		o      abi.OpenAccount
		status abi.Status
	}{
		{"a key that is in use", public(1), abi.OpenAccount{}, abi.StatusExists},
		{"no public key", []byte("short"), abi.OpenAccount{}, abi.StatusUnknown},
		{"a point off its curve", bytes.Repeat([]byte{0xff}, 33), abi.OpenAccount{}, abi.StatusUnknown},
		{"a point of order 1", append([]byte{1}, make([]byte, 31)...), abi.OpenAccount{}, abi.StatusUnknown},
		{"a point of order 4", make([]byte, 32), abi.OpenAccount{}, abi.StatusUnknown},
		{"an owner that does not exist", public(20), abi.OpenAccount{Owner: addr(99)}, abi.StatusUnknown},
		{"an account that does not exist", public(20), abi.OpenAccount{Account: addr(99)}, abi.StatusUnknown},
		{"more than the owner has", public(20), abi.OpenAccount{Owner: addr(owner), Quota: 101}, abi.StatusNoQuota},
		{"more than anybody has", public(20), abi.OpenAccount{Quota: registry.MaxQuota + 1}, abi.StatusNoQuota},
		{"all that the owner has", public(20), abi.OpenAccount{Owner: addr(owner), Quota: 100}, abi.StatusOK},
		{"more than is left", public(21), abi.OpenAccount{Owner: addr(owner), Quota: 1}, abi.StatusNoQuota},
		{"nothing of what is left", public(21), abi.OpenAccount{Owner: addr(owner)}, abi.StatusOK},
		{"another key of an account", public(rotated), abi.OpenAccount{Account: addr(20)}, abi.StatusOK},
		{"the account's owner, named", public(22), abi.OpenAccount{Account: addr(20), Owner: addr(owner)}, abi.StatusOK},
		{"another's account", public(23), abi.OpenAccount{Account: addr(20), Owner: addr(1)}, abi.StatusUnknown},
		{"a smaller quota", public(24), abi.OpenAccount{Account: addr(20), Quota: 40}, abi.StatusOK},
		{"a larger one than is left", public(25), abi.OpenAccount{Account: addr(20), Quota: 101}, abi.StatusNoQuota},
		{"a larger one", public(25), abi.OpenAccount{Account: addr(20), Quota: 90}, abi.StatusOK},
	} {
		o := test.o
		o.Key = test.key
		status, err := r.OpenKey(&o, 8)
		must(t, err)
		if status != test.status {
			t.Errorf("%s: %s, want %s", test.name, status, test.status)
		}
	}
	k, _, err = r.Key(kid(rotated))
	must(t, err)
	if k.Account != kid(20) {
		t.Errorf("the second key signs for %s, want %s", k.Account, kid(20))
	}
	if a, o := account(t, r, 20), account(t, r, owner); a.Keys != 5 || a.QuotaPerHour != 90 || o.Carved != 90 || o.Capacity() != 10 {
		t.Errorf("account %+v, owner %+v", a, o)
	}
}

func TestDepth(t *testing.T) {
	r := records(t)
	open(t, r, 0, abi.OpenAccount{Quota: 1000})
	for n := 1; n <= registry.MaxDepth; n++ {
		if s := open(t, r, n, abi.OpenAccount{Owner: addr(n - 1), Quota: uint64(1000 - n)}); s != abi.StatusOK {
			t.Fatalf("depth %d: %s", n, s)
		}
	}
	n := registry.MaxDepth + 1
	if s := open(t, r, n, abi.OpenAccount{Owner: addr(n - 1), Quota: 1}); s != abi.StatusNoQuota {
		t.Fatalf("depth %d: %s", n, s)
	}
	// Everybody but the first leaves, from the middle: the last one's quota goes up
	// through all who are gone.
	for n := 1; n <= registry.MaxDepth; n++ {
		if _, err := r.RetireKey(kid(n)); err != nil {
			t.Fatal(err)
		}
	}
	if a := account(t, r, 0); a.Carved != 0 || a.Capacity() != 1000 {
		t.Errorf("the first has %+v", a)
	}
	for n := 1; n <= registry.MaxDepth; n++ {
		if a := account(t, r, n); a.QuotaPerHour != 0 || a.Carved != 0 || a.Keys != 0 {
			t.Errorf("account %d has %+v", n, a)
		}
	}
}

func TestLifeOfAKey(t *testing.T) {
	r := records(t)
	open(t, r, 1, abi.OpenAccount{Quota: 1000})
	open(t, r, 2, abi.OpenAccount{Owner: addr(1), Quota: 300})
	open(t, r, 3, abi.OpenAccount{Account: addr(2)})
	for _, step := range []struct {
		do     string
		key    int
		status abi.Status
		state  registry.KeyState
		carved uint64
	}{
		{"shut", 2, abi.StatusOK, registry.KeyShut, 300},
		{"shut", 2, abi.StatusOK, registry.KeyShut, 300},
		{"reopen", 2, abi.StatusOK, registry.KeyOpen, 300},
		{"reopen", 2, abi.StatusOK, registry.KeyOpen, 300},
		{"shut", 2, abi.StatusOK, registry.KeyShut, 300},
		{"retire", 2, abi.StatusOK, registry.KeyRetired, 300}, // key 3 still signs for the account
		{"retire", 2, abi.StatusRetired, registry.KeyRetired, 300},
		{"shut", 2, abi.StatusRetired, registry.KeyRetired, 300},
		{"reopen", 2, abi.StatusRetired, registry.KeyRetired, 300},
		{"open", 2, abi.StatusExists, registry.KeyRetired, 300},
		{"retire", 3, abi.StatusOK, registry.KeyRetired, 0},
		{"open", 3, abi.StatusExists, registry.KeyRetired, 0},
	} {
		do := map[string]func(address.Address) (abi.Status, error){
			"shut": r.ShutKey, "reopen": r.ReopenKey, "retire": r.RetireKey,
			"open": func(address.Address) (abi.Status, error) { return open(t, r, step.key, abi.OpenAccount{}), nil },
		}
		status, err := do[step.do](kid(step.key))
		must(t, err)
		k, _, err := r.Key(kid(step.key))
		must(t, err)
		if carved := account(t, r, 1).Carved; status != step.status || k.State != step.state || carved != step.carved {
			t.Errorf("%s key %d: %s, key is %s, carved %d; want %s, %s, %d",
				step.do, step.key, status, k.State, carved, step.status, step.state, step.carved)
		}
	}
	for name, do := range map[string]func(address.Address) (abi.Status, error){"shut": r.ShutKey, "reopen": r.ReopenKey, "retire": r.RetireKey} {
		if status, err := do(kid(99)); status != abi.StatusUnknown || err != nil {
			t.Errorf("%s an unknown key: %s, %v", name, status, err)
		}
	}
	// The account's name is not issued again either, but it may get a new key.
	if s := open(t, r, 4, abi.OpenAccount{Account: addr(2), Quota: 50}); s != abi.StatusOK || account(t, r, 1).Carved != 50 {
		t.Errorf("a new key for an account without: %s", s)
	}
}

// No key's address is ever the name of a second account.
func TestAddressesAreIssuedOnce(t *testing.T) {
	r := records(t)
	open(t, r, 1, abi.OpenAccount{Quota: 10})
	if s, err := r.RetireKey(kid(1)); s != abi.StatusOK || err != nil {
		t.Fatal(s, err)
	}
	if s := open(t, r, 1, abi.OpenAccount{Quota: 10}); s != abi.StatusExists {
		t.Errorf("a retired key was opened: %s", s)
	}
	open(t, r, 2, abi.OpenAccount{})
	if s := open(t, r, 1, abi.OpenAccount{Account: addr(2)}); s != abi.StatusExists {
		t.Errorf("a retired key was opened for another account: %s", s)
	}
}

func TestReserve(t *testing.T) {
	const ok, replayed, jump = receipt.OK, receipt.Replayed, receipt.SequenceJump
	type step struct {
		seq  uint64
		want receipt.Code
	}
	for _, test := range []struct {
		name  string
		steps []step
		next  uint64
	}{
		{"nothing used", nil, 1},
		{"0 is no sequence", []step{{0, replayed}}, 1},
		{"one after the other", []step{{1, ok}, {2, ok}, {3, ok}, {2, replayed}}, 4},
		{"overtaking", []step{{5, ok}, {2, ok}, {4, ok}, {3, ok}, {1, ok}, {1, replayed}, {5, replayed}}, 6},
		{"the furthest first", []step{{1024, ok}, {1024, replayed}}, 1025},
		{"too far first", []step{{1025, jump}, {1, ok}, {1025, ok}}, 1026},
		{"the furthest next", []step{{10, ok}, {1035, jump}, {1034, ok}}, 1035},
		{"the edge of the window", []step{{300, ok}, {45, ok}, {44, replayed}, {0, replayed}}, 301},
		{"the window moves", []step{{1, ok}, {256, ok}, {1, replayed}, {2, ok}, {257, ok}, {1, replayed}, {2, replayed}, {3, ok}}, 258},
		{"a jump over the window forgets it", []step{{200, ok}, {456, ok}, {200, replayed}, {201, ok}, {455, ok}}, 457},
		{"the ring is cleared ahead", []step{{1, ok}, {2, ok}, {256, ok}, {259, ok}, {257, ok}, {258, ok}}, 260},
		{"same place in the ring", []step{{7, ok}, {7 + 256, ok}, {7 + 512, ok}, {7 + 256, replayed}, {7 + 512, replayed}}, 520},
	} {
		r := records(t)
		for i, s := range test.steps {
			code, err := r.Reserve(kid(1), 0, s.seq)
			must(t, err)
			if code != s.want {
				t.Errorf("%s: step %d, sequence %d: %s, want %s", test.name, i, s.seq, code.Name(), s.want.Name())
			}
		}
		if next, err := r.Next(kid(1), 0); err != nil || next != test.next {
			t.Errorf("%s: next %d, want %d, %v", test.name, next, test.next, err)
		}
	}
}

// The oracle remembers everything.
func TestReserveOracle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := records(t)
		used, highest := map[uint64]bool{0: true}, uint64(0)
		for range rapid.IntRange(1, 100).Draw(rt, "steps") {
			back := rapid.Uint64Range(0, min(highest, 600)).Draw(rt, "back")
			ahead := rapid.OneOf(rapid.Uint64Range(0, 5), rapid.Uint64Range(0, 1100)).Draw(rt, "ahead")
			seq := highest + ahead
			if ahead == 0 {
				seq = highest - back
			}
			want := receipt.OK
			switch {
			case seq > highest+registry.MaxJump:
				want = receipt.SequenceJump
			case used[seq] || seq+registry.WindowSize <= highest:
				want = receipt.Replayed
			}
			got, err := r.Reserve(kid(1), 0, seq)
			must(t, err)
			if got != want {
				rt.Fatalf("sequence %d, highest %d: %s, want %s", seq, highest, got.Name(), want.Name())
			}
			if got == receipt.OK {
				used[seq], highest = true, max(highest, seq)
			}
		}
	})
}

func TestLanesAreApart(t *testing.T) {
	o := overlay(t)
	r := registry.New(o)
	for _, lane := range []int{0, 1, 255} {
		for _, n := range []int{1, 2} {
			if code, err := r.Reserve(kid(n), lane, 5); code != receipt.OK || err != nil {
				t.Errorf("key %d lane %d: %s, %v", n, lane, code, err)
			}
		}
	}
	for _, lane := range []int{-1, 256} {
		if _, err := r.Reserve(kid(1), lane, 5); err == nil {
			t.Errorf("lane %d was taken", lane)
		}
	}
	// A key that retires leaves no windows, and others' alone.
	open(t, r, 1, abi.OpenAccount{})
	if _, err := r.RetireKey(kid(1)); err != nil {
		t.Fatal(err)
	}
	rows := 0
	must(t, o.Scan([]byte("\x00windows"), nil, nil, false, func(_, row []byte) bool {
		if row != nil { // else it was deleted
			rows++
		}
		return true
	}))
	if rows != 3 {
		t.Errorf("%d windows are left, want the 3 of key 2", rows)
	}
}

func TestInstances(t *testing.T) {
	r := records(t)
	code := []byte("\x00asm and more")
	hash, err := r.PutCode(code)
	must(t, err)
	again, err := r.PutCode(code)
	must(t, err)
	got, found, err := r.Code(hash)
	if hash != again || !found || err != nil || !bytes.Equal(got, code) {
		t.Errorf("code %q, %v, %v", got, found, err)
	}
	if _, found, err := r.Code([32]byte{}); found || err != nil {
		t.Errorf("code of no hash: %v, %v", found, err)
	}
	want := registry.Instance{Name: "devices", Code: hash, Admin: kid(1), Capabilities: []string{"accounts"}, Created: 3, Version: 2}
	must(t, r.PutInstance(want))
	i, found, err := r.Instance("devices")
	if !found || err != nil || !reflect.DeepEqual(i, want) {
		t.Errorf("instance %+v, want %+v, %v", i, want, err)
	}
	if _, found, err := r.Instance("device"); found || err != nil {
		t.Errorf("an instance that does not exist: %v, %v", found, err)
	}
	if err := r.PutInstance(registry.Instance{}); err == nil {
		t.Error("an instance without a name was kept")
	}
	for _, name := range []string{"access", "b", "aa", "energy", "devices-2"} {
		must(t, r.PutInstance(registry.Instance{Name: name, Code: hash}))
	}
	for _, test := range []struct {
		after string
		limit int
		want  string
	}{
		{"", 100, "[aa access b devices devices-2 energy]"},
		{"", 2, "[aa access]"},
		{"access", 2, "[b devices]"},
		{"c", 1, "[devices]"}, // that does not exist
		{"energy", 5, "[]"},
		{"", 0, "[]"},
		{"", -1, "[]"},
	} {
		list, err := r.Instances(test.after, test.limit)
		must(t, err)
		names := []string{}
		for _, i := range list {
			names = append(names, i.Name)
		}
		if got := fmt.Sprint(names); got != test.want {
			t.Errorf("after %q, %d: %s, want %s", test.after, test.limit, got, test.want)
		}
	}
}

// The rows are part of the chain's root: their bytes are fixed.
func TestGoldenRows(t *testing.T) {
	o := overlay(t)
	r := registry.New(o)
	open(t, r, 1, abi.OpenAccount{Quota: 1000})
	open(t, r, 2, abi.OpenAccount{Owner: addr(1), Quota: 300, Expires: 1_700_000_000, Scope: []registry.Scope{{Contract: "devices", Methods: []string{"enrol"}}}})
	must(t, r.Charge(kid(1), 50, 1_600_000_000))
	must(t, r.Charge(kid(1), 50, 1_600_000_007))
	if _, err := r.Reserve(kid(2), 1, 9); err != nil {
		t.Fatal(err)
	}
	must(t, r.PutInstance(registry.Instance{Name: "devices", Code: [32]byte{1, 2, 3}, Admin: kid(1), Capabilities: []string{"accounts"}, Created: 3, Version: 2}))
	must(t, r.SetParameters(abi.Parameters{Deploy: abi.DeployList, Deployers: [][]byte{addr(1)}}))
	must(t, r.PutHistory("devices", registry.History{Last: 2, Activations: []registry.Activation{
		{Version: 1, Hash: [32]byte{9}, Height: 3, Time: 1_600_000_000, By: kid(1)}, {Version: 2, From: 1, Hash: [32]byte{1, 2, 3}, Height: 5, Time: 1_600_000_007, By: kid(2), Gas: 10}}}))
	must(t, r.PutTimelock("devices", registry.Timelock{Delay: 86400, Next: 3600, From: 1_600_086_400,
		Announced: &registry.Announcement{Hash: [32]byte{4}, Version: 3, Breaking: true, Earliest: 1_600_086_407}}))
	permit := registry.Permit{Permit: abi.Permit{Hash: make([]byte, 32), Name: "lamps", Admin: addr(1), Capabilities: []string{"code"}}, By: kid(3)}
	if room, err := r.PutPermit(&permit); !room || err != nil {
		t.Fatal(room, err)
	}
	var got string
	for _, c := range []string{"\x00accounts", "\x00history", "\x00instances", "\x00keys", "\x00parameters", "\x00permits", "\x00timelocks", "\x00windows"} {
		must(t, o.Scan([]byte(c), nil, nil, false, func(key, value []byte) bool {
			got += fmt.Sprintf("%s %x %s\n", c[1:], key, hex.EncodeToString(value))
			return true
		}))
	}
	want := `accounts 8df232ae7cb3b95480f705c05ea2a6e883df0bb2 8a01401903e819012c01000718621908fc1a5f5e1007
accounts cf30ddadc8f2549ac85f0e36ebf94029dec6af37 8a01548df232ae7cb3b95480f705c05ea2a6e883df0bb219012c00010107000000
history 64657669636573 8301028287010058200900000000000000000000000000000000000000000000000000000000000000031a5f5e1000548df232ae7cb3b95480f705c05ea2a6e883df0bb20087020158200102030000000000000000000000000000000000000000000000000000000000051a5f5e100754cf30ddadc8f2549ac85f0e36ebf94029dec6af370a
instances 64657669636573 860158200102030000000000000000000000000000000000000000000000000000000000548df232ae7cb3b95480f705c05ea2a6e883df0bb281686163636f756e74730302
keys 8df232ae7cb3b95480f705c05ea2a6e883df0bb2 8601548df232ae7cb3b95480f705c05ea2a6e883df0bb25820cecc1507dc1ddd7295951c290888f095adb9044d1b73d696e6df065d683bd4fc800000
keys cf30ddadc8f2549ac85f0e36ebf94029dec6af37 860154cf30ddadc8f2549ac85f0e36ebf94029dec6af3758206b79c57e6a095239282c04818e96112f3f03a4001ba97a564c23852a3f1ea5fc818267646576696365738165656e726f6c1a6553f10000
parameters 706172616d6574657273 8201a2666465706c6f79646c697374696465706c6f7965727381548df232ae7cb3b95480f705c05ea2a6e883df0bb2
parameters 7065726d697473 820101
permits 6c616d7073 8301a4646861736858200000000000000000000000000000000000000000000000000000000000000000646e616d65656c616d70736561646d696e548df232ae7cb3b95480f705c05ea2a6e883df0bb26c6361706162696c69746965738164636f646554f01f77182b5fce154e3db85d8d6e18d767c22d4e
timelocks 64657669636573 85011a00015180190e101a5f5f6180855820040000000000000000000000000000000000000000000000000000000000000003f4f51a5f5f6187
windows cf30ddadc8f2549ac85f0e36ebf94029dec6af3701 83010958200002000000000000000000000000000000000000000000000000000000000000
`
	if got != want {
		t.Errorf("rows\n%swant\n%s", got, want)
	}
}

func permitFor(name string) *registry.Permit {
	return &registry.Permit{Permit: abi.Permit{Hash: make([]byte, 32), Name: name, Admin: make([]byte, 20)}}
}

// Permits are counted, whatever becomes of them; a count that does not fit them is this node's trouble.
func TestPermits(t *testing.T) {
	o := overlay(t)
	r := registry.New(o)
	put := func(name string) bool {
		t.Helper()
		room, err := r.PutPermit(permitFor(name))
		must(t, err)
		return room
	}
	drop := func(name string) bool {
		t.Helper()
		found, err := r.DropPermit(name)
		must(t, err)
		return found
	}
	for i := range 3 * abi.MaxPermits {
		name := fmt.Sprintf("a-%d", i)
		once, twice := put(name), put(name)
		there, gone := drop(name), !drop(name)
		if !once || !twice || !there || !gone {
			t.Fatalf("permit %d: put %v, put again %v, dropped %v, gone %v", i, once, twice, there, gone)
		}
	}
	for i := range abi.MaxPermits {
		if !put(fmt.Sprintf("b-%d", i)) {
			t.Fatalf("no room for permit %d", i)
		}
	}
	if put("c") || !put("b-0") || !drop("b-1") || !put("c") || put("d") {
		t.Error("it is not the 64 that there are")
	}
	if p, err := r.Permit("d"); p != nil || err != nil {
		t.Errorf("a permit that there was no room for: %v, %v", p, err)
	}
	if _, err := r.PutPermit(&registry.Permit{Permit: abi.Permit{Name: "e"}}); err == nil {
		t.Error("a permit without a hash was kept")
	}
	must(t, o.Set([]byte("\x00parameters"), []byte("permits"), []byte{0x82, 0x01, 0x00}))
	if _, err := r.DropPermit("c"); err == nil {
		t.Error("a permit was dropped that was not counted")
	}
}

// A row that is not what this release writes is an error that names it.
func TestDamagedRows(t *testing.T) {
	o := overlay(t)
	r := registry.New(o)
	open(t, r, 1, abi.OpenAccount{Quota: 5, Scope: []registry.Scope{{Contract: "c", Methods: []string{"m"}}}})
	must(t, r.PutInstance(registry.Instance{Name: "i", Capabilities: []string{"x"}}))
	must(t, r.PutHistory("i", registry.History{Last: 1, Activations: []registry.Activation{{Version: 1}}}))
	must(t, r.PutTimelock("i", registry.Timelock{Delay: 1, Announced: &registry.Announcement{Version: 2}}))
	must(t, r.PutTimelock("j", registry.Timelock{Delay: 1}))
	must(t, r.SetParameters(abi.Parameters{Deploy: abi.DeployOpen}))
	if room, err := r.PutPermit(permitFor("q")); !room || err != nil {
		t.Fatal(room, err)
	}
	if _, err := r.Reserve(kid(1), 0, 1); err != nil {
		t.Fatal(err)
	}
	id := kid(1)
	for _, row := range []struct {
		collection string
		key        []byte
		read       func() error
	}{
		{"\x00keys", id[:], func() error { _, _, err := r.Key(id); return err }},
		{"\x00accounts", id[:], func() error { _, _, err := r.Account(id); return err }},
		{"\x00windows", append(id[:], 0), func() error { _, err := r.Next(id, 0); return err }},
		{"\x00instances", []byte("i"), func() error { _, _, err := r.Instance("i"); return err }},
		{"\x00instances", []byte("i"), func() error { _, err := r.Instances("", 1); return err }},
		{"\x00parameters", []byte("parameters"), func() error { _, err := r.Parameters(); return err }},
		{"\x00permits", []byte("q"), func() error { _, err := r.Permit("q"); return err }},
		{"\x00history", []byte("i"), func() error { _, err := r.History("i"); return err }},
		{"\x00timelocks", []byte("i"), func() error { _, err := r.Timelock("i"); return err }},
		{"\x00timelocks", []byte("j"), func() error { _, err := r.Timelock("j"); return err }},
	} {
		must(t, row.read())
		c := []byte(row.collection)
		good, err := o.Get(c, row.key)
		must(t, err)
		bad := [][]byte{{}, append(bytes.Clone(good), 0), {0x82, 0x01, 0x00}}
		for n := range good {
			bad = append(bad, good[:n])
		}
		future := bytes.Clone(good)
		future[1] = 2 // the version
		bad = append(bad, future)
		for _, b := range bad {
			must(t, o.Set(c, row.key, b))
			if row.read() == nil {
				t.Errorf("%q: %x was read", row.collection, b)
			}
		}
		must(t, o.Set(c, row.key, good))
	}
}
