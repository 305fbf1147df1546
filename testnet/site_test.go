package testnet_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/testnet/site"
)

// TestSiteStoppedInTheMiddle stops the story where a grant is open that may be passed on. Told
// again on the same chain, it must come out right: what was left over opens no door.
func TestSiteStoppedInTheMiddle(t *testing.T) {
	t.Parallel()
	n := start(t)
	url := "http://" + n.HTTP().String()
	ctx, stop := context.WithCancel(within(t, 2*time.Minute))
	defer stop()
	stopped := false
	_, err := site.Run(ctx, site.Config{Node: url, Keys: siteKeys(), Report: func(s site.Step) {
		if strings.Contains(s.Does, "passes it on to the cleaner") {
			stopped = true
			stop()
		}
	}})
	if !stopped {
		t.Fatalf("the story never came to the grant that is passed on: %v", err)
	}
	again, err := site.Run(within(t, 2*time.Minute), site.Config{Node: url, Keys: siteKeys(), For: time.Millisecond, Report: func(site.Step) {}})
	if err != nil || !again.OK || again.Rounds != 1 {
		t.Errorf("told again: %+v, %v", again, err)
	}
}
