// Devices says whether a device is who it says it is.
//
//	model profile (operator)
//	      │
//	enrol ┴► pending ─ activate ─► active ◄─ resume ─ suspend ─► suspended
//	  by the owner: active at once    │                              │
//	                                  └────────── retire ────────────┴──► retired, for ever
//
// A device that is not active authenticates as nobody. What each method means, what
// a device signs and every code is in README.md.
//
// The contract holds the capability to manage accounts: activating a device opens its
// key, with the scope and quota of its model's profile and out of its owner's quota;
// suspending it shuts the key, so that nothing it signs is accepted anywhere.
package main

import "github.com/wardledger/ward/sdk"

// State is where a device is in its life.
type State string

const (
	Pending   State = "pending"   // an installer enrolled it; its owner has not agreed yet
	Active    State = "active"    // it authenticates, and its key signs
	Suspended State = "suspended" // it authenticates as nobody, until it is resumed
	Retired   State = "retired"   // for ever
)

// SelfDeclared is the assurance that nobody but the owner vouches for the key. The
// levels B (a certified key) and A (in a certified secure element) come with attestation.
const SelfDeclared = "C"

// A Device is what the chain knows of a device.
type Device struct {
	Device     sdk.Address       `doc:"its address, from its key"`
	Owner      sdk.Address       `doc:"the account that it belongs to"`
	Model      string            `doc:"name of its model's profile"`
	Vendor     string            `wire:",omitempty" doc:"who made it, as the profile says"`
	Serial     string            `wire:",omitempty" doc:"serial number, as whoever enrolled it says"`
	Key        sdk.PublicKey     `doc:"its public key: 32 bytes Ed25519 or 33 bytes P-256"`
	Algorithm  string            `doc:"EdDSA or ES256"`
	State      State             `doc:"pending, active, suspended or retired"`
	Assurance  string            `doc:"how sure it is that the key is in this device: C, self-declared"`
	Labels     map[string]string `wire:",omitempty" doc:"what the owner noted"`
	EnrolledBy sdk.Address       `doc:"the account that enrolled it"`
	Proof      sdk.Hash          `doc:"SHA-256 of what it signed to be enrolled"`
	Created    uint64            `doc:"height at which it was enrolled"`
	Since      uint64            `doc:"height at which it came into its state"`
	Changed    uint64            `doc:"height of the last change"`
	KeyEpoch   uint64            `doc:"counts its keys, from 1"`
	Reason     string            `wire:",omitempty" doc:"why it was suspended or retired, if somebody said"`
}

type (
	byOwnerKey struct{ Owner, Device sdk.Address }
	// nonceKey has the audience, or whoever overhears a challenge could have the device
	// sign its nonce for themselves, and use it up before the one who asked.
	nonceKey struct {
		Device   sdk.Address
		Audience sdk.Address
		Nonce    []byte
	}
	expiryKey struct {
		Expires  sdk.Time
		Device   sdk.Address
		Audience sdk.Address
		Nonce    []byte
	}
	// pendingKey has who enrolled it, so that nobody's word stands in the way of another's.
	pendingKey struct{ Device, By sdk.Address }
	// pendingForKey sorts what waits for an owner by who enrolled it: strangers can make as many
	// keys as they like, and enrol them for whom they like, but not among an installer's.
	pendingForKey struct{ Owner, By, Device sdk.Address }
	ownerAndBy    struct{ Owner, By sdk.Address }
)

var (
	operator = sdk.NewItem[sdk.Address]("operator")
	models   = sdk.NewMap[string, Model]("models")
	devices  = sdk.NewMap[sdk.Address, Device]("devices")
	byOwner  = sdk.NewMap[byOwnerKey, sdk.None]("devices_by_owner")
	nonces   = sdk.NewMap[nonceKey, sdk.Time]("nonces")            // consumed ones, until their challenge expires
	expiring = sdk.NewMap[expiryKey, sdk.None]("nonces_by_expiry") // the same, in the order in which they can be forgotten
	// pending are enrolments that no owner has agreed to; they are in devices once one has.
	pending    = sdk.NewMap[pendingKey, Device]("pending")
	pendingFor = sdk.NewMap[pendingForKey, sdk.None]("pending_by_owner")

	devicesOf     = sdk.By[sdk.Address](byOwner)
	expiresAt     = sdk.By[sdk.Time](expiring)
	pendingOf     = sdk.By[sdk.Address](pending)
	waitingFor    = sdk.By[sdk.Address](pendingFor)
	waitingForAnd = sdk.By[ownerAndBy](pendingFor)
)

