// Package tx is the signed envelope: a transaction's canonical bytes, its limits, its
// id and its signature.
//
//	COSE_Sign1 (RFC 9052), CBOR tag 18          Sig_structure, which is signed
//	┌───────────────────────────────────┐       ┌─────────────────────────────┐
//	│ protected  {1: alg, 4: kid}       │ ────> │ "Signature1"                │
//	│ unprotected {} (must be empty)    │ ────> │ protected                   │
//	│ payload    {1: chain .. 7: args}  │ ──┐   │ "ward-tx-v1" (external AAD) │
//	│ signature  64 bytes               │   └─> │ payload                     │
//	└───────────────────────────────────┘       └──────── SHA-256 = the id ───┘
//
// A transaction has one encoding only. Decode refuses every other that a general CBOR
// or COSE library would read as the same, so that bytes, id and meaning stand for each
// other. The id leaves the signature out: an ECDSA signature (r, s) has a twin
// (r, n-s), and both are the same transaction, which runs once.
//
// Decode needs nothing but the bytes, Verify nothing but the key. Whether chain,
// expiry, key, scope, quota and sequence are good is not known here; runtime and
// registry decide that. README.md shows a device maker each byte, and
// testdata/vectors.json holds signing vectors for both algorithms.
//
// A device signs other things than transactions too (a challenge, a reading, that it
// holds its key). SignMessage and OpenMessage give them the same envelope with an
// external AAD of their own, so that no such signature can ever be a transaction's.
package tx
