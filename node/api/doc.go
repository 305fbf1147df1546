// Package api is the node's HTTP surface: transactions in, and everything that can be asked
// of a chain out, as typed JSON. README.md documents each endpoint.
//
//	request ─► recover ─► metrics ─► CORS ─► limit per address ─► ServeMux ─► handler
//	                                                                          │
//	     Engine (take a transaction, how is the node) ◄───────────────────────┤
//	     Chain  (views, contracts, keys: committed state only) ◄──────────────┤
//	     eventlog (receipts, blocks, events, the height signal) ◄─────────────┤
//	     stream (WebSocket) ◄─────────────────────────────────────────────────┘
//
// Whatever a stranger sends ends in an answer that says what is wrong, with a number for
// programs and a reason for people; a panic of ours ends in a 500 and a line in the log. What
// a stranger can make us hold or compute is bounded by the constants and limits of Config.
package api
