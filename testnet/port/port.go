// Package port finds ports for those who must name one before they listen on it, or come back to it.
//
// Port 0 takes a free port and gives it away in one step, and is better wherever it will do. But a port that the system has
// given so is one of those that it gives to everybody, and to outgoing connections too: while nobody listens on it, before the first time or
// during a restart, it may be somebody else's any moment.
package port

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are looked for below those that systems hand out by themselves (from 32768 on Linux, 49152 elsewhere).
const (
	first = 20_000
	end   = 32_000
	tries = 200
)

// Free is an address of loopback, host:port, on which nobody listens and that isn't taken; then it is. Two who look at the same
// moment and keep no common record could find the same, one time in twelve thousand.
func Free(taken map[string]bool) (string, error) {
	var last error
	for range tries {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(first+rand.N(end-first)))
		if taken[address] {
			continue
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			last = err
			continue
		}
		if err := l.Close(); err != nil {
			return "", err
		}
		taken[address] = true
		return address, nil
	}
	return "", fmt.Errorf("no free port between %d and %d after %d tries: %w", first, end, tries, last)
}
