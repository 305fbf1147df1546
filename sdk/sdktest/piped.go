//go:build ward_carried

package sdktest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/wardledger/ward/sdk/sdktest/link"
)

// WardVariable names the environment variable with the path of the command ward. Unset: "ward" on the PATH.
const WardVariable = "WARD"

// piped is the machine in a ward of its own, which ends when its input does: with the test.
var piped = sync.OnceValues(func() (*link.Client, error) {
	ward := os.Getenv(WardVariable)
	if ward == "" {
		ward = "ward"
	}
	path, err := exec.LookPath(ward)
	if err != nil {
		return nil, fmt.Errorf("a contract's tests run in the engine of the command ward: put it on the PATH, or its path into %s: %w", WardVariable, err)
	}
	cmd := exec.Command(path, "contract", "serve-test")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	var out io.Reader
	if out, err = cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	client := link.NewClient(out, in)
	var ready string
	if err := client.Call("Speak", link.Version, &ready); err != nil {
		return nil, fmt.Errorf("%s contract serve-test: %w", path, err)
	}
	return client, nil
})

func engine(t testing.TB) func(method string, in, out any) error {
	t.Helper()
	client, err := piped()
	if err != nil {
		t.Fatal(err)
	}
	return client.Call
}
