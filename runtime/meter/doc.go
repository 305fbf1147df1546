// Package meter rewrites a contract's module so that it counts for itself. wazero has no fuel,
// its engines overflow the stack at different depths, and floating point leaves the bits of a NaN to the
// machine; a rewritten module answers the same on every one of them.
//
//	func f:                          func f, rewritten:
//	                                   block
//	                                     stack -= size of f's frame;      below 0: call $more, which pays
//	                                     block
//	                                       gas -= price of the next line; below 0: br out
//	  local.get 0                          local.get 0
//	  loop                                 loop
//	    ...                                  gas -= ...;                  below 0: br out
//	    br_if 0                              ...
//	  end                                    br_if 0
//	                                       end
//	                                       gas -= ...
//	  f64.add                              f64.add, a NaN replaced by the canonical one
//	  memory.grow                          call $grow, which pays by the page
//	  return                               br 0
//	                                     end
//	                                     stack += size of f's frame
//	                                     return
//	                                   end
//	                                   unreachable
//
// The price of a straight line is paid before its first instruction runs, so nothing runs
// that nobody has paid for, also before a trap. Whether there was enough is looked at where a function
// begins and where a loop begins again; between two looks a call runs through no more code than a function has. The
// host looks whenever it is called, and at the end: with gas below zero a call is out of gas, however
// it ended. A line ends where control may come from or go
// elsewhere: at a label that is jumped to, behind a conditional jump, behind a jump. What can never be
// reached is left out.
//
// A frame's size is that of its locals and of the most operands it ever has, in 8 bytes each, and
// never less than a share that bounds how many frames there can be (NEAR's finite-wasm counts both, too), nor than
// a compiler may make of it that shares no slot between values.
// A function that calls none has no frame of its own: at most one of those is on top of the
// stack.
//
// A call begins with a little stack and pays for more as it needs it: an engine's stack grows by copying.
//
// Gas and stack are mutable globals, exported under names that no contract may use. The host
// sets them before a call, reads and writes them when the contract calls it, and sees by them why a module
// trapped. Every other mutable global is exported too, so that an instance can be put back to
// what it was. The start function is exported and not run: nothing runs before there is gas.
package meter
