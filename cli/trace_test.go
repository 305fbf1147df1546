package cli

import "testing"

func TestKeyText(t *testing.T) {
	for key, want := range map[string]string{
		"":                         "",
		"a":                        "a",
		"door/1":                   "door/1",
		"\x00":                     "0x00",
		"\x01ab\x02":               "0x01616202",
		"\x01\x02door/1\x00\x01":   "0x0102..door/1..0x0001",
		"abc\x00":                  "0x61626300",
		"door\x00x":                "door..0x0078",
		"two words":                "0x74776f20..words",
		"\x9b2J\u202e and the end": "0x9b324ae280ae20616e642074686520656e64",
	} {
		if got := keyText([]byte(key)); got != want {
			t.Errorf("%q is shown as %q, want %q", key, got, want)
		}
	}
}
