package main

import "github.com/wardledger/ward/sdk"

type (
	proposedEvent struct {
		Proposal uint64        `doc:"its number"`
		Kind     Kind          `doc:"add, remove, parameters, permit or revoke"`
		Operator sdk.Address   `wire:",omitempty" doc:"the operator of the authority to add or remove"`
		Key      sdk.PublicKey `wire:",omitempty" doc:"its voting key"`
		Name     string        `wire:",omitempty" doc:"who it is; to permit or revoke, the contract's name"`
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
		Kind     Kind         `doc:"add, remove, parameters, permit or revoke"`
		Operator sdk.Address  `wire:",omitempty" doc:"the operator of the authority to add or remove"`
		Name     string       `wire:",omitempty" doc:"to permit or revoke: the contract's name"`
		By       *sdk.Address `doc:"who took it back"`
		Reason   string       `wire:",omitempty" doc:"by what it was overtaken, or why the chain refused it"`
	}
	parametersEvent struct {
		Proposal  uint64        `doc:"the proposal"`
		Deploy    string        `doc:"who may deploy any code: operator, list or open"`
		Deployers []sdk.Address `wire:",omitempty" doc:"with deploy list, the accounts"`
	}
	permitEvent struct {
		Proposal     uint64      `doc:"the proposal"`
		Hash         []byte      `doc:"SHA-256 of the code"`
		Init         []byte      `wire:",omitempty" doc:"SHA-256 of the arguments of its init; missing: there are none"`
		Name         string      `doc:"the name of the contract"`
		Admin        sdk.Address `doc:"whose contract it will be"`
		Capabilities []string    `wire:",omitempty" doc:"its powers"`
	}
	revokeEvent struct {
		Proposal uint64 `doc:"the proposal"`
		Name     string `doc:"the name of the contract"`
	}
)

var (
	proposed  = sdk.Event[proposedEvent]("proposed", "Something was proposed: to add an authority or remove one, to change the chain's parameters, to permit code or take that back.")
	approved  = sdk.Event[approvedEvent]("approved", "An authority approves a proposal; whoever proposes, approves.")
	admitted  = sdk.Event[admittedEvent]("admitted", "More than two thirds want a new authority: the candidate may accept.")
	added     = sdk.Event[memberEvent]("added", "There is a new authority; it votes two heights later.")
	removed   = sdk.Event[memberEvent]("removed", "An authority has left; it votes no more two heights later.")
	withdrawn = sdk.Event[endedEvent]("withdrawn", "A proposal was taken back.")
	expired   = sdk.Event[endedEvent]("expired", "A proposal was neither approved nor accepted in time. It comes when somebody stumbles on it, never before its time.")
	voided    = sdk.Event[endedEvent]("voided", "A proposal was overtaken by another decision, or the chain refused it.")

	changed   = sdk.Event[parametersEvent]("changed", "The chain's parameters are these from now on.")
	permitted = sdk.Event[permitEvent]("permitted", "This may be deployed, once, by anybody with an account.")
	revoked   = sdk.Event[revokeEvent]("revoked", "What was permitted for a name may not be deployed any more.")
)
