package cli

import (
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/runtime/state"
)

func doctorCommand() *urfave.Command {
	return &urfave.Command{
		Name:  "doctor",
		Usage: "look whether a home is sound",
		Description: `Looks at what a node that is not running has on its disk. Nothing is changed.

  ward doctor --state
  ward doctor --state --json --home /var/lib/ward

--state reads every row of the state, compares it with its checksum, computes every hash of the
tree anew at every height that is kept, and compares the rows with it. A million rows take about
half a minute. It says what is damaged, from which height on, and ends with exit code 1 if
anything is. Then move data/state out of the home: a node that starts without it makes it anew
from the blocks that it has.`,
		Flags:  []urfave.Flag{&urfave.BoolFlag{Name: "state", Usage: "the state: rows, hashes, history"}, homeFlag, jsonFlag},
		Action: doctor,
	}
}

// doctorJSON is the object that is printed.
type doctorJSON struct {
	Sound    bool          `json:"sound"`
	Earliest uint64        `json:"earliest"`
	Latest   uint64        `json:"latest"`
	Root     string        `json:"root"`
	Rows     uint64        `json:"rows"`
	History  uint64        `json:"history"`
	Pages    uint64        `json:"pages"`
	Stored   uint64        `json:"stored"`
	Found    uint64        `json:"found"`
	Findings []findingJSON `json:"findings"`
}

type findingJSON struct {
	Key     string `json:"key"`
	Height  uint64 `json:"height"`
	Problem string `json:"problem"`
}

func doctor(c *urfave.Context) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	if !c.Bool("state") {
		return usagef("what to look at? --state is all there is so far")
	}
	s, err := begin(c)
	if err != nil {
		return err
	}
	defer s.close()
	p := s.progress()
	report, err := node.VerifyState(s.ctx, s.home, func(reads uint64) { p.say("looked at %d rows and pages", reads) })
	p.done()
	if err != nil {
		return err
	}
	if err := s.printDoctor(report); err != nil {
		return err
	}
	if report.Found > 0 {
		return hint(fmt.Errorf("the state in %s is damaged", s.home), "'ward doctor --help', which says what to do")
	}
	return nil
}

func (s *session) printDoctor(r *state.Report) error {
	out := doctorJSON{
		Sound: r.Found == 0, Earliest: r.Earliest, Latest: r.Latest, Root: fmt.Sprintf("%x", r.Root),
		Rows: r.Rows, History: r.History, Pages: r.Pages, Stored: r.Stored, Found: r.Found, Findings: []findingJSON{},
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, findingJSON{fmt.Sprintf("%x", f.Key), f.Height, f.Problem})
	}
	return s.print(out, func() {
		if r.Latest == 0 {
			s.printf("empty: no block has been committed here\n")
			return
		}
		s.printf("heights  %d to %d\n", r.Earliest, r.Latest)
		s.printf("root     %x\n", r.Root)
		s.printf("rows     %d, and %d of older heights\n", r.Rows, r.History)
		s.printf("tree     %d pages\n", r.Pages)
		for _, f := range r.Findings {
			s.printf("damaged  %s\n", text(f.String()))
		}
		if r.Found > uint64(len(r.Findings)) {
			s.printf("damaged  and %d more\n", r.Found-uint64(len(r.Findings)))
		}
		if r.Found == 0 {
			s.printf("sound    all %d rows of the storage\n", r.Stored)
		}
	})
}
