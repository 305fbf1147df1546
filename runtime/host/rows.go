package host

import (
	"encoding/binary"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
)

// MaxBound is the longest start or end of a scan in bytes: the next page after
// the longest key starts at that key with a zero byte appended.
const MaxBound = abi.MaxKey + 1

// Collection returns the name under which the chain's state files a collection
// of a contract: no contract can name another's, and none can name the
// system's, which start with a zero byte.
func Collection(contract, collection string) []byte {
	return append(appendPrefix(nil, contract), collection...)
}

func appendPrefix(b []byte, contract string) []byte {
	return append(append(b, contract...), 0)
}

// collection checks a collection's name and returns it as the state knows it,
// in memory that is good until the next call of collection.
func (c *Call) collection(function string, name []byte) ([]byte, error) {
	if err := bound(function, "collection", len(name), abi.MaxCollection); err != nil {
		return nil, err
	}
	if !abi.ValidCollection(string(name)) {
		return nil, Stopf(receipt.Trapped, "%s: %+q is not a collection's name", function, name)
	}
	if c.prefix == nil {
		c.prefix = appendPrefix(make([]byte, 0, abi.MaxContractName+1+abi.MaxCollection), c.Contract)
	}
	return append(c.prefix, name...), nil
}

// Get returns the value of a row of the contract, which may be empty, or nil if
// there is none. The caller must not change it.
func (c *Call) Get(collection, key []byte) ([]byte, error) {
	rows, err := c.collection("get", collection)
	if err == nil {
		err = bound("get", "key", len(key), abi.MaxKey)
	}
	if err == nil {
		err = c.Charge(gas.Read + gas.ReadByte*uint64(len(key)))
	}
	if err != nil {
		return nil, err
	}
	value, err := c.Store.Get(rows, key)
	if err != nil {
		return nil, err
	}
	if c.Trace != nil {
		c.Trace.row("get", collection, key, value, value != nil)
	}
	// The row is at hand now; what is paid for is copying it to the contract.
	return value, c.Charge(gas.ReadByte * uint64(len(value)))
}

// Exists reports whether there is a row.
func (c *Call) Exists(collection, key []byte) (bool, error) {
	rows, err := c.collection("exists", collection)
	if err == nil {
		err = bound("exists", "key", len(key), abi.MaxKey)
	}
	if err == nil {
		err = c.Charge(gas.Read + gas.ReadByte*uint64(len(key)))
	}
	if err != nil {
		return false, err
	}
	value, err := c.Store.Get(rows, key)
	if c.Trace != nil {
		c.Trace.row("exists", collection, key, nil, value != nil)
	}
	return value != nil, err
}

// Set stores a row of the contract.
func (c *Call) Set(collection, key, value []byte) error {
	if err := c.mayChange("set"); err != nil {
		return err
	}
	rows, err := c.collection("set", collection)
	if err == nil {
		err = bound("set", "key", len(key), abi.MaxKey)
	}
	if err == nil {
		err = bound("set", "value", len(value), abi.MaxValue)
	}
	if err == nil {
		err = c.Charge(gas.Write + gas.WriteByte*uint64(len(key)+len(value)))
	}
	if err != nil {
		return err
	}
	if c.Trace != nil {
		c.Trace.row("set", collection, key, value, false)
	}
	// A copy: value lies in the contract's memory, and the store keeps it. It is
	// not nil even when empty, because nil is how a store says "no row".
	return c.Store.Set(rows, key, append(make([]byte, 0, len(value)), value...))
}

// Delete removes a row of the contract and reports whether there was one.
func (c *Call) Delete(collection, key []byte) (bool, error) {
	if err := c.mayChange("delete"); err != nil {
		return false, err
	}
	rows, err := c.collection("delete", collection)
	if err == nil {
		err = bound("delete", "key", len(key), abi.MaxKey)
	}
	if err == nil {
		err = c.Charge(gas.Read + gas.Write + (gas.ReadByte+gas.WriteByte)*uint64(len(key)))
	}
	if err != nil {
		return false, err
	}
	value, err := c.Store.Get(rows, key)
	if c.Trace != nil {
		c.Trace.row("delete", collection, key, nil, value != nil)
	}
	if err != nil || value == nil {
		return false, err
	}
	return true, c.Store.Delete(rows, key)
}

// A Range is a part of a collection: the rows with Start <= key < End, at most
// Limit of them (and never more than abi.MaxScanRows).
type Range struct {
	Collection, Start, End []byte // an empty End is unbounded
	Reverse                bool
	Limit                  uint32
}

// Scan returns rows of the contract in the encoding of abi's scan, as many whole
// ones as fit in room bytes. If not even the first one fits, page is empty and
// need is the room that it takes.
func (c *Call) Scan(r Range, room int) (page []byte, need int, err error) {
	rows, err := c.collection("scan", r.Collection)
	if err == nil {
		err = bound("scan", "start", len(r.Start), MaxBound)
	}
	if err == nil {
		err = bound("scan", "end", len(r.End), MaxBound)
	}
	if err == nil {
		err = c.Charge(gas.Scan + gas.ReadByte*uint64(len(r.Start)+len(r.End)))
	}
	if err != nil {
		return nil, 0, err
	}
	if t := c.Trace; t != nil {
		t.step(Step{Op: "scan", Collection: string(r.Collection), Key: t.keep(r.Start), End: t.keep(r.End), Reverse: r.Reverse})
	}
	left := min(r.Limit, abi.MaxScanRows)
	if left == 0 {
		return nil, 0, nil
	}
	var stop error
	err = c.Store.Scan(rows, r.Start, r.End, r.Reverse, func(key, value []byte) bool {
		if stop = c.Charge(gas.ScanRow); stop != nil {
			return false
		}
		if value == nil { // deleted in this block: paid for like any other, or passing over thousands were free
			return true
		}
		size := abi.ScanRowHead + len(key) + len(value)
		if size > room-len(page) {
			if len(page) == 0 {
				need = size
			}
			return false
		}
		if stop = c.Charge(gas.ReadByte * uint64(size)); stop != nil {
			return false
		}
		page = binary.LittleEndian.AppendUint32(page, uint32(len(key)))
		page = binary.LittleEndian.AppendUint32(page, uint32(len(value)))
		page = append(page, key...)
		page = append(page, value...)
		if c.Trace != nil {
			c.Trace.row("row", r.Collection, key, value, true)
		}
		left--
		return left > 0
	})
	if err == nil {
		err = stop
	}
	if err != nil {
		return nil, 0, err
	}
	return page, need, nil
}
