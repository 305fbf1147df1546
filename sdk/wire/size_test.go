package wire_test

import (
	"math/big"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/sdk/wire"
)

type (
	small uint8
	hash  [32]byte
	pair  [2]byte
)

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{int(0), "int"}, {int8(0), "int8"}, {int16(0), "int16"}, {int32(0), "int32"}, {int64(0), "int"},
		{uint(0), "uint"}, {uint8(0), "uint8"}, {uint16(0), "uint16"}, {uint32(0), "uint32"}, {uint64(0), "uint"},
		{small(0), "uint8"}, {hash{}, "bytes[32]"}, {pair{}, "bytes[2]"}, {[]byte(nil), "bytes"}, {address{}, "address"}, {instant(0), "time"},
		{[]uint16(nil), "list of uint16"}, {map[string]hash(nil), "map of bytes[32]"}, {[]small(nil), "bytes"}, {true, "bool"},
	} {
		if got := wire.NewPlan(reflect.TypeOf(c.value)).Type(); got.String() != c.want || got.Check() != nil {
			t.Errorf("%T is %s, want %s (%v)", c.value, got, c.want, got.Check())
		}
	}
}

// What a spec says of a value is what the contract's decoder says: what one refuses, the other does.
func TestSizesAgree(t *testing.T) {
	types := []reflect.Type{
		reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](), reflect.TypeFor[int](),
		reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](), reflect.TypeFor[small](),
		reflect.TypeFor[[]byte](), reflect.TypeFor[pair](), reflect.TypeFor[hash](), reflect.TypeFor[[]int8](), reflect.TypeFor[map[string]pair](),
		reflect.TypeFor[struct{ A uint8 }](), reflect.TypeFor[struct{ A pair }](),
	}
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(types).Draw(t, "type")
		// A power of two, or beside one: the edges of all widths.
		number := new(big.Int).Lsh(big.NewInt(1), uint(rapid.IntRange(0, 64).Draw(t, "power")))
		number.Add(number, big.NewInt(rapid.Int64Range(-2, 2).Draw(t, "beside")))
		if rapid.Bool().Draw(t, "negative") {
			number.Neg(number)
		}
		var item []byte
		switch n := rapid.SampledFrom([]int{-1, 0, 1, 2, 3, 31, 32, 33}).Draw(t, "bytes"); {
		case n >= 0:
			item = cbor.AppendBytes(nil, make([]byte, n))
		case number.IsUint64():
			item = cbor.AppendUint(nil, number.Uint64())
		case number.IsInt64():
			item = cbor.AppendInt(nil, number.Int64())
		default:
			return
		}
		switch typ.Kind() {
		case reflect.Slice:
			if typ.Elem().Kind() != reflect.Uint8 {
				item = append(cbor.AppendArray(nil, 1), item...)
			}
		case reflect.Map, reflect.Struct:
			item = append(cbor.AppendText(cbor.AppendMap(nil, 1), "a"), item...)
		}
		plan := wire.NewPlan(typ)
		wrong := plan.Decode(item, reflect.New(typ).Interface())
		doc, err := specjson.ToJSON(plan.Type(), item)
		if (err == nil) != (wrong == nil) {
			t.Fatalf("%x as %s: the decoder says %v, the spec %v", item, typ, wrong, err)
		}
		if err != nil {
			return
		}
		if again, err := specjson.ToCBOR(plan.Type(), doc); err != nil || string(again) != string(item) {
			t.Fatalf("%x is %s, which is %x, %v", item, doc, again, err)
		}
	})
}
