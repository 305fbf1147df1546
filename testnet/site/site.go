package site

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
)

// Names of the parties. All have an account from genesis on. The lock is enrolled
// by its owner, and of the burglar's second key nobody knows.
const (
	Owner   = "owner"
	Guest   = "guest"
	Cleaner = "cleaner"
	Burglar = "burglar"

	House      = "house" // has a roof with modules
	Neighbour1 = "neighbour1"
	Neighbour2 = "neighbour2"
	Operator   = "operator" // of the chain and of the market; the only one here with a way to make money
)

// Names are the parties that need an account with the site's scope, in a fixed order: all but
// the operator, whom a chain has anyway.
func Names() []string {
	return []string{Owner, Guest, Cleaner, Burglar, House, Neighbour1, Neighbour2}
}

// Households are the parties that have a meter.
func Households() []string { return []string{House, Neighbour1, Neighbour2} }

// Meter is the name of a household's meter, which has a key but no account: its owner enrols it.
func Meter(household string) string { return household + "-meter" }

// Keys are the names of all keys that Config wants, with the algorithm of each: both are at work.
func Keys() map[string]tx.Alg {
	keys := map[string]tx.Alg{
		Owner: tx.ES256, Guest: tx.EdDSA, Cleaner: tx.ES256, Burglar: tx.EdDSA,
		House: tx.ES256, Neighbour1: tx.EdDSA, Neighbour2: tx.ES256, Operator: tx.EdDSA,
	}
	for i, name := range Households() {
		keys[Meter(name)] = []tx.Alg{tx.ES256, tx.EdDSA}[i%2]
	}
	return keys
}

// Models that the contract devices must know: of the lock, and of the meters.
const (
	LockModel  = "front-door-lock"
	MeterModel = "smart-meter"
)

// Config says where the site is and who tells of it.
type Config struct {
	// Node is the URL of the node, such as http://127.0.0.1:9273. Required.
	Node string
	// Read is the URL of the node whose views are asked and whose events are streamed; another than
	// Node shows that they agree. "" means Node.
	Read string
	// Keys are the keys of all names in the function Keys. Required.
	Keys map[string]*tx.SecretKey
	// For is how long to go on, but the first round is always told to its end. 0 means
	// until the context ends.
	For time.Duration
	// Pause is the rest between two rounds. 0 means 3 s: a person can follow.
	Pause time.Duration
	// Report is told each step, one at a time. Required.
	Report func(Step)
}

// Step is something that a party did and what came of it.
type Step struct {
	Who      string `json:"who"`
	Does     string `json:"does"`
	Decision string `json:"decision"`         // ok, allow, deny, or the code of a refusal
	Why      string `json:"why,omitempty"`    // the reason, in words
	Wanted   string `json:"wanted,omitempty"` // the decision that was right, if it was another
	Height   uint64 `json:"height,omitempty"` // of the block that it is in
	ID       string `json:"id,omitempty"`     // of the transaction
}

// Summary is the site's result.
type Summary struct {
	OK           bool   `json:"ok"`
	Height       uint64 `json:"height"`       // of the last block seen
	Transactions int    `json:"transactions"` // executed
	Events       int    `json:"events"`       // delivered by the stream
	Denied       int    `json:"denied"`       // requests that were rightly or wrongly turned away
	Rounds       int    `json:"rounds"`

	ClearedSlots int   `json:"cleared_slots"` // in which something was traded
	ClearedWh    int64 `json:"cleared_wh"`    // in them together
	Price        int64 `json:"price"`         // of the last of them, in micro per kWh
	SettledSlots int   `json:"settled_slots"`
	Readings     int   `json:"readings"`  // of meters that the market took
	MoneySum     int64 `json:"money_sum"` // of all accounts of the market, in micro: 0, or money came from nowhere

	Wrong []string `json:"wrong,omitempty"` // what came out as it should not, one sentence each
}

// party is somebody with a key and a connection of their own.
type party struct {
	name string
	key  *tx.SecretKey
	node *client.Client
	read *client.Client // whom views are asked; often node itself
}

func (p *party) address() address.Address { return p.key.Public().Address() }

func (p *party) close() {
	p.node.Close()
	p.read.Close()
}

type site struct {
	config                         Config
	owner, guest, cleaner, burglar *party
	dashboard                      *dashboard
	trade                          *trade

	telling sync.Mutex // one step at a time

	mu      sync.Mutex
	summary Summary
	height  uint64 // of the last block with a receipt
}

