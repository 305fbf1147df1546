package wire

import (
	"reflect"
	"testing"
)

func TestNames(t *testing.T) {
	for in, want := range map[string]string{
		"ID": "id", "DeviceID": "device_id", "NotBefore": "not_before", "URLPath": "url_path", "P256Key": "p256_key",
		"X": "x", "Import_Wh": "import_wh", "AtUTC": "at_utc",
	} {
		if got := snake(in); got != want {
			t.Errorf("snake(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"Grant": "Grant", "Page[main.Device]": "PageDevice", "Pair[string,example.com/my-org/x.Y]": "PairStringY",
		"Page[main.Pair[uint8,main.B]]": "PagePairUint8B", "": "",
	} {
		if got := typeName(in); got != want {
			t.Errorf("typeName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFieldName(t *testing.T) {
	type v struct{ DeviceID, ImportWh uint64 }
	for i, f := range NewPlan(reflect.TypeFor[v]()).Type().Fields {
		if got := FieldName(reflect.TypeFor[v]().Field(i).Name); got != f.Name {
			t.Errorf("%s, on the wire %s", got, f.Name)
		}
	}
}
