// Authority says who runs the chain: which nodes vote, and whose they are; and what these decide for the chain: its
// parameters, and which code may be deployed.
//
//	propose_add ──► open ── more than 2/3 ──► approved ── accept, by the candidate ──► done
//	propose_remove, _parameters, _permit, _revoke ──► open ── more than 2/3 ───────► done
//	                    │                        │
//	                    └── withdraw, expiry ────┴──► withdrawn, expired, void
//
// What is done is handed to the engine with the block's end and in force two heights later.
// The rules, what a candidate signs and every code are in README.md.
//
// The contract holds every capability: to hand over the authorities; to manage accounts, with which a newcomer's
// operator gets one that may call this contract; to change the chain's parameters; and to permit code. It can
// permit code with any of them.
package main

import "github.com/wardledger/ward/sdk"

const (
	// usualDays is how long a proposal stays open unless init says otherwise.
	usualDays = 7
	// maxDays bounds what init may say: who approved a year ago may think otherwise now.
	maxDays = 365

	// maxAuthorities is the most there may be. It is the chain's bound, too.
	maxAuthorities = 100
	// maxOpen is how many undecided proposals one authority may have: each takes a few rows,
	// and all are looked through when an authority leaves.
	maxOpen = 4
	// sweep is how many expired proposals a new one clears away. It adds one, so what is
	// stored never outgrows what is alive for long.
	sweep = 4

	// operatorQuota is what an account that is opened for a newcomer's operator may use, in
	// gas per hour: a few hundred calls of this contract.
	operatorQuota = 10_000_000_000

	maxName    = 64  // bytes: a line in a table
	maxWebsite = 128 // bytes: the address of a page
)

// An Authority is a node that votes, and who answers for it.
type Authority struct {
	Operator sdk.Address   `doc:"the account that approves and proposes for it"`
	Key      sdk.PublicKey `doc:"the key with which its node votes: 32 bytes Ed25519"`
	Name     string        `doc:"who it is, for people"`
	Website  string        `wire:",omitempty" doc:"where to read about it"`
	Since    uint64        `doc:"height of the block that made it one, and it votes two heights later; 0: it was one of the first"`
}

// Kind is what a proposal wants.
type Kind string

const (
	Add    Kind = "add"
	Remove Kind = "remove"

	Parameters Kind = "parameters" // of the chain
	Permit     Kind = "permit"     // of code
	Revoke     Kind = "revoke"     // of a permit
)

// Status is where a proposal is in its life.
type Status string

const (
	Open      Status = "open"      // it may be approved
	Approved  Status = "approved"  // to add: the candidate may accept
	Done      Status = "done"      // carried out
	Withdrawn Status = "withdrawn" // by whoever proposed it, or by the candidate
	Expired   Status = "expired"   // neither approved nor accepted in time
	Void      Status = "void"      // overtaken by another decision, or refused by the chain; Reason says why
)

// A Proposal is to add an authority or to remove one, to change the chain's parameters, to permit code or to take that back.
type Proposal struct {
	Proposal    uint64          `doc:"its number, from 1"`
	Kind        Kind            `doc:"add, remove, parameters, permit or revoke"`
	Operator    sdk.Address     `wire:",omitempty" doc:"the operator of the authority to add or remove"`
	OperatorKey sdk.PublicKey   `wire:",omitempty" doc:"to add: the public key of that account"`
	Key         sdk.PublicKey   `wire:",omitempty" doc:"to add or remove: the key with which its node votes"`
	Name        string          `wire:",omitempty" doc:"to add or remove: who it is, for people; to permit or revoke: the contract's name"`
	Website     string          `wire:",omitempty" doc:"where to read about it"`
	Parameters  *sdk.Parameters `doc:"to change the chain's parameters: what they shall be"`
	Permit      *sdk.Permit     `doc:"to permit code: what may be deployed, once"`
	By          sdk.Address     `doc:"the authority that proposed it"`
	Created     uint64          `doc:"height at which it was proposed"`
	Expires     sdk.Time        `doc:"until then it must be approved; once approved, until then the candidate must accept"`
	Status      Status          `doc:"open, approved, done, withdrawn, expired or void"`
	Decided     uint64          `wire:",omitempty" doc:"height at which it came into its status; missing while open"`
	Reason      string          `wire:",omitempty" doc:"why it is void"`
	Approvals   []sdk.Address   `doc:"the authorities that approve, in the order in which they did; who is removed counts no more"`
}

type (
	// expiryKey orders what is alive by its end.
	expiryKey struct {
		Expires  sdk.Time
		Proposal uint64
	}
	// byKey orders the undecided proposals of an authority.
	byKey struct {
		By       sdk.Address
		Proposal uint64
	}
	// keyID is a voting key as part of a row's key.
	keyID struct{ Key []byte }
)

