package merkle

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// memory is where a test stores pages.
type memory map[string][]byte

func (m memory) Load(k Key) (*Page, error) {
	b, ok := m[string(k.Append(nil))]
	if !ok {
		return nil, fmt.Errorf("no page %x of version %d", k.Prefix[:k.Depth/2], k.Version)
	}
	return Decode(k, b)
}

// apply stores an update and takes away what is stale.
func (m memory) apply(t interface {
	Helper()
	Fatalf(string, ...any)
}, root Node, version uint64, changes []Change) Node {
	t.Helper()
	u, err := Apply(m, root, version, changes)
	if err != nil {
		t.Fatalf("version %d: %v", version, err)
	}
	for _, w := range u.New {
		key := string(w.Key.Append(nil))
		if _, ok := m[key]; ok {
			t.Fatalf("page %x is written over", key)
		}
		m[key] = w.Page.Encode(w.Key.Depth)
	}
	for _, k := range u.Stale {
		key := string(k.Append(nil))
		if _, ok := m[key]; !ok {
			t.Fatalf("page %x is stale and not there", key)
		}
		delete(m, key)
	}
	return u.Root
}

// rootByDefinition hashes sorted leaves the way the package comment says, bit by bit.
func rootByDefinition(paths []Path, values map[Path]Hash, bit int) Hash {
	if len(paths) == 1 {
		v := values[paths[0]]
		key := sha256.Sum256(paths[0][:])
		return sha256.Sum256(append(append([]byte{0}, key[:]...), v[:]...))
	}
	var left, right []Path
	for _, p := range paths {
		if p[bit/8]>>(7-bit%8)&1 == 0 {
			left = append(left, p)
		} else {
			right = append(right, p)
		}
	}
	switch {
	case len(left) == 0:
		return rootByDefinition(right, values, bit+1)
	case len(right) == 0:
		return rootByDefinition(left, values, bit+1)
	}
	l, r := rootByDefinition(left, values, bit+1), rootByDefinition(right, values, bit+1)
	return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
}

func sorted(values map[Path]Hash) []Path {
	return slices.SortedFunc(maps.Keys(values), func(a, b Path) int { return bytes.Compare(a[:], b[:]) })
}

// paths of different kinds of crowding: one long prefix, differences in the last bits, anything.
var paths = rapid.Custom(func(t *rapid.T) (p Path) {
	switch rapid.IntRange(0, 2).Draw(t, "kind") {
	case 0:
		p[0] = byte(rapid.IntRange(0, 3).Draw(t, "first"))
		p[17] = byte(rapid.IntRange(0, 255).Draw(t, "middle"))
	case 1:
		p[54] = byte(rapid.IntRange(0, 255).Draw(t, "last"))
	case 2:
		s := sha256.Sum256([]byte{byte(rapid.IntRange(0, 150).Draw(t, "any"))})
		copy(p[:], s[:])
	}
	return p
})

// The tree against its definition: roots, gets, neighbours, ranges, and a layout that depends on the set alone.
func TestOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		disk, root, values := memory{}, Node{}, map[Path]Hash{}
		for version := uint64(1); version < 8; version++ {
			changes := map[Path]Change{}
			for range rapid.IntRange(0, 60).Draw(t, "changes") {
				c := Change{Path: paths.Draw(t, "path"), Value: Hash{byte(rapid.IntRange(1, 3).Draw(t, "value"))}}
				if rapid.IntRange(0, 2).Draw(t, "delete") == 0 {
					c.Deleted, c.Value = true, Hash{}
				}
				changes[c.Path] = c
			}
			if rapid.IntRange(0, 5).Draw(t, "delete most") == 0 {
				for p := range values {
					if rapid.IntRange(0, 9).Draw(t, "keep") > 0 {
						changes[p] = Change{Path: p, Deleted: true}
					}
				}
			}
			var list []Change
			for _, p := range slices.SortedFunc(maps.Keys(changes), func(a, b Path) int { return compare(&a, &b) }) {
				list = append(list, changes[p])
			}
			before := root
			root = disk.apply(t, root, version, list)
			same := true
			for _, c := range list {
				old, ok := values[c.Path]
				same = same && (c.Deleted && !ok || !c.Deleted && ok && old == c.Value)
				if c.Deleted {
					delete(values, c.Path)
				} else {
					values[c.Path] = c.Value
				}
			}
			if same && root != before {
				t.Fatalf("nothing changed and the root did")
			}
			check(t, disk, root, values)
		}
	})
}

