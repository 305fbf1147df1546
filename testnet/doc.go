// Package testnet is for networks of real nodes on this machine. Its tests drive whole nodes, with
// real contracts, over real HTTP and WebSocket, as strangers, broken devices and dashboards do;
// those of networks run the real command, a process for each node.
// The simulated site of "ward dev" lies in testnet/site, the supervisor of "ward testnet" in
// testnet/network.
package testnet
