// Package client is how a device, an app or a tool talks to a Ward node over its HTTP port.
//
//	GenerateKey       a P-256 or Ed25519 key; KeyFile and Keyring keep it on disk
//	   │
//	   ▼
//	Client.Send       intent -> sequence -> COSE_Sign1 bytes -> POST /v1/tx
//	Client.Call       the same, and waits for the block            ─┐
//	Client.Submit     bytes that somebody else signed               ├─> Receipt, or *Refused
//	Client.Wait       for a transaction sent earlier               ─┘
//	Client.Query      a view at a committed height
//	Client.Simulate   what a call would come to, without effect
//	Client.Trace      what a transaction did, step by step
//	Client.Subscribe  every event that matches a filter, in order, across disconnects
//
// A signer is anything with tx.Signer's two methods, so a key in a secure element works
// as well as a tx.SecretKey in memory.
//
// There are three kinds of "no", and errors.As tells them apart: *Refused is the chain's
// decision, final and the same on every node; *Unserved is one node's answer that it
// can't or won't serve this request; any other error means that no answer was understood,
// and a transaction may or may not have been taken (ask Wait for its id before signing
// the same intent again).
//
// The package trusts the node that it talks to: it verifies no proofs.
package client
