// Package clients holds clients in other languages, written from sdk/WIRE.md and sharing no
// code with the node; README.md says how to run them. There is no Go in it but the tests that
// hold that page against the code.
package clients
