// Package site simulates a small place that Ward guards and where energy is traded. Everybody is a
// party of its own, with its own key and its own connection, that talks to a node over HTTP as it
// would in the world, and a dashboard follows all of it over WebSocket.
//
// At the door there are a lock, its owner, a guest, the guest's cleaner and a burglar:
//
//	owner ── enrols, suspends ──► lock
//	  │                            │ authenticates
//	  └─ grants ─► guest ─ delegates ─► cleaner
//	                 burglar: no grant, no key, and a recorder
//
// At the market there are a house with modules on its roof, two neighbours, a meter of each, and the
// operator:
//
//	house ──── sells ─────┐          ┌─ clears, settles, credits ── operator
//	neighbours ─ buy ─────┼─► slot ◄─┤
//	meters ─ say what flowed ┘       └─ burglar: wants money, and other people's meters
//
// Both stories are told beside each other: the door's in rounds, the market's slot by slot, in a time
// that runs faster than ours. Loads and the sun are those of package curve. Every step says
// what it expects, and what came out otherwise is in the Summary: an expired or revoked grant that opened the
// door, a suspended lock or meter that counted, a replay that ran, more bought than sold, a bill that is not
// what was metered and traded, money from nowhere, an event that the stream did not deliver exactly once.
package site
