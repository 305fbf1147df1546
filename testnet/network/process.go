package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/testnet/port"
)

// process is a node of the network, whether it runs or not.
type process struct {
	index     int
	node      Node
	http, p2p string // addresses, the same over all lives

	mu    sync.Mutex // held while the node is being started or ended
	life  *life      // the last one; nil before the first
	lives int
}

// life is one run of a node's process.
type life struct {
	cmd   *exec.Cmd
	leash io.WriteCloser // the node stops when this is closed, by us or with us
	began time.Time
	gone  chan struct{} // closed when the process has ended
	err   error         // how, readable once gone is closed
	asked bool          // whether that was our wish
}

func newProcess(index int, node Node, taken map[string]bool) (*process, error) {
	p := &process{index: index, node: node}
	for _, address := range []*string{&p.http, &p.p2p} { // while the node is down, nobody is to get them by chance
		var err error
		if *address, err = port.Free(taken); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// start starts the process unless it runs.
func (p *process) start(command []string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		return nil
	}
	log, err := os.OpenFile(logFile(p.node.Home), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("node %d: %w", p.index, err)
	}
	defer log.Close() // the process has its own
	l := &life{cmd: exec.Command(command[0], command[1:]...), gone: make(chan struct{})}
	l.cmd.Stdout, l.cmd.Stderr = log, log
	ownGroup(l.cmd)
	if l.leash, err = l.cmd.StdinPipe(); err != nil {
		return fmt.Errorf("node %d: %w", p.index, err)
	}
	if err := l.cmd.Start(); err != nil {
		return fmt.Errorf("node %d: %w", p.index, errors.Join(err, l.leash.Close()))
	}
	p.life, l.began = l, time.Now()
	p.lives++
	go func() {
		defer close(l.gone)
		l.err = l.cmd.Wait()
	}()
	return nil
}

// running tells whether the process runs. p.mu is held.
func (p *process) running() bool {
	if p.life == nil {
		return false
	}
	select {
	case <-p.life.gone:
		return false
	default:
		return true
	}
}

// calm tells whether the process runs, and has for a while or always.
func (p *process) calm(d time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running() && (p.lives == 1 || time.Since(p.life.began) >= d)
}

// kill ends the process at once.
func (p *process) kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return nil
	}
	l := p.life
	l.asked = true
	if err := l.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("network: node %d: %w", p.index, err)
	}
	<-l.gone
	return nil
}

// stop asks the process to end, and ends it if it doesn't.
func (p *process) stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return nil
	}
	l := p.life
	l.asked = true
	_ = l.leash.Close() // it may have gone by itself
	late := time.NewTimer(stopTimeout)
	defer late.Stop()
	select {
	case <-l.gone:
		if l.err != nil {
			return fmt.Errorf("network: node %d: %w: %s", p.index, l.err, lastLine(logFile(p.node.Home)))
		}
		return nil
	case <-late.C:
	}
	err := fmt.Errorf("network: node %d did not stop within %v and was killed", p.index, stopTimeout)
	if kill := l.cmd.Process.Kill(); kill != nil && !errors.Is(kill, os.ErrProcessDone) {
		return errors.Join(err, kill)
	}
	<-l.gone
	return err
}

// pid is the running process, or 0.
func (p *process) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return 0
	}
	return p.life.cmd.Process.Pid
}

// ended says how the process ended that wasn't asked to, nil if it runs or was.
func (p *process) ended() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.life == nil || p.running() || p.life.asked {
		return nil
	}
	how := "it ended by itself"
	if p.life.err != nil {
		how = p.life.err.Error()
	}
	return fmt.Errorf("node %d: %s: %s", p.index, how, lastLine(logFile(p.node.Home)))
}

// answers returns when the node answers over HTTP, or says why it doesn't.
func (p *process) answers(ctx context.Context) error {
	p.mu.Lock()
	l := p.life
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	c := &client.Client{URL: "http://" + p.http}
	defer c.Close()
	for {
		_, err := c.Status(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-l.gone:
			return fmt.Errorf("node %d has ended before it answered: %s", p.index, lastLine(logFile(p.node.Home)))
		case <-ctx.Done():
			return fmt.Errorf("node %d does not answer: %w", p.index, errors.Join(context.Cause(ctx), err))
		case <-time.After(lookEvery):
		}
	}
}
