package abi_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
)

const header = "\x00asm\x01\x00\x00\x00"

func TestSection(t *testing.T) {
	module := []byte(header + "\x01\x01\x00" + "\x00\x02\x01a") // types, a custom section "a"
	if _, err := abi.SpecOf(module); !errors.Is(err, abi.ErrNoSpec) {
		t.Fatalf("a module without spec: %v", err)
	}
	spec := sample().Encode()
	with, err := abi.AppendSpec(module, spec)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(with, module) {
		t.Error("the module itself changed")
	}
	got, err := abi.SpecOf(with)
	if err != nil || !bytes.Equal(got, spec) {
		t.Errorf("got %x, %v", got, err)
	}
	if _, err := abi.AppendSpec(with, spec); err == nil {
		t.Error("a second spec is appended")
	}
}

func TestSectionRefuses(t *testing.T) {
	spec := "\x00\x0a\x09ward_spec"
	for _, c := range []struct{ name, module, want string }{
		{"nothing", "", "not a Wasm module"},
		{"component", "\x00asm\x0d\x00\x01\x00", "not a Wasm module"},
		{"no size", header + "\x01", "section at byte 8 has no size"},
		{"size too long", header + "\x01\x80\x80\x80\x80\x10", "section at byte 8 has no size"},
		{"cut", header + "\x01\x05abc", "section at byte 8 is 5 bytes, the module has 3 left"},
		{"huge", header + "\x01\xff\xff\xff\xff\x0f", "is 4294967295 bytes"},
		{"no name", header + "\x00\x00", "without a name"},
		{"name too long", header + "\x00\x02\x05a", "without a name"},
		{"two specs", header + spec + spec, "two ward_spec sections"},
		{"many sections", header + strings.Repeat("\x01\x00", 257), "more than 256 sections"},
		{"large spec", header + "\x00\x8b\x80\x04\x09ward_spec" + strings.Repeat("a", 65537), "spec is 65537 bytes, limit 65536"},
		{"large module", header + strings.Repeat("a", abi.MaxModule), "limit 4194304"},
	} {
		_, err := abi.SpecOf([]byte(c.module))
		if err == nil || errors.Is(err, abi.ErrNoSpec) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want something with %q", c.name, err, c.want)
		}
	}
	if _, err := abi.AppendSpec([]byte(header), make([]byte, abi.MaxSpec+1)); err == nil {
		t.Error("too large a spec is appended")
	}
}

func FuzzSpecOf(f *testing.F) {
	with, _ := abi.AppendSpec([]byte(header+"\x01\x01\x00"), []byte("spec"))
	f.Add(with)
	f.Add([]byte(header))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := abi.SpecOf(b); !errors.Is(err, abi.ErrNoSpec) {
			return
		}
		with, err := abi.AppendSpec(b, []byte("spec"))
		if err != nil {
			return // one section or byte too many
		}
		if spec, err := abi.SpecOf(with); err != nil || string(spec) != "spec" {
			t.Fatalf("appended to %x, found %q, %v", b, spec, err)
		}
	})
}
