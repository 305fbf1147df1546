package sdk

import "github.com/wardledger/ward/runtime/abi"

// Parameters are what a chain decides about itself.
type Parameters struct {
	Deploy    string    `doc:"who may deploy any code: operator (of genesis), list (those in deployers) or open (everybody)"`
	Deployers []Address `wire:",omitempty" doc:"with deploy list, the accounts; none: nothing is deployed without a permit"`
}

// Parameters returns the chain's parameters, as they are in force now. Any contract may ask.
func (c *Ctx) Parameters() Parameters {
	p, err := abi.DecodeParameters(mustRead(hostParametersGet))
	if err != nil {
		panic("BUG: sdk: the chain's parameters: " + err.Error())
	}
	out := Parameters{Deploy: p.Deploy}
	for _, d := range p.Deployers {
		out.Deployers = append(out.Deployers, Address(d))
	}
	return out
}

// SetParameters changes the chain's parameters, all of them: begin with those that [Ctx.Parameters] returns. They are
// in force at once. The contract needs the capability "parameters", or the call ends as not permitted. It fails for
// what no chain can have: a Deploy that there is not, more than abi.MaxDeployers, one twice. They may be in any order.
func (c *Ctx) SetParameters(p Parameters) error {
	set, err := p.abi()
	if err != nil {
		return err
	}
	b, n := pointer(set.Encode())
	return permitError(hostParametersSet(b, n))
}

// Check reports why no chain can have these parameters.
func (p Parameters) Check() error {
	_, err := p.abi()
	return err
}

func (p Parameters) abi() (abi.Parameters, error) {
	set := abi.Parameters{Deploy: p.Deploy}
	for i := range p.Deployers {
		address := p.Deployers[i][:]
		at := len(set.Deployers) // insertion: there are few, and package sort would make the module larger
		for at > 0 && string(set.Deployers[at-1]) > string(address) {
			at--
		}
		set.Deployers = append(set.Deployers, nil)
		copy(set.Deployers[at+1:], set.Deployers[at:])
		set.Deployers[at] = address
	}
	return set, set.Check()
}

// A Permit says what may be deployed, once, by anybody who has an account. Whoever deploys it decides nothing.
type Permit struct {
	Hash         []byte   `doc:"SHA-256 of the code"`
	Init         []byte   `wire:",omitempty" doc:"SHA-256 of the arguments of its init; missing: there are none"`
	Name         string   `doc:"the name of the contract, which is kept for it until then"`
	Admin        Address  `doc:"whose contract it will be; the sender of its init"`
	Capabilities []string `wire:",omitempty" doc:"its powers; who permits it must have each"`
}

// Code permits deployments. The contract needs the capability "code", or the call ends as not permitted.
func (c *Ctx) Code() Code { return Code{} }

// Code is what a contract that admits code can do; see [Ctx.Code].
type Code struct{}

// PermitError is why the chain did not do as asked with parameters or a permit.
type PermitError abi.Status

// The reasons.
const (
	// NameTaken: there is a contract of this name.
	NameTaken = PermitError(abi.StatusNameTaken)
	// TooManyPermits: abi.MaxPermits wait for their deployment.
	TooManyPermits = PermitError(abi.StatusTooMany)
	// NoPermit: none waits for this name.
	NoPermit = PermitError(abi.StatusNoPermit)
	// NotYours: the permit would hand out a capability that this contract does not have.
	NotYours = PermitError(abi.StatusNotYours)
)

func (e PermitError) Error() string { return abi.Status(e).String() }

// Permit permits a deployment, in place of what was permitted for the name before. The capabilities may be in any
// order.
func (Code) Permit(p Permit) error {
	permit := p.abi()
	if err := permit.Check(); err != nil {
		return err
	}
	b, n := pointer(permit.Encode())
	return permitError(hostCodePermit(b, n))
}

// Check reports why this can't be permitted on any chain.
func (p Permit) Check() error { return p.abi().Check() }

func (p Permit) abi() *abi.Permit {
	permit := &abi.Permit{Hash: p.Hash, Name: p.Name, Admin: p.Admin[:]}
	if len(p.Init) > 0 {
		permit.Init = p.Init
	}
	for _, c := range p.Capabilities {
		list := append(permit.Capabilities, c)
		for at := len(list) - 1; at > 0 && list[at-1] > list[at]; at-- {
			list[at-1], list[at] = list[at], list[at-1]
		}
		permit.Capabilities = list
	}
	return permit
}

// Withdraw takes back what was permitted for a name.
func (Code) Withdraw(name string) error { return permitError(hostCodeWithdraw(name)) }

func permitError(status int32) error {
	if status == int32(abi.StatusOK) {
		return nil
	}
	return PermitError(status)
}
