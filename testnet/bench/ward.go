package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/wire"
)

const (
	// MaxDevices bounds the devices: each is an account of genesis, which has 10,000.
	MaxDevices = 9_000

	contract = "access"
	relation = "open"
	door     = "bench/door"

	// preparing is how many transactions of the preparation are under way at a time: all
	// of them are the owner's, and may overtake each other by 256.
	preparing = 64
	// warmUp bounds how long a node may take to compile the contracts, on a busy machine.
	warmUp = 2 * time.Minute
)

// Config says what Ward measures.
type Config struct {
	// Nodes are the URLs of the network's nodes, such as http://127.0.0.1:9273. They must
	// not limit the requests of an address. Commits are learned from the first. Required.
	Nodes []string
	// Owner has an account that may call access, and room in its quota. Required.
	Owner tx.Signer
	// Devices have accounts that may call access, and room in their quotas: each talks to one
	// of the nodes. Required.
	Devices []tx.Signer

	Schedule
	// Begin, unless nil, is called when the devices are ready and the load begins.
	Begin func()
}

// Validate reports the first field that makes no sense.
func (c Config) Validate() error {
	switch {
	case len(c.Nodes) == 0:
		return errors.New("bench: no node is named")
	case c.Owner == nil:
		return errors.New("bench: there is no owner of the door")
	case len(c.Devices) == 0 || len(c.Devices) > MaxDevices:
		return fmt.Errorf("bench: %d devices, must be 1 to %d", len(c.Devices), MaxDevices)
	}
	return c.Schedule.validate()
}

// Result is what Ward measured.
type Result struct {
	Measure
	Gas      uint64 // that the dearest of the first checks used
	GasLimit uint64 // of each transaction
	Size     int    // of a transaction, in bytes, about
	UnderWay int    // how many were at any moment, if there was no rate
}

// Ward measures a network: the owner registers a door and grants each device to open it, each
// device opens it once, and then they all do so again and again, at the rate. Each check is a
// signed transaction, counts only if the contract allows it, and is committed when the event
// that says so arrives from the first node.
func Ward(ctx context.Context, c Config) (Result, error) {
	if err := c.Validate(); err != nil {
		return Result{}, err
	}
	w := &ward{config: c, object: c.Owner.Public().Address().String() + "/" + door}
	for _, url := range c.Nodes {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost, transport.MaxIdleConns = maxSenders, maxSenders
		node := &client.Client{URL: url, HTTP: &http.Client{Transport: transport}}
		defer node.Close()
		w.nodes = append(w.nodes, node)
	}
	if err := w.prepare(ctx); err != nil {
		return Result{}, fmt.Errorf("bench: %w", err)
	}

	l := c.load(len(c.Devices))
	t := l.newTally()
	events, err := w.nodes[0].Subscribe(ctx, client.Filter{}, client.FromNow, nil)
	if err != nil {
		return Result{}, fmt.Errorf("bench: the stream of events: %w", err)
	}
	defer events.Close()
	failed := make(chan error, 1)
	watching, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for e, err := range events.Events(watching) {
			if err != nil {
				failed <- fmt.Errorf("bench: the stream of events: %w", err)
				return
			}
			t.commit(key(e.Tx), time.Now(), verdict(e))
		}
	}()
	if c.Begin != nil {
		c.Begin()
	}
	m, err := l.run(ctx, w, t, failed)
	stop()
	<-watched
	return Result{Measure: m, Gas: w.used, GasLimit: w.gas, Size: w.size, UnderWay: l.underWay}, err
}

// verdict is the code of what came of a check, "" for yes.
func verdict(e *client.Event) string {
	switch {
	case e.Contract == contract && e.Name == "allowed":
		return ""
	case e.Contract == contract && e.Name == "denied":
		return codeDenied
	}
	var refused struct{ Name string } // by the machine, see receipt.Refusal
	if e.Name == receipt.Refused && e.Decode(&refused) == nil && refused.Name != "" {
		return refused.Name
	}
	return e.Name
}

// ward is a network as a target.
type ward struct {
	config Config
	nodes  []*client.Client
	object string
	args   client.Args
	used   uint64 // gas
	gas    uint64 // limit of each transaction
	size   int
}

var _ target = (*ward)(nil)

// The arguments of access, and what it answers, as far as needed.
type (
	registerArgs struct{ Name string }
	grantArgs    struct {
		Object    string
		Subject   address.Address
		Relations []string
	}
	useArgs struct {
		Object   string
		Relation string
	}
	checkArgs struct {
		Object   string
		Relation string
		Subject  address.Address
	}
	decision struct {
		Allowed bool
		Reason  string
	}
)

