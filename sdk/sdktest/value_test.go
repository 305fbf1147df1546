package sdktest

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
)

// drawing makes values for two keys of 32 bytes and one of 33.
func drawing(numbers []uint32) *draw {
	return &draw{numbers: numbers, x: &explorer{Exploration: Exploration{As: []*Key{Ed25519("ada"), P256("ben"), Ed25519("eve")}}, chain: &Chain{}}}
}

// What is drawn is always of the type.
func TestExploreDrawsWhatFits(t *testing.T) {
	var typ func(t *rapid.T, depth int) *abi.Type
	typ = func(t *rapid.T, depth int) *abi.Type {
		last := abi.KindDuration
		if depth < 3 {
			last = abi.KindStruct
		}
		of := &abi.Type{Kind: abi.Kind(rapid.Uint64Range(uint64(abi.KindBool), uint64(last)).Draw(t, "kind"))}
		switch of.Kind {
		case abi.KindInt, abi.KindUint:
			of.Size = rapid.SampledFrom([]uint64{0, 8, 16, 32}).Draw(t, "size")
		case abi.KindBytes:
			of.Size = rapid.SampledFrom([]uint64{0, 1, 20, 32, 33, 64}).Draw(t, "size")
		case abi.KindList, abi.KindMap:
			of.Elem = typ(t, depth+1)
		case abi.KindStruct:
			for i := range rapid.IntRange(0, 3).Draw(t, "fields") {
				of.Fields = append(of.Fields, abi.Field{Name: fmt.Sprint("f", i), Type: typ(t, depth+1), Optional: rapid.Bool().Draw(t, "optional")})
			}
		}
		return of
	}
	rapid.Check(t, func(t *rapid.T) {
		of := typ(t, 0)
		d := drawing(rapid.SliceOfN(rapid.Uint32(), 0, 40).Draw(t, "numbers"))
		doc, err := json.Marshal(d.value(of))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := specjson.ToCBOR(of, doc); err != nil {
			t.Errorf("%s is no %s: %v", doc, of, err)
		}
	})
}

// Both edges of each width come soon, and keys where they are as long. Without numbers it is the simplest.
func TestExploreDrawsEdges(t *testing.T) {
	key := func(k *Key) string { return fmt.Sprintf("0x%x", []byte(k.Public())) }
	for _, c := range []struct {
		of       *abi.Type
		simplest string
		want     []string
	}{
		{&abi.Type{Kind: abi.KindUint, Size: 8}, "0", []string{"0", "1", "7", "100", "255"}},
		{&abi.Type{Kind: abi.KindUint, Size: 16}, "0", []string{"0", "1000", "65535"}},
		{&abi.Type{Kind: abi.KindUint, Size: 32}, "0", []string{"0", "65536", "4294967295"}},
		{&abi.Type{Kind: abi.KindUint}, "0", []string{"0", "4294967296", "9223372036854775807"}},
		{&abi.Type{Kind: abi.KindInt, Size: 8}, "0", []string{"-128", "-100", "-1", "0", "127"}},
		{&abi.Type{Kind: abi.KindInt, Size: 16}, "0", []string{"-32768", "32767"}},
		{&abi.Type{Kind: abi.KindInt, Size: 32}, "0", []string{"-2147483648", "2147483647"}},
		{&abi.Type{Kind: abi.KindInt}, "0", []string{"-9223372036854775808", "9223372036854775807"}},
		{&abi.Type{Kind: abi.KindBytes, Size: 2}, "0x0000", []string{"0x0000", "0x0101", "0xffff", "0xabab"}},
		{&abi.Type{Kind: abi.KindBytes, Size: 32}, key(Ed25519("ada")), []string{key(Ed25519("eve"))}},
		{&abi.Type{Kind: abi.KindBytes, Size: 33}, key(P256("ben")), nil},
	} {
		if got := fmt.Sprint(drawing(nil).value(c.of)); got != c.simplest {
			t.Errorf("%s: %s is the simplest, want %s", c.of, got, c.simplest)
		}
		drawn := map[string]bool{}
		for a := range uint32(2) {
			for b := range uint32(24) {
				for sign := range uint32(2) {
					drawn[fmt.Sprint(drawing([]uint32{a, b, sign}).value(c.of))] = true
					drawn[fmt.Sprint(drawing([]uint32{b}).value(c.of))] = true
				}
			}
		}
		for _, want := range c.want {
			if !drawn[want] {
				t.Errorf("%s: %s is never drawn of %v", c.of, want, drawn)
			}
		}
	}
}
