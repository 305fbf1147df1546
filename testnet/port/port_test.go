package port_test

import (
	"net"
	"testing"

	"github.com/wardledger/ward/testnet/port"
)

// No address is given twice, each can be listened on, and none is one that the system could give to somebody else.
func TestFree(t *testing.T) {
	taken := map[string]bool{}
	for n := range 100 {
		address, err := port.Free(taken)
		if err != nil {
			t.Fatal(err)
		}
		if len(taken) != n+1 || !taken[address] {
			t.Fatalf("%s is not noted as taken: %v", address, taken)
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if p := l.Addr().(*net.TCPAddr).Port; p >= 32_768 {
			t.Errorf("port %d is one of those that Linux hands out", p)
		}
	}
}
