// Package receipt says how a transaction ended: Code, Receipt, Event, and the Cursor
// that orders events over the whole life of a chain.
//
//	Receipt ─┬─ Code, GasUsed, GasLimit ───────────────────────────────┐
//	         ├─ Data() = [1, EventsRoot, SHA-256(Return), ContractCode] ┴─> the engine's
//	         │             └─ RFC 6962 tree over Event.Encode()             LastResultsHash
//	         ├─ Encode() ──> the event log, from which receipts are served
//	         └─ Reason, Log: for people, never in consensus
//
// Code, gas and Data are consensus, so that every event, every returned value and
// every refusal of an executed transaction can be proven from a block header. The
// package depends on no other part of the state machine but cbor and address.
package receipt
