package consensus

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/cometbft/cometbft/config"

	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/tx"
)

// PoolTxs is how many transactions a node lets wait. 20,000 is what one authority
// commits in a second or two; a longer queue would only hide that the chain is full.
const PoolTxs = 20_000

// PoolBytes is how many bytes of transactions a node of this chain lets wait.
func PoolBytes(g *genesis.Genesis) int64 { return int64(g.Params.PoolBytes()) }

// The engine's own bounds lie a little above what the application admits, so that it is
// always the application that refuses, with a reason. Transactions that are being
// checked while others are being added can overshoot by this much.
const (
	marginTxs   = 1000
	marginBytes = 1 << 20
)

const (
	// DefaultEmptyInterval is after how long a quiet chain makes an empty block all the
	// same. It bounds how far block time can fall behind if a proposer does not care.
	DefaultEmptyInterval = 60 * time.Second
	// DefaultTimeoutPropose is how long to wait for a proposal before voting against it.
	// A dead proposer costs this long, and so does a proposal lost in a crash.
	DefaultTimeoutPropose = time.Second
	// timeoutVote is how long to wait for stragglers once two thirds have voted without
	// agreeing; timeoutDelta is added to each timeout in every further round.
	timeoutVote  = 500 * time.Millisecond
	timeoutDelta = 500 * time.Millisecond
	// gossipSleep and flushThrottle are how long the engine's gossip rests between looks
	// at a peer and how long it gathers bytes before it writes. The engine's defaults
	// (100 and 10 ms) cost four authorities 200 ms a block.
	gossipSleep   = 5 * time.Millisecond
	flushThrottle = 2 * time.Millisecond
	// peerRate is how many bytes a second go to and come from one peer: a full block
	// within the second that a proposal may take.
	peerRate = 32 << 20
	// maxPeers bounds the connections of each direction: 30 authorities and as many
	// full nodes.
	maxPeers = 64
)

// Config is where an engine finds its things. Zero values are defaults where one is named.
type Config struct {
	// Genesis is the chain. Required.
	Genesis *genesis.Genesis
	// Dir is the engine's own folder: blocks, votes, write-ahead log. Required; it must exist.
	Dir string
	// ValidatorKey is the file of the key with which this node votes, in CometBFT's format.
	// A node whose key is not an authority's follows without a vote. Required.
	ValidatorKey string
	// ValidatorState is the file that remembers what was signed last, so that nothing is
	// signed twice. It must exist: a node that lost it could sign against itself. Required.
	ValidatorState string
	// NodeKey is the file of the key by which peers know this node. Required.
	NodeKey string
	// Listen is the address for peers, host:port. Required.
	Listen string
	// External is the address that peers are told, host:port; default Listen.
	External string
	// RPC is the address of CometBFT's own RPC, host:port; empty for none.
	RPC string
	// Peers are kept connected, each as id@host:port.
	Peers []string
	// Name is this node's name among its peers; default "ward".
	Name string
	// EmptyInterval is after how long a quiet chain makes an empty block; default DefaultEmptyInterval.
	EmptyInterval time.Duration
	// TimeoutPropose is how long to wait for a proposal; default DefaultTimeoutPropose.
	TimeoutPropose time.Duration
	// Logger gets what the engine says: its errors as errors, its information as debug, its
	// debugging four levels below. Default: nothing is logged.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.External == "" {
		c.External = c.Listen
	}
	if c.Name == "" {
		c.Name = "ward"
	}
	if c.EmptyInterval == 0 {
		c.EmptyInterval = DefaultEmptyInterval
	}
	if c.TimeoutPropose == 0 {
		c.TimeoutPropose = DefaultTimeoutPropose
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Validate reports the first field that can't work. It opens nothing.
func (c Config) Validate() error {
	if c.Genesis == nil {
		return errors.New("no genesis")
	}
	for name, path := range map[string]string{
		"engine folder": c.Dir, "validator key": c.ValidatorKey, "validator state": c.ValidatorState, "node key": c.NodeKey,
	} {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("%s: %q is not an absolute path", name, path)
		}
	}
	if err := checkAddress("peer address", c.Listen); err != nil {
		return err
	}
	if c.External != "" {
		if err := checkAddress("external peer address", c.External); err != nil {
			return err
		}
	}
	if c.RPC != "" {
		if err := checkAddress("consensus RPC address", c.RPC); err != nil {
			return err
		}
	}
	for _, p := range c.Peers {
		id, address, ok := strings.Cut(p, "@")
		if !ok || len(id) != 40 || strings.Trim(id, "0123456789abcdef") != "" {
			return fmt.Errorf("peer %q: must be id@host:port, the id being 40 lower-case hexadecimal digits", p)
		}
		if err := checkAddress("peer", address); err != nil {
			return err
		}
	}
	if c.EmptyInterval < 0 || c.TimeoutPropose < 0 {
		return fmt.Errorf("empty interval %v and propose timeout %v must not be negative", c.EmptyInterval, c.TimeoutPropose)
	}
	return nil
}

