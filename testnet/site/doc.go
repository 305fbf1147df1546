// Package site simulates a small place that Ward guards: a lock, its owner, a guest, the
// guest's cleaner and a burglar. Each is a party of its own, with its own key and its own
// connection, that talks to a node over HTTP as it would in the world, and a dashboard
// follows all of it over WebSocket.
//
//	owner ── enrols, suspends ──► lock
//	  │                            │ authenticates
//	  └─ grants ─► guest ─ delegates ─► cleaner
//	                 burglar: no grant, no key, and a recorder
//
// The story is told in rounds. Every step says what it expects, and what came out otherwise is
// in the Summary: an expired or revoked grant that opened the door, a suspended lock that authenticated,
// a replay that ran, an event that the stream did not deliver exactly once.
package site
