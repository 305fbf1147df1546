// Package cbor reads and writes Ward's protocol profile of CBOR: the bytes of
// transactions, receipts, contract arguments and results, events and records.
//
// The profile is the core deterministic encoding of RFC 8949, section 4.2.1
// (shortest heads, definite lengths, map keys strictly ascending in the bytewise
// order of their encoding), narrowed further:
//
//	allowed   unsigned integers to 2^64-1, negative integers to -2^63, byte strings,
//	          UTF-8 text, arrays, maps, false, true, null
//	refused   tags, floats, undefined and every other simple value, indefinite
//	          lengths, map keys other than integers, byte strings and text,
//	          nesting deeper than MaxDepth
//
// Therefore a value has exactly one encoding, and two nodes that agree on a value
// agree on its hash. What is accepted is decided here and not in a general library,
// because consensus must not change with a library's release.
//
// The package is linked into contracts: it uses no fmt, no reflection and nothing
// outside the standard library. It knows no Go types; sdk/wire maps those.
package cbor
