package main

import (
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/wire"
)

// EnrolAAD is what a device signs its proof of possession under.
const EnrolAAD = "ward-enrol-v1"

// maxBatch is how many devices one transaction enrols: a delivery is several
// transactions, and one that fails costs no more than this.
const maxBatch = 16

// Bounds of a nonce in bytes. 16 are enough that no two are ever equal by chance.
const (
	minNonce = 16
	maxNonce = 32
)

// possession is what a device signs to be enrolled: that it agrees to belong to this
// owner, on this chain. Whoever does not hold the device's key can't enrol it.
type possession struct {
	Chain    string
	Contract string
	Owner    sdk.Address
	Device   sdk.Address
	Nonce    []byte
}

var possessions = wire.New[possession]()

// An Enrolment is one device to enrol.
type Enrolment struct {
	Model  string            `doc:"name of its model's profile"`
	Serial string            `wire:",omitempty" doc:"serial number"`
	Key    sdk.PublicKey     `doc:"its public key: 32 bytes Ed25519 or 33 bytes P-256"`
	Proof  []byte            `doc:"COSE_Sign1 of the device over chain, contract, owner, device and nonce, under ward-enrol-v1"`
	Labels map[string]string `wire:",omitempty" doc:"what the owner wants noted"`
}

type enrolArgs struct {
	Owner  *sdk.Address      `doc:"whom the device belongs to; if missing, the sender"`
	Model  string            `doc:"name of its model's profile"`
	Serial string            `wire:",omitempty" doc:"serial number"`
	Key    sdk.PublicKey     `doc:"its public key: 32 bytes Ed25519 or 33 bytes P-256"`
	Proof  []byte            `doc:"COSE_Sign1 of the device over chain, contract, owner, device and nonce, under ward-enrol-v1"`
	Labels map[string]string `wire:",omitempty" doc:"what the owner wants noted"`
}

type enrolResult struct {
	Device sdk.Address `doc:"the device's address"`
	State  State       `doc:"active or pending"`
}

func enrol(c *sdk.Ctx, a enrolArgs) (enrolResult, error) {
	return enrolOne(c, owner(c, a.Owner), Enrolment{a.Model, a.Serial, a.Key, a.Proof, a.Labels})
}

type batchArgs struct {
	Owner   *sdk.Address `doc:"whom the devices belong to; if missing, the sender"`
	Devices []Enrolment  `doc:"the devices, at most 16"`
}

type batchResult struct {
	Devices []sdk.Address `doc:"their addresses, in the order given"`
	State   State         `doc:"active or pending"`
}

func enrolBatch(c *sdk.Ctx, a batchArgs) (batchResult, error) {
	var r batchResult
	if len(a.Devices) == 0 || len(a.Devices) > maxBatch {
		return r, errValue.Because("%d devices, must be 1 to %d", len(a.Devices), maxBatch)
	}
	for i, e := range a.Devices {
		one, err := enrolOne(c, owner(c, a.Owner), e)
		if err != nil {
			return r, &inBatch{i, err}
		}
		r.Devices, r.State = append(r.Devices, one.Device), one.State
	}
	return r, nil
}

// inBatch says which device of a batch was refused.
type inBatch struct {
	index int
	err   error
}

func (e *inBatch) Error() string { return sdk.Text("devices[%d]: %s", e.index, e.err) }
func (e *inBatch) Unwrap() error { return e.err }

func owner(c *sdk.Ctx, given *sdk.Address) sdk.Address {
	if given == nil {
		return c.Sender()
	}
	return *given
}

