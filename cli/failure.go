package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk/build"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/client/story"
)

// The exit codes of doc.go.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3
	exitUnmet   = 4
)

// A hinted error carries what to try.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// hint adds to an error what the person in front of it can do about it.
func hint(err error, format string, args ...any) error {
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// report prints an error for a person or a program and gives its exit code.
func report(w io.Writer, err error, asJSON bool) int {
	if err == nil {
		return exitOK
	}
	code := exitFailed
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	_, isUnmet := errors.AsType[*unmetError](err)
	usage, isUsage := errors.AsType[*usageError](err)
	refused, isRefused := errors.AsType[*client.Refused](err)
	switch {
	case isUsage:
		code = exitUsage
	case isRefused:
		code = exitRefused
	case isUnmet:
		code = exitUnmet
	}
	try := advice(err)
	if asJSON {
		e := jsonError{Reason: err.Error(), Hint: try, Exit: code}
		if isRefused {
			e.Code, e.Number, e.Reason = refused.Code.Name(), uint32(refused.Code), refused.Reason
			e.ContractCode, e.ContractError = refused.ContractCode, refused.ContractError
		} else if u, ok := errors.AsType[*client.Unserved](err); ok {
			e.Code, e.Number = u.Code, u.Number
		}
		_ = json.NewEncoder(w).Encode(map[string]jsonError{"error": e})
		return code
	}
	fmt.Fprintf(w, "ward: %s\n", shown(err))
	if try != "" {
		fmt.Fprintf(w, "  try: %s\n", try)
	}
	if isUsage && usage.help != "" {
		fmt.Fprintf(w, "\n%s", usage.help)
	}
	return code
}

// shown is an error for a terminal: one line, but for those of a contract's source, which have a line for each mistake.
func shown(err error) string {
	_, compile := errors.AsType[*build.CompileError](err)
	_, source := errors.AsType[*build.SourceError](err)
	if !compile && !source {
		return text(err.Error())
	}
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		lines = append(lines, text(line))
	}
	return strings.Join(lines, "\n")
}

type jsonError struct {
	Code          string `json:"code,omitempty"`
	Number        uint32 `json:"number,omitempty"`
	ContractCode  uint32 `json:"contract_code,omitempty"`
	ContractError string `json:"contract_error,omitempty"`
	Reason        string `json:"reason"`
	Hint          string `json:"hint,omitempty"`
	Exit          int    `json:"exit"`
}

// advice says what to try, or "".
func advice(err error) string {
	if h, ok := errors.AsType[*hinted](err); ok {
		return h.hint
	}
	if r, ok := errors.AsType[*client.Refused](err); ok {
		if r.Code == receipt.NotPermitted && strings.HasSuffix(r.Reason, host.InView) {
			return "who wrote the contract: what writes is declared with sdk.Method"
		}
		return adviceFor(r.Code)
	}
	if u, ok := errors.AsType[*client.Unserved](err); ok {
		switch {
		case u.RetryAfter > 0:
			return fmt.Sprintf("the same again in %v", u.RetryAfter)
		case u.Code == "":
			return "another --node: what answers there doesn't seem to be a Ward node"
		}
	}
	op, isNet := errors.AsType[*net.OpError](err)
	switch {
	case isNet && op.Op == "listen":
		return "another --listen (port 0 takes any)"
	case isNet && op.Op == "dial":
		return "start a node with \"ward node\" or \"ward dev\", or name one with --node or WARD_NODE"
	}
	if errors.Is(err, client.ErrPassphrase) {
		return "another passphrase: WARD_PASSPHRASE, --passphrase-file, or a terminal to be asked on"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "\"ward status\" to see whether the chain makes blocks"
	}
	return ""
}

// adviceFor says what a person can do about a refusal by the chain.
func adviceFor(code receipt.Code) string {
	switch code {
	case receipt.UnknownKey:
		return "another --key (\"ward key list\"), or have this one enrolled by the contract devices"
	case receipt.KeyShut, receipt.KeyExpired:
		return "\"ward key show NAME --chain\" for the key's state; its owner can resume or rotate it"
	case receipt.OutOfScope:
		return "\"ward key show NAME --chain\" for what the key may call, or another --key"
	case receipt.OverQuota:
		return "again later, a lower --gas, or ask the owner for a larger quota"
	case receipt.GasLimit, receipt.OutOfGas:
		return "another --gas"
	case receipt.Busy, receipt.OneActivation:
		return "the same again in a moment"
	case receipt.Expired:
		return "sign it again with a later --last-valid"
	case receipt.WrongChain:
		return "\"ward status\" for the chain that this node is on"
	case receipt.UnknownContract:
		return "\"ward contract list\""
	case receipt.UnknownMethod, receipt.BadArguments:
		return "\"ward contract spec NAME\" for its methods and what they take"
	case receipt.NotPermitted:
		return "--key with the operator's key, if this is the operator's to do"
	case receipt.Exists:
		return "another --name, or \"ward contract upgrade\" for new code under the old one"
	}
	return ""
}

// text is what may be shown on a terminal of a text that somebody else wrote.
func text(s string) string { return story.Text(s) }