// prepare makes every device able to open the door, and lets each do it once: then the
// contracts are compiled, and the gas that a check takes is known.
func (w *ward) prepare(ctx context.Context) error {
	var err error
	if w.args, err = wire.Marshal(useArgs{w.object, relation}); err != nil {
		return err
	}
	owner := w.nodes[0]
	if _, err := owner.Call(ctx, w.config.Owner, contract, "register", registerArgs{door}, client.Options{}); err != nil {
		return fmt.Errorf("the owner registers the door: %w", err)
	}
	grants, granting := errgroup.WithContext(ctx)
	grants.SetLimit(preparing)
	for _, device := range w.config.Devices {
		args := grantArgs{Object: w.object, Subject: device.Public().Address(), Relations: []string{relation}}
		grants.Go(func() error {
			_, err := owner.Call(granting, w.config.Owner, contract, "grant", args, client.Options{})
			return err
		})
	}
	if err := grants.Wait(); err != nil {
		return fmt.Errorf("the owner lets a device in: %w", err)
	}
	used := make([]uint64, len(w.config.Devices))
	checks, checking := errgroup.WithContext(ctx)
	checks.SetLimit(preparing)
	for i, device := range w.config.Devices {
		checks.Go(func() error {
			r, err := w.nodeOf(i).Call(checking, device, contract, "use", w.args, client.Options{})
			if err != nil {
				return err
			}
			var d decision
			if err := json.Unmarshal(r.Return, &d); err != nil {
				return fmt.Errorf("the contract returned %s: %w", r.Return, err)
			}
			if !d.Allowed {
				return fmt.Errorf("%s may not: %s", device.Public().Address(), d.Reason)
			}
			used[i] = r.GasUsed
			return nil
		})
	}
	if err := checks.Wait(); err != nil {
		return fmt.Errorf("a device opens the door: %w", err)
	}
	for _, node := range w.nodes {
		if err := w.warm(ctx, node); err != nil {
			return fmt.Errorf("%s is asked whether a device may open the door: %w", node.URL, err)
		}
	}
	for _, gas := range used {
		w.used = max(w.used, gas)
	}
	// A block's room is counted in limits. A quarter above what was used is what a maker who has
	// measured would ask for; the usual limit would fill a block with a hundred checks.
	w.gas = w.used + w.used/4
	signed, err := w.sign(ctx, 0)
	if err != nil {
		return err
	}
	w.size = len(signed.Encode())
	return nil
}

// warm returns when a node has answered a view. A node compiles the contracts for views
// beside everything else when it has just begun, which would be half a load.
func (w *ward) warm(ctx context.Context, node *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, warmUp)
	defer cancel()
	question := client.Question{
		Contract: contract, Method: "check", Args: checkArgs{w.object, relation, w.config.Devices[0].Public().Address()},
	}
	for {
		_, err := node.Ask(ctx, question)
		if busy, ok := errors.AsType[*client.Unserved](err); !ok || !busy.Temporary() {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// Each device talks to one node, so that its transactions hardly overtake each other.
func (w *ward) nodeOf(device int) *client.Client { return w.nodes[device%len(w.nodes)] }

func (w *ward) sign(ctx context.Context, n uint64) (*tx.Signed, error) {
	i := int(n % uint64(len(w.config.Devices)))
	return w.nodeOf(i).Sign(ctx, w.config.Devices[i], contract, "use", w.args, client.Options{GasLimit: w.gas})
}

func (w *ward) send(ctx context.Context, n uint64, expect func(key)) error {
	signed, err := w.sign(ctx, n)
	if err != nil {
		return err
	}
	expect(key(signed.ID()))
	_, err = w.nodeOf(int(n%uint64(len(w.config.Devices)))).Submit(ctx, signed.Encode())
	if no, ok := errors.AsType[*client.Refused](err); ok {
		return refusal(no.Code.Name())
	}
	if no, ok := errors.AsType[*client.Unserved](err); ok && no.Status < 500 && no.Code != "" {
		return refusal(no.Code)
	}
	return err
}

func (w *ward) idle(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	for _, node := range w.nodes {
		if s, err := node.Status(ctx); err != nil || s.Transactions > 0 {
			return false
		}
	}
	return true
}

func (w *ward) ask(ctx context.Context, id key) string {
	r, err := w.nodes[0].Receipt(ctx, tx.ID(id))
	if err != nil || r.Code == receipt.OK { // that one was committed, but told too late
		return ""
	}
	return r.Code.Name()
}
