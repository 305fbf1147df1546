package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// ErrCorrupt is wrapped by every error that means: the storage returned
// something that was never written, or lost what was. The node's disk is to be
// doubted, not the transaction that met it.
var ErrCorrupt = errors.New("state: corrupt")

// Each row ends in the CRC-32C of its key and value: 4 bytes, for which
// processors have an instruction, and which find every flipped bit and every
// row that lies under another's key. They guard against disks, not against
// people: the tree's hashes do that.
const sealSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

// sealed appends its checksum to a value, in place if there is room.
func sealed(key, value []byte) []byte {
	return binary.LittleEndian.AppendUint32(value, checksum(key, value))
}

// unseal returns the value of a stored row, or an error that names the row.
func unseal(key, stored []byte) ([]byte, error) {
	n := len(stored) - sealSize
	if n < 0 {
		return nil, fmt.Errorf("%w: row %x is %d bytes, too short for its checksum", ErrCorrupt, key, len(stored))
	}
	value := stored[:n:n]
	if want, got := binary.LittleEndian.Uint32(stored[n:]), checksum(key, value); want != got {
		return nil, fmt.Errorf("%w: row %x has checksum %08x, its content gives %08x", ErrCorrupt, key, want, got)
	}
	return value, nil
}
