package main

import "github.com/wardledger/ward/sdk"

func proposeParameters(c *sdk.Ctx, a sdk.Parameters) (proposeResult, error) {
	var none proposeResult
	by, err := byAuthority(c)
	if err != nil {
		return none, err
	}
	if err := a.Check(); err != nil {
		return none, errValue.Because("%s", err)
	}
	// It changes nothing, but ends here if this contract was not given the power. Without, every decision would end
	// with the one that can't be carried out.
	if err := c.SetParameters(c.Parameters()); err != nil {
		panic("BUG: authority: the chain refuses its own parameters: " + err.Error())
	}
	return propose(c, by, Proposal{Kind: Parameters, Parameters: &a})
}

func proposePermit(c *sdk.Ctx, a sdk.Permit) (proposeResult, error) {
	var none proposeResult
	by, err := byAuthority(c)
	if err != nil {
		return none, err
	}
	if err := a.Check(); err != nil {
		return none, errValue.Because("%s", err)
	}
	mayAdmitCode(c)
	return propose(c, by, Proposal{Kind: Permit, Name: a.Name, Permit: &a})
}

type revokeArgs struct {
	Name string `doc:"the name of the contract that was permitted"`
}

func proposeRevoke(c *sdk.Ctx, a revokeArgs) (proposeResult, error) {
	var none proposeResult
	by, err := byAuthority(c)
	if err != nil {
		return none, err
	}
	if a.Name == "" {
		return none, errValue.Because("name is missing")
	}
	if err := checkText("name", a.Name, maxName); err != nil {
		return none, err
	}
	mayAdmitCode(c)
	return propose(c, by, Proposal{Kind: Revoke, Name: a.Name})
}

// mayAdmitCode ends the call if this contract was not given the power, for the same reason as in proposeParameters.
// Nothing is permitted for no name.
func mayAdmitCode(c *sdk.Ctx) { _ = c.Code().Withdraw("") }

// carryOut does what a proposal about the chain's parameters or about code wants. What the chain refuses by then, because the
// name has been taken, say, is void.
func carryOut(c *sdk.Ctx, p *Proposal) {
	var err error
	switch p.Kind {
	case Parameters:
		err = c.SetParameters(*p.Parameters)
	case Permit:
		err = c.Code().Permit(*p.Permit)
	case Revoke:
		err = c.Code().Withdraw(p.Name)
	}
	if err != nil {
		end(c, p, Void, err.Error())
		return
	}
	end(c, p, Done, "")
	switch p.Kind {
	case Parameters:
		changed.Emit(c, parametersEvent{p.Proposal, p.Parameters.Deploy, p.Parameters.Deployers})
	case Permit:
		permitted.Emit(c, permitEvent{p.Proposal, p.Permit.Hash, p.Permit.Init, p.Name, p.Permit.Admin, p.Permit.Capabilities})
	case Revoke:
		revoked.Emit(c, revokeEvent{p.Proposal, p.Name})
	}
	voidRivals(c, *p)
}

// voidRivals ends the open proposals about the same as one that was decided.
func voidRivals(c *sdk.Ctx, p Proposal) {
	for _, other := range open(c) {
		if other.rivals(p) {
			end(c, &other, Void, sdk.Text("proposal %d was decided, which is about the same %s", p.Proposal, p.subject()))
		}
	}
}

// subject is what no two proposals of an authority are about at once.
func (p Proposal) subject() string {
	switch p.Kind {
	case Parameters:
		return "parameters"
	case Permit, Revoke:
		return "name"
	}
	return "operator or key"
}

// wish is what a proposal wants, after "to".
func (p Proposal) wish() string {
	switch p.Kind {
	case Parameters:
		return "change the chain's parameters"
	case Permit:
		return sdk.Text("permit the deployment of %q", p.Name)
	case Revoke:
		return sdk.Text("take back what is permitted for %q", p.Name)
	}
	return sdk.Text("%s %q", p.Kind, p.Name)
}
