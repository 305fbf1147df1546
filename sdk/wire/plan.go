package wire

import (
	"encoding/binary"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
)

// A Kinder is a named type that is more than its Go kind says: an address, a time,
// a duration. The kind must fit: [abi.KindAddress] is [20]byte, the other two are int64.
//
// A struct whose one field is an int64 may say [abi.KindInt], and is then that integer: so a type can have
// an integer's place without its operators, which wrap round silently.
type Kinder interface{ WireKind() abi.Kind }

// A Uniter is a Kinder whose integer counts something. The unit goes into the docs of fields that have one.
type Uniter interface{ WireUnit() string }

// shape is how a value is written and read.
type shape uint8

const (
	shapeBool shape = iota
	shapeInt
	shapeUint
	shapeText
	shapeBytes
	shapeArray // [N]byte
	shapeList
	shapeMap
	shapeStruct
)

// A Plan is what is known of one type, found out once: a [Codec] for who knows the type
// only while running. It may be used by several goroutines.
type Plan struct {
	shape  shape
	kind   abi.Kind
	typ    reflect.Type
	size   uintptr // of a value in memory, in bytes
	elem   *Plan   // of a list or map
	fields []field // of a struct, in the canonical order of their names
	head   int     // the byte that a struct with all of its fields begins with; -1, which no byte is, if it has 24 or more
	some   bool    // of a struct: a field is optional
	order  []int   // fields as the author wrote them
	unit   string  // of an amount; of a list or map of them, too
	height int     // how many levels are inside: 0 for a number, 1 for a list of them
}

type field struct {
	name     string
	key      string // the name as it is written: its head, then itself
	doc      string
	offset   uintptr // where it lies in the struct
	plan     *Plan
	pointer  bool
	optional bool

	// For quick, if it is common.
	common        common
	first, second uint64  // the bytes of key
	mask, mask2   uint64  // ones where those have bytes
	keySize       uintptr // of key
	size          uint64  // of an array or narrow number
}

// A common field is one of those that quick reads.
type common uint8

const (
	commonInt common = 1 + iota // of 64 bits, like the next
	commonUint
	commonBool
	commonNarrow // an unsigned number of fewer
	commonArray  // of 16 to 32 bytes
	commonText
)

// known keeps the plans that were made, which never change: a contract makes its plans
// for each call until instances are pooled, and the same types come again and again.
var known struct {
	sync.Mutex
	plans map[reflect.Type]*Plan
}

// NewPlan panics if t can't be on the wire.
func NewPlan(t reflect.Type) *Plan { return NewPlanFor("", t) }

// NewPlanFor is NewPlan of a type whose use, such as "the rows of door", is named in the panic.
func NewPlanFor(use string, t reflect.Type) *Plan {
	known.Lock()
	defer known.Unlock()
	if known.plans == nil {
		known.plans = make(map[reflect.Type]*Plan, 64)
	}
	return planOf(t, used(use, t), nil, 1)
}

// IsStruct reports whether a value is a struct, and how many fields it has on the wire.
func (p *Plan) IsStruct() (fields int, ok bool) { return len(p.fields), p.shape == shapeStruct }

// Type is the type as a contract's spec describes it. The caller owns it.
func (p *Plan) Type() *abi.Type { return p.schema() }

// Append appends the encoding of what v, a pointer to the plan's type, points to. It
// fails, naming the path, only if a string is not UTF-8.
func (p *Plan) Append(b []byte, v any) ([]byte, error) {
	return p.encode(b, target(p.typ, v))
}

// Decode reads exactly one value into what v, a pointer to the plan's type, points to,
// which must be zero. The value shares no memory with b. An error is an *Error; what v
// points to may then be half a value.
func (p *Plan) Decode(b []byte, v any) error {
	return p.decodeAll(b, target(p.typ, v))
}

// AppendAt is Append of the value at an address, which nobody checks to be of the plan's type: it is for generic code, where
// the compiler has. It may write in the room behind b further than what it appends.
func (p *Plan) AppendAt(b []byte, v unsafe.Pointer) ([]byte, error) {
	if p.shape == shapeStruct {
		return p.encodeStruct(b, v, true)
	}
	return p.encode(b, v)
}

// DecodeAt is Decode into the value at an address, as AppendAt takes it.
func (p *Plan) DecodeAt(b []byte, v unsafe.Pointer) error { return p.decodeAll(b, v) }

// target is the address of what v, a pointer to a t, points to.
func target(t reflect.Type, v any) unsafe.Pointer {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() || rv.Type().Elem() != t {
		panic("BUG: wire: a plan of " + t.String() + " was given something else")
	}
	return rv.UnsafePointer()
}

var kinder = reflect.TypeFor[Kinder]()

