// Package stream sends the chain's events to WebSocket clients, history first and then live,
// in one order, with nothing lost or doubled. The protocol is in README.md.
//
//	event log ◄─── page by page ─── follow ───► corked connection ───► client
//	    │           own cursor        ▲  ▲                                │
//	    └────── height signal ────────┘  └─ listen: pongs, close, rubbish ┘
//
// A subscriber is one goroutine that reads the log from its own cursor and sleeps on the
// height signal when it has read everything, and one that listens. There is no queue between
// the chain and a subscriber, so there is none to overflow: a client that reads slowly is
// simply further back in the log, and what it costs is one page and one write buffer. One
// that reads nothing runs into the write deadline and is closed.
//
// "History, then live" is not a switch from one source to another, where events are lost or
// doubled, but the same loop: live is when the log has no more.
//
// This package and sdk/client are the only doors to github.com/gorilla/websocket.
package stream