func checkAddress(what, s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" || port == "" {
		return fmt.Errorf("%s: %q is not host:port", what, s)
	}
	return nil
}

// peerIDs are the ids of Peers.
func (c Config) peerIDs() (ids []string) {
	for _, p := range c.Peers {
		id, _, _ := strings.Cut(p, "@")
		ids = append(ids, id)
	}
	return ids
}

// engine is the engine's own configuration. Everything that Ward cares about is set here,
// so that an upgrade that changes a default changes nothing.
func (c Config) engine() *config.Config {
	e := config.DefaultConfig()
	e.SetRoot(c.Dir)
	e.Moniker = c.Name
	e.DBBackend = "goleveldb"
	e.DBPath = c.Dir

	e.RPC.ListenAddress = ""
	if c.RPC != "" {
		e.RPC.ListenAddress = "tcp://" + c.RPC
	}
	e.RPC.Unsafe = false
	e.RPC.PprofListenAddress = ""

	e.P2P.ListenAddress = "tcp://" + c.Listen
	e.P2P.ExternalAddress = c.External
	e.P2P.PersistentPeers = "" // see keepConnected
	e.P2P.UnconditionalPeerIDs = strings.Join(c.peerIDs(), ",")
	e.P2P.DialTimeout = dialTimeout
	e.P2P.HandshakeTimeout = handshakeTimeout
	e.P2P.AddrBook = filepath.Join(c.Dir, "addrbook.json")
	e.P2P.PexReactor = false      // peers are known by name; nobody is to find more of them
	e.P2P.AddrBookStrict = false  // authorities may live in private networks
	e.P2P.AllowDuplicateIP = true // several nodes may share a machine
	e.P2P.MaxNumInboundPeers = maxPeers
	e.P2P.MaxNumOutboundPeers = maxPeers
	e.P2P.FlushThrottleTimeout = flushThrottle
	e.P2P.SendRate = peerRate
	e.P2P.RecvRate = peerRate

	e.Mempool.Type = config.MempoolTypeFlood
	e.Mempool.Recheck = true
	e.Mempool.Size = PoolTxs + marginTxs
	e.Mempool.MaxTxsBytes = PoolBytes(c.Genesis) + marginBytes
	e.Mempool.MaxTxBytes = tx.MaxDeploySize
	e.Mempool.CacheSize = 4 * PoolTxs // a copy of a transaction that comes back late costs a look, not a check
	e.Mempool.KeepInvalidTxsInCache = false

	e.StateSync.Enable = false

	e.Consensus.WalPath = filepath.Join(c.Dir, "wal", "wal")
	e.Consensus.CreateEmptyBlocks = false
	e.Consensus.CreateEmptyBlocksInterval = c.EmptyInterval
	e.Consensus.TimeoutPropose = c.TimeoutPropose
	e.Consensus.TimeoutPrevote = timeoutVote
	e.Consensus.TimeoutPrecommit = timeoutVote
	e.Consensus.TimeoutProposeDelta = timeoutDelta
	e.Consensus.TimeoutPrevoteDelta = timeoutDelta
	e.Consensus.TimeoutPrecommitDelta = timeoutDelta
	e.Consensus.TimeoutCommit = 0
	e.Consensus.SkipTimeoutCommit = true
	e.Consensus.PeerGossipSleepDuration = gossipSleep

	e.Storage.DiscardABCIResponses = false
	e.TxIndex.Indexer = "null"
	e.Instrumentation.Prometheus = false
	return e
}
