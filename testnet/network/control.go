package network

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Other processes of the same user talk to a network through a port of loopback. Where it is
// and the token that it wants stand in a file that only this user can read.

const (
	controlFile = "control.json"
	// maxControl bounds a control file and an answer, in bytes: a status of 32 nodes.
	maxControl = 1 << 20
	// controlTimeout is how long a command may take: a node that starts has two minutes.
	controlTimeout = startTimeout + 30*time.Second
)

// ErrNotUp means that no network runs in a home.
var ErrNotUp = errors.New("no network runs there")

// address is what the control file says.
type address struct {
	URL   string `json:"url"`
	Token string `json:"token"`
	PID   int    `json:"pid"`
}

// Serve lets other processes talk to the network, through [Dial] with the same home, until the
// closer that it returns is called. down is called, once or more, when one of them wants the
// network to end. It is an error if a network runs in this home already.
func (n *Network) Serve(home string, down func()) (closer func() error, err error) {
	if c, err := Dial(home); err == nil {
		c.Close()
		return nil, fmt.Errorf("network: process %d runs a network in %s already", c.address.PID, home)
	}
	token := make([]byte, 16)
	_, _ = rand.Read(token) // never fails
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("network: control: %w", err)
	}
	a := address{"http://" + listener.Addr().String(), hex.EncodeToString(token), os.Getpid()}
	content, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("network: control: %w", errors.Join(err, listener.Close()))
	}
	file := filepath.Join(home, controlFile)
	if err := replaceFile(file, content); err != nil {
		return nil, fmt.Errorf("network: control: %w", errors.Join(err, listener.Close()))
	}
	server := &http.Server{Handler: n.handler(a.Token, down), ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends with Close
	}()
	return func() error {
		err := errors.Join(server.Close(), os.Remove(file))
		<-served
		return err
	}, nil
}

// replaceFile writes a file that only this user can read, in place of one that may be there.
func replaceFile(file string, content []byte) error {
	fresh := file + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(fresh, content, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, file)
}

func (n *Network) handler(token string, down func()) http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any, err error) {
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			v = failure{err.Error()}
		}
		_ = json.NewEncoder(w).Encode(v) // whoever asked may have gone
	}
	command := func(do func(ctx context.Context, i int) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			i, err := strconv.Atoi(r.PathValue("node"))
			if err == nil {
				err = do(r.Context(), i)
			}
			answer(w, struct{}{}, err)
		}
	}
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) { answer(w, n.Status(r.Context()), nil) })
	mux.HandleFunc("POST /nodes/{node}/kill", command(func(_ context.Context, i int) error { return n.Kill(i) }))
	mux.HandleFunc("POST /nodes/{node}/start", command(n.Start))
	mux.HandleFunc("POST /down", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, struct{}{}, nil)
		down()
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+token)) != 1 {
			http.Error(w, "the token of the control file is wanted", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

type failure struct {
	Error string `json:"error"`
}

// Control talks to a network that another process runs.
type Control struct {
	home    string
	address address
	http    http.Client
}

// Dial finds the network that runs in a home. The error is ErrNotUp if there is none.
func Dial(home string) (*Control, error) {
	c := &Control{home: home, http: http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}}
	if err := c.read(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*askTimeout)
	defer cancel()
	if _, err := c.Status(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Control) read() error {
	file, err := os.Open(filepath.Join(c.home, controlFile))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotUp
	}
	if err != nil {
		return fmt.Errorf("network: control: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxControl))
	if err == nil {
		err = json.Unmarshal(content, &c.address)
	}
	if err != nil {
		return fmt.Errorf("network: %s: %w", file.Name(), err)
	}
	return nil
}

// Close lets go of connections.
func (c *Control) Close() { c.http.CloseIdleConnections() }

// Status is [Network.Status].
func (c *Control) Status(ctx context.Context) (*Status, error) {
	s := new(Status)
	return s, c.ask(ctx, http.MethodGet, "/status", s)
}

// Kill is [Network.Kill].
func (c *Control) Kill(ctx context.Context, i int) error {
	return c.ask(ctx, http.MethodPost, fmt.Sprintf("/nodes/%d/kill", i), nil)
}

// Start is [Network.Start].
func (c *Control) Start(ctx context.Context, i int) error {
	return c.ask(ctx, http.MethodPost, fmt.Sprintf("/nodes/%d/start", i), nil)
}

// Down asks the network to end, and returns when its process has taken it down.
func (c *Control) Down(ctx context.Context) error {
	if err := c.ask(ctx, http.MethodPost, "/down", nil); err != nil {
		return err
	}
	for {
		var s Status
		switch err := c.ask(ctx, http.MethodGet, "/status", &s); {
		case errors.Is(err, ErrNotUp):
			return nil
		case err != nil:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookEvery):
		}
	}
}

// ask does one exchange. Whoever doesn't answer, or not like a network, is none: the file was
// left by a process that has died.
func (c *Control) ask(ctx context.Context, method, path string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.address.URL+path, bytes.NewReader(nil))
	if err != nil {
		return fmt.Errorf("network: control: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+c.address.Token)
	answer, err := c.http.Do(r)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return ErrNotUp
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, maxControl))
	if err != nil {
		return ErrNotUp
	}
	var no failure
	switch {
	case answer.StatusCode == http.StatusUnprocessableEntity && json.Unmarshal(content, &no) == nil && no.Error != "":
		return errors.New(no.Error)
	case answer.StatusCode != http.StatusOK:
		return ErrNotUp
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(content, out); err != nil {
		return fmt.Errorf("network: control: %w", err)
	}
	return nil
}
