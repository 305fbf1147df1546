package main

import "github.com/wardledger/ward/sdk"

type checkArgs struct {
	Subject  sdk.Address `doc:"who wants to"`
	Relation string      `doc:"do what, such as open"`
	Object   string      `doc:"to what: the name of an object"`
	Via      uint64      `wire:",omitempty" doc:"decide by this grant alone; missing: by any"`
}

type useArgs struct {
	Relation string `doc:"what the sender does, such as open"`
	Object   string `doc:"to what: the name of an object"`
	Via      uint64 `wire:",omitempty" doc:"decide by this grant alone; missing: by any"`
}

func check(c *sdk.Ctx, a checkArgs) (Decision, error) { return answer(c, a, nil) }

// answer decides, and takes at most so many dead candidates out of the way.
func answer(c *sdk.Ctx, a checkArgs, burials *int) (Decision, error) {
	if _, err := parseObject(a.Object); err != nil {
		return Decision{}, err
	}
	if err := checkRelation(a.Relation); err != nil {
		return Decision{}, err
	}
	if a.Subject.IsZero() {
		return Decision{}, errValue.Because("subject is the zero address, which nobody has")
	}
	return decide(rows{c, burials}, question{a.Subject, a.Relation, a.Object, a.Via})
}

// use is signed by the subject itself: that it asked is as certain as what was
// answered. A no is an answer, so the call succeeds and its event says denied.
func use(c *sdk.Ctx, a useArgs) (Decision, error) {
	burials := maxBuried
	d, err := answer(c, checkArgs{c.Sender(), a.Relation, a.Object, a.Via}, &burials)
	if err != nil {
		return d, err
	}
	e := usedEvent{d.Subject, d.Relation, d.Object, d.Why, d.Reason, d.Path, d.ValidUntil}
	if d.Allowed {
		allowed.Emit(c, e)
	} else {
		denied.Emit(c, e)
	}
	return d, nil
}