var (
	days        = sdk.NewItem[uint32]("days")
	last        = sdk.NewItem[uint64]("last_proposal")
	authorities = sdk.NewMap[sdk.Address, Authority]("authorities")
	keys        = sdk.NewMap[keyID, sdk.Address]("authorities_by_key")
	proposals   = sdk.NewMap[uint64, Proposal]("proposals")

	// Of the proposals that are alive: open or approved, and not swept.
	alive = sdk.NewMap[expiryKey, sdk.None]("alive_by_expiry")
	// Of those that are approved and wait for their candidate.
	admittedOperators = sdk.NewMap[sdk.Address, uint64]("approved_by_operator")
	admittedKeys      = sdk.NewMap[keyID, uint64]("approved_by_key")
	// Of those that are open.
	openBy = sdk.NewMap[byKey, sdk.None]("open_by_proposer")

	// opened holds the operators whose account was opened here.
	opened = sdk.NewMap[sdk.Address, sdk.None]("opened")

	aliveUntil = sdk.By[sdk.Time](alive)
	openOf     = sdk.By[sdk.Address](openBy)
)

// The codes. A number never changes its meaning.
var (
	errOutsider   = sdk.Error(2, "not_an_authority", "The sender is not the operator of an authority.")
	errProposal   = sdk.Error(3, "unknown_proposal", "There is no proposal of this number.")
	errAuthority  = sdk.Error(4, "unknown_authority", "Nobody with this operator is an authority.")
	errIsOne      = sdk.Error(5, "already_authority", "The operator or the key is an authority's already.")
	errProposed   = sdk.Error(6, "already_proposed", "The sender has an open proposal about the same operator, key, contract name or parameters, or one is approved and has not ended yet.")
	errTwice      = sdk.Error(7, "already_approved", "The sender has approved this proposal already.")
	errExpired    = sdk.Error(8, "expired", "The proposal has expired.")
	errDecided    = sdk.Error(9, "decided", "The proposal is decided or has ended: it takes no further approvals, and can't be taken back.")
	errNotDecided = sdk.Error(10, "not_approved", "The proposal is not one that waits for its candidate to accept.")
	errCandidate  = sdk.Error(11, "not_the_candidate", "Only the candidate's operator may do this.")
	errProof      = sdk.Error(12, "bad_proof", "The message of the voting key does not say what it should.")
	errStale      = sdk.Error(13, "stale_proof", "The message of the voting key is too old, or dated too far ahead.")
	errLast       = sdk.Error(14, "last_authority", "The last authority can't be removed: nobody could decide a block.")
	errTooMany    = sdk.Error(15, "too_many_proposals", "The sender has as many undecided proposals as one may have.")
	errFull       = sdk.Error(16, "too_many_authorities", "There are as many authorities as there may be.")
	errValue      = sdk.Error(17, "bad_value", "A value is out of its bounds.")
	errProposer   = sdk.Error(18, "not_the_proposer", "Only who proposed it, or the candidate, may take a proposal back.")
	errBacked     = sdk.Error(19, "others_approve", "Others approve the proposal: who made it can't take it back any more.")
)

func init() {
	sdk.Describe("authority", "Who runs the chain: adding and removing the authorities that decide blocks; what these decide for the chain: its parameters, and code.")

	sdk.Init(create, "Sets the first authorities, which must be the chain's, and how long a proposal stays open.")
	sdk.Method("propose_add", proposeAdd, "Propose a new authority. By an authority, whose approval it is as well.")
	sdk.Method("propose_remove", proposeRemove, "Propose that an authority leave, the own one too. By an authority, whose approval it is as well.")
	sdk.Method("propose_parameters", proposeParameters, "Propose what the chain's parameters shall be, all of them. By an authority, whose approval it is as well. They are in force at once.")
	sdk.Method("propose_permit", proposePermit, "Propose that code may be deployed, once, by anybody with an account. By an authority, whose approval it is as well.")
	sdk.Method("propose_revoke", proposeRevoke, "Propose to take back what is permitted for a contract's name and not deployed yet. By an authority, whose approval it is as well.")
	sdk.Method("approve", approve, "Approve a proposal. With more than two thirds of the present authorities it is decided in this block.")
	sdk.Method("accept", accept, "Accept an approved proposal, which makes the candidate an authority. By the candidate's operator, with a fresh message of the voting key.")
	sdk.Method("withdraw", withdraw, "Take a proposal back: an open one that nobody else approves by who proposed it, an approved one by the candidate.")

	sdk.View("authorities", authoritiesView, "The authorities, in pages, and how many must approve.")
	sdk.View("authority", authorityView, "One authority.")
	sdk.View("parameters", func(c *sdk.Ctx, _ sdk.None) (sdk.Parameters, error) { return c.Parameters(), nil }, "The chain's parameters.")
	sdk.View("proposals", proposalsView, "The proposals that are open or wait for their candidate, those that end first come first; or all, the newest first. In pages.")
	sdk.View("proposal", proposalView, "One proposal.")
}

func main() {}
