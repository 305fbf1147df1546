package main

import "github.com/wardledger/ward/sdk"

type forbidArgs struct {
	Subject   sdk.Address `doc:"who may not"`
	Object    string      `doc:"what for: the name of an object, or a prefix and /* for all below"`
	Relations []string    `wire:",omitempty" doc:"what may not be done; missing: nothing may"`
	NotBefore sdk.Time    `wire:",omitempty" doc:"from when on; missing: at once"`
	Expires   sdk.Time    `wire:",omitempty" doc:"the first moment at which it does not hold any more; missing: never"`
	Reason    string      `wire:",omitempty" doc:"why, for people"`
}

func forbid(c *sdk.Ctx, a forbidArgs) (sdk.None, error) {
	namespace, err := parsePattern(a.Object)
	if err != nil {
		return sdk.None{}, err
	}
	if a.Subject.IsZero() {
		return sdk.None{}, errValue.Because("subject is the zero address, which nobody has")
	}
	relations, err := checkRelations(a.Relations, false)
	if err != nil {
		return sdk.None{}, err
	}
	if err := checkReason(a.Reason); err != nil {
		return sdk.None{}, err
	}
	if err := checkOwns(c, namespace, a.Object); err != nil {
		return sdk.None{}, err
	}
	if err := checkWindow(a.NotBefore, a.Expires, c.Time()); err != nil {
		return sdk.None{}, err
	}
	no := Forbid{c.Sender(), a.Object, a.Subject, relations, a.NotBefore, a.Expires, a.Reason, c.Height()}
	forbids.Set(c, forbidKey{no.Owner, no.Object, no.Subject}, no)
	forbidden.Emit(c, forbiddenEvent{no.Owner, no.Subject, no.Object, no.Relations, no.NotBefore, no.Expires, no.Reason})
	return sdk.None{}, nil
}

type unforbidArgs struct {
	Subject sdk.Address `doc:"who may not"`
	Object  string      `doc:"what for, as the forbid was written"`
}

func unforbid(c *sdk.Ctx, a unforbidArgs) (sdk.None, error) {
	if _, err := parsePattern(a.Object); err != nil {
		return sdk.None{}, err
	}
	if !forbids.Delete(c, forbidKey{c.Sender(), a.Object, a.Subject}) {
		return sdk.None{}, errNoForbid.Because("%s has not forbidden %s anything on %s", c.Sender(), a.Subject, a.Object)
	}
	unforbidden.Emit(c, unforbiddenEvent{c.Sender(), a.Subject, a.Object})
	return sdk.None{}, nil
}

type forbidPage struct {
	Forbids []Forbid
	Next    []byte `wire:",omitempty" doc:"for the next page; missing on the last"`
}

func forbidsByView(c *sdk.Ctx, a ownerPageArgs) (page forbidPage, err error) {
	list, next := forbidsBy.Rows(a.Owner).Page(c, a.After, pageSize(a.Limit))
	for _, row := range list {
		page.Forbids = append(page.Forbids, row.Value)
	}
	page.Next = next
	return page, nil
}
