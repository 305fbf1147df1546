package link

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
)

// A Client calls the methods of a machine at the other end. It may be used by several goroutines; one waits for the other.
type Client struct {
	mu  sync.Mutex
	out *gob.Encoder
	in  *gob.Decoder
}

// NewClient speaks to a [Serve] over its input, w, and output, r.
func NewClient(r io.Reader, w io.Writer) *Client {
	return &Client{in: gob.NewDecoder(r), out: gob.NewEncoder(w)}
}

// Call sends what a method takes and fills in what it answers, which out points to. An error of the method comes as its text.
func (c *Client) Call(method string, in, out any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.out.Encode(method); err != nil {
		return fmt.Errorf("the engine is gone: %w", err)
	}
	if err := c.out.Encode(in); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	var failed string
	if err := c.in.Decode(&failed); err != nil {
		return fmt.Errorf("the engine is gone: %w", err)
	}
	if failed != "" {
		return errors.New(failed)
	}
	return c.in.Decode(out)
}

// Serve answers calls with the methods of a machine, each func(In, *Out) error, until there are no more. It is for tests: whoever
// is at the other end started it and is trusted.
func Serve(machine any, r io.Reader, w io.Writer) error {
	in, out := gob.NewDecoder(r), gob.NewEncoder(w)
	for {
		var name string
		if err := in.Decode(&name); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		method, err := method(machine, name)
		if err != nil {
			return err
		}
		arg := reflect.New(method.Type().In(0))
		if err := in.DecodeValue(arg); err != nil {
			return err
		}
		answer := reflect.New(method.Type().In(1).Elem())
		failed := ""
		if err, ok := method.Call([]reflect.Value{arg.Elem(), answer})[0].Interface().(error); ok {
			failed = err.Error()
		}
		if err := out.Encode(failed); err != nil {
			return err
		}
		if failed == "" {
			if err := out.EncodeValue(answer); err != nil {
				return err
			}
		}
	}
}

// Direct calls the same methods in this process.
func Direct(machine any) func(method string, in, out any) error {
	return func(name string, in, out any) error {
		method, err := method(machine, name)
		if err != nil {
			return err
		}
		err, _ = method.Call([]reflect.Value{reflect.ValueOf(in), reflect.ValueOf(out)})[0].Interface().(error)
		return err
	}
}

func method(machine any, name string) (reflect.Value, error) {
	m := reflect.ValueOf(machine).MethodByName(name)
	if !m.IsValid() {
		return m, fmt.Errorf("the engine has no method %q: SDK and ward are of different versions", name)
	}
	return m, nil
}
