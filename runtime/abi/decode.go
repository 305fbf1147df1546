package abi

import (
	"errors"
	"strconv"

	"github.com/wardledger/ward/runtime/cbor"
)

// DecodeSpec reads a spec that [Spec.Encode] wrote. It returns only what
// [Spec.Check] accepts and what encodes to the same bytes again; the error names
// the method, event or field. Whatever b holds, it allocates no more than a small
// multiple of its length, which is at most MaxSpec.
func DecodeSpec(b []byte) (*Spec, error) {
	if len(b) > MaxSpec {
		return nil, tooLarge("spec", len(b), MaxSpec)
	}
	if err := CheckVersion(b); err != nil {
		return nil, &SpecError{err} // the rest may be anything: a later version has other parts
	}
	d := &decoder{r: cbor.NewReader(b)}
	s := d.spec()
	if d.err == nil {
		d.err = d.r.End()
	}
	if d.err == nil {
		d.err = s.Check()
	}
	if d.err != nil {
		return nil, &SpecError{d.err}
	}
	return s, nil
}

// CheckVersion reports that an encoded spec is of a version of the interface that this release doesn't speak. Whatever else
// b holds is not looked at, and what doesn't begin as a spec does is for [DecodeSpec] to refuse.
func CheckVersion(b []byte) error {
	d := &decoder{r: cbor.NewReader(b)}
	if n, err := d.r.Map(); err != nil || n == 0 {
		return nil
	}
	d.key(keyABI)
	if v := d.uint(); d.err == nil {
		return checkVersion(v)
	}
	return nil
}

// A SpecError says why a spec is not one.
type SpecError struct{ Err error }

// Error implements error.
func (e *SpecError) Error() string { return "spec: " + e.Err.Error() }

// Unwrap returns the error without the prefix.
func (e *SpecError) Unwrap() error { return e.Err }

// decoder reads the parts of a spec; after the first error it returns zeros.
type decoder struct {
	r   *cbor.Reader
	err error
	// items is how many items of the flat array that is being read are left.
	items int
}

func (d *decoder) fail(reason string) {
	if d.err == nil {
		d.err = errors.New(reason + " at byte " + strconv.Itoa(d.r.Offset()))
	}
}

func (d *decoder) spec() *Spec {
	s := new(Spec)
	n, err := d.r.Map()
	if err != nil {
		d.err = err
		return s
	}
	if n != specKeys {
		d.fail("map has " + strconv.Itoa(n) + " keys, a spec has " + strconv.Itoa(specKeys))
		return s
	}
	d.key(keyABI)
	s.ABI = d.uint()
	d.key(keyName)
	s.Name = d.text()
	d.key(keyDoc)
	s.Doc = d.text()
	d.key(keyToolchain)
	s.Toolchain = d.text()
	d.key(keyMethods)
	for range d.array("methods", MaxMethods) {
		if d.tuple("method", 5); d.err != nil {
			return s
		}
		s.Methods = append(s.Methods, Method{
			Name: d.text(), Doc: d.text(), View: d.bool(), Args: d.optionalType(), Result: d.optionalType(),
		})
	}
	d.key(keyEvents)
	for range d.array("events", MaxEventSpecs) {
		if d.tuple("event", 3); d.err != nil {
			return s
		}
		s.Events = append(s.Events, EventSpec{Name: d.text(), Doc: d.text(), Fields: d.eventFields()})
	}
	d.key(keyErrors)
	for range d.array("errors", MaxErrorSpecs) {
		if d.tuple("error", 3); d.err != nil {
			return s
		}
		code := d.uint()
		if code > 1<<32-1 {
			d.fail("error code " + strconv.FormatUint(code, 10) + " is more than 32 bits")
		}
		s.Errors = append(s.Errors, ErrorSpec{Code: uint32(code), Name: d.text(), Doc: d.text()})
	}
	return s
}

func (d *decoder) optionalType() *Type {
	if d.err != nil {
		return nil
	}
	null, err := d.r.Null()
	if err != nil || null {
		d.err = err
		return nil
	}
	d.flat()
	t := d.typ(1)
	d.endFlat()
	return t
}

func (d *decoder) eventFields() []Field {
	d.flat()
	fields := d.fields(1)
	d.endFlat()
	return fields
}

func (d *decoder) flat() {
	if d.err == nil {
		d.items, d.err = d.r.Array()
	}
}

func (d *decoder) endFlat() {
	if d.err == nil && d.items != 0 {
		d.fail("type has " + strconv.Itoa(d.items) + " items too many")
	}
	d.items = 0
}

// take counts one item of a flat array before it is read.
func (d *decoder) take() {
	if d.items == 0 {
		d.fail("type ends early")
		return
	}
	d.items--
}

func (d *decoder) typ(depth int) *Type {
	if depth > MaxTypeDepth {
		d.fail("type nests deeper than " + strconv.Itoa(MaxTypeDepth))
		return nil
	}
	d.take()
	t := &Type{Kind: Kind(d.uint())}
	if t.Kind == sized {
		d.size(t)
	}
	if d.err != nil {
		return nil
	}
	switch t.Kind {
	case KindList, KindMap:
		t.Elem = d.typ(depth + 1)
	case KindStruct:
		d.take()
		t.Name = d.text()
		t.Fields = d.fields(depth + 1)
	}
	return t
}

// size reads the kind and the size that come after sized. Whether the kind has such a size, Check says.
func (d *decoder) size(t *Type) {
	d.take()
	t.Kind = Kind(d.uint())
	d.take()
	if t.Size = d.uint(); t.Size == 0 {
		d.fail("size 0 of a " + t.Kind.String() + ": what has no size is written without one")
	}
}

// fields reads the fields of a struct or event; depth is that of their types.
func (d *decoder) fields(depth int) []Field {
	d.take()
	n := d.uint()
	if n > MaxFields {
		d.fail(strconv.FormatUint(n, 10) + " fields, limit " + strconv.Itoa(MaxFields))
	}
	var fields []Field
	for range n {
		if d.err != nil {
			return nil
		}
		var f Field
		d.take()
		f.Name = d.text()
		d.take()
		f.Doc = d.text()
		d.take()
		f.Optional = d.bool()
		f.Type = d.typ(depth)
		fields = append(fields, f)
	}
	return fields
}

func (d *decoder) key(want uint64) {
	if got := d.uint(); d.err == nil && got != want {
		d.fail("key " + strconv.FormatUint(got, 10) + " instead of " + strconv.FormatUint(want, 10))
	}
}

func (d *decoder) array(what string, limit int) int {
	if d.err != nil {
		return 0
	}
	n, err := d.r.Array()
	if err != nil {
		d.err = err
		return 0
	}
	if n > limit {
		d.fail(strconv.Itoa(n) + " " + what + ", limit " + strconv.Itoa(limit))
		return 0
	}
	return n
}

func (d *decoder) tuple(what string, want int) {
	if d.err != nil {
		return
	}
	n, err := d.r.Array()
	if err != nil {
		d.err = err
	} else if n != want {
		d.fail(what + " has " + strconv.Itoa(n) + " parts, not " + strconv.Itoa(want))
	}
}

func (d *decoder) uint() (v uint64) {
	if d.err == nil {
		v, d.err = d.r.Uint()
	}
	return v
}

func (d *decoder) text() (s string) {
	if d.err == nil {
		s, d.err = d.r.Text()
	}
	return s
}

func (d *decoder) bool() (v bool) {
	if d.err == nil {
		v, d.err = d.r.Bool()
	}
	return v
}
