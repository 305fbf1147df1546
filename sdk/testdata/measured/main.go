// Measured does the same reads and writes typed and by the host's own functions, and says what each took.
package main

import (
	"encoding/binary"
	"reflect"
	"unsafe"

	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/wire"
)

//go:wasmimport ward get
//go:noescape
func hostGet(collection string, key unsafe.Pointer, keySize uint32, out unsafe.Pointer, size uint32) int32

//go:wasmimport ward set
//go:noescape
func hostSet(collection string, key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize uint32)

// A Reading is a row of ordinary size.
type Reading struct {
	Meter    sdk.Address
	Time     sdk.Time
	ImportWh int64
	ExportWh int64
	Quality  string
}

// Ten is an argument with ten fields.
type Ten struct {
	Device, Owner sdk.Address
	From, Until   sdk.Time
	Limit, Count  uint64
	Wh            int64
	Name, Reason  string
	On            bool
}

var (
	numbers  = sdk.NewMap[sdk.Address, uint64]("numbers")
	readings = sdk.NewMap[sdk.Address, Reading]("readings")
	one      = sdk.Address{1}
	reading  = Reading{one, 1767600000, 1234567, 89, "metered"}
	ten      = wire.New[Ten]()
	tenPlan  = wire.NewPlan(reflect.TypeFor[Ten]())
	tenValue = Ten{one, one, 1767600000, 1767603600, 50, 7, 1234567, "front door", "the courier comes at nine", true}
	buffer   [512]byte
)

// What names what is measured, and N how often it is done.
type What struct {
	What string
	N    uint32
}

func init() {
	sdk.Describe("measured", "Says what reads and writes take.")
	sdk.Method("write", measure, "Does it as a transaction.")
	sdk.View("read", measure, "Does it as a view.")
}

// measure answers the gas that the N times took together.
func measure(c *sdk.Ctx, a What) (int64, error) {
	key := one
	number := func(i uint32) { key[1], key[2] = byte(i), byte(i>>8) } // another row each time
	raw := func(collection string, value []byte) {
		hostSet(collection, unsafe.Pointer(&key), 20, unsafe.Pointer(unsafe.SliceData(value)), uint32(len(value)))
	}
	// Other values than in the block before, or there would be nothing to do for the tree.
	value, reading := uint64(1_000_000+c.Height()), reading
	reading.ImportWh += int64(c.Height())
	encoded, _ := ten.Append(nil, tenValue)
	row, _ := wire.Marshal(&reading)
	var sink uint64
	before := c.GasLeft()
	switch a.What {
	case "nothing":
		for i := range a.N {
			number(i)
			sink++
		}
	case "raw get number":
		for i := range a.N {
			number(i)
			n := hostGet("numbers", unsafe.Pointer(&key), 20, unsafe.Pointer(&buffer), uint32(len(buffer)))
			sink += uint64(n)
		}
	case "raw set number":
		for i := range a.N {
			number(i)
			raw("numbers", binary.BigEndian.AppendUint32(append(buffer[:0], 0x1a), uint32(value)))
		}
	case "map get number":
		for i := range a.N {
			number(i)
			v, _ := numbers.Get(c, key)
			sink += v
		}
	case "map set number":
		for i := range a.N {
			number(i)
			numbers.Set(c, key, value)
		}
	case "raw get reading":
		for i := range a.N {
			number(i)
			n := hostGet("readings", unsafe.Pointer(&key), 20, unsafe.Pointer(&buffer), uint32(len(buffer)))
			sink += uint64(n)
		}
	case "raw set reading":
		for i := range a.N {
			number(i)
			raw("readings", row)
		}
	case "map get reading":
		for i := range a.N {
			number(i)
			v, _ := readings.Get(c, key)
			sink += uint64(v.ImportWh)
		}
	case "map set reading":
		for i := range a.N {
			number(i)
			readings.Set(c, key, reading)
		}
	case "decode ten":
		for range a.N {
			v, err := ten.Decode(encoded)
			if err != nil {
				return 0, err
			}
			sink += v.Limit
		}
	case "encode ten":
		for range a.N {
			b, _ := tenPlan.AppendAt(buffer[:0], unsafe.Pointer(&tenValue)) // as results and events are
			sink += uint64(len(b))
		}
	}
	used := before - c.GasLeft()
	if sink == 1 {
		used++
	}
	return used, nil
}

func main() {}
