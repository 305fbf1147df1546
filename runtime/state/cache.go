package state

import (
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2" // MPL-2.0, in the tree of libp2p already: bounded, and safe for readers beside a commit

	"github.com/wardledger/ward/runtime/state/merkle"
)

// cache holds pages of the tree. They never change, so that one serves all heights, readers and stages.
type cache struct {
	pages *lru.Cache[merkle.Key, *merkle.Page]
}

func newCache(size int) *cache {
	pages, err := lru.New[merkle.Key, *merkle.Page](size)
	if err != nil {
		panic("BUG: state: " + err.Error()) // a size below 1, which Options refuse
	}
	return &cache{pages: pages}
}

func (c *cache) load(r Reader, k merkle.Key) (*merkle.Page, error) {
	if p, ok := c.pages.Get(k); ok {
		return p, nil
	}
	p, err := readPage(r, k)
	if err != nil {
		return nil, err
	}
	c.pages.Add(k, p)
	return p, nil
}

// readPage reads a page that must be there.
func readPage(r Reader, k merkle.Key) (*merkle.Page, error) {
	key := pageKey(k)
	sealed, err := r.Get(key)
	if err != nil {
		return nil, err
	}
	if sealed == nil {
		return nil, fmt.Errorf("%w: page %x of the tree is missing", ErrCorrupt, key)
	}
	b, err := unseal(key, sealed)
	if err != nil {
		return nil, err
	}
	p, err := merkle.Decode(k, b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return p, nil
}