func enrolOne(c *sdk.Ctx, owner sdk.Address, e Enrolment) (enrolResult, error) {
	var none enrolResult
	m, err := profile(c, e.Model)
	if err != nil {
		return none, err
	}
	if err := checkText("serial", e.Serial, maxSerial); err != nil {
		return none, err
	}
	if err := checkLabels(e.Labels); err != nil {
		return none, err
	}
	address, ok := c.KeyAddress(e.Key)
	if !ok {
		return none, errValue.Because("key: %d bytes that are no public key (32 bytes Ed25519, 33 bytes P-256)", len(e.Key))
	}
	switch old, known := devices.Get(c, address); {
	case known && old.State == Retired:
		return none, errRetired.Because("device %s was retired, so its key never enrols again", address)
	case known:
		return none, errEnrolled.Because("device %s is enrolled already, by owner %s", address, old.Owner)
	}
	proof, err := checkPossession(c, owner, address, e)
	if err != nil {
		return none, err
	}
	d := Device{
		Device: address, Owner: owner, Model: m.Model, Vendor: m.Vendor, Serial: e.Serial, Key: e.Key, Algorithm: algorithm(e.Key),
		State: Pending, Assurance: SelfDeclared, Labels: e.Labels, EnrolledBy: c.Sender(), Proof: proof,
		Created: c.Height(), Since: c.Height(), Changed: c.Height(), KeyEpoch: 1,
	}
	byOwnerHimself := c.Sender() == owner
	if byOwnerHimself {
		d.State = Active
	}
	enrolled.Emit(c, enrolledEvent{d.Device, d.Owner, d.EnrolledBy, d.Model, d.Vendor, d.Serial, d.State, d.Assurance})
	if !byOwnerHimself {
		wait(c, d)
		return enrolResult{d.Device, d.State}, nil
	}
	if err := open(c, d, m); err != nil {
		return none, err
	}
	settle(c, d)
	return enrolResult{d.Device, d.State}, nil
}

// checkPossession checks the device's signature, and returns the hash of what it signed.
func checkPossession(c *sdk.Ctx, owner, device sdk.Address, e Enrolment) (sdk.Hash, error) {
	payload, ok := c.VerifyCOSE(e.Key, EnrolAAD, e.Proof)
	if !ok {
		return sdk.Hash{}, errProof.Because("proof: not a COSE_Sign1 of the key of %s under %s", device, EnrolAAD)
	}
	p, err := possessions.Decode(payload)
	if err != nil {
		return sdk.Hash{}, errProof.Because("proof: %s", err)
	}
	switch {
	case p.Chain != c.Chain():
		return sdk.Hash{}, errProof.Because("proof: chain is %q, this is %q", p.Chain, c.Chain())
	case p.Contract != c.Contract():
		return sdk.Hash{}, errProof.Because("proof: contract is %q, this is %q", p.Contract, c.Contract())
	case p.Owner != owner:
		return sdk.Hash{}, errProof.Because("proof: owner is %s, to be enrolled for %s", p.Owner, owner)
	case p.Device != device:
		return sdk.Hash{}, errProof.Because("proof: device is %s, the key's is %s", p.Device, device)
	case len(p.Nonce) < minNonce || len(p.Nonce) > maxNonce:
		return sdk.Hash{}, errProof.Because("proof: nonce is %d bytes, must be %d to %d", len(p.Nonce), minNonce, maxNonce)
	}
	// A proof counts once: what an owner has agreed to stays for ever, and its key never enrols
	// again. Until then it has done nothing, so it need not be remembered that somebody took it back:
	// whoever has seen it could only say again what binds nobody.
	return c.SHA256(payload), nil
}

func algorithm(key sdk.PublicKey) string {
	if len(key) == 32 {
		return "EdDSA"
	}
	return "ES256"
}

func checkLabels(labels map[string]string) error {
	if len(labels) > maxLabels {
		return errValue.Because("%d labels, limit %d", len(labels), maxLabels)
	}
	// Any order will do for accepting, but not for which of several is complained
	// about: the least one.
	var worst error
	var at string
	for key, value := range labels {
		err := checkLabel(key, value)
		if err != nil && (worst == nil || key < at) {
			worst, at = err, key
		}
	}
	return worst
}

func checkLabel(key, value string) error {
	if key == "" || len(key) > maxLabelKey {
		return errValue.Because("label %q: its name is %d bytes, must be 1 to %d", key, len(key), maxLabelKey)
	}
	if err := checkName("label", key); err != nil {
		return err
	}
	return checkText("label "+key, value, maxLabelValue)
}
