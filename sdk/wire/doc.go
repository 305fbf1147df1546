// Package wire turns Go values into canonical CBOR (runtime/cbor) and back: the
// arguments, results, events and stored rows of contracts. Contracts and clients
// use the same code, so that what one writes the other reads.
//
//	Go type                      CBOR                     kind in the spec
//	bool                         true, false              bool
//	int, int8 ... int64          integer                  int, and its width if that is less than 64 bits
//	uint, uint8 ... uint64       unsigned integer         uint, likewise
//	string                       text, UTF-8              text
//	[]byte, [N]byte              byte string              bytes, those of an array with their number
//	[]T                          array                    list
//	map[string]T                 map, text keys           map
//	struct                       map, text keys           struct
//	a named type of the above    as the above             what its WireKind says, if it has one
//	struct of one int64 that     integer                  int, with its WireUnit in the doc
//	  says it is an int
//
// A field's key is its name in snake_case, or what its tag says:
//
//	Expires  Time   `wire:"until" doc:"when it ends"`  // the key "until"
//	Reason   string `wire:",omitempty"`                // left out when empty: optional
//	Parent   *uint64                                   // left out when nil: optional
//	cache    int    `wire:"-"`                         // not on the wire
//
// There are no floats, interfaces, functions or types that contain themselves: a
// type that can't be on the wire panics when its codec is made, which is when a
// contract starts, with the type and the field. What a value may be is thus known
// before the first value comes.
//
// Where each field lies is found out then, too. A contract makes its codecs as package variables, so that they lie in the
// snapshot that each call starts from, and reading and writing look up nothing by reflection: it is only used to make room for
// the items of a list and for what a pointer points to, and for maps.
//
// A value has one encoding. Reading is strict: a missing, unknown or repeated
// field, a number out of range, a byte too many are errors that name the path. One
// thing is read that would not be written: an optional field that holds its zero,
// because whoever says redelegate = 0 means it.
//
// [Key] is the other encoding: for storage keys, whose bytes must sort as their
// values do.
package wire
