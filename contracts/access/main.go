// Access says whether a subject may do something to an object, and why.
//
//	object  <owner's address>/house/front-door          whoever owns it decides
//	   ▲
//	   │ root grant: by the owner, holds while they own it
//	  [1] owner → facility manager, open + inspect, may pass on 2
//	   ▲    │ child: by the subject of its parent, within all its bounds
//	  [4] manager → cleaning company, open, may pass on 1
//	   ▲    │
//	  [9] company → Ann, open, until Friday
//
//	check(Ann, open, front-door) = no forbid of the owner hits her, every link of some
//	                               chain holds now: [1] and [4] and [9], nobody who
//	                               passed it on is forbidden it, and she is no device
//	                               that is not active
//
// So revoking [4] denies Ann at once, by one write, and a link that was written too
// wide can't widen anything. Default is deny. What each method means and every code is
// in README.md.
package main

import "github.com/wardledger/ward/sdk"

// An Object is something that access is given to.
type Object struct {
	Object     string       `doc:"its name: the address of who registered it, then a path"`
	Owner      sdk.Address  `doc:"who decides about it now"`
	Since      uint64       `doc:"grants below this number were given before the owner had it, and do not hold"`
	OfferedTo  *sdk.Address `doc:"who may take it over, if it is offered"`
	OfferEpoch uint64       `wire:",omitempty" doc:"the owner's epoch when it was offered; another one now, and the offer has ended"`
	Registered uint64       `doc:"height at which it was registered"`
	Changed    uint64       `doc:"height of the last change"`
}

// A Grant lets a subject do something to an object, or to all below a prefix.
type Grant struct {
	ID          uint64       `wire:"id" doc:"its number, which no other grant ever has"`
	Issuer      sdk.Address  `doc:"who gave it"`
	Subject     sdk.Address  `doc:"who got it"`
	Object      string       `doc:"what for: an object, or all below a prefix that ends in /*"`
	Relations   []string     `doc:"what may be done"`
	NotBefore   sdk.Time     `wire:",omitempty" doc:"from when on; missing: at once"`
	Expires     sdk.Time     `wire:",omitempty" doc:"the first moment at which it does not hold any more; missing: never"`
	Redelegate  uint8        `wire:",omitempty" doc:"how many times it may be passed on, one after the other"`
	Parent      uint64       `wire:",omitempty" doc:"the grant that it passes on; missing: it is the owner's own"`
	Root        uint64       `wire:",omitempty" doc:"the owner's own grant at the top of its chain; missing: it is one"`
	Since       uint64       `wire:",omitempty" doc:"since of its object when it was given; missing: that was 0, or it is for a prefix"`
	IssuerEpoch uint64       `wire:",omitempty" doc:"the issuer's epoch when it was given; another one now, and it does not hold"`
	Created     uint64       `doc:"height at which it was given"`
	RevokedBy   *sdk.Address `doc:"who took it back, if somebody did"`
	RevokedAt   uint64       `wire:",omitempty" doc:"height at which it was taken back"`
}

// A Forbid is a no of the owner, which beats every grant.
type Forbid struct {
	Owner     sdk.Address `doc:"whose no it is; it counts for what they own"`
	Object    string      `doc:"what for: an object, or all below a prefix that ends in /*"`
	Subject   sdk.Address `doc:"who may not"`
	Relations []string    `wire:",omitempty" doc:"what may not be done; missing: nothing may"`
	NotBefore sdk.Time    `wire:",omitempty" doc:"from when on; missing: at once"`
	Expires   sdk.Time    `wire:",omitempty" doc:"the first moment at which it does not hold any more; missing: never"`
	Reason    string      `wire:",omitempty" doc:"why, for people"`
	Created   uint64      `doc:"height at which it was written"`
}

// class parts the candidates. The owner's own come before those that somebody passed
// on, so that nobody who may pass on can crowd out the owner's.
type class uint8

const (
	classRoot  class = iota // by the owner
	classChild              // passed on
)

type (
	ownedKey struct {
		Owner  sdk.Address
		Object string
	}
	objectKey struct {
		Object string
		ID     uint64
	}
	subjectKey struct {
		Subject sdk.Address
		Object  string
		ID      uint64
	}
	subjectObject struct {
		Subject sdk.Address
		Object  string
	}
	// candidateKey sorts what may allow something by its end, so that what has expired is
	// passed over without being read. Since and Epoch are those of the object and of its
	// owner under which the chain began: once either has moved on, nothing under the old
	// ones can hold, and nothing of it is looked at.
	candidateKey struct {
		Subject sdk.Address
		Object  string
		Since   uint64
		Epoch   uint64
		Class   class
		Expires sdk.Time // forever if never
		ID      uint64
	}
	// A place is where the candidates of one kind lie.
	place struct {
		Subject sdk.Address
		Object  string
		Since   uint64
		Epoch   uint64
		Class   class
	}
	placeAt struct {
		Subject sdk.Address
		Object  string
		Since   uint64
		Epoch   uint64
		Class   class
		Expires sdk.Time
	}
	forbidKey struct {
		Owner   sdk.Address
		Object  string
		Subject sdk.Address
	}
)

