// Package cli is the command ward: one file per family of commands, and what they share.
//
//	arguments ──Run──> app.go (which command) ──> init.go node.go key.go contract.go
//	                      │                        call.go query.go tx.go events.go status.go
//	                      ▼                              │
//	                   flags in any order                │ session: node, home, keys, output
//	                                                     ▼
//	  exit code <── failure.go (what happened, what to try) <── error
//
// Results go to stdout: text for people, or with --json one JSON object a line. Everything
// else goes to stderr: errors, and progress, but that only on a terminal.
//
// Exit codes are promised:
//
//	0  done
//	1  it could not be done: no node, no disk, no such thing
//	2  the command line was wrong; nothing was tried
//	3  the chain refused: its code and reason are printed
//	4  done, but the answer is no: a --require of call or query isn't met
package cli
