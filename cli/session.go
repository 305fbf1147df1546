package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	urfave "github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
)

// DefaultNode is where a node listens that wasn't told otherwise: W-A-R-D on a keypad.
const DefaultNode = "http://127.0.0.1:9273"

// maxPassphrase bounds a passphrase, in bytes.
const maxPassphrase = 1024

// Options that several commands share.
var (
	jsonFlag = &urfave.BoolFlag{Name: "json", Usage: "print results as JSON, one object a line"}
	nodeFlag = &urfave.StringFlag{Name: "node", Usage: "`URL` of the node to talk to", Value: DefaultNode, EnvVars: []string{"WARD_NODE"}}
	homeFlag = &urfave.StringFlag{Name: "home", Usage: "`FOLDER` with keys, settings and data", EnvVars: []string{"WARD_HOME"}, DefaultText: "~/.ward"}
	passFlag = &urfave.StringFlag{Name: "passphrase-file", Usage: "`FILE` whose first line is the keys' passphrase (else WARD_PASSPHRASE, else a question)"}
	keyFlag  = &urfave.StringFlag{Name: "key", Usage: "`NAME` of the key that signs", EnvVars: []string{"WARD_KEY"}, DefaultText: "the only one in the home"}
)

// A session is one command at work: where it talks to and where it prints.
type session struct {
	ctx      context.Context
	in       io.Reader
	out, err io.Writer
	json     bool
	node     string
	home     string
	passFile string
	keyName  string
	client   *client.Client
	untyped  map[string]bool // contracts that have no spec, or whose spec could not be had: see spec
}

// begin reads the shared options of a command.
func begin(c *urfave.Context) (*session, error) {
	return newSession(c, option{
		json: c.Bool(jsonFlag.Name), node: c.String(nodeFlag.Name), home: c.String(homeFlag.Name),
		passFile: c.String(passFlag.Name), key: c.String(keyFlag.Name),
	})
}

// option are the shared options' values.
type option struct {
	json                      bool
	node, home, passFile, key string
}

func newSession(c *urfave.Context, o option) (*session, error) {
	if o.home == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return nil, hint(err, "--home or WARD_HOME")
		}
		o.home = filepath.Join(user, ".ward")
	}
	return &session{
		ctx: c.Context, in: c.App.Reader, out: c.App.Writer, err: c.App.ErrWriter,
		json: o.json, node: o.node, home: o.home, passFile: o.passFile, keyName: o.key,
		client: &client.Client{URL: o.node},
	}, nil
}

// talkTo makes url the node to talk to.
func (s *session) talkTo(url string) {
	s.close()
	s.node, s.client = url, &client.Client{URL: url}
}

// close lets go of connections.
func (s *session) close() { s.client.Close() }

// keys is the keyring in the home.
func (s *session) keys() client.Keyring { return client.Keyring{Dir: filepath.Join(s.home, "keys")} }

// signer opens the key that was asked for.
func (s *session) signer() (tx.Signer, error) {
	ring := s.keys()
	name := s.keyName
	if name == "" {
		names, err := ring.List()
		switch {
		case err != nil:
			return nil, err
		case len(names) == 0:
			return nil, noKeys(fmt.Errorf("no keys in %s", ring.Dir))
		case len(names) > 1:
			return nil, usagef("which key signs? --key or WARD_KEY with one of %s", strings.Join(names, ", "))
		}
		name = names[0]
	}
	file, err := s.keyFile(name)
	if err != nil {
		return nil, err
	}
	passphrase := ""
	if file.Sealed() {
		if passphrase, err = s.passphrase(fmt.Sprintf("passphrase of %s: ", name)); err != nil {
			return nil, err
		}
	}
	key, err := file.Open(passphrase)
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", name, err)
	}
	return key, nil
}

