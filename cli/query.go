package cli

import (
	"encoding/json"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/sdk/client"
)

func queryCommand() *urfave.Command {
	return &urfave.Command{
		Name: "query", Usage: "ask a contract's view",
		ArgsUsage: "CONTRACT METHOD [--field value ...]",
		Description: `A view reads committed state and changes nothing; it needs no key. Fields are given as in
"ward call", and --require makes the exit code 4 where the answer is no. Times are shown as 2026-03-01T08:00:00Z and
durations as 1h30m; with --json, in seconds.

  ward query access --help
  ward query access check --subject @guest --relation open --object $OWNER/door/1
  ward query access check --args '{"subject":"ward1...","relation":"open","object":"ward1.../door/1"}' --json`,
		SkipFlagParsing: true, // method.go reads it
		Flags: []urfave.Flag{
			argsFlag, requireFlag,
			&urfave.Uint64Flag{Name: "height", Usage: "ask the state after this block `HEIGHT`", DefaultText: "the newest"},
			&urfave.StringFlag{Name: "sender", Usage: "`ADDRESS` that the contract sees as the caller, or @NAME; not verified", DefaultText: "nobody"},
			nodeFlag, homeFlag, jsonFlag,
		},
		Action: query,
	}
}

func query(c *urfave.Context) error {
	v, err := parseInvocation(c, true)
	if err != nil {
		return err
	}
	defer v.close()
	if v.help {
		return v.showHelp(c)
	}
	q := client.Question{Contract: v.contract, Method: v.method.Name, Args: v.args}
	if q.Height, err = v.number("height"); err != nil {
		return err
	}
	if sender := v.options["sender"]; sender != "" {
		if q.Sender, err = v.address(sender); err != nil {
			return usagef("--sender: %w", err)
		}
	}
	a, err := v.client.Ask(v.ctx, q)
	if err != nil {
		return err
	}
	result := struct {
		Height  uint64          `json:"height"`
		Time    int64           `json:"time"`
		Clock   string          `json:"clock"`
		Result  json.RawMessage `json:"result"`
		GasUsed uint64          `json:"gas_used"`
	}{a.Height, a.Time.Unix(), a.Clock, a.Result, a.GasUsed}
	err = v.print(result, func() {
		if a.Result != nil {
			v.printf("%s\n", indented(specjson.Readable(v.method.Result, a.Result)))
		}
	})
	if err != nil {
		return err
	}
	return unmet(a.Result, v.require)
}
