// Package network runs the nodes of a chain as processes of this machine, breaks them and holds
// them against each other.
//
//	Up ── starts ──► ward node 0 ◄──► ward node 1 ◄──► ...     each with its own home, keys and log
//	│                    ▲ HTTP             ▲ HTTP
//	├─ Status, Agree ────┴──────────────────┤
//	├─ Watch: blocks and streams of all ────┘
//	├─ Kill, Start, AddNode, Down
//	└─ Serve ◄── Dial, from another process: Status, Kill, Start, Down
//
// A Network knows its nodes only as a stranger would: by their command line, their exit and
// what they answer over HTTP. It makes no homes and reads none; whoever calls Up brings them.
//
// # No orphans
//
// Each node's standard input is a pipe of which this process holds the other end, and the node
// is told (--with-stdin) to stop when it ends. The system closes the pipe with this process,
// however that dies, so no node outlives its network; that holds on Windows too. Nodes are
// started in process groups of their own, so that Ctrl-C reaches this process alone, which then
// takes the nodes down in order.
package network