func check(t *rapid.T, disk memory, root Node, values map[Path]Hash) {
	t.Helper()
	all := sorted(values)
	if root.Count != uint64(len(all)) {
		t.Fatalf("%d leaves, want %d", root.Count, len(all))
	}
	if len(all) == 0 {
		if root.Root() != EmptyRoot || len(disk) > 0 {
			t.Fatalf("empty: root %x, %d pages", root.Root(), len(disk))
		}
		return
	}
	if want := rootByDefinition(all, values, 0); root.Root() != want {
		t.Fatalf("root %x, by definition %x", root.Root(), want)
	}
	// The same set in one go has the same pages, whatever version each is of.
	fresh := memory{}
	list := make([]Change, len(all))
	for i, p := range all {
		list[i] = Change{Path: p, Value: values[p]}
	}
	again := fresh.apply(t, Node{}, 1, list)
	if again.Hash != root.Hash || len(fresh) != len(disk) {
		t.Fatalf("in one go: root %x and %d pages, step by step %x and %d", again.Hash, len(fresh), root.Hash, len(disk))
	}
	at := paths.Draw(t, "look")
	if rapid.Bool().Draw(t, "there") {
		at = all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]
	}
	leaf, found, err := Find(disk, root, at)
	if value, ok := values[at]; err != nil || found != ok || found && leaf.Value != value {
		t.Fatalf("find %x: %x, %v, %v", at, leaf.Value, found, err)
	}
	for _, reverse := range []bool{false, true} {
		var got, want []Path
		if err := Walk(disk, root, at, reverse, func(n *Node) bool { got = append(got, n.Path); return len(got) < 7 }); err != nil {
			t.Fatalf("%v", err)
		}
		for _, p := range all {
			if c := compare(&p, &at); !reverse && c >= 0 || reverse && c <= 0 {
				want = append(want, p)
			}
		}
		if reverse {
			slices.Reverse(want)
		}
		if want = want[:min(7, len(want))]; !slices.Equal(got, want) {
			t.Fatalf("walk from %x, reverse %v: %x, want %x", at, reverse, got, want)
		}
	}
	from := rapid.IntRange(0, len(all)-1).Draw(t, "from")
	to := rapid.IntRange(from, len(all)-1).Draw(t, "to")
	checkRange(t, disk, root, all, values, from, to)
}

func checkRange(t *rapid.T, disk memory, root Node, all []Path, values map[Path]Hash, from, to int) {
	t.Helper()
	r, err := RangeOf(disk, root, all[from], all[to])
	if err != nil {
		t.Fatalf("%v", err)
	}
	var leaves []Node
	for _, p := range all[from : to+1] {
		leaves = append(leaves, Leaf(p, values[p]))
	}
	if got, err := r.Root(leaves); err != nil || got != root.Hash {
		t.Fatalf("range %d to %d of %d: root %x, want %x, %v", from, to, len(all), got, root.Hash, err)
	}
	if (len(r.Left) == 0) != (from == 0) || (len(r.Right) == 0) != (to == len(all)-1) {
		t.Fatalf("range %d to %d of %d has %d and %d beside it", from, to, len(all), len(r.Left), len(r.Right))
	}
	// A leaf left out, changed, added, or a hash or bit beside it changed: another root.
	forge := func(what string, r Range, leaves []Node) {
		if got, err := r.Root(leaves); err == nil && got == root.Hash {
			t.Fatalf("range %d to %d of %d: %s, and the root is the same", from, to, len(all), what)
		}
	}
	i := rapid.IntRange(0, len(leaves)-1).Draw(t, "forged")
	if len(leaves) > 1 {
		forge("a leaf is withheld", r, slices.Delete(slices.Clone(leaves), i, i+1))
	}
	other := slices.Clone(leaves)
	other[i].Value[31] ^= 1
	forge("a value is another", r, other)
	if more := other[i].Path; more[54] < 255 {
		more[54]++
		if _, ok := values[more]; !ok {
			forge("a leaf is made up", r, slices.Insert(slices.Clone(leaves), i+1, Leaf(more, Hash{1})))
		}
	}
	if len(r.Left) > 0 {
		cut := Range{r.Left[1:], r.Right}
		forge("the left is cut", cut, leaves)
	}
	if len(r.Right) > 0 {
		wrong := Range{r.Left, slices.Clone(r.Right)}
		wrong.Right[0].Hash[0] ^= 1
		forge("the right is another", wrong, leaves)
	}
}

