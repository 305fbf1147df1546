package abi

import (
	"errors"
	"strconv"

	"github.com/wardledger/ward/runtime/cbor"
)

// MaxDeployers is the most accounts that the chain's parameters name as deployers. The list is read with every
// deployment; what others want to deploy can be permitted one by one, see [Permit].
const MaxDeployers = 64

// Who may deploy any code, under any name that is free.
const (
	// DeployOperator: the operator of genesis. So it is where nobody says otherwise.
	DeployOperator = "operator"
	// DeployList: the accounts in a list. With an empty list nothing is deployed without a permit: that is how the authorities
	// decide on all code, and why there is no mode for them.
	DeployList = "list"
	// DeployOpen: every account.
	DeployOpen = "open"
)

// Parameters are what a chain decides about itself. They are the argument of the function parameters_set and the
// answer of parameters_get, encoded as a canonical CBOR map: "deploy", and with DeployList "deployers", an array of addresses.
type Parameters struct {
	Deploy    string   // DeployOperator, DeployList or DeployOpen; "" is DeployOperator
	Deployers [][]byte // with DeployList: 20-byte addresses of accounts in ascending order
}

// Encode returns the canonical bytes.
func (p Parameters) Encode() []byte {
	n, deploy := 1, p.Deploy
	if deploy == "" {
		deploy = DeployOperator
	}
	if deploy == DeployList {
		n = 2
	}
	b := cbor.AppendMap(nil, n)
	b = cbor.AppendText(cbor.AppendText(b, "deploy"), deploy)
	if deploy == DeployList {
		b = cbor.AppendArray(cbor.AppendText(b, "deployers"), len(p.Deployers))
		for _, a := range p.Deployers {
			b = cbor.AppendBytes(b, a)
		}
	}
	return b
}

// DecodeParameters reads encoded parameters, which alias b. It does not check what they say.
func DecodeParameters(b []byte) (p Parameters, err error) {
	r := cbor.NewReader(b)
	n, err := r.Map()
	if err != nil {
		return p, err
	}
	var keys cbor.MapKeys
	deploy, list := false, false
	for range n {
		key, err := keys.Text(r)
		if err != nil {
			return p, err
		}
		switch key {
		case "deploy":
			deploy = true
			p.Deploy, err = r.Text()
		case "deployers":
			list = true
			p.Deployers, err = byteStrings(r)
		default:
			err = errors.New("unknown parameter")
		}
		if err != nil {
			return p, err
		}
	}
	switch {
	case !deploy || p.Deploy == "":
		return p, errors.New("deploy is missing")
	case list != (p.Deploy == DeployList):
		return p, errors.New(`deployers go with deploy "list", and only with it`)
	}
	return p, r.End()
}

// byteStrings reads an array of byte strings, which alias what is read.
func byteStrings(r *cbor.Reader) (list [][]byte, err error) {
	n, err := r.Array()
	if err != nil {
		return nil, err
	}
	for range n { // grows with what is really there
		b, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, nil
}

// Check reports why p can't be the parameters of a chain: a Deploy that there is not, more than MaxDeployers, an
// address of another size, or addresses that don't ascend.
func (p Parameters) Check() error {
	switch p.Deploy {
	case "", DeployOperator, DeployOpen:
		if p.Deployers != nil {
			return errors.New(`deployers go with deploy "list", and only with it`)
		}
	case DeployList:
	default:
		return errors.New(`deploy is none of "operator", "list" and "open"`)
	}
	if len(p.Deployers) > MaxDeployers {
		return errors.New(strconv.Itoa(len(p.Deployers)) + " deployers, limit " + strconv.Itoa(MaxDeployers))
	}
	for i, a := range p.Deployers {
		if len(a) != AddressSize {
			return errors.New("deployer " + strconv.Itoa(i) + " has " + strconv.Itoa(len(a)) + " bytes, an address has " + strconv.Itoa(AddressSize))
		}
		if i > 0 && string(p.Deployers[i-1]) >= string(a) {
			return errors.New("deployer " + strconv.Itoa(i) + " does not come after the one before it")
		}
	}
	return nil
}
