package state

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/wardledger/ward/runtime/state/merkle"
)

// A Finding is something in the storage that is not as it was written.
type Finding struct {
	Key     []byte // in the storage
	Height  uint64 // that is affected first, as far as that can be said
	Problem string
}

func (f Finding) String() string {
	return fmt.Sprintf("row %x, height %d: %s", f.Key, f.Height, f.Problem)
}

// A Report is what Verify found. With no findings every row of every retained height is what the root says.
type Report struct {
	Earliest, Latest uint64
	Root             []byte
	Rows             uint64 // of the latest height
	History          uint64 // rows of older heights
	Pages            uint64 // of the tree, of all heights
	Stored           uint64 // rows in the storage

	Findings []Finding // the first MaxFindings
	Found    uint64    // how many there were
}

// MaxFindings bounds the findings that a report names.
const MaxFindings = 100

// Verify reads everything in the storage, computes every hash anew and compares it: pages with their parents, rows with the
// leaves of the latest height, older ones with those of theirs. It works on one moment, beside everything else. The
// progress is told every few thousand reads how many there were, of which the tree takes two for each page. The error says why it could not go on; damage is a finding.
func (s *State) Verify(ctx context.Context, progress func(reads uint64)) (*Report, error) {
	v := s.db.View() // newer than the tip's, which still has what was pruned since
	defer v.Release()
	t, found, err := readRecord(v)
	if err == nil && !found {
		return new(Report), checkEmpty(v)
	}
	if err != nil {
		return nil, fmt.Errorf("state: verify: %w", err)
	}
	c := checker{ctx: ctx, tip: t, progress: progress, pages: newCache(min(s.opts.CachePages, 1<<14))}
	c.view = &view{View: v, height: t.height}
	c.view.users.Store(1)
	c.report = Report{Earliest: t.earliest, Latest: t.height, Rows: t.root.Count}
	root := t.root.Root()
	c.report.Root = root[:]
	if err := c.run(); err != nil {
		return nil, fmt.Errorf("state: verify: %w", err)
	}
	return &c.report, nil
}

type checker struct {
	ctx      context.Context
	view     *view
	tip      record
	progress func(uint64)
	reads    uint64
	pages    *cache
	report   Report
	seen     uint64 // rows that have a leaf
	stored   uint64 // pages
	chain    uint64 // of keys of older rows: the sum of the hashes of all, less that of those to which a newer row leads

	old struct { // the root that was asked for last: older rows lie in the order of heights
		height uint64
		root   merkle.Node
	}
}

func (c *checker) find(key []byte, height uint64, problem string, args ...any) {
	c.report.Found++
	if len(c.report.Findings) < MaxFindings {
		c.report.Findings = append(c.report.Findings, Finding{bytes.Clone(key), height, fmt.Sprintf(problem, args...)})
	}
}

func (c *checker) run() error {
	var before merkle.Node
	known := false // before is that of the height before
	for height := c.tip.earliest; height <= c.tip.height; height++ {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		root, err := readRoot(c.view, height)
		if err != nil {
			c.find(heightKey(kindRoot, height), height, "%s", err)
			known = false
			continue
		}
		after := uint64(0)
		if height > c.tip.earliest {
			after = height - 1 // what is older was there before, and has been looked at
			if known && before.Root() != root.Root() {
				key := heightKey(kindStale, height)
				if sealed, err := c.view.Get(key); err != nil || sealed == nil {
					c.find(key, height, "the list of what is stale is missing: %v", err)
				}
			}
		}
		if err := c.tree(root, height, after); err != nil {
			return err
		}
		before, known = root, true
	}
	if known && before != c.tip.root {
		c.find(heightKey(kindRoot, c.tip.height), c.tip.height, "the root is %x, the record says %x", before.Hash, c.tip.root.Hash)
	}
	err := c.view.Scan(nil, nil, false, func(key, sealed []byte) bool {
		c.report.Stored++
		if c.step() != nil {
			return false
		}
		c.row(key, sealed)
		return true
	})
	if err == nil {
		err = c.ctx.Err()
	}
	if err == nil && c.stored != c.report.Pages {
		err = c.surplus()
	}
	if err == nil && c.chain != 0 {
		err = c.forgotten()
	}
	if err == nil && c.seen != c.tip.root.Count {
		err = c.missing()
	}
	return err
}

// step counts a read, and says whether anybody waits for the report.
func (c *checker) step() error {
	if c.reads++; c.reads%4096 > 0 {
		return nil
	}
	if c.progress != nil {
		c.progress(c.reads)
	}
	return c.ctx.Err()
}

// tree looks at the pages below a node that are newer than a version.
func (c *checker) tree(n merkle.Node, height, after uint64) error {
	if n.Count < 2 || n.Version <= after {
		return nil
	}
	if err := c.step(); err != nil {
		return err
	}
	c.report.Pages++
	p, err := readPage(c.view, n.Key())
	if err == nil {
		err = p.Check(&n)
	}
	if err != nil {
		c.find(pageKey(n.Key()), height, "%s", err)
		return nil // of what is below nothing can be said
	}
	for _, child := range p.Nodes() {
		if err := c.tree(child, height, after); err != nil {
			return err
		}
	}
	return nil
}

