// Package node is one process of a chain: it opens the stores, puts the parts
// together, listens, and takes everything down again in order.
//
//	HTTP, WebSocket                   peers            CometBFT's RPC
//	      │                             │                     │
//	  node/api ──► node/stream      node/consensus ───────────┘
//	      │            │                │  ABCI
//	      │            │            node/app
//	      ▼            ▼                ▼
//	   runtime     node/eventlog ◄── writes both ──► runtime/state
//	                   └──────────── node/db ────────────┘
//
// # The home of a node
//
// Everything that a node keeps lies in one folder:
//
//	genesis.json                     the chain; the same bytes on every node of it
//	keys/validator.json              SECRET: votes for this authority (CometBFT's format)
//	keys/node.json                   SECRET: this node's name among its peers (CometBFT's format)
//	data/engine/                     blocks, votes and the write-ahead log of the engine
//	data/engine/validator-state.json what was signed last; losing it is how authorities sign twice
//	data/state/                      contracts, accounts and everything they wrote
//	data/events/                     receipts and events
//	cache/                           compiled contracts; may be deleted while no node runs
//	ward.lock                        held by the process that has the home open
//
// keys and data/engine/validator-state.json must never be used by two nodes at a time.
// Of data, a full copy made while no node runs is a backup; validator-state.json must not be
// put back from one.
//
// A process holds the home's lock for as long as it has it open; a second one is told
// which process that is. The lock goes with the process, however it dies.
package node
