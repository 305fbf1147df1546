package main

import "github.com/wardledger/ward/sdk"

type (
	proposedEvent struct {
		Proposal uint64        `doc:"its number"`
		Kind     Kind          `doc:"add or remove"`
		Operator sdk.Address   `doc:"the operator of the authority to add or remove"`
		Key      sdk.PublicKey `doc:"its voting key"`
		Name     string        `doc:"who it is"`
		Website  string        `wire:",omitempty" doc:"where to read about it"`
		By       sdk.Address   `doc:"the authority that proposes it"`
		Expires  sdk.Time      `doc:"until then it must be approved"`
	}
	approvedEvent struct {
		Proposal  uint64      `doc:"the proposal"`
		By        sdk.Address `doc:"the authority that approves"`
		Approvals uint32      `doc:"how many approve now"`
		Needed    uint32      `doc:"how many must"`
		Present   uint32      `doc:"how many authorities there are"`
	}
	admittedEvent struct {
		Proposal uint64        `doc:"the proposal"`
		Operator sdk.Address   `doc:"the candidate's operator, who may accept now"`
		Key      sdk.PublicKey `doc:"its voting key"`
		Expires  sdk.Time      `doc:"until then"`
	}
	memberEvent struct {
		Proposal uint64        `wire:",omitempty" doc:"the proposal; missing for the first authorities"`
		Operator sdk.Address   `doc:"its operator"`
		Key      sdk.PublicKey `doc:"its voting key"`
		Name     string        `doc:"who it is"`
		Present  uint32        `doc:"how many authorities there are now"`
	}
	endedEvent struct {
		Proposal uint64       `doc:"the proposal"`
		Kind     Kind         `doc:"add or remove"`
		Operator sdk.Address  `doc:"the operator of the authority to add or remove"`
		By       *sdk.Address `doc:"who took it back"`
		Reason   string       `wire:",omitempty" doc:"by what it was overtaken"`
	}
)

var (
	proposed  = sdk.Event[proposedEvent]("proposed", "An authority was proposed to be added or removed.")
	approved  = sdk.Event[approvedEvent]("approved", "An authority approves a proposal; whoever proposes, approves.")
	admitted  = sdk.Event[admittedEvent]("admitted", "More than two thirds want a new authority: the candidate may accept.")
	added     = sdk.Event[memberEvent]("added", "There is a new authority; it votes two heights later.")
	removed   = sdk.Event[memberEvent]("removed", "An authority has left; it votes no more two heights later.")
	withdrawn = sdk.Event[endedEvent]("withdrawn", "A proposal was taken back.")
	expired   = sdk.Event[endedEvent]("expired", "A proposal was neither approved nor accepted in time. It comes when somebody stumbles on it, never before its time.")
	voided    = sdk.Event[endedEvent]("voided", "A proposal was overtaken by another decision.")
)