// party connects somebody.
func (s *site) party(name string, key *tx.SecretKey) *party {
	p := &party{name: name, key: key, node: &client.Client{URL: s.config.Node}}
	p.read = p.node
	if s.config.Read != s.config.Node {
		p.read = &client.Client{URL: s.config.Read}
	}
	return p
}

// Run tells the story until the time is over or the context ends. The error is about the
// site itself: a node that can't be reached, a missing key. What came out wrong is in
// the Summary, which is valid even with an error.
func Run(ctx context.Context, c Config) (Summary, error) {
	s := &site{config: c}
	if s.config.Pause == 0 {
		s.config.Pause = 3 * time.Second
	}
	if s.config.Read == "" {
		s.config.Read = c.Node
	}
	all := map[string]*party{}
	for name := range Keys() {
		key := c.Keys[name]
		if key == nil {
			return s.summary, fmt.Errorf("site: there is no key %q", name)
		}
		all[name] = s.party(name, key)
		defer all[name].close()
	}
	s.owner, s.guest, s.cleaner, s.burglar = all[Owner], all[Guest], all[Cleaner], all[Burglar]
	s.trade = newTrade(s, all)
	var err error
	if s.dashboard, err = watch(ctx, s.config.Read); err != nil {
		return s.summary, fmt.Errorf("site: the dashboard: %w", err)
	}
	defer s.dashboard.close()

	err = s.stories(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	told := err == nil || ctx.Err() != nil // else a node is down, perhaps the one that streams: what was lost can't be told from what is late
	s.summary.Wrong = append(s.summary.Wrong, s.dashboard.finish(told)...)
	s.summary.Events, s.summary.Height = s.dashboard.seen()
	s.summary.OK = err == nil && len(s.summary.Wrong) == 0 && s.summary.Rounds > 0
	return s.summary, err
}

// stories tells the story of the door and that of the market beside each other. The door's
// decides how long; if one of them fails, both end.
func (s *site) stories(ctx context.Context) error {
	outside := ctx.Err
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	over, traded := make(chan struct{}), make(chan error, 1)
	go func() {
		err := s.trade.run(ctx, over)
		if outside() != nil { // the end came from outside, in the middle of whatever it was
			err = nil
		}
		if err != nil {
			fail(err)
		}
		traded <- err
	}()
	err := s.opening(ctx)
	if err == nil {
		err = s.rounds(ctx)
	}
	if err != nil {
		fail(err) // whichever story failed first is the cause
	}
	close(over)
	if tradeErr := <-traded; err != nil || tradeErr != nil {
		return context.Cause(ctx)
	}
	return nil
}

// rounds goes on until the time is over, or the context ends. The first round is told to its
// end; a later one stops where it is.
func (s *site) rounds(ctx context.Context) error {
	until := ctx
	if s.config.For > 0 {
		var stop context.CancelFunc
		until, stop = context.WithTimeout(ctx, s.config.For)
		defer stop()
	}
	if err := s.round(ctx); err != nil {
		return err
	}
	for {
		s.mu.Lock()
		s.summary.Rounds++
		s.mu.Unlock()
		pause := time.NewTimer(s.config.Pause)
		select {
		case <-until.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
		if err := s.round(until); err != nil {
			if until.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// wrong notes that something came out as it should not.
func (s *site) wrong(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.summary.Wrong = append(s.summary.Wrong, fmt.Sprintf(format, args...))
}

// report holds a step's decision against the right one, and tells it unless it is one of many
// that came out right.
func (s *site) report(step Step, wanted string, quiet bool) {
	if step.Decision != wanted {
		step.Wanted = wanted
		s.wrong("the %s %s: %s (%s), but %s is right", step.Who, step.Does, step.Decision, step.Why, wanted)
	}
	if step.Decision != decisionOK && step.Decision != decisionAllow {
		s.mu.Lock()
		s.summary.Denied++
		s.mu.Unlock()
	}
	if !quiet || step.Wanted != "" {
		s.telling.Lock()
		defer s.telling.Unlock()
		s.config.Report(step)
	}
}

// Decisions beside the codes of refusals.
const (
	decisionOK    = "ok" // done; there was nothing to decide
	decisionAllow = "allow"
	decisionDeny  = "deny"
)

// verdict reads a decision and its reason out of what a call returned.
type verdict func(r *client.Receipt) (decision, why string, err error)

// do sends a transaction and tells what came of it. A nil verdict means that there is
// nothing to decide. The receipt is nil if the transaction was never executed. The error is one of
// the network or the site, not of the chain.
func (s *site) do(ctx context.Context, p *party, does, wanted, contract, method string, args any, v verdict) (*client.Receipt, error) {
	r, err := p.node.Call(ctx, p.key, contract, method, args, client.Options{})
	_, err = s.came(ctx, p, does, expect(wanted), r, err, v, false)
	return r, err
}

// expectation is the decision that is right, by the receipt if there is one.
type expectation func(r *client.Receipt) string

// expect is for what is right whenever it comes.
func expect(decision string) expectation { return func(*client.Receipt) string { return decision } }

// came tells what came of a transaction, and returns the decision.
func (s *site) came(ctx context.Context, p *party, does string, wanted expectation, r *client.Receipt, err error, v verdict, quiet bool) (string, error) {
	step := Step{Who: p.name, Does: does, Decision: decisionOK}
	if r != nil {
		step.Height, step.ID = r.Height, r.ID.String()
		s.mu.Lock()
		s.summary.Transactions++
		s.height = max(s.height, r.Height)
		s.mu.Unlock()
		s.dashboard.expect(r)
	}
	var refused *client.Refused
	switch {
	case errors.As(err, &refused):
		step.Decision, step.Why = refused.Code.Name(), refused.Reason
		if refused.ContractError != "" {
			step.Decision = refused.ContractError
		}
	case err != nil:
		return "", fmt.Errorf("site: the %s %s: %w", p.name, does, err)
	case v != nil:
		var why string
		if step.Decision, why, err = v(r); err != nil {
			return "", fmt.Errorf("site: the %s %s: %w", p.name, does, err)
		}
		step.Why = why
	}
	s.report(step, wanted(r), quiet)
	return step.Decision, ctx.Err()
}

// ask asks a view of the node that is read, once that has the last block of which the site
// knows: on another node it may come a moment later. A node that has just begun compiles a contract
// first, and on a busy machine says so meanwhile; it is asked again.
func (s *site) ask(ctx context.Context, p *party, contract, method string, args any) (*client.Answer, error) {
	if p.read != p.node {
		if err := s.caughtUp(ctx, p.read); err != nil {
			return nil, err
		}
	}
	var answer *client.Answer
	err := again(ctx, warmUp, func(ctx context.Context) (err error) {
		answer, err = p.read.Ask(ctx, client.Question{Contract: contract, Method: method, Args: args})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("site: the %s asks %s for %s: %w", p.name, contract, method, err)
	}
	return answer, nil
}

// warmUp bounds how long a node may take to compile a contract.
const warmUp = time.Minute

// errBehind is what again takes as a reason to go on.
var errBehind = errors.New("behind")

// caughtUp waits until a node has the last block of which the site knows.
func (s *site) caughtUp(ctx context.Context, node *client.Client) error {
	s.mu.Lock()
	height := s.height
	s.mu.Unlock()
	has := uint64(0)
	err := again(ctx, patience, func(ctx context.Context) error {
		status, err := node.Status(ctx)
		if err != nil {
			return err
		}
		if has = status.Height; has < height {
			return errBehind
		}
		return nil
	})
	switch {
	case errors.Is(err, errBehind):
		return fmt.Errorf("site: %s has block %d, and not block %d of %s, after %s", node.URL, has, height, s.config.Node, patience)
	case err != nil:
		return fmt.Errorf("site: %s: %w", node.URL, err)
	}
	return nil
}

// again does something until it succeeds, fails for good, or the time is over; then the error is the
// last one.
func again(ctx context.Context, bound time.Duration, do func(context.Context) error) error {
	late := time.NewTimer(bound)
	defer late.Stop()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		err := do(ctx)
		if unserved, ok := errors.AsType[*client.Unserved](err); !errors.Is(err, errBehind) && !(ok && unserved.Temporary()) {
			return err
		}
		next := time.NewTimer(pause)
		select {
		case <-next.C:
		case <-late.C:
			next.Stop()
			return err
		case <-ctx.Done():
			next.Stop()
			return ctx.Err()
		}
	}
}
