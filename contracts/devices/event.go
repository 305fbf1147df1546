package main

import "github.com/wardledger/ward/sdk"

type (
	operatorEvent struct {
		Operator sdk.Address `doc:"who keeps the model profiles from now on"`
	}
	modelEvent struct {
		Model  string   `doc:"name of the model"`
		Vendor string   `wire:",omitempty" doc:"who makes it"`
		Quota  uint64   `doc:"gas per hour of each device"`
		Scope  []string `wire:",omitempty" doc:"what the keys may call: contract or contract.method"`
	}
	enrolledEvent struct {
		Device    sdk.Address `doc:"the device"`
		Owner     sdk.Address `doc:"its owner"`
		By        sdk.Address `doc:"who enrolled it"`
		Model     string      `doc:"its model"`
		Vendor    string      `wire:",omitempty" doc:"who made it"`
		Serial    string      `wire:",omitempty" doc:"its serial number"`
		State     State       `doc:"active or pending"`
		Assurance string      `doc:"C, self-declared"`
	}
	activatedEvent struct {
		Device sdk.Address `doc:"the device"`
		Owner  sdk.Address `doc:"its owner"`
		Model  string      `doc:"its model, whose profile its key was opened with"`
		Quota  uint64      `doc:"gas per hour, carved from the owner's"`
	}
	stateEvent struct {
		Device sdk.Address `doc:"the device"`
		Owner  sdk.Address `doc:"its owner"`
		By     sdk.Address `doc:"who did it"`
		Reason string      `wire:",omitempty" doc:"why, if somebody said"`
	}
	labelledEvent struct {
		Device sdk.Address       `doc:"the device"`
		Labels map[string]string `doc:"all its labels now"`
	}
	authenticatedEvent struct {
		Device    sdk.Address  `doc:"the device"`
		Owner     sdk.Address  `doc:"its owner"`
		Audience  *sdk.Address `doc:"whom it showed itself to"`
		How       string       `doc:"challenge or transaction"`
		Assurance string       `doc:"C, self-declared"`
	}
	deniedEvent struct {
		Device   sdk.Address  `doc:"the device that was claimed"`
		Audience *sdk.Address `doc:"whom it was shown to"`
		How      string       `doc:"challenge or transaction"`
		Why      string       `doc:"why not, as a word"`
		Reason   string       `doc:"why not, as a sentence"`
	}
)

var (
	operatorSet   = sdk.Event[operatorEvent]("operator_set", "Another operator keeps the model profiles.")
	modelSet      = sdk.Event[modelEvent]("model_set", "The profile of a model was written.")
	modelRemoved  = sdk.Event[modelArgs]("model_removed", "The profile of a model was removed.")
	enrolled      = sdk.Event[enrolledEvent]("enrolled", "A device was enrolled.")
	withdrew      = sdk.Event[stateEvent]("withdrawn", "A pending enrolment was taken back.")
	activated     = sdk.Event[activatedEvent]("activated", "A device is active; its key may sign.")
	suspended     = sdk.Event[stateEvent]("suspended", "A device authenticates as nobody; its key is shut.")
	resumed       = sdk.Event[stateEvent]("resumed", "A device is active again.")
	retired       = sdk.Event[stateEvent]("retired", "A device has ended for ever.")
	labelled      = sdk.Event[labelledEvent]("labelled", "A device's labels were replaced.")
	authenticated = sdk.Event[authenticatedEvent]("authenticated", "A device authenticated.")
	denied        = sdk.Event[deniedEvent]("denied", "A device did not authenticate.")
)
