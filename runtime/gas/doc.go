// Package gas counts work. A [Meter] belongs to one transaction (or one view):
// everything that is done on its behalf is charged to it, always before it is
// done, so that nothing runs which nobody has paid for.
//
// Nobody buys gas. It is a measure: one unit buys between a tenth and half a nanosecond of the
// machine on which the prices were measured (`ward bench gas`, figures in runtime/README.md), so the most that one
// transaction may take, [MaxLimit], is half a second. What a key may use per
// hour is its account's quota (runtime/registry).
//
// The prices in costs.go are part of consensus: nodes that disagree on one of
// them disagree on the gas used, and so on the hash of the results.
package gas
