package abi

import (
	"errors"
	"strconv"
	"unicode/utf8"
)

// Check reports the first thing that a spec may not be: a version that this
// release doesn't speak, a name that is none, a name or code used twice, a type
// that nests too deep or has the wrong parts or a wrong size for its kind, arguments that are no
// struct, an "init" or "upgrade" that is a view, an event called [RefusedEvent], a bound exceeded.
func (s *Spec) Check() error {
	if err := checkVersion(s.ABI); err != nil {
		return err
	}
	if !ValidContract(s.Name) {
		return badName("contract", s.Name)
	}
	if err := checkDoc("contract "+s.Name, s.Doc); err != nil {
		return err
	}
	if !utf8.ValidString(s.Toolchain) {
		return errors.New("toolchain is not UTF-8")
	}
	if len(s.Toolchain) > MaxToolchain {
		return tooLarge("toolchain", len(s.Toolchain), MaxToolchain)
	}
	if err := checkCount("methods", len(s.Methods), MaxMethods); err != nil {
		return err
	}
	if err := checkCount("events", len(s.Events), MaxEventSpecs); err != nil {
		return err
	}
	if err := checkCount("errors", len(s.Errors), MaxErrorSpecs); err != nil {
		return err
	}
	for i := range s.Methods {
		m := &s.Methods[i]
		if !ValidMethod(m.Name) {
			return badName(m.kind(), m.Name)
		}
		what := m.kind() + " " + m.Name
		if first, _ := s.methodIndex(m.Name); first != i {
			return errors.New(what + " is there twice")
		}
		if m.View && (m.Name == MethodInit || m.Name == MethodUpgrade) {
			return errors.New("method " + m.Name + " is a view: it is called to write")
		}
		if err := checkDoc(what, m.Doc); err != nil {
			return err
		}
		if m.Args != nil && m.Args.Kind != KindStruct {
			return errors.New(what + ": arguments are a " + m.Args.String() + ", not a struct")
		}
		if err := checkOptional(what+": arguments", m.Args); err != nil {
			return err
		}
		if err := checkOptional(what+": result", m.Result); err != nil {
			return err
		}
	}
	for i := range s.Events {
		e := &s.Events[i]
		if !ValidEvent(e.Name) {
			return badName("event", e.Name)
		}
		what := "event " + e.Name
		if e.Name == RefusedEvent {
			return errors.New(what + ": only the runtime emits it")
		}
		for j := range i {
			if s.Events[j].Name == e.Name {
				return errors.New(what + " is there twice")
			}
		}
		if err := checkDoc(what, e.Doc); err != nil {
			return err
		}
		if err := checkFields(what, e.Fields, 1); err != nil {
			return err
		}
	}
	for i := range s.Errors {
		e := &s.Errors[i]
		if !ValidErrorName(e.Name) {
			return badName("error", e.Name)
		}
		what := "error " + e.Name
		if e.Code == 0 {
			return errors.New(what + " has code 0, which means success")
		}
		if e.Code >= FirstReservedFail {
			return errors.New(what + " has code " + strconv.FormatUint(uint64(e.Code), 10) + ", which is reserved: the largest is " +
				strconv.FormatUint(uint64(FirstReservedFail-1), 10))
		}
		for j := range i {
			if s.Errors[j].Code == e.Code {
				return errors.New(what + " has code " + strconv.FormatUint(uint64(e.Code), 10) + ", like " + s.Errors[j].Name)
			}
			if s.Errors[j].Name == e.Name {
				return errors.New(what + " is there twice")
			}
		}
		if err := checkDoc(what, e.Doc); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spec) methodIndex(name string) (int, bool) {
	for i := range s.Methods {
		if s.Methods[i].Name == name {
			return i, true
		}
	}
	return 0, false
}

func checkVersion(v uint64) error {
	if v == 0 || v > Version {
		return errors.New("made for version " + strconv.FormatUint(v, 10) + " of the interface, this release speaks 1 to " + strconv.Itoa(Version))
	}
	return nil
}

// Check reports the first thing that a type may not be; see [Spec.Check].
func (t *Type) Check() error { return checkType("type", t, 1) }

func checkOptional(what string, t *Type) error {
	if t == nil {
		return nil
	}
	return checkType(what, t, 1)
}

func checkType(what string, t *Type, depth int) error {
	if t == nil {
		return errors.New(what + " has no type")
	}
	if depth > MaxTypeDepth {
		return errors.New(what + " nests deeper than " + strconv.Itoa(MaxTypeDepth))
	}
	if t.Kind != KindStruct && (t.Name != "" || t.Fields != nil) {
		return errors.New(what + ": a " + t.Kind.String() + " has no name or fields")
	}
	if t.Kind != KindList && t.Kind != KindMap && t.Elem != nil {
		return errors.New(what + ": a " + t.Kind.String() + " has no elements")
	}
	switch t.Kind {
	case KindBool, KindInt, KindUint, KindText, KindBytes, KindAddress, KindTime, KindDuration:
		return checkSize(what, t)
	case KindList, KindMap:
		if err := checkSize(what, t); err != nil {
			return err
		}
		return checkType(what+"[]", t.Elem, depth+1)
	case KindStruct:
		if err := checkSize(what, t); err != nil {
			return err
		}
		if t.Name != "" && !ValidType(t.Name) {
			return badName(what+": struct", t.Name)
		}
		return checkFields(what, t.Fields, depth+1)
	}
	return errors.New(what + ": unknown kind " + strconv.FormatUint(uint64(t.Kind), 10))
}

func checkSize(what string, t *Type) error {
	size := strconv.FormatUint(t.Size, 10)
	switch {
	case t.Size == 0:
	case t.Kind == KindInt || t.Kind == KindUint:
		if t.Size != 8 && t.Size != 16 && t.Size != 32 {
			return errors.New(what + ": " + t.Kind.String() + " of " + size + " bits: 8, 16 and 32 are sizes, and 64 is the one without")
		}
	case t.Kind == KindBytes:
		if t.Size > MaxArgs {
			return errors.New(what + ": exactly " + size + " bytes, limit " + strconv.Itoa(MaxArgs))
		}
	default:
		return errors.New(what + ": " + t.Kind.String() + " of size " + size + ": only int, uint and bytes have one")
	}
	return nil
}

func checkFields(what string, fields []Field, depth int) error {
	if err := checkCount(what+": fields", len(fields), MaxFields); err != nil {
		return err
	}
	for i := range fields {
		f := &fields[i]
		if !ValidField(f.Name) {
			return badName(what+": field", f.Name)
		}
		path := what + "." + f.Name
		for j := range i {
			if fields[j].Name == f.Name {
				return errors.New(path + " is there twice")
			}
		}
		if err := checkDoc(path, f.Doc); err != nil {
			return err
		}
		if err := checkType(path, f.Type, depth); err != nil {
			return err
		}
	}
	return nil
}

func checkCount(what string, n, limit int) error {
	if n > limit {
		return errors.New(what + ": " + strconv.Itoa(n) + ", limit " + strconv.Itoa(limit))
	}
	return nil
}

func checkDoc(what, doc string) error {
	if !utf8.ValidString(doc) {
		return errors.New(what + ": documentation is not UTF-8")
	}
	if len(doc) > MaxDoc {
		return tooLarge(what+": documentation", len(doc), MaxDoc)
	}
	return nil
}

func badName(what, name string) error {
	if len(name) > 2*MaxFieldName {
		name = name[:2*MaxFieldName] + "..."
	}
	return errors.New(what + " " + strconv.Quote(name) + " is not a name")
}
