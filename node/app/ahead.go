package app

import (
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/tx"
)

// maxAhead is how many deployments wait for the head start. There is room for one in a block, and each holds on to some MB; what finds no
// room is made ready in its block.
const maxAhead = 4

// ahead makes the code of a deployment ready while it waits for its block. One goroutine does it, which run is and
// close waits for.
type ahead struct {
	todo chan deployment
	stop chan struct{}
	done chan struct{}
}

type deployment struct {
	*tx.Signed
	size int
}

func newAhead() *ahead {
	return &ahead{todo: make(chan deployment, maxAhead), stop: make(chan struct{}), done: make(chan struct{})}
}

// giveHeadStart has the code of an admitted transaction made ready, if it is a deployment, of one who may deploy or of what was permitted:
// a stranger can't make a node compile. It doesn't wait.
func (a *App) giveHeadStart(t *tx.Signed, size int) {
	if !runtime.Activates(t) || !a.mayDeploy(t) {
		return
	}
	select {
	case a.ahead.todo <- deployment{t, size}:
	default:
	}
}

// mayDeploy reports whether a deployment could succeed, as far as it is the sender's right or has a permit.
func (a *App) mayDeploy(t *tx.Signed) bool {
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
			a.config.Logger.Debug("made the code of a deployment ready", "tx", d.ID().String(), "took", a.config.Clock().Sub(began), "error", err)
		}
	}
}

func (a *ahead) close() {
	close(a.stop)
	<-a.done
}
