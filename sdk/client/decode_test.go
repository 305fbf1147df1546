package client

import (
	"reflect"
	"testing"

	"github.com/wardledger/ward/sdk/wire"
)

func TestDecodePassesOverUnknownFields(t *testing.T) {
	type step struct {
		Why  string
		Rule uint64
		Note string `wire:",omitempty"`
	}
	encoded := must(wire.Marshal(struct {
		Allowed bool
		Path    []step
		Labels  map[string]step
		Until   int64
	}{true, []step{{"grant", 1, "x"}, {"owner", 2, ""}}, map[string]step{"a": {"b", 3, "y"}}, 9}))

	type less struct{ Rule uint64 }
	var out struct {
		Path   []less
		Labels map[string]less
		Since  *int64
	}
	if err := decode(encoded, &out); err != nil {
		t.Fatal(err)
	}
	if want := []less{{1}, {2}}; !reflect.DeepEqual(out.Path, want) || out.Labels["a"].Rule != 3 || out.Since != nil {
		t.Errorf("got %+v", out)
	}
	var number uint64
	if err := decode([]byte{0x07}, &number); err != nil || number != 7 {
		t.Errorf("a number: %d, %v", number, err)
	}
	for name, err := range map[string]error{
		"a field that isn't there":   decode(encoded, new(struct{ Gone bool })),
		"a field of another type":    decode(encoded, new(struct{ Path string })),
		"another shape":              decode([]byte{0x07}, new(less)),
		"more than one item":         decode([]byte{0x07, 0x07}, &number),
		"half an item":               decode(encoded[:len(encoded)-1], &out),
		"a value, not a pointer":     decode(encoded, out),
		"nothing":                    decode(nil, &number),
		"nothing to write to":        decode(encoded, nil),
		"a pointer that isn't there": decode(encoded, (*less)(nil)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