// Large updates go side by side on several processors, to the same end.
func TestSideBySide(t *testing.T) {
	const n = 20_000
	values, disk := map[Path]Hash{}, memory{}
	var root Node
	for version := uint64(1); version <= 4; version++ {
		var list []Change
		for i := range n {
			if i%4 == int(version)-1 || i%7 == int(version) {
				p := PathOf([]byte{byte(i % 3)}, fmt.Append(nil, i))
				deleted := version == 3 && i%5 > 0
				list = append(list, Change{Path: p, Value: Hash{byte(version)}, Deleted: deleted})
				if values[p] = (Hash{byte(version)}); deleted {
					delete(values, p)
				}
			}
		}
		slices.SortFunc(list, func(a, b Change) int { return compare(&a.Path, &b.Path) })
		root = disk.apply(t, root, version, list)
		if want := rootByDefinition(sorted(values), values, 0); root.Hash != want || root.Count != uint64(len(values)) {
			t.Fatalf("version %d: root %x of %d, want %x of %d", version, root.Hash, root.Count, want, len(values))
		}
		pages := 0
		var look func(n Node)
		look = func(n Node) {
			if n.Count < 2 {
				return
			}
			pages++
			p, err := disk.Load(n.Key())
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Check(&n); err != nil {
				t.Fatal(err)
			}
			for _, c := range p.Nodes() {
				look(c)
			}
		}
		look(root)
		if pages != len(disk) {
			t.Fatalf("version %d: %d pages are stored, %d are of the tree", version, len(disk), pages)
		}
	}
	if root = disk.apply(t, root, 5, deletions(values)); root.Count != 0 || len(disk) != 0 {
		t.Fatalf("everything deleted: %d leaves, %d pages", root.Count, len(disk))
	}
}

func deletions(values map[Path]Hash) (list []Change) {
	for _, p := range sorted(values) {
		list = append(list, Change{Path: p, Deleted: true})
	}
	return list
}

// Hashes that must never change, computed with a few lines of Python: sha256(b"\0" + sha256(path) + value).
func TestGolden(t *testing.T) {
	a, b := PathOf([]byte("c"), []byte("a")), PathOf([]byte("c"), []byte("b"))
	for _, test := range []struct{ what, got, want string }{
		{"path", fmt.Sprintf("%x", a), "2e7d2c03a9507ae265ecf5b5356885a53393a2029d2413ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"},
		{"leaf", fmt.Sprintf("%x", Leaf(a, sha256.Sum256([]byte("1"))).Hash), "74a9e132df6e130af7e3cc4fc4ed0d0fa4bb653ec78ec589e6be85580eaa931c"},
		{"two leaves", fmt.Sprintf("%x", fold([]Node{Leaf(b, sha256.Sum256([]byte("2"))), Leaf(a, sha256.Sum256([]byte("1")))})), "df9def5f70e9dcc9f548b4c594394c1869810af96680ce0434fae84b5bdcf10f"},
		{"nothing", fmt.Sprintf("%x", EmptyRoot), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	} {
		if test.got != test.want {
			t.Errorf("%s: %s, want %s", test.what, test.got, test.want)
		}
	}
}

// Decode accepts exactly what Encode makes.
func FuzzDecode(f *testing.F) {
	disk := memory{}
	var list []Change
	for i := range 300 {
		list = append(list, Change{Path: PathOf([]byte("c"), []byte{byte(i), byte(i >> 8)}), Value: Hash{byte(i)}})
	}
	slices.SortFunc(list, func(a, b Change) int { return compare(&a.Path, &b.Path) })
	root := disk.apply(f, Node{}, 1, list)
	disk.apply(f, root, 2, list[:3])
	for k, b := range disk {
		f.Add([]byte(k), b)
	}
	f.Fuzz(func(t *testing.T, key, b []byte) {
		k, rest, err := ParseKey(key)
		if err != nil || len(rest) > 0 {
			return
		}
		if again := k.Append(nil); !bytes.Equal(again, key) {
			t.Fatalf("key %x was read, and written as %x", key, again)
		}
		p, err := Decode(k, b)
		if err != nil {
			return
		}
		if again := p.Encode(k.Depth); !bytes.Equal(again, b) {
			t.Fatalf("page %x was read, and written as %x", b, again)
		}
		n := Node{Hash: fold(p.nodes), Count: total(p.nodes)}
		if err := p.Check(&n); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzDecodeRoot(f *testing.F) {
	leaf := Leaf(PathOf([]byte("c"), []byte("k")), Hash{1})
	f.Add(EncodeRoot(&leaf))
	f.Add(EncodeRoot(&Node{Count: 9, Version: 300, Depth: 3, Path: Path{0x12, 0x30}, Hash: Hash{7}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := DecodeRoot(b)
		if err != nil {
			return
		}
		if again := EncodeRoot(&n); !bytes.Equal(again, b) {
			t.Fatalf("%x was read, and written as %x", b, again)
		}
	})
}