// planOf returns the plan of t, which lies depth deep in what it is part of. It panics
// if t can't be on the wire; where names t for the panic, such as "Grant.Expires". outer
// are the structs around it.
func planOf(t reflect.Type, where string, outer []reflect.Type, depth int) *Plan {
	p, ok := known.plans[t]
	if !ok {
		if depth > abi.MaxTypeDepth {
			tooDeep(where)
		}
		p = newPlan(t, where, outer, depth)
		known.plans[t] = p
	}
	if depth+p.height > abi.MaxTypeDepth {
		tooDeep(where)
	}
	return p
}

func tooDeep(where string) { refuse(where, "is nested deeper than "+strconv.Itoa(abi.MaxTypeDepth)) }

func newPlan(t reflect.Type, where string, outer []reflect.Type, depth int) *Plan {
	p := &Plan{typ: t, size: t.Size()}
	switch k := t.Kind(); {
	case isNumber(t):
		p.shape, p.kind = shapeInt, abi.KindInt
		if u, ok := reflect.Zero(t).Interface().(Uniter); ok {
			p.unit = u.WireUnit()
		}
		return p
	case k == reflect.Map && t.Key().Kind() != reflect.String:
		refuse(where, "is "+t.String()+": the keys of a map must be strings; rows by other keys are an sdk.Map, others a list of structs")
	}
	switch t.Kind() {
	case reflect.Bool:
		p.shape, p.kind = shapeBool, abi.KindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.shape, p.kind = shapeInt, abi.KindInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		p.shape, p.kind = shapeUint, abi.KindUint
	case reflect.String:
		p.shape, p.kind = shapeText, abi.KindText
	case reflect.Array:
		if t.Elem().Kind() != reflect.Uint8 {
			refuse(where, "is "+t.String()+": of arrays only those of bytes are on the wire, use a slice")
		}
		if t.Len() == 0 { // a spec has no word for it: a size of 0 is any number of bytes
			refuse(where, "is "+t.String()+": no bytes say nothing, leave it out")
		}
		p.shape, p.kind = shapeArray, abi.KindBytes
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			p.shape, p.kind = shapeBytes, abi.KindBytes
			break
		}
		p.shape, p.kind = shapeList, abi.KindList
		p.elem = planOf(t.Elem(), where+"[]", outer, depth+1)
		p.height, p.unit = p.elem.height+1, p.elem.unit
	case reflect.Map:
		p.shape, p.kind = shapeMap, abi.KindMap
		p.elem = planOf(t.Elem(), where+"[]", outer, depth+1)
		p.height, p.unit = p.elem.height+1, p.elem.unit
	case reflect.Struct:
		if slices.Contains(outer, t) {
			refuse(where, "is "+t.String()+", which contains itself")
		}
		p.shape, p.kind = shapeStruct, abi.KindStruct
		p.structFields(where, append(slices.Clone(outer), t), depth)
	case reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		refuse(where, "is "+t.String()+": floating-point numbers are not the same on every machine, use an integer with its unit in the name")
	case reflect.Pointer:
		refuse(where, "is "+t.String()+": a pointer may only be an optional field of a struct")
	case reflect.Interface:
		refuse(where, "is "+t.String()+", which can't be on the wire: whoever reads it could not know what it is, name one type")
	default:
		refuse(where, "is "+t.String()+`, which can't be on the wire: leave it out, a field by the tag wire:"-"`)
	}
	if t.Implements(kinder) {
		p.kind = reflect.Zero(t).Interface().(Kinder).WireKind()
		switch {
		case p.kind == abi.KindAddress && p.shape == shapeArray && t.Len() == abi.AddressSize:
		case (p.kind == abi.KindTime || p.kind == abi.KindDuration) && t.Kind() == reflect.Int64:
		default:
			refuse(where, "is "+t.String()+", which can't stand for the kind "+p.kind.String())
		}
	}
	return p
}

func (p *Plan) structFields(where string, outer []reflect.Type, depth int) {
	t := p.typ
	p.fields, p.order = make([]field, 0, t.NumField()), make([]int, 0, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		at := where + "." + f.Name
		name, options, _ := strings.Cut(f.Tag.Get("wire"), ",")
		if name == "-" {
			continue
		}
		if !f.IsExported() {
			refuse(at, `is not exported, so it would be lost silently: export it or tag it wire:"-"`)
		}
		if f.Anonymous {
			refuse(at, "is embedded: give it a name")
		}
		if name == "" {
			name = snake(f.Name)
		}
		if !abi.ValidField(name) {
			refuse(at, "has the wire name "+strconv.Quote(name)+": a lower-case letter, then letters, digits and _ are allowed")
		}
		doc := f.Tag.Get("doc")
		if len(doc) > abi.MaxDoc {
			refuse(at, "has a doc of "+strconv.Itoa(len(doc))+" bytes, limit "+strconv.Itoa(abi.MaxDoc))
		}
		fd := field{name: name, key: string(cbor.AppendText(nil, name)), doc: doc, offset: f.Offset}
		switch options {
		case "":
		case "omitempty":
			fd.optional = true
		default:
			refuse(at, "has the unknown wire option "+strconv.Quote(options))
		}
		ft := f.Type
		if ft.Kind() == reflect.Pointer {
			fd.pointer, fd.optional = true, true
			ft = ft.Elem()
		}
		fd.plan = planOf(ft, at, outer, depth+1)
		fd.prepare()
		p.height = max(p.height, fd.plan.height+1)
		p.some = p.some || fd.optional
		p.insert(where, fd)
	}
	if len(p.fields) > abi.MaxFields {
		refuse(where, "has "+strconv.Itoa(len(p.fields))+" fields, limit "+strconv.Itoa(abi.MaxFields))
	}
	if p.head = -1; len(p.fields) < 24 {
		p.head = majorMap<<5 | len(p.fields)
	}
}

