// Package gasbench measures what gas buys: for each instruction and each function of the host it makes a contract that
// does hardly anything else, runs it in the real engine, metered and pooled like any other, and divides the time by the gas.
//
// Where a nanosecond is cheaper than elsewhere, a block can be made slow at that place, so what matters is not the
// price of anything alone but the worst ratio between an entry and the median of all: at most [MaxRatio].
package gasbench