// The codes. A number never changes its meaning.
var (
	errNotPermitted = sdk.Error(2, "not_permitted", "The sender may not do this.")
	errUnknown      = sdk.Error(3, "unknown_device", "No device with this address is enrolled.")
	errState        = sdk.Error(4, "wrong_state", "The device is not in a state in which this can be done.")
	errEnrolled     = sdk.Error(5, "already_enrolled", "The device is enrolled already.")
	errRetired      = sdk.Error(6, "retired", "The device is retired, for ever: neither it nor its key comes back.")
	errProof        = sdk.Error(7, "bad_proof", "The device's signature does not prove what it should.")
	errModel        = sdk.Error(8, "unknown_model", "There is no profile for this model.")
	errValue        = sdk.Error(9, "bad_value", "A value is out of its bounds.")
	errNoQuota      = sdk.Error(10, "no_quota", "The owner has not enough quota left for the device.")
	errKeyInUse     = sdk.Error(11, "key_in_use", "The chain knows the device's key already, from elsewhere.")
	errNoOwner      = sdk.Error(12, "unknown_owner", "The owner has no account.")
	errOtherModel   = sdk.Error(13, "other_model", "The device was enrolled as another model than the owner agrees to.")
	errSeveral      = sdk.Error(14, "several_enrolments", "Several have enrolled the device for the owner: say whose word counts, with by.")
)

func init() {
	sdk.Describe("devices", "Is this device who it says it is: enrolment, authentication, suspension and retirement of devices.")

	sdk.Init(create, "Sets the operator, who keeps the model profiles, and the first profiles.")
	sdk.Method("set_operator", setOperator, "Hand the model profiles over to another operator. By the operator.")
	sdk.Method("set_model", setModel, "Write the profile of a model: what the keys of its devices may do. Keys that are open already keep what they have. By the operator.")
	sdk.Method("remove_model", removeModel, "Remove the profile of a model, so that no further device of it is activated. By the operator.")

	sdk.Method("enrol", enrol, "Enrol a device, with its proof of possession. By its owner it is active at once, whoever else has enrolled it; by anybody else it is pending until the owner activates it.")
	sdk.Method("enrol_batch", enrolBatch, "Enrol the devices of a delivery, all or none.")
	sdk.Method("withdraw", withdraw, "Take a pending enrolment back, by who made it; or turn down what others made, by the owner.")
	sdk.Method("activate", activate, "Agree to a pending enrolment as a certain model; this opens the device's key. By the owner.")
	sdk.Method("suspend", suspend, "Make a device authenticate as nobody, from this block on; this shuts its key. By the owner, or the device itself.")
	sdk.Method("resume", resume, "Undo a suspension. By the owner.")
	sdk.Method("retire", retire, "End a device for ever; its key can never be enrolled again. By the owner.")
	sdk.Method("set_labels", setLabels, "Replace a device's labels. By the owner.")

	sdk.Method("authenticate", authenticate, "Check and record a device's answer to a challenge that the sender made; this consumes the challenge's nonce.")
	sdk.Method("authenticate_self", authenticateSelf, "Record that the sender, a device, was here: its signed transaction is the proof.")

	sdk.View("verify", verify, "Check a device's answer to a challenge without recording it.")
	sdk.View("status", status, "Would this device authenticate now, and if not, why not.")
	sdk.View("device", device, "What is known of a device; of one that nobody has agreed to yet, what the first of those who enrolled it says.")
	sdk.View("devices", devicesView, "The devices of an owner, in pages: those that the owner agreed to.")
	sdk.View("pending", pendingView, "What others enrolled for an owner, who has not agreed yet, by who enrolled it, in pages.")
	sdk.View("model", model, "The profile of a model.")
	sdk.View("models", modelsView, "The profiles of all models, in pages.")
	sdk.View("operator", operatorView, "Who keeps the model profiles.")
}

func main() {}