// root is that of a height which is kept.
func (c *checker) root(height uint64) (merkle.Node, error) {
	if height == c.tip.height {
		return c.tip.root, nil
	}
	if height != c.old.height {
		root, err := readRoot(c.view, height)
		if err != nil {
			return root, err
		}
		c.old.height, c.old.root = height, root
	}
	return c.old.root, nil
}

// leaf is what a height has at a row's path.
func (c *checker) leaf(height uint64, rowKey []byte) (leaf merkle.Node, found bool, err error) {
	root, err := c.root(height)
	if err != nil {
		return leaf, false, err
	}
	r := reader{view: c.view, cache: c.pages}
	return merkle.Find(&r, root, pathOf(rowKey))
}

// row looks at one row of the storage.
func (c *checker) row(key, sealedValue []byte) {
	tip := c.tip
	kept := func(height uint64) bool { return height >= tip.earliest && height <= tip.height }
	if len(key) == 0 {
		c.find(key, tip.height, "is none of the state's")
		return
	}
	value, err := unseal(key, sealedValue)
	if err != nil {
		c.find(key, tip.height, "%s", err)
		if key[0] == kindPage {
			c.stored++
		}
		return
	}
	switch key[0] {
	case kindPage:
		c.stored++ // looked at in its tree
	case kindRoot, kindStale:
		height := uint64(0)
		if len(key) == 9 {
			height = binary.BigEndian.Uint64(key[1:])
		}
		if !kept(height) || key[0] == kindStale && height == tip.earliest {
			c.find(key, height, "is of height %d, kept are %d to %d", height, tip.earliest, tip.height)
		} else if key[0] == kindStale {
			c.stale(key, height, value)
		}
	case kindRow:
		c.current(key, sealedValue)
	case kindDeletedRow:
		c.deleted(key, sealedValue)
	case kindHistory:
		c.older(key, sealedValue)
	default:
		if !bytes.Equal(key, recordKey) {
			c.find(key, tip.height, "is none of the state's")
		}
	}
}

func (c *checker) stale(key []byte, height uint64, value []byte) {
	old, err := decodeStale(value)
	if err != nil {
		c.find(key, height, "%s", err)
		return
	}
	for _, k := range old.deleted {
		_, live, err := getStored(c.view, kindKey(kindRow, k))
		if err == nil && !live {
			_, live, err = getStored(c.view, kindKey(kindDeletedRow, k))
		}
		if err != nil || !live {
			c.find(kindKey(kindDeletedRow, k), height, "the trace of a row that was deleted is missing, or damaged: %v", err)
		}
	}
	for _, k := range old.pages {
		if sealed, err := c.view.Get(pageKey(k)); err != nil || sealed == nil {
			c.find(pageKey(k), height-1, "the page is missing: %v", err)
		}
	}
}

func keySum(key []byte) uint64 {
	h := fnv.New64a()
	h.Write(key)
	return h.Sum64()
}

// history checks that what a row says of an older version is there.
func (c *checker) history(rowKey []byte, s stored) {
	if !s.older || s.version <= c.tip.earliest {
		return
	}
	key := historyKey(s.version, rowKey)
	older, found, err := getStored(c.view, key)
	if err == nil && found {
		c.chain -= keySum(key)
	}
	if err != nil || !found || older.version >= s.version {
		c.find(key, s.version-1, "what the row was before height %d is missing, or damaged: %v", s.version, err)
	}
}

func (c *checker) current(key, sealedValue []byte) {
	s, err := decodeStored(key, sealedValue)
	if err == nil {
		_, _, err = rowKeyOf(key[1:])
	}
	if err != nil {
		c.find(key, c.tip.height, "%s", err)
		return
	}
	if s.version > c.tip.height {
		c.find(key, s.version, "was written by height %d, latest is %d", s.version, c.tip.height)
	}
	c.history(key[1:], s)
	leaf, found, err := c.leaf(c.tip.height, key[1:])
	switch {
	case err != nil:
		c.find(key, c.tip.height, "its leaf cannot be read: %s", err)
	case !found:
		c.find(key, c.tip.height, "the tree has no leaf for it")
	case leaf.Value != sha256.Sum256(s.value):
		c.seen++
		c.find(key, c.tip.height, "its value has the hash %x, its leaf says %x", sha256.Sum256(s.value), leaf.Value)
	default:
		c.seen++
	}
}

