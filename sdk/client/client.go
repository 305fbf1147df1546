package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/wardledger/ward/runtime/abi"
)

const (
	// MaxAnswer bounds what is read of one HTTP answer, in bytes: a page of events or a
	// view's result as JSON. A longer answer is an error, not a cut one.
	MaxAnswer = 32 << 20

	// DefaultTimeout bounds one HTTP exchange when the context has no deadline. It is
	// longer than a node waits for a block.
	DefaultTimeout = time.Minute
)

// Client talks to one node. The zero value but for URL is ready. A Client is safe for
// concurrent use and must not be copied; one Client serves any number of signers.
type Client struct {
	// URL is the node's HTTP port, such as "http://127.0.0.1:9273".
	URL string

	// HTTP makes the requests; nil means a client of its own, with pooled connections and
	// no limit on time but the contexts'. Set it for TLS roots or a proxy. WebSockets use
	// its Transport's TLS and proxy settings if that is an *http.Transport.
	HTTP *http.Client

	once    sync.Once
	private *http.Client

	mu        sync.Mutex
	chain     string // "" until the node has been asked
	sequences map[lane]*sequence
	specs     map[string]*abi.Spec
}

func (c *Client) http() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	c.once.Do(func() {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = 64 // a site's devices share one Client; the default of 2 would redial
		c.private = &http.Client{Transport: transport}
	})
	return c.private
}

// Close drops idle connections. The Client remains usable.
func (c *Client) Close() { c.http().CloseIdleConnections() }

// address builds the URL of a request; path is escaped.
func (c *Client) address(path string, query url.Values) (*url.URL, error) {
	base, err := url.Parse(c.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("node URL %q: want http://host:port", c.URL)
	}
	u, err := base.Parse(strings.TrimSuffix(base.EscapedPath(), "/") + path)
	if err != nil {
		return nil, err
	}
	u.RawQuery = query.Encode()
	return u, nil
}

// exchange does one request and decodes a JSON answer into out; if that is a *[]byte, the
// answer is CBOR and kept as it is. An answer that isn't 2xx becomes *Refused or *Unserved.
func (c *Client) exchange(ctx context.Context, method, path string, query url.Values, contentType string, body []byte, out any) error {
	u, err := c.address(path, query)
	if err != nil {
		return err
	}
	if _, set := ctx.Deadline(); !set {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, DefaultTimeout)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.http().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if len(answer) > MaxAnswer {
		return fmt.Errorf("%s %s: the answer is more than %d bytes", method, path, MaxAnswer)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return decodeError(resp.StatusCode, resp.Header, answer)
	}
	want := "application/json"
	raw, isRaw := out.(*[]byte)
	if isRaw {
		want = "application/cbor"
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != want {
		return fmt.Errorf("%s %s: the answer is %q, not %s: is this a Ward node?", method, u, kind, want)
	}
	if isRaw {
		*raw = answer
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func (c *Client) get(ctx context.Context, path string, query url.Values, out any) error {
	return c.exchange(ctx, http.MethodGet, path, query, "", nil, out)
}
