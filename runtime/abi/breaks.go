package abi

import "strconv"

// Breaks says what a contract's new spec takes from those who rely on the old one: each is a sentence, in the order of the old
// spec. None means that whoever called, read or listened before can go on without knowing. A nil spec is a contract that says
// nothing of itself: nothing can be relied on that it never promised.
//
// A caller counts as a program that was built against the old spec and never changes:
//
//   - A method is gone, or a view has become a method, which a query can't call.
//   - An argument is gone, is another type, has fewer values, is new and not optional, or was optional and is not: what was sent is refused.
//   - A result is gone or another type, has more values, or has a field more, or a field less, or one that may be missing now: strict readers,
//     and a contract that calls another is one, refuse what they don't know.
//   - An event is gone, or one of its attributes is gone, is another type, has more values, or may be missing now. A new one is
//     passed over.
//   - The number of an error means something else, or an error has another number. One that no longer happens harms nobody.
//
// Fewer and more values are a matter of sizes: who sends a uint has sent 300, which a uint8 isn't, and who reads a uint8 has a
// byte for it; bytes of any length hold those of one.
//
// Documentation, names of struct types, the order of things, init and upgrade are nobody's business but the contract's.
func Breaks(old, new *Spec) []string {
	if old == nil {
		return nil
	}
	if new == nil {
		return []string{"the new code has no spec"}
	}
	var b breaks
	methods := byName(new.Methods, func(m *Method) string { return m.Name })
	for i := range old.Methods {
		was := &old.Methods[i]
		if was.Name == MethodInit || was.Name == MethodUpgrade {
			continue
		}
		now := methods[was.Name]
		if now == nil {
			b.add(was.kind()+" "+was.Name, "is gone")
			continue
		}
		b.method(was, now)
	}
	events := byName(new.Events, func(e *EventSpec) string { return e.Name })
	for i := range old.Events {
		was := &old.Events[i]
		if now := events[was.Name]; now == nil {
			b.add("event "+was.Name, "is gone")
		} else {
			b.fields("event "+was.Name+": ", "attribute", was.Fields, now.Fields, heard)
		}
	}
	b.errors(old.Errors, new.Errors)
	return b
}

// byName is for specs as large as they may be: looking each name up in a list would take the square of it.
func byName[T any](list []T, name func(*T) string) map[string]*T {
	m := make(map[string]*T, len(list))
	for i := range list {
		m[name(&list[i])] = &list[i]
	}
	return m
}

func (m *Method) kind() string {
	if m.View {
		return "view"
	}
	return "method"
}

// breaks is what was found so far.
type breaks []string

func (b *breaks) add(what, how string) { *b = append(*b, what+" "+how) }

func (b *breaks) method(was, now *Method) {
	what := was.kind() + " " + was.Name
	if was.View && !now.View {
		b.add(what, "is no view any more: a query can't call it")
	}
	b.fields(what+": ", "argument", fieldsOf(was.Args), fieldsOf(now.Args), sent)
	switch {
	case was.Result != nil && now.Result == nil:
		b.add(what, "answers nothing, it answered "+was.Result.String())
	case was.Result == nil && now.Result != nil:
		b.add(what, "answers "+now.Result.String()+", it answered nothing")
	case was.Result != nil:
		b.typ(what+": the result", was.Result, now.Result, read)
	}
}

func fieldsOf(args *Type) []Field {
	if args == nil {
		return nil
	}
	return args.Fields
}

// A way is who writes a value and who must be able to read it.
type way int

const (
	sent  way = iota // by a caller who knows the old type, to code that knows the new one
	read             // the other way round, by a reader who refuses what they don't know
	heard            // the same by one who passes over it
)

// typ compares two types of what, such as "method add: argument by".
func (b *breaks) typ(what string, was, now *Type, w way) {
	writer, reader := now, was
	if w == sent {
		writer, reader = was, now
	}
	if !reader.takes(writer) {
		b.add(what, "is "+now.String()+", it was "+was.String())
		return
	}
	switch was.Kind {
	case KindList, KindMap:
		b.typ(what+"[]", was.Elem, now.Elem, w)
	case KindStruct:
		b.fields(what+": ", "field", was.Fields, now.Fields, w)
	}
}

// takes reports whether every value of u is one of t, what they are made of aside.
func (t *Type) takes(u *Type) bool {
	if t.Kind != u.Kind {
		return false
	}
	if t.Kind == KindBytes {
		return t.Size == 0 || t.Size == u.Size
	}
	return t.bits() >= u.bits()
}

// fields compares the fields of a struct or event; where and noun make the words before the name of one.
func (b *breaks) fields(where, noun string, was, now []Field, w way) {
	name := func(f *Field) string { return f.Name }
	after := byName(now, name)
	for i := range was {
		f := &was[i]
		what := where + noun + " " + f.Name
		g := after[f.Name]
		switch {
		case g == nil:
			b.add(what, "is gone")
			continue
		case w == sent && f.Optional && !g.Optional:
			b.add(what, "must be given now")
		case w != sent && !f.Optional && g.Optional:
			b.add(what, "may be missing now")
		}
		b.typ(what, f.Type, g.Type, w)
	}
	before := byName(was, name)
	for i := range now {
		g := &now[i]
		if before[g.Name] != nil {
			continue
		}
		what := where + noun + " " + g.Name
		switch {
		case w == sent && !g.Optional:
			b.add(what, "is new and must be given")
		case w == read:
			b.add(what, "is new: contracts that call this refuse an answer with a field that they don't know")
		}
	}
}

func (b *breaks) errors(was, now []ErrorSpec) {
	names := byName(now, func(e *ErrorSpec) string { return e.Name })
	codes := make(map[uint32]*ErrorSpec, len(now))
	for i := range now {
		codes[now[i].Code] = &now[i]
	}
	for i := range was {
		e := &was[i]
		number := strconv.FormatUint(uint64(e.Code), 10)
		if same := codes[e.Code]; same != nil && same.Name != e.Name {
			b.add("error "+number, "is "+same.Name+", it was "+e.Name)
		}
		if moved := names[e.Name]; moved != nil && moved.Code != e.Code {
			b.add("error "+e.Name, "has the number "+strconv.FormatUint(uint64(moved.Code), 10)+", it had "+number)
		}
	}
}
