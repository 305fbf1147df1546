package sdk

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/sdk/wire"
)

type wh struct{}

func (wh) Unit() string { return "Wh" }

type cent struct{}

func (cent) Unit() string { return "cent" }

// refused is why a calculation ended the call, "" if it did not.
func refused(calculate func()) (why string) {
	defer func() {
		if r := recover(); r != nil {
			why = r.(string)
		}
	}()
	calculate()
	return ""
}

// TestAmount holds the arithmetic against numbers without an end: it is exact, or it ends the call.
func TestAmount(t *testing.T) {
	edge := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-5, 5), rapid.SampledFrom([]int64{math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1, 1 << 32, -1 << 31}))
	rapid.Check(t, func(t *rapid.T) {
		x, y := edge.Draw(t, "x"), edge.Draw(t, "y")
		whole := max(1, edge.Draw(t, "whole"))
		a, b := NewAmount[wh](x), NewAmount[wh](y)
		bx, by := big.NewInt(x), big.NewInt(y)
		for name, c := range map[string]struct {
			want *big.Int
			got  func() int64
		}{
			"plus":    {new(big.Int).Add(bx, by), func() int64 { return a.Plus(b).Int() }},
			"minus":   {new(big.Int).Sub(bx, by), func() int64 { return a.Minus(b).Int() }},
			"times":   {new(big.Int).Mul(bx, by), func() int64 { return a.Times(y).Int() }},
			"share":   {new(big.Int).Quo(new(big.Int).Mul(bx, by), big.NewInt(whole)), func() int64 { s, _ := a.Share(y, whole); return s.Int() }},
			"convert": {new(big.Int).Quo(new(big.Int).Mul(bx, by), big.NewInt(whole)), func() int64 { return Convert[cent](a, y, whole).Int() }},
		} {
			var got int64
			why := refused(func() { got = c.got() })
			if c.want.IsInt64() {
				if why != "" || got != c.want.Int64() {
					t.Fatalf("%s of %d and %d over %d is %d, want %s (%s)", name, x, y, whole, got, c.want, why)
				}
			} else if !strings.Contains(why, "is beyond what an amount can hold") || !strings.Contains(why, a.String()) {
				t.Fatalf("%s of %d and %d over %d is %d, and should end the call: %q", name, x, y, whole, got, why)
			}
		}
		if refused(func() { a.Share(y, whole) }) == "" {
			_, rest := a.Share(y, whole)
			if want := new(big.Int).Rem(new(big.Int).Mul(bx, by), big.NewInt(whole)); want.Int64() != rest {
				t.Fatalf("a share of %d, %d / %d leaves %d, want %s", x, y, whole, rest, want)
			}
		}
		if c := bx.Cmp(by); a.Compare(b) != c || a.Less(b) != (c < 0) || a.Sign() != bx.Sign() || a.IsZero() != (x == 0) {
			t.Fatalf("%d and %d compare wrongly", x, y)
		}
	})
	if why := refused(func() { NewAmount[wh](math.MaxInt64).Plus(NewAmount[wh](1)) }); !strings.Contains(why, "9223372036854775807 Wh plus 1 Wh is beyond") {
		t.Error(why)
	}
	if why := refused(func() { NewAmount[wh](5).Share(1, 0) }); !strings.Contains(why, "5 Wh is divided by 0") {
		t.Error(why)
	}
}

// TestAmountOnTheWire: an amount is an int everywhere, and the spec says of what.
func TestAmountOnTheWire(t *testing.T) {
	type order struct {
		Energy Amount[wh] `doc:"what is sold"`
		Price  *Amount[cent]
		Parts  []Amount[wh] `wire:",omitempty" doc:"by the hour"`
		None   Amount[wh]   `wire:",omitempty"`
	}
	type plain struct {
		Energy int64
		Price  *int64
		Parts  []int64 `wire:",omitempty"`
		None   int64   `wire:",omitempty"`
	}
	price, cents := NewAmount[cent](-7), int64(-7)
	v := order{NewAmount[wh](250), &price, []Amount[wh]{{1}, {-1 << 40}}, Amount[wh]{}}
	got, err := wire.Marshal(v)
	want, _ := wire.Marshal(plain{250, &cents, []int64{1, -1 << 40}, 0})
	if err != nil || string(got) != string(want) {
		t.Fatalf("%x, %v; as ints it is %x", got, err, want)
	}
	back, err := wire.New[order]().Decode(got)
	if err != nil || back.Energy != v.Energy || *back.Price != price || back.Parts[1] != v.Parts[1] {
		t.Errorf("%+v, %v", back, err)
	}
	typ := wire.New[order]().Type()
	for i, want := range []string{"what is sold, in Wh", "in cent", "by the hour, in Wh", "in Wh"} {
		if f := typ.Fields[i]; f.Doc != want || f.Type.Kind != abi.KindInt && f.Type.Kind != abi.KindList {
			t.Errorf("%s is %s, %q, want %q", f.Name, f.Type.Kind, f.Doc, want)
		}
	}
	key := wire.NewKey[Amount[wh]]()
	if x, y := key.Append(nil, NewAmount[wh](-1)), key.Append(nil, NewAmount[wh](1)); string(x) >= string(y) || len(x) != 8 {
		t.Errorf("as keys, -1 is %x and 1 is %x", x, y)
	}
	if k, err := key.Decode(key.Append(nil, NewAmount[wh](-5))); err != nil || k.Int() != -5 {
		t.Error(k, err)
	}
	j, err := json.Marshal(v)
	if err != nil || !strings.Contains(string(j), `"Energy":250,"Price":-7`) {
		t.Errorf("%s, %v", j, err)
	}
	if err := json.Unmarshal([]byte(`{"Energy": 3}`), &v); err != nil || v.Energy.Int() != 3 {
		t.Error(v.Energy, err)
	}
	if err := json.Unmarshal([]byte(`{"Energy": 3.5}`), &v); err == nil || !strings.Contains(err.Error(), "is not a whole number of Wh") {
		t.Error(err)
	}
	if s := Text("%s", NewAmount[wh](250)); s != "250 Wh" {
		t.Error(s)
	}
}
