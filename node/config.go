package node

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// The ports spell WARD on a telephone: 9273, and the two after it.
const (
	DefaultHTTP = "127.0.0.1:9273"
	DefaultP2P  = "127.0.0.1:9274"
	DefaultRPC  = "127.0.0.1:9275"
	// None instead of an address means not to listen.
	None = "none"
)

// Config is everything that can be chosen about a node. Only Home is required; the zero
// value of everything else is its default.
type Config struct {
	// Home is the node's folder, made by [Init] or by [CreateKeys] and [WriteGenesis].
	Home string

	// HTTP is the address of the HTTP surface, host:port. Default DefaultHTTP: this machine
	// only, because there is no TLS. Port 0 takes any; see [Node.HTTP].
	HTTP string
	// P2P is the address for other nodes, host:port. Default DefaultP2P.
	P2P string
	// External is the address that other nodes are told to use, host:port. Default P2P.
	External string
	// RPC is the address of CometBFT's own RPC, for stock light clients, host:port. Default
	// DefaultRPC; None for none.
	RPC string
	// Peers are other nodes to stay connected with, each as id@host:port.
	Peers []string
	// Name is what this node calls itself among peers. Default "ward".
	Name string

	// Origins are the origins whose browser pages may use the HTTP surface; "*" means all.
	// Default: only the node's own.
	Origins []string
	// Rate is how many HTTP requests a second one address may make; negative for no limit.
	// Default: see node/api.
	Rate float64
	// Burst is how many of them may come at once. Default: see node/api.
	Burst int

	// Keep is how many heights of state can be asked. Default: see runtime/state.
	Keep uint64
	// Cache is the folder for compiled contracts. Nodes of one user may share one: what is in it is
	// named by the hash of its source. Only its owner may be able to write there, because the
	// node runs what it finds. Default: a folder of the home.
	Cache string
	// Interpreter runs contracts without compiling them: slower by far, same results.
	Interpreter bool

	// EmptyInterval is after how long a quiet chain makes an empty block. Default 60 s.
	EmptyInterval time.Duration
	// TimeoutPropose is how long to wait for another authority's proposal. Default 1 s.
	TimeoutPropose time.Duration

	// Version is what this program calls itself in /v1/status.
	Version string
	// Logger gets what the person on call should know. Default slog.Default().
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	orDefault(&c.HTTP, DefaultHTTP)
	orDefault(&c.P2P, DefaultP2P)
	orDefault(&c.RPC, DefaultRPC)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func orDefault(v *string, d string) {
	if *v == "" {
		*v = d
	}
}

// Validate reports the first field that can't work. It opens nothing.
func (c Config) Validate() error {
	c = c.withDefaults()
	if c.Home == "" {
		return errors.New("node: no home folder is named")
	}
	for name, address := range map[string]string{"HTTP": c.HTTP, "P2P": c.P2P, "RPC": c.RPC, "external": c.External} {
		if address == "" || name == "RPC" && address == None {
			continue
		}
		if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
			return fmt.Errorf("node: %s address %q is not host:port", name, address)
		}
	}
	if c.EmptyInterval < 0 || c.TimeoutPropose < 0 {
		return fmt.Errorf("node: empty interval %v and propose timeout %v must not be negative", c.EmptyInterval, c.TimeoutPropose)
	}
	return nil
}
