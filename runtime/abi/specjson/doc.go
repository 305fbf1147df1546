// Package specjson turns JSON into the CBOR that contracts read, and back, typed
// by a contract's spec. It is what lets a person write
//
//	{"object": "door-1", "subject": "ward1...", "expires": "2026-03-01T08:00:00Z"}
//
// where the contract gets exactly one canonical byte string, and a mistake an
// answer with the path of the field: `expires: "tomorrow" is not a time ...`.
//
//	kind      JSON in                                   JSON out
//	bool      true, false                               the same
//	int uint  integer, or its decimal digits as text    number up to ±(2^53-1), text beyond (RFC 7493)
//	text      string                                    the same
//	bytes     "0x..." hexadecimal                       the same, lower case
//	address   "ward1..."                                the same
//	time      unix seconds as for int, or RFC 3339      unix seconds as for int
//	duration  seconds as for int, or "1h30m"            seconds as for int
//	list      array                                     the same
//	map       object                                    the same, keys in canonical order
//	struct    object; an optional field may be missing or null
//	                                                    the same, fields in the spec's order
//
// It is strict: an unknown, missing or repeated field, a fraction, a number that
// does not fit, text that is not UTF-8 or a document over MaxJSON is an [Error].
// Depth is bounded by the type. It is used on the host's side only and decides
// nothing about consensus: nodes agree on the CBOR.
package specjson
