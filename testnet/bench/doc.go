// Package bench measures how many transactions a network commits, and how long each takes.
//
//	schedule ──► queue ──► senders ──► node 0 ... n ──► blocks
//	   │        (bounded)  (bounded)                      │
//	   │ due                                              ▼ events of node 0
//	   └──────────────► tally: due → committed ◄──────────┘
//
// A transaction is due when the schedule says so, and its latency counts from that moment:
// not from when a sender was free, nor from when the node took it. The schedule
// never waits for an answer. Whoever asks only as fast as it is answered leaves out
// exactly the requests that a slow moment would have met, and measures a good day.
//
// That a transaction is committed is learned from the stream of events of one node. What
// is not committed at the end is an error, and so is what was refused, could not be sent, or
// came out as anything but allowed.
//
// [Ward] measures nodes that run somewhere, by their URLs, with devices that ask the
// contract access whether they may open a door. [Engine] measures the consensus engine
// alone, in this process, in the same way.
//
// # At most
//
// With a rate of 0 the load is the most that the other side takes: as many transactions as
// agreed ([DefaultUnderWay]) are under way at any moment, and each that is committed makes room
// for the next. Then nothing is ever refused for want of room, and the rate of commits is that of
// saturation. So are the latencies: by Little's law they are the number under way divided by
// the rate, and say nothing about a network that has room.
package bench