// prepare fills in what quick wants to know.
func (f *field) prepare() {
	f.first, f.mask = ^uint64(0), ^uint64(0) // no key begins so
	if f.pointer || len(f.key) > keyBytes {
		return
	}
	switch p := f.plan; {
	case p.shape == shapeInt && p.size == 8:
		f.common = commonInt
	case p.shape == shapeUint && p.size == 8:
		f.common = commonUint
	case p.shape == shapeBool:
		f.common = commonBool
	case p.shape == shapeUint:
		f.common = commonNarrow
	case p.shape == shapeArray && p.size >= 16 && p.size <= 32:
		f.common = commonArray
	case p.shape == shapeText:
		f.common = commonText
	default:
		return
	}
	var bytes, mask [keyBytes]byte
	for i := range copy(bytes[:], f.key) {
		mask[i] = 0xff
	}
	f.first, f.second = binary.LittleEndian.Uint64(bytes[:]), binary.LittleEndian.Uint64(bytes[8:])
	f.mask, f.mask2 = binary.LittleEndian.Uint64(mask[:]), binary.LittleEndian.Uint64(mask[8:])
	f.keySize, f.size = uintptr(len(f.key)), uint64(f.plan.size)
}

// insert puts a field where it belongs in the canonical order. (Sorting at the end
// would put a copy of slices.SortFunc for fields, 18 kB, into every contract.)
func (p *Plan) insert(where string, f field) {
	i := len(p.fields)
	for i > 0 && cbor.CompareText(p.fields[i-1].name, f.name) > 0 {
		i--
	}
	if i > 0 && p.fields[i-1].name == f.name {
		refuse(where, "has two fields with the wire name "+strconv.Quote(f.name))
	}
	p.fields = slices.Insert(p.fields, i, f)
	for j, at := range p.order {
		if at >= i {
			p.order[j]++
		}
	}
	p.order = append(p.order, i)
}

// schema is the type as a spec has it.
func (p *Plan) schema() *abi.Type {
	t := &abi.Type{Kind: p.kind}
	switch {
	case (p.shape == shapeInt || p.shape == shapeUint) && p.size < 8:
		t.Size = 8 * uint64(p.size)
	case p.shape == shapeArray && p.kind == abi.KindBytes:
		t.Size = uint64(p.size)
	}
	if p.elem != nil {
		t.Elem = p.elem.schema()
	}
	if p.shape == shapeStruct {
		t.Name = typeName(p.typ.Name())
		for _, i := range p.order {
			f := &p.fields[i]
			t.Fields = append(t.Fields, abi.Field{Name: f.name, Doc: withUnit(f.doc, f.plan.unit), Type: f.plan.schema(), Optional: f.optional})
		}
	}
	return t
}

// withUnit is a doc that says what an amount is counted in.
func withUnit(doc, unit string) string {
	switch {
	case unit == "" || len(doc)+len(unit)+len(", in ") > abi.MaxDoc:
		return doc
	case doc == "":
		return "in " + unit
	}
	return doc + ", in " + unit
}

// isNumber reports whether t is a struct that stands for the one integer in it.
func isNumber(t reflect.Type) bool {
	if t.Kind() != reflect.Struct || t.NumField() != 1 || t.Field(0).Type.Kind() != reflect.Int64 {
		return false
	}
	k, ok := reflect.Zero(t).Interface().(Kinder)
	return ok && k.WireKind() == abi.KindInt
}

// refuse panics: a type that can't be on the wire is a mistake of who wrote it, and
// shows when the contract is built.
func refuse(where, why string) { panic("wire: " + where + " " + why) }

// used is how a type is called where it is refused, with what it is used for.
func used(use string, t reflect.Type) string {
	if use == "" {
		return label(t)
	}
	return use + ": " + label(t)
}

// label is how a type is called where it is refused.
func label(t reflect.Type) string {
	if t.Name() != "" {
		return t.Name()
	}
	return t.String()
}
