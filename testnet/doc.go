// Package testnet is for networks of real nodes on this machine. Its tests drive a whole node,
// with real contracts, over real HTTP and WebSocket, as strangers, broken devices and dashboards do.
// The simulated site of "ward dev" lies in testnet/site.
package testnet