func (c *checker) deleted(key, sealedValue []byte) {
	s, err := decodeStored(key, sealedValue)
	if err == nil {
		_, _, err = rowKeyOf(key[1:])
	}
	if err != nil {
		c.find(key, c.tip.earliest, "%s", err)
		return
	}
	if s.version <= c.tip.earliest || s.version > c.tip.height || !s.older {
		c.find(key, s.version, "says deleted at height %d, kept are %d to %d", s.version, c.tip.earliest, c.tip.height)
		return
	}
	c.history(key[1:], s)
	if _, found, err := c.leaf(c.tip.height, key[1:]); err != nil || found {
		c.find(key, c.tip.height, "was deleted at height %d, and the tree has a leaf: %v", s.version, err)
	}
}

func (c *checker) older(key, sealedValue []byte) {
	c.report.History++
	c.chain += keySum(key)
	s, err := decodeStored(key, sealedValue)
	if err == nil && len(key) < 10 {
		err = fmt.Errorf("%w: too short for a height and a row", ErrCorrupt)
	}
	if err == nil {
		_, _, err = rowKeyOf(key[9:])
	}
	if err != nil {
		c.find(key, c.tip.earliest, "%s", err)
		return
	}
	height := binary.BigEndian.Uint64(key[1:])
	if height <= c.tip.earliest || height > c.tip.height || s.version >= height {
		c.find(key, height, "is of height %d and before that of %d, kept are %d to %d", height, s.version, c.tip.earliest, c.tip.height)
		return
	}
	c.history(key[9:], s)
	leaf, found, err := c.leaf(height-1, key[9:])
	switch {
	case err != nil:
		c.find(key, height-1, "its leaf cannot be read: %s", err)
	case found == s.deleted:
		c.find(key, height-1, "deleted: %v, leaf: %v", s.deleted, found)
	case found && leaf.Value != sha256.Sum256(s.value):
		c.find(key, height-1, "its value has the hash %x, its leaf says %x", sha256.Sum256(s.value), leaf.Value)
	}
}

// surplus names the pages that no tree has. A page is in the tree of the height that wrote it, or in the earliest.
func (c *checker) surplus() error {
	r := reader{view: c.view, cache: c.pages}
	return c.each(kindPage, func(key, _ []byte) {
		k, rest, err := merkle.ParseKey(key[1:])
		if err == nil && len(rest) > 0 {
			err = fmt.Errorf("%d bytes behind the key", len(rest))
		}
		var root merkle.Node
		if err == nil {
			root, err = c.root(min(max(k.Version, c.tip.earliest), c.tip.height))
		}
		found := false
		if err == nil {
			found, err = merkle.HasPage(&r, root, k)
		}
		if err != nil || !found {
			c.find(key, k.Version, "no height has this page: %v", err)
		}
	})
}

// forgotten names the older rows to which no newer one leads: the newer one is itself older than it should be.
func (c *checker) forgotten() error {
	return c.each(kindHistory, func(key, _ []byte) {
		if len(key) < 10 {
			return // found already
		}
		height := binary.BigEndian.Uint64(key[1:])
		s, found, err := getStored(c.view, kindKey(kindRow, key[9:]))
		if err == nil && !found {
			s, found, err = getStored(c.view, kindKey(kindDeletedRow, key[9:]))
		}
		if err != nil || !found || s.version < height {
			c.find(kindKey(kindRow, key[9:]), height, "was written at height %d, and what is there is of height %d: %v", height, s.version, err)
		}
	})
}

// each visits the rows of a kind.
func (c *checker) each(kind byte, visit func(key, sealed []byte)) error {
	n := 0
	err := c.view.Scan([]byte{kind}, []byte{kind + 1}, false, func(key, sealed []byte) bool {
		visit(key, sealed)
		n++
		return n%4096 > 0 || c.ctx.Err() == nil
	})
	if err == nil {
		err = c.ctx.Err()
	}
	return err
}

// missingAtOnce is of how many rows missing has the paths in memory at a time, of about 100 bytes each.
const missingAtOnce = 1 << 20

// missing names the leaves that have no row.
func (c *checker) missing() error {
	passes := c.seen/missingAtOnce + 1
	part := (1<<32)/passes + 1 // of the first 4 bytes of a key's hash
	for pass := range passes {
		mine := func(p *merkle.Path) bool {
			return uint64(binary.BigEndian.Uint32(p[merkle.PrefixSize:]))/part == pass
		}
		have := map[merkle.Path]struct{}{}
		err := c.each(kindRow, func(key, _ []byte) {
			if _, _, err := rowKeyOf(key[1:]); err == nil {
				if p := pathOf(key[1:]); mine(&p) {
					have[p] = struct{}{}
				}
			}
		})
		if err != nil {
			return err
		}
		r := reader{view: c.view, cache: c.pages}
		err = merkle.Walk(&r, c.tip.root, merkle.Path{}, false, func(leaf *merkle.Node) bool {
			if _, ok := have[leaf.Path]; !ok && mine(&leaf.Path) {
				c.find([]byte{kindRow}, c.tip.height, "the row of the leaf at path %x is missing", leaf.Path)
			}
			return true
		})
		if err != nil {
			if c.report.Found > 0 {
				return nil // a page that cannot be read: it has been found
			}
			return err
		}
	}
	return nil
}