var (
	objects   = sdk.NewMap[string, Object]("objects")
	owned     = sdk.NewMap[ownedKey, sdk.None]("objects_by_owner")
	lastGrant = sdk.NewItem[uint64]("last_grant")
	grants    = sdk.NewMap[uint64, Grant]("grants")
	onObject  = sdk.NewMap[objectKey, sdk.None]("grants_by_object")
	ofSubject = sdk.NewMap[subjectKey, sdk.None]("grants_by_subject")
	// candidates are the grants that may hold; the value is the root. One that can never hold
	// again is taken out, as soon as somebody comes across it in a transaction.
	candidates = sdk.NewMap[candidateKey, uint64]("candidates")
	forbids    = sdk.NewMap[forbidKey, Forbid]("forbids")
	epochs     = sdk.NewMap[sdk.Address, uint64]("epochs")

	objectsOf  = sdk.By[sdk.Address](owned)
	grantsOn   = sdk.By[string](onObject)
	grantsOf   = sdk.By[sdk.Address](ofSubject)
	grantsOfOn = sdk.By[subjectObject](ofSubject)
	placed     = sdk.By[place](candidates)
	placedAt   = sdk.By[placeAt](candidates)
	forbidsBy  = sdk.By[sdk.Address](forbids)
)

// The codes. A number never changes its meaning.
var (
	errNotPermitted = sdk.Error(2, "not_permitted", "The sender may not do this.")
	errUnknown      = sdk.Error(3, "unknown_object", "No such object is registered.")
	errExists       = sdk.Error(4, "already_registered", "The object is registered already.")
	errValue        = sdk.Error(5, "bad_value", "A value is out of its bounds or not written as it must be.")
	errNoGrant      = sdk.Error(6, "unknown_grant", "There is no such grant.")
	errNotWithin    = sdk.Error(7, "not_within_parent", "A grant that is passed on may not be wider than its parent in anything.")
	errDead         = sdk.Error(8, "dead_parent", "The parent can never hold again, so nothing can be passed on from it.")
	errRevoked      = sdk.Error(9, "already_revoked", "The grant is revoked already.")
	errTooMany      = sdk.Error(10, "too_many_grants", "More grants would have to be looked at than one check may: say which one counts, with via.")
	errNoForbid     = sdk.Error(11, "unknown_forbid", "There is no such forbid.")
	errNotOffered   = sdk.Error(12, "not_offered", "The object is not offered to the sender.")
	errForbidden    = sdk.Error(13, "forbidden", "The owner forbids the sender this, so the sender can't pass it on.")
	errCrowded      = sdk.Error(14, "too_many_passed_on", "The subject has as many grants on this as one check of it could look at: one of them must end first.")
	errDevices      = sdk.Error(15, "devices_failed", "The contract devices did not say whether the subject is an active device, so there is no answer.")
)

func init() {
	sdk.Describe("access", "May this subject do that to this object: ownership, grants that can be passed on, forbids, and the decision with its reason.")

	sdk.Method("register", register, "Register an object under the sender's own address, which makes the sender its owner.")
	sdk.Method("transfer", transfer, "Offer an object to somebody, who owns it as soon as they accept; to the owner: take the offer back. By the owner.")
	sdk.Method("accept", accept, "Take over an object that was offered. The grants and offers of the old owner end.")

	sdk.Method("grant", grant, "Let a subject do something to an object. By its owner, or by passing on a grant that the sender got.")
	sdk.Method("revoke", revoke, "Take a grant back, and with it all that was passed on from it. By its issuer, the issuer of any grant above it, or the owner.")
	sdk.Method("bump_epoch", bumpEpoch, "End every grant and every offer of an object that the sender ever made, because a key was stolen. Forbids stay.")
	sdk.Method("forbid", forbid, "Forbid a subject something, whatever it was granted; replaces the sender's forbid of this subject on this object. By the owner.")
	sdk.Method("unforbid", unforbid, "Take a forbid back. By who wrote it.")
	sdk.Method("sweep", sweep, "Put grants that can never hold again out of the way of checks. By anybody.")

	sdk.Method("use", use, "Decide whether the sender may, and record it.")

	sdk.View("check", check, "Decide whether a subject may, without recording it.")
	sdk.View("object", object, "What is known of an object.")
	sdk.View("objects", objectsView, "The objects of an owner, in pages.")
	sdk.View("show_grant", showGrant, "A grant, and whether it holds now.")
	sdk.View("grants_on", grantsOnView, "The grants written for an object or prefix, oldest first, in pages.")
	sdk.View("grants_of", grantsOfView, "The grants that a subject got, by object, in pages.")
	sdk.View("forbids_by", forbidsByView, "The forbids of an owner, by object, in pages.")
	sdk.View("epoch", epoch, "An account's epoch: how often it ended all that it had granted.")
}

func main() {}
