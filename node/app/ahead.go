package app

import (
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/tx"
)

// maxAhead is how many activations wait for the head start. There is room for one in a block, and each holds on to some MB; what finds no
// room is made ready in its block.
const maxAhead = 4

// ahead makes the code of a deployment, upgrade or rollback ready while it waits for its block. One goroutine does it, which run is and
// close waits for.
type ahead struct {
	todo chan activation
	stop chan struct{}
	done chan struct{}
}

type activation struct {
	*tx.Signed
	size int
}

func newAhead() *ahead {
	return &ahead{todo: make(chan activation, maxAhead), stop: make(chan struct{}), done: make(chan struct{})}
}

// giveHeadStart has the code of an admitted transaction made ready, if it activates some, for one who may or as it was permitted:
// a stranger can't make a node compile. It doesn't wait.
func (a *App) giveHeadStart(t *tx.Signed, size int) {
	if !runtime.Activates(t) || !a.mayActivate(t) {
		return
	}
	select {
	case a.ahead.todo <- activation{t, size}:
	default:
	}
}

// mayActivate reports whether an activation could succeed, as far as it is the sender's right or has a permit.
func (a *App) mayActivate(t *tx.Signed) bool {
	may, err := a.runtime.MayActivate(t)
	if err != nil {
		a.fail(err)
	}
	return may
}

// runAhead returns when close is called, or after what it does then.
func (a *App) runAhead() {
	defer close(a.ahead.done)
	for {
		select {
		case <-a.ahead.stop:
			return
		case d := <-a.ahead.todo:
			began := a.config.Clock()
			err := a.runtime.Prepare(d.Signed, d.size) // whatever is wrong, its block says it
			a.config.Logger.Debug("made the code of a contract ready ahead", "tx", d.ID().String(), "took", a.config.Clock().Sub(began), "error", err)
		}
	}
}

func (a *ahead) close() {
	close(a.stop)
	<-a.done
}
