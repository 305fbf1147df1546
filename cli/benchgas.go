package cli

import (
	"cmp"
	"fmt"
	"slices"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/vm"
	"github.com/wardledger/ward/runtime/vm/gasbench"
)

func benchGasCommand() *urfave.Command {
	return &urfave.Command{
		Name: "gas", Usage: "measure how long this machine takes for what gas pays for",
		Description: `Runs a contract for each instruction and each function of the host, and prints how much gas one
costs, how many nanoseconds it takes, and how many nanoseconds a unit of gas buys. The last column
is that divided by the median: where it is large, a block can be made slow for little gas.

  ward bench gas
  ward bench gas --rounds 50
  ward bench gas --json

Each contract is called a number of times and the fastest call counts: what else the machine does
only adds. Entries in brackets are slow for a reason that no price can know, and don't count.`,
		Flags: []urfave.Flag{
			&urfave.IntFlag{Name: "rounds", Value: 12, Usage: "`NUMBER` of calls of each contract"},
			&urfave.BoolFlag{Name: "interpreter", Usage: "with the engine of platforms that have no compiler"},
			jsonFlag,
		},
		Action: runBenchGas,
	}
}

// gasResult is the object that is printed.
type gasResult struct {
	Median  float64    `json:"median_ns_per_gas"`
	Worst   string     `json:"worst"`
	Ratio   float64    `json:"worst_ratio"`
	Limit   float64    `json:"limit"`
	Second  float64    `json:"max_limit_seconds"`
	Entries []gasEntry `json:"entries"`
}

type gasEntry struct {
	Name   string  `json:"name"`
	Gas    float64 `json:"gas"`
	Nanos  float64 `json:"ns"`
	PerGas float64 `json:"ns_per_gas"`
	Ratio  float64 `json:"ratio"`
	Beyond string  `json:"beyond,omitempty"`
}

func runBenchGas(c *urfave.Context) error {
	rounds := c.Int("rounds")
	if rounds < 1 {
		return usagef("--rounds is %d, must be at least 1", rounds)
	}
	s, err := newSession(c, option{json: c.Bool(jsonFlag.Name)})
	if err != nil {
		return err
	}
	defer s.close()
	engine, err := vm.New(vm.Options{Interpreter: c.Bool("interpreter")})
	if err != nil {
		return err
	}
	defer engine.Close()
	p := s.progress()
	entries, err := gasbench.Run(c.Context, engine, gasbench.Options{
		Rounds:   rounds,
		Progress: func(done, of int, name string) { p.say("%d of %d: %s", done, of, name) },
	})
	p.done()
	if err != nil {
		return err
	}
	slices.SortStableFunc(entries, func(a, b gasbench.Entry) int { return cmp.Compare(b.Ratio, a.Ratio) })
	worst := gasbench.Worst(entries)
	result := gasResult{
		Median: gasbench.Median(entries), Worst: worst.Name, Ratio: worst.Ratio, Limit: gasbench.MaxRatio,
		Second: worst.PerGas() * gas.MaxLimit / 1e9,
	}
	for _, e := range entries {
		result.Entries = append(result.Entries, gasEntry{e.Name, e.Gas, e.Nanos, e.PerGas(), e.Ratio, e.Beyond})
	}
	return s.print(result, func() {
		rows := [][]string{{"", "GAS", "NS", "NS/GAS", "RATIO"}}
		for _, e := range result.Entries {
			ratio := fmt.Sprintf("%.2f", e.Ratio)
			if e.Beyond != "" {
				ratio = "(" + ratio + ")"
			}
			rows = append(rows, []string{e.Name, fmt.Sprintf("%.2f", e.Gas), fmt.Sprintf("%.2f", e.Nanos), fmt.Sprintf("%.3f", e.PerGas), ratio})
		}
		s.table(rows)
		s.printf("\nA unit of gas buys %.3f ns (median). The worst is %s, %.2f times as long (limit %d).\n", result.Median, worst.Name, worst.Ratio, gasbench.MaxRatio)
		s.printf("A transaction of %d gas takes at most %.2f s.\n", gas.MaxLimit, result.Second)
	})
}