// keyFile loads a key of the home by name.
func (s *session) keyFile(name string) (*client.KeyFile, error) {
	file, err := s.keys().Load(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("no key %q in %s", name, s.keys().Dir)
		if names, _ := s.keys().List(); len(names) > 0 {
			return nil, hint(err, "one of: %s", strings.Join(names, ", "))
		}
		return nil, noKeys(err)
	}
	return file, err
}

// noKeys says what to do about a home without keys.
func noKeys(err error) error {
	return hint(err, "\"ward key new NAME\" makes one, or --home for another home")
}

// address reads "ward1...", or "@NAME" for the address of a key in the home.
func (s *session) address(arg string) (address.Address, error) {
	if name, ok := strings.CutPrefix(arg, "@"); ok {
		file, err := s.keyFile(name)
		if err != nil {
			return address.Address{}, err
		}
		return file.Address(), nil
	}
	a, err := address.Parse(arg)
	if err != nil && !strings.HasPrefix(arg, address.Prefix+"1") && client.CheckKeyName(arg) == nil {
		return a, fmt.Errorf("%w: write ward1..., or @%s for the key %s", err, arg, arg)
	}
	return a, err
}

var errNoTerminal = errors.New("no passphrase was given, and there is no terminal to ask for one")

// passphrase gets a passphrase from the file or variable named for it, or from the person
// at the terminal.
func (s *session) passphrase(prompt string) (string, error) {
	if s.passFile != "" {
		file, err := os.Open(s.passFile)
		if err != nil {
			return "", err
		}
		defer file.Close()
		content, err := io.ReadAll(io.LimitReader(file, maxPassphrase+2))
		if err != nil {
			return "", err
		}
		line, _, _ := strings.Cut(string(content), "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" || len(line) > maxPassphrase {
			return "", fmt.Errorf("%s: the first line is %d bytes, must be 1 to %d", s.passFile, len(line), maxPassphrase)
		}
		return line, nil
	}
	if fromEnv := os.Getenv("WARD_PASSPHRASE"); fromEnv != "" {
		return fromEnv, nil
	}
	fd, ok := terminal(s.in)
	if !ok {
		return "", hint(errNoTerminal, "WARD_PASSPHRASE or --passphrase-file")
	}
	fmt.Fprint(s.err, prompt)
	b, err := term.ReadPassword(fd)
	fmt.Fprintln(s.err)
	return string(b), err
}

// newPassphrase is passphrase for one that is set: what is typed is asked for twice.
func (s *session) newPassphrase(name string) (string, error) {
	first, err := s.passphrase(fmt.Sprintf("new passphrase for %s: ", name))
	if err != nil {
		return "", hintIf(err, errNoTerminal, "WARD_PASSPHRASE or --passphrase-file, or --plain for a key without")
	}
	if _, typed := terminal(s.in); !typed || s.passFile != "" || os.Getenv("WARD_PASSPHRASE") != "" {
		return first, nil
	}
	second, err := s.passphrase("the same again: ")
	if err != nil {
		return "", err
	}
	switch {
	case first == "":
		return "", errors.New("the passphrase is empty; --plain makes a key without")
	case first != second:
		return "", errors.New("the two passphrases differ")
	}
	return first, nil
}

// hintIf gives an error a hint if it is the one meant.
func hintIf(err, target error, what string) error {
	if errors.Is(err, target) {
		return hint(target, "%s", what)
	}
	return err
}

// terminal tells whether a stream is one, and its descriptor.
func terminal(stream any) (fd int, ok bool) {
	file, isFile := stream.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	return int(file.Fd()), true
}

// progress says what is being done, on a terminal only. The text is replaced by the next
// and wiped by done.
type progress struct {
	w  io.Writer
	on bool
}

func (s *session) progress() *progress {
	_, on := terminal(s.err)
	return &progress{s.err, on && !s.json}
}

func (p *progress) say(format string, args ...any) {
	if p.on {
		fmt.Fprintf(p.w, "\r\x1b[K%s...", text(fmt.Sprintf(format, args...)))
	}
}

func (p *progress) done() {
	if p.on {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
