package main

import "github.com/wardledger/ward/sdk"

type moneyArgs struct {
	Party sdk.Address `doc:"whose account"`
	Micro int64       `doc:"how much"`
}

func credit(c *sdk.Ctx, a moneyArgs) (sdk.None, error) {
	return sdk.None{}, move(c, a.Party, a.Micro, 1)
}

func debit(c *sdk.Ctx, a moneyArgs) (sdk.None, error) {
	return sdk.None{}, move(c, a.Party, a.Micro, -1)
}

type operatorArgs struct {
	Operator sdk.Address `doc:"who is the other side of every payment from now on"`
}

func setOperator(c *sdk.Ctx, a operatorArgs) (sdk.None, error) {
	m, _ := theMarket(c)
	switch {
	case c.Sender() != m.Operator:
		return sdk.None{}, errNotPermitted.Because("%s is not the operator %s", c.Sender(), m.Operator)
	case a.Operator.IsZero():
		return sdk.None{}, errValue.Because("operator is the zero address: nobody could let money in")
	}
	m.Operator = a.Operator
	market.Set(c, m)
	operatorSet.Emit(c, operatorEvent(a))
	return sdk.None{}, nil
}

// move moves money between a party's account and the operator's.
func move(c *sdk.Ctx, who sdk.Address, micro, sign int64) error {
	m, _ := theMarket(c)
	switch {
	case c.Sender() != m.Operator:
		return errNotPermitted.Because("%s is not the operator %s", c.Sender(), m.Operator)
	case who == m.Operator || who.IsZero():
		return errValue.Because("party is %s: the operator's account is the other side of every other", who)
	case micro < 1 || micro > maxMicro:
		return errValue.Because("%d micro, must be 1 to %d", micro, int64(maxMicro))
	}
	party, _ := accounts.Get(c, who)
	operator, _ := accounts.Get(c, m.Operator)
	if free := party.free(); sign < 0 && micro > free {
		return errCollateral.Because("%d micro from %s, of which %d are free", micro, who, free)
	}
	if fit(party.Balance, operator.Balance, sign*micro) != sign*micro {
		return errValue.Because("%d micro more and an account would be further than %d from zero", micro, int64(maxBalance))
	}
	party.Balance += sign * micro
	operator.Balance -= sign * micro
	accounts.Set(c, who, party)
	accounts.Set(c, m.Operator, operator)
	e := moneyEvent{who, micro, party.Balance}
	if sign > 0 {
		credited.Emit(c, e)
	} else {
		debited.Emit(c, e)
	}
	return nil
}

// free is what orders may be covered with.
func (a Account) free() int64 { return a.Balance - a.Held }

// fit is as much of an amount as can be moved from one balance to the other while both stay
// within bounds. Nothing that can happen comes near them; but a settlement that
// trapped would stop the market for ever.
func fit(to, from, micro int64) int64 {
	micro = min(micro, maxBalance-to, maxBalance+from)
	return max(micro, -maxBalance-to, from-maxBalance)
}

type partyArgs struct {
	Party sdk.Address `doc:"whose"`
}

type accountAnswer struct {
	Party   sdk.Address `doc:"whose account"`
	Balance int64       `doc:"in micro; may be negative"`
	Held    int64       `doc:"collateral of orders, part of the balance"`
	Free    int64       `doc:"what is left of the balance"`
	Meters  uint32      `doc:"how many meters the party has"`
}

func (a Account) of(party sdk.Address) accountAnswer {
	return accountAnswer{party, a.Balance, a.Held, a.free(), a.Meters}
}

func accountView(c *sdk.Ctx, a partyArgs) (accountAnswer, error) {
	account, _ := accounts.Get(c, a.Party)
	return account.of(a.Party), nil
}

type pageArgs struct {
	After []byte `wire:",omitempty" doc:"where the last page ended: its next"`
	Limit uint32 `wire:",omitempty" doc:"how many at most; 20 if missing, never more than 100"`
}

type accountPage struct {
	Accounts []accountAnswer
	Next     []byte `wire:",omitempty" doc:"for the next page; missing on the last"`
}

func accountsView(c *sdk.Ctx, a pageArgs) (page accountPage, err error) {
	rows, next := accounts.All().Page(c, a.After, a.Limit)
	for _, row := range rows {
		page.Accounts = append(page.Accounts, row.Value.of(row.Key))
	}
	page.Next = next
	return page, nil
}

type totalsArgs struct {
	After *sdk.Address `doc:"the last account of the page before: its next"`
}

type totalsAnswer struct {
	Accounts  uint32       `doc:"how many were added up"`
	SumMicro  int64        `doc:"of their balances; 0 over all pages"`
	HeldMicro int64        `doc:"of their collateral"`
	Next      *sdk.Address `doc:"for the next page; missing on the last"`
}

func totalsView(c *sdk.Ctx, a totalsArgs) (t totalsAnswer, err error) {
	var last sdk.Address
	for who, account := range accountsAfter(a.After).Each(c) {
		if a.After != nil && who == *a.After {
			continue
		}
		if t.Accounts == totalled {
			t.Next = &last
			break
		}
		last = who
		t.Accounts++
		t.SumMicro += account.Balance
		t.HeldMicro += account.Held
	}
	return t, nil
}

// accountsAfter is the accounts from one on, itself included.
func accountsAfter(after *sdk.Address) sdk.Rows[sdk.Address, Account] {
	if after == nil {
		return accounts.All()
	}
	return accountAt.From(accounts.All(), *after)
}
