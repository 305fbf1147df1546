package state_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/state/statetest"
)

// rows is the obvious state: values under collection and key.
type rows map[[2]string]string

// scan is the obvious scan.
func (r rows) scan(collection, start, end string, reverse bool, limit int) (out []string) {
	for _, k := range slices.SortedFunc(maps.Keys(r), func(a, b [2]string) int { return bytes.Compare([]byte(a[1]), []byte(b[1])) }) {
		if k[0] == collection && k[1] >= start && (end == "" || k[1] < end) {
			out = append(out, k[1]+"="+r[k])
		}
	}
	if reverse {
		slices.Reverse(out)
	}
	return out[:min(limit, len(out))]
}

type scanner interface {
	Get(collection, key []byte) ([]byte, error)
	Scan(collection, start, end []byte, reverse bool, visit func(key, value []byte) bool) error
}

// agree compares what a reader says with the oracle, in a random place.
func agree(t *rapid.T, what string, s scanner, want rows) {
	c, start, end := collections.Draw(t, "collection"), keys.Draw(t, "start"), keys.Draw(t, "end")
	reverse, limit := rapid.Bool().Draw(t, "reverse"), rapid.IntRange(1, 30).Draw(t, "limit")
	var got []string
	err := s.Scan([]byte(c), []byte(start), []byte(end), reverse, func(key, value []byte) bool {
		if value != nil { // else it was deleted
			got = append(got, string(key)+"="+string(value))
		}
		return len(got) < limit
	})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if expect := want.scan(c, start, end, reverse, limit); !slices.Equal(got, expect) {
		t.Fatalf("%s: scan %q [%q, %q) reverse %v: %q, want %q", what, c, start, end, reverse, got, expect)
	}
	key := keys.Draw(t, "get")
	value, err := s.Get([]byte(c), []byte(key))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if w, ok := want[[2]string{c, key}]; ok != (value != nil) || string(value) != w {
		t.Fatalf("%s: get %q %q: %q, want %q, present %v", what, c, key, value, w, ok)
	}
}

var (
	// Few and close to each other, so that operations meet; "a" + "bc" and "ab" +
	// "c" would be one key without the length between them.
	collections = rapid.SampledFrom([]string{"a", "ab", "\x00a", "\xff\xff"})
	keys        = rapid.SampledFrom([]string{"", "b", "bc", "c", "\x00", "\xff", "\xff\xff", "m", "n", "o", "oo", "p", "q"})
	values      = rapid.SampledFrom([]string{"", "1", "2", "a longer value"})
)

// machine runs a State beside its oracle.
type machine struct {
	disk    *statetest.Faults
	keep    uint64
	s       *state.State
	o       *state.Overlay
	now     rows            // oracle of the overlay
	heights map[uint64]rows // oracle of every committed height
	roots   map[uint64][]byte
	latest  uint64
	marks   []struct {
		mark state.Mark
		rows rows
	}
	pinned map[uint64]*state.Snapshot
}

func (m *machine) open(t *rapid.T) {
	s, err := state.Open(m.disk, state.Options{Keep: m.keep, CachePages: rapid.SampledFrom([]int{1, 7, 1000}).Draw(t, "cache")})
	if err != nil {
		t.Fatal(err)
	}
	m.s, m.pinned = s, map[uint64]*state.Snapshot{}
	if s.Height() != m.latest || !bytes.Equal(s.Root(), m.roots[m.latest]) {
		t.Fatalf("opened at height %d root %x, want %d %x", s.Height(), s.Root(), m.latest, m.roots[m.latest])
	}
	m.begin()
}

func (m *machine) begin() {
	m.o = m.s.Overlay()
	m.now = maps.Clone(m.heights[m.latest])
	m.marks = nil
}

func TestOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{
			disk:    &statetest.Faults{DB: state.NewMemory()},
			keep:    rapid.Uint64Range(2, 6).Draw(t, "keep"),
			heights: map[uint64]rows{0: {}},
			roots:   map[uint64][]byte{},
		}
		m.open(t)
		// write is what most blocks are made of.
		write := func(t *rapid.T) {
			for range rapid.IntRange(1, 6).Draw(t, "writes") {
				c, k := collections.Draw(t, "collection"), keys.Draw(t, "key")
				var err error
				if rapid.IntRange(0, 2).Draw(t, "kind") == 0 {
					err = m.o.Delete([]byte(c), []byte(k))
					delete(m.now, [2]string{c, k})
				} else {
					v := values.Draw(t, "value")
					err = m.o.Set([]byte(c), []byte(k), []byte(v))
					m.now[[2]string{c, k}] = v
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"write":       write,
			"write again": write,
			"checkpoint": func(t *rapid.T) {
				m.marks = append(m.marks, struct {
					mark state.Mark
					rows rows
				}{m.o.Checkpoint(), maps.Clone(m.now)})
			},
			"revert": func(t *rapid.T) {
				if len(m.marks) == 0 {
					t.Skip("no mark")
				}
				i := rapid.IntRange(0, len(m.marks)-1).Draw(t, "mark")
				m.o.Revert(m.marks[i].mark)
				m.now = maps.Clone(m.marks[i].rows)
				m.marks = m.marks[:i+1]
			},
			"look": func(t *rapid.T) { agree(t, "overlay", m.o, m.now) },
			"trial": func(t *rapid.T) {
				snap, err := m.s.At(0)
				if err != nil {
					t.Fatal(err)
				}
				defer snap.Close()
				o := snap.Overlay()
				c, k := collections.Draw(t, "collection"), keys.Draw(t, "key")
				want := maps.Clone(m.heights[m.latest])
				want[[2]string{c, k}] = "tried"
				if err := o.Set([]byte(c), []byte(k), []byte("tried")); err != nil {
					t.Fatal(err)
				}
				agree(t, "trial", o, want)
			},
			"look back": func(t *rapid.T) {
				height := rapid.Uint64Range(0, m.latest+2).Draw(t, "height")
				snap, err := m.s.At(height)
				if height == 0 {
					height = m.latest
				}
				var pruned *state.PrunedError
				if height > m.latest || height < m.s.Earliest() {
					if !errors.As(err, &pruned) || pruned.Earliest != m.s.Earliest() || pruned.Latest != m.latest {
						t.Fatalf("height %d of %d to %d: %v", height, m.s.Earliest(), m.latest, err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				defer snap.Close()
				if !bytes.Equal(snap.Root(), m.roots[height]) {
					t.Fatalf("height %d has root %x, had %x", height, snap.Root(), m.roots[height])
				}
				agree(t, fmt.Sprint("height ", height), snap, m.heights[height])
			},
			"pin": func(t *rapid.T) {
				snap, err := m.s.At(0)
				if err != nil {
					t.Fatal(err)
				}
				if old := m.pinned[snap.Height()]; old != nil {
					old.Close()
				}
				m.pinned[snap.Height()] = snap
			},
			"unpin": func(t *rapid.T) {
				if len(m.pinned) == 0 {
					t.Skip("no pin")
				}
				height := rapid.SampledFrom(slices.Sorted(maps.Keys(m.pinned))).Draw(t, "height")
				agree(t, fmt.Sprint("pinned height ", height), m.pinned[height], m.heights[height])
				m.pinned[height].Close()
				delete(m.pinned, height)
			},
			"commit": func(t *rapid.T) {
				stage, err := m.o.Stage(m.latest + 1)
				if err != nil {
					t.Fatal(err)
				}
				if rapid.Bool().Draw(t, "another stage between") {
					if _, err := m.s.Overlay().Stage(m.latest + 1); err != nil {
						t.Fatal(err)
					}
				}
				switch rapid.IntRange(0, 6).Draw(t, "fault") {
				case 0: // the write fails, the block is committed again
					m.disk.FailWrite(1, rapid.Bool().Draw(t, "lost"))
					if err := stage.Commit(); !errors.Is(err, statetest.ErrFault) {
						t.Fatalf("commit on a broken disk: %v", err)
					}
					if m.s.Height() != m.latest {
						t.Fatalf("a failed commit shows height %d", m.s.Height())
					}
				case 1: // and the process dies: staged anew, over what the disk says
					lost := rapid.Bool().Draw(t, "lost")
					m.disk.FailWrite(1, lost)
					if err := stage.Commit(); !errors.Is(err, statetest.ErrFault) {
						t.Fatalf("commit on a broken disk: %v", err)
					}
					if lost {
						block := m.now
						m.open(t)
						for k := range m.now {
							if _, ok := block[k]; !ok {
								m.o.Delete([]byte(k[0]), []byte(k[1]))
							}
						}
						for k, v := range block { // in any order
							m.o.Set([]byte(k[0]), []byte(k[1]), []byte(v))
						}
						m.now = block
						again, err := m.o.Stage(m.latest + 1)
						if err != nil {
							t.Fatal(err)
						}
						if !bytes.Equal(again.Root(), stage.Root()) {
							t.Fatalf("the same block staged as %x, then as %x", stage.Root(), again.Root())
						}
						stage = again
					} else {
						s, err := state.Open(m.disk, state.Options{Keep: m.keep})
						if err != nil {
							t.Fatal(err)
						}
						if s.Height() != stage.Height() || !bytes.Equal(s.Root(), stage.Root()) {
							t.Fatalf("died behind the write and came back at %d %x, want %d %x", s.Height(), s.Root(), stage.Height(), stage.Root())
						}
					}
				}
				if err := stage.Commit(); err != nil {
					t.Fatal(err)
				}
				if err := stage.Commit(); err != nil { // again
					t.Fatal(err)
				}
				if maps.Equal(m.now, m.heights[m.latest]) && m.latest > 0 && !bytes.Equal(stage.Root(), m.roots[m.latest]) {
					t.Fatalf("nothing changed but the root, from %x to %x", m.roots[m.latest], stage.Root())
				}
				m.latest++
				m.heights[m.latest], m.roots[m.latest] = m.now, stage.Root()
				m.begin()
			},
			"prove": func(t *rapid.T) {
				if m.latest == 0 {
					return
				}
				height := rapid.Uint64Range(m.s.Earliest(), m.latest).Draw(t, "height")
				snap, err := m.s.At(height)
				if err != nil {
					t.Fatal(err)
				}
				defer snap.Close()
				c, k := collections.Draw(t, "collection"), keys.Draw(t, "key")
				var value []byte
				if v, ok := m.heights[height][[2]string{c, k}]; ok {
					value = append([]byte{}, v...)
				}
				p, err := snap.Prove([]byte(c), []byte(k))
				if errors.Is(err, state.ErrNothingThere) && len(m.heights[height]) == 0 {
					return
				}
				if err != nil || !proves(m.roots[height], []byte(c), []byte(k), value, p) {
					t.Fatalf("height %d: no proof of %q %q = %q, %v", height, c, k, value, err)
				}
			},
			"travel": func(t *rapid.T) {
				if m.latest == 0 {
					return
				}
				height := rapid.Uint64Range(m.s.Earliest(), m.latest).Draw(t, "height")
				snap, err := m.s.At(height)
				if err != nil {
					t.Fatal(err)
				}
				defer snap.Close()
				db := state.NewMemory()
				in, err := state.OpenImport(db, height, m.roots[height])
				if err != nil {
					t.Fatal(err)
				}
				err = snap.Export(context.Background(), func(chunk []byte) error { _, err := in.Add(chunk); return err })
				if err != nil {
					t.Fatal(err)
				}
				other, err := state.Open(db, state.Options{})
				if err != nil {
					t.Fatal(err)
				}
				arrived, err := other.At(height)
				if err != nil || !bytes.Equal(arrived.Root(), m.roots[height]) {
					t.Fatalf("height %d arrived with root %x, %v", height, arrived.Root(), err)
				}
				agree(t, "arrived", arrived, m.heights[height])
				arrived.Close()
			},
			"prune": func(t *rapid.T) {
				if _, err := m.s.Prune(rapid.IntRange(1, 3).Draw(t, "heights")); err != nil {
					t.Fatal(err)
				}
			},
			"verify": func(t *rapid.T) {
				report, err := m.s.Verify(context.Background(), nil)
				if err != nil || report.Found > 0 {
					t.Fatalf("%v, %v", report, err)
				}
			},
			"restart": func(t *rapid.T) { m.open(t) },
			"": func(t *rapid.T) {
				if m.s.Height() != m.latest || !bytes.Equal(m.s.Root(), m.roots[m.latest]) {
					t.Fatalf("height %d root %x, want %d %x", m.s.Height(), m.s.Root(), m.latest, m.roots[m.latest])
				}
			},
		})
	})
}
