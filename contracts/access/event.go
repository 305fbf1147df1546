package main

import "github.com/wardledger/ward/sdk"

type (
	registeredEvent struct {
		Object string      `doc:"its name"`
		Owner  sdk.Address `doc:"its owner"`
	}
	offeredEvent struct {
		Object string       `doc:"its name"`
		Owner  sdk.Address  `doc:"its owner"`
		To     *sdk.Address `doc:"who may take it over; missing: nobody any more"`
	}
	transferredEvent struct {
		Object string      `doc:"its name"`
		From   sdk.Address `doc:"who owned it, and whose grants have ended"`
		Owner  sdk.Address `doc:"who owns it now"`
	}
	grantedEvent struct {
		ID         uint64      `wire:"id" doc:"number of the grant"`
		Issuer     sdk.Address `doc:"who gave it"`
		Subject    sdk.Address `doc:"who got it"`
		Object     string      `doc:"what for: an object, or all below a prefix that ends in /*"`
		Relations  []string    `doc:"what may be done"`
		NotBefore  sdk.Time    `wire:",omitempty" doc:"from when on; missing: at once"`
		Expires    sdk.Time    `wire:",omitempty" doc:"the first moment at which it does not hold any more; missing: never"`
		Redelegate uint8       `wire:",omitempty" doc:"how many times it may be passed on"`
		Parent     uint64      `wire:",omitempty" doc:"the grant that it passes on"`
	}
	revokedEvent struct {
		ID      uint64      `wire:"id" doc:"number of the grant; all that was passed on from it has ended too"`
		By      sdk.Address `doc:"who took it back"`
		Subject sdk.Address `doc:"who had it"`
		Object  string      `doc:"what for"`
		Reason  string      `wire:",omitempty" doc:"why, if somebody said"`
	}
	epochEvent struct {
		Account sdk.Address `doc:"whose grants and offers have all ended"`
		Epoch   uint64      `doc:"how often it did this"`
	}
	forbiddenEvent struct {
		Owner     sdk.Address `doc:"whose no it is"`
		Subject   sdk.Address `doc:"who may not"`
		Object    string      `doc:"what for: an object, or all below a prefix that ends in /*"`
		Relations []string    `wire:",omitempty" doc:"what may not be done; missing: nothing may"`
		NotBefore sdk.Time    `wire:",omitempty" doc:"from when on; missing: at once"`
		Expires   sdk.Time    `wire:",omitempty" doc:"the first moment at which it does not hold any more; missing: never"`
		Reason    string      `wire:",omitempty" doc:"why, if somebody said"`
	}
	unforbiddenEvent struct {
		Owner   sdk.Address `doc:"whose no it was"`
		Subject sdk.Address `doc:"who may again, if granted"`
		Object  string      `doc:"what for"`
	}
	usedEvent struct {
		Subject    sdk.Address `doc:"who wanted to"`
		Relation   string      `doc:"do what"`
		Object     string      `doc:"to what"`
		Why        string      `doc:"why or why not, as a word"`
		Reason     string      `doc:"why or why not, as a sentence"`
		Path       []uint64    `wire:",omitempty" doc:"the grants that it rests on, from the owner's down; if denied, those that came closest"`
		ValidUntil sdk.Time    `wire:",omitempty" doc:"the first moment at which time alone may change the answer"`
	}
)

var (
	registered  = sdk.Event[registeredEvent]("registered", "An object was registered.")
	offered     = sdk.Event[offeredEvent]("offered", "An object is offered to a new owner, or not any more.")
	transferred = sdk.Event[transferredEvent]("transferred", "An object has a new owner.")
	granted     = sdk.Event[grantedEvent]("granted", "A subject was granted something.")
	revoked     = sdk.Event[revokedEvent]("revoked", "A grant was taken back, and all that was passed on from it.")
	epochBumped = sdk.Event[epochEvent]("epoch_bumped", "All that an account had ever granted or offered has ended.")
	forbidden   = sdk.Event[forbiddenEvent]("forbidden", "An owner forbade a subject something.")
	unforbidden = sdk.Event[unforbiddenEvent]("unforbidden", "An owner took a forbid back.")
	allowed     = sdk.Event[usedEvent]("allowed", "Somebody asked to do something, and may.")
	denied      = sdk.Event[usedEvent]("denied", "Somebody asked to do something, and may not.")
)
