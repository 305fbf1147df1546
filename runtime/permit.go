package runtime

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
)

// The records are the chain's parameters as contracts have them: a row like any other, in force at once, and as it was
// if the transaction fails.
var _ host.Parameters = (*registry.Records)(nil)

// parametersEvent tells of a block in which the parameters changed.
func parametersEvent(p abi.Parameters) receipt.Event {
	return receipt.Event{Contract: ChainContract, Name: "parameters", Attributes: p.Encode()}
}

// permits lets a contract with the capability say what may be deployed.
type permits struct{ records *registry.Records }

var _ host.Permits = permits{}

// Permit permits a deployment under a free name. Under the name of a contract that is there, it permits new code of that
// contract, if it says of it what is so: its admin and its capabilities, and no arguments of an init. It is of use, and so taken, only
// for a contract with capabilities, or one whose admin is the contract that permits.
func (p permits) Permit(by string, permit *abi.Permit) (abi.Status, error) {
	taken, err := nameTaken(p.records, permit.Name)
	if err != nil {
		return 0, err
	}
	giver := address.OfContract(by)
	if taken {
		instance, found, err := p.records.Instance(permit.Name)
		if err != nil {
			return 0, err
		}
		of := found && permitsCodeOf(permit, &instance) && (len(instance.Capabilities) > 0 || instance.Admin == giver)
		if !of {
			return abi.StatusNameTaken, nil
		}
	}
	room, err := p.records.PutPermit(&registry.Permit{Permit: *permit, By: giver})
	if err == nil && !room {
		return abi.StatusTooMany, nil
	}
	return abi.StatusOK, err
}

// permitsCodeOf reports whether a permit is for new code of an instance as it is now.
func permitsCodeOf(p *abi.Permit, i *registry.Instance) bool {
	// Those of genesis stand as it wrote them; a permit has each once, in order.
	powers := slices.Compact(slices.Sorted(slices.Values(i.Capabilities)))
	return !i.Admin.IsZero() && bytes.Equal(p.Admin, i.Admin[:]) && slices.Equal(p.Capabilities, powers) && p.Init == nil
}

func (p permits) Withdraw(name string) (abi.Status, error) {
	found, err := p.records.DropPermit(name)
	if err == nil && !found {
		return abi.StatusNoPermit, nil
	}
	return abi.StatusOK, err
}

// nameTaken reports whether nothing can be deployed under a name, because there is something.
func nameTaken(records *registry.Records, name string) (bool, error) {
	_, found, err := records.Instance(name)
	return found || name == CodeContract || name == ChainContract, err
}

// deployRight is what the chain says to a deployment.
type deployRight struct {
	permit     *registry.Permit // that waits for the name, or nil
	fits       bool             // it is for this code and these arguments
	parameters abi.Parameters   // if there is none
	account    address.Address
	operator   address.Address
}

// deployRight reads what the chain says to a deployment by an account.
func (c chain) deployRight(records *registry.Records, account address.Address, n creation) (r deployRight, err error) {
	r = deployRight{account: account, operator: c.Operator}
	if r.permit, err = records.Permit(n.name); err != nil {
		return r, err
	}
	if r.permit == nil {
		r.parameters, err = records.Parameters()
		return r, err
	}
	hash := sha256.Sum256(n.code)
	r.fits = bytes.Equal(hash[:], r.permit.Hash) && bytes.Equal(initHash(n.init), r.permit.Init)
	return r, nil
}

// initHash is what a permit says of the arguments of init.
func initHash(init []byte) []byte {
	if init == nil {
		return nil
	}
	hash := sha256.Sum256(init)
	return hash[:]
}

// granted reports whether the deployment may happen. A name with a permit is kept for it from everybody: otherwise
// whoever may deploy could put something else under the name that was decided on, just before.
func (r deployRight) granted() bool {
	if r.permit != nil {
		return r.fits
	}
	switch r.parameters.Deploy {
	case abi.DeployOpen:
		return true
	case abi.DeployList:
		_, found := slices.BinarySearchFunc(r.parameters.Deployers, r.account[:], bytes.Compare)
		return found
	}
	return r.account == r.operator
}

// refusal is why it may not, and who could let it.
func (r deployRight) refusal(n creation) string {
	if p := r.permit; p != nil {
		return fmt.Sprintf("the name %q is kept for code %x with %s, not for code %x with %s: a contract with the capability code can change that",
			n.name, p.Hash, initWords(p.Init), sha256.Sum256(n.code), initWords(initHash(n.init)))
	}
	who := fmt.Sprintf("the operator %s", r.operator)
	if r.parameters.Deploy == abi.DeployList {
		who = fmt.Sprintf("one of the chain's %d deployers", len(r.parameters.Deployers))
	}
	return fmt.Sprintf("only %s may deploy, not %s, unless a contract with the capability code permits code %x under the name %q",
		who, r.account, sha256.Sum256(n.code), n.name)
}

func initWords(hash []byte) string {
	if hash == nil {
		return "no init arguments"
	}
	return fmt.Sprintf("init arguments of hash %x", hash)
}
