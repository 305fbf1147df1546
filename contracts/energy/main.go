// Energy says what was metered, what was traded, and who owes what.
//
//	           gate            slot s                s+1
//	orders ────┤               ├─────────────────────┼──────────────────────┤
//	           │ clear(s)      │  readings           │ settle_after, settle(s)
//	           ▼               ▼                     ▼                      ▼
//	       book is frozen   energy flows       last readings of s     accounts move
//
// Parties order before the gate; whoever likes calls clear, which finds one price for the
// slot; meters say what really flowed; settle pays what was traded, and sells or buys the
// rest at the grid's prices. Each amount that an account gets comes from another, so
// that all accounts sum to zero at any time. What each method means and every code is in
// README.md.
package main

import "github.com/wardledger/ward/sdk"

// A Market is what was said when the contract was created; only its operator can change.
type Market struct {
	Operator    sdk.Address  `doc:"the other side of every payment, who keeps the tariff and lets money in and out"`
	Devices     string       `doc:"name of the contract that knows whether a meter is active"`
	SlotSeconds sdk.Duration `doc:"length of a slot"`
	GateSeconds sdk.Duration `doc:"how long before a slot its gate closes"`
	SettleAfter sdk.Duration `doc:"how long after a slot's end it is settled: as long as readings may take"`
	Speed       int64        `doc:"seconds of market time in a second of the chain's"`
	Start       sdk.Time     `doc:"market time when the contract was created"`
	Opened      sdk.Time     `doc:"the chain's time then"`
	AutoPmaxW   int64        `wire:",omitempty" doc:"meters that pass no more than this, in W, need no confirmation"`
}

// A Tariff is the prices of a slot and of those after it, until the next tariff.
type Tariff struct {
	From     sdk.Time `doc:"the first slot that it is for"`
	FeedIn   int64    `doc:"what the grid pays, in micro per kWh; the lowest limit"`
	Retail   int64    `doc:"what the grid takes, in micro per kWh; the highest limit"`
	K        int64    `doc:"where the price lies between the lowest and highest that fit, in permille"`
	PayAsBid bool     `wire:",omitempty" doc:"each trades at their own limit, and the operator gets what is between them"`
}

// An Account is what a party has. The balance may be negative: who takes energy that they
// can't pay for has taken it all the same.
type Account struct {
	Balance int64  `doc:"in micro"`
	Held    int64  `wire:",omitempty" doc:"collateral of orders, part of the balance"`
	Meters  uint32 `wire:",omitempty" doc:"how many meters are looked at when a slot is settled"`
}

// A Meter is what is known of one. Registers count from a start of their own, across
// rollovers.
type Meter struct {
	Meter      sdk.Address  `doc:"its address, as devices knows it"`
	Party      sdk.Address  `doc:"whose energy it counts"`
	Gateway    *sdk.Address `doc:"who may read it as well"`
	PmaxW      int64        `doc:"the most that can pass it, in W"`
	Registered sdk.Time     `doc:"when it was registered"`
	Confirmed  bool         `wire:",omitempty" doc:"what goes out by it is paid for"`
	Replaces   *sdk.Address `doc:"the meter that hung in its place before"`
	ReplacedBy *sdk.Address `doc:"the meter that hangs in its place now"`
	Closed     sdk.Time     `wire:",omitempty" doc:"when it ended; missing: it is open"`

	Seq      uint64   `wire:",omitempty" doc:"number of the last reading"`
	Time     sdk.Time `wire:",omitempty" doc:"when that was; missing: it was never read"`
	ImportWh int64    `wire:",omitempty" doc:"what came in from the grid until then"`
	ExportWh int64    `wire:",omitempty" doc:"what went out to the grid until then"`
	// A register of the meter and its offset are what is stored and compared, so that
	// nothing but a rollover knows of rollovers.
	OffsetImport int64 `wire:",omitempty" doc:"what rollovers added to what the meter itself shows"`
	OffsetExport int64 `wire:",omitempty" doc:"the same of what went out"`

	UsedImport int64 `wire:",omitempty" doc:"how far what came in is ahead of what pmax_w makes since its first reading, in Ws: at most one Wh"`
	UsedExport int64 `wire:",omitempty" doc:"the same of what went out"`

	Signs bool `wire:",omitempty" doc:"it has signed a reading itself: then its gateway can't say that it ended or rolled over"`

	SettledThrough sdk.Time `wire:",omitempty" doc:"end of the last slot that was settled with it"`
	SettledImport  int64    `wire:",omitempty" doc:"the register that was settled through"`
	SettledExport  int64    `wire:",omitempty" doc:"the same of what went out"`
	SettledSure    bool     `wire:",omitempty" doc:"these are no estimate"`
	SureThrough    sdk.Time `wire:",omitempty" doc:"the last moment at which what was settled was no estimate, as far as it matters to a tariff"`

	Rolled sdk.Time `wire:",omitempty" doc:"when its registers last rolled over"`
}

// A reading is a row of a meter's history. Its registers count across rollovers.
type reading struct {
	Seq       uint64
	ImportWh  int64
	ExportWh  int64
	Assurance string
	Missed    uint64 `wire:",omitempty"`
	Estimated bool   `wire:",omitempty"`
}

// A closing is what one of two said of a meter that must end.
type closing struct {
	ByParty    bool
	ByOperator bool
	Time       sdk.Time
	ImportWh   int64
	ExportWh   int64
}

// A Book is what is known of a slot's orders.
type Book struct {
	Orders   uint32
	Bids     uint32 `wire:",omitempty"` // how many of them buy
	BidWh    int64
	AskWh    int64
	Clearing *Clearing
}

// A Position is what one party has in a slot.
type Position struct {
	Side   string `doc:"buy or sell: one in a slot"`
	Held   int64  `doc:"collateral, in micro"`
	Orders []Own  `doc:"its orders, by index"`
}

// An Own is an order of a Position.
type Own struct {
	Index  uint8 `doc:"its number"`
	Limit  int64 `doc:"the worst price that it accepts, in micro per kWh"`
	Wh     int64 `doc:"how much"`
	Held   int64 `doc:"collateral, in micro"`
	Filled int64 `wire:",omitempty" doc:"how much of it was traded"`
	Micro  int64 `wire:",omitempty" doc:"for how much money, before it moves"`
}

// Settling is how far settlement has come.
type Settling struct {
	Next    sdk.Time     // the slot whose turn it is
	After   *sdk.Address // the last account visited
	Parties uint32       `wire:",omitempty"` // that something came of
	Residue int64        `wire:",omitempty"` // what rounding, or pay as bid, left to the operator
}

type (
	readingKey struct {
		Meter sdk.Address
		Time  sdk.Time
	}
	meterOf struct {
		Party sdk.Address
		Meter sdk.Address
	}
	// orderKey sorts the orders of a side as clearing walks: see place. Rank is the limit, of
	// a bid with its sign turned.
	orderKey struct {
		Slot  sdk.Time
		Side  side
		Rank  int64
		Tie   tie
		Party sdk.Address
		Index uint8
	}
	bookSide struct {
		Slot sdk.Time
		Side side
	}
	partySlot struct {
		Party sdk.Address
		Slot  sdk.Time
	}
)

var (
	market     = sdk.NewItem[Market]("market")
	settling   = sdk.NewItem[Settling]("settling")
	tariffs    = sdk.NewMap[sdk.Time, Tariff]("tariffs")
	extremes   = sdk.NewItem[Tariff]("extremes") // lowest feed-in and highest retail of all tariffs
	accounts   = sdk.NewMap[sdk.Address, Account]("accounts")
	meters     = sdk.NewMap[sdk.Address, Meter]("meters")
	byParty    = sdk.NewMap[meterOf, sdk.None]("meters_by_party")
	readings   = sdk.NewMap[readingKey, reading]("readings")
	closings   = sdk.NewMap[sdk.Address, closing]("closings")
	visits     = sdk.NewMap[sdk.Address, sdk.None]("visits") // accounts with a meter or something held: who is settled
	books      = sdk.NewMap[sdk.Time, Book]("books")
	uncleared  = sdk.NewMap[sdk.Time, sdk.None]("uncleared")
	offers     = sdk.NewMap[orderKey, int64]("orders")
	positions  = sdk.NewMap[partySlot, Position]("positions")
	statements = sdk.NewMap[partySlot, Statement]("statements")

	tariffAt     = sdk.By[sdk.Time](tariffs)
	accountAt    = sdk.By[sdk.Address](accounts)
	visitAt      = sdk.By[sdk.Address](visits)
	metersOf     = sdk.By[sdk.Address](byParty)
	readingsOf   = sdk.By[sdk.Address](readings)
	readingAt    = sdk.By[readingKey](readings)
	offersOf     = sdk.By[sdk.Time](offers)
	offersOn     = sdk.By[bookSide](offers)
	offerAt      = sdk.By[orderKey](offers)
	unclearedAt  = sdk.By[sdk.Time](uncleared)
	statementsOf = sdk.By[sdk.Address](statements)
)

// The codes. A number never changes its meaning.
var (
	errNotPermitted = sdk.Error(2, "not_permitted", "The sender may not do this.")
	errValue        = sdk.Error(3, "bad_value", "A value is out of its bounds.")
	errUnknown      = sdk.Error(4, "unknown_meter", "No such meter is registered.")
	errRegistered   = sdk.Error(5, "already_registered", "The meter is, or once was, registered.")
	errClosed       = sdk.Error(6, "meter_closed", "The meter has ended.")
	errNotActive    = sdk.Error(7, "meter_not_active", "The meter is no active device of its party.")
	errNotYours     = sdk.Error(8, "not_your_meter", "The sender has nothing to say about this meter.")
	errTooMany      = sdk.Error(9, "too_many_meters", "The party has as many meters as it can have.")

	errFalls     = sdk.Error(10, "reading_falls", "A register is lower than it was.")
	errJump      = sdk.Error(11, "reading_jump", "A register rose by more than can pass the meter in that time.")
	errDuplicate = sdk.Error(12, "reading_duplicate", "The reading came before.")
	errOld       = sdk.Error(13, "reading_old", "The reading is not newer than the last one, in number and time.")
	errFuture    = sdk.Error(14, "reading_future", "The reading is from too far ahead.")
	errSignature = sdk.Error(15, "bad_signature", "This is no batch of readings that the meter signed for this contract.")

	errGate       = sdk.Error(16, "gate_closed", "The gate of the slot has closed.")
	errTooFar     = sdk.Error(17, "too_far_ahead", "Orders for this slot are not taken yet.")
	errNoMeter    = sdk.Error(18, "no_meter", "The sender has no meter, so it has nothing to trade.")
	errBothSides  = sdk.Error(19, "both_sides", "The party is on the other side of this slot already.")
	errLimit      = sdk.Error(20, "limit_out_of_range", "The limit is worse than what the grid would give or take.")
	errCollateral = sdk.Error(21, "beyond_collateral", "What is free of the balance does not cover it.")
	errBookFull   = sdk.Error(22, "book_full", "The slot has as many orders on this side as it can have, each with as much collateral or more.")
	errNoOrder    = sdk.Error(23, "unknown_order", "There is no such order.")

	errTooEarly    = sdk.Error(24, "too_early", "It is not time for this yet.")
	errDone        = sdk.Error(25, "already_done", "This was done before.")
	errNotCleared  = sdk.Error(26, "not_cleared", "The slot has orders and must be cleared first.")
	errNoStatement = sdk.Error(27, "unknown_statement", "Nothing came of the slot for this party.")

	errReadFirst = sdk.Error(28, "read_first", "The meter must be read by itself, or its gateway if it never signs, before its party alone can end it.")
)

func init() {
	sdk.Describe("energy", "What was metered, what was traded, who owes what: readings, orders, one price for each slot, settlement.")

	sdk.Init(create, "Opens the market: its operator, slots, gate, prices and time.")
	sdk.Method("register_meter", registerMeter, "Begin to count the energy of a meter, an active device of the sender's, which makes the sender a party. Its first reading is where counting starts.")
	sdk.Method("close_meter", closeMeter, "End a meter that itself, or its gateway if it never signs, read within the last slot, with its last registers if it can be read. By its party; else see agree_closing.")
	sdk.Method("replace_meter", replaceMeter, "End a meter and begin to count another in its place. By its party.")
	sdk.Method("agree_closing", agreeClosing, "End a meter at registers that may lie below its last readings, because those were wrong, or that nobody else has read. It ends once its party and the operator have said the same.")
	sdk.Method("confirm_meter", confirmMeter, "Say that a meter is there and what can pass it: from the next slot settled on, what goes out by it is paid for. By the operator.")
	sdk.Method("set_gateway", setGateway, "Say who else may read a meter, or nobody. By its party.")

	sdk.Method("read", read, "Record readings, all or none, in the order of each meter's numbers. By the meter itself (assurance A), its gateway (B) or its party (C).")
	sdk.Method("read_signed", readSigned, "Record readings that the meter signed, whoever brings them (assurance A).")
	sdk.Method("rollover", rollover, "Record a reading after which the registers go on from lower values. By the meter itself, or its gateway if the meter never signs.")

	sdk.Method("credit", credit, "Let money in: from the operator's account to a party's. By the operator.")
	sdk.Method("debit", debit, "Let money out: from what is free of a party's account to the operator's. By the operator.")
	sdk.Method("set_operator", setOperator, "Hand the market over to another operator, whose account is the other side of every payment from then on; what is in the old one's stays there. By the operator.")
	sdk.Method("set_tariff", setTariff, "Set the prices from a slot on for which no orders are taken yet, so that no order ever changes its meaning. By the operator.")

	sdk.Method("order", order, "Offer to buy or sell in a slot, or replace one's order with the same index. By a party with a meter, before the gate.")
	sdk.Method("cancel", cancel, "Take back one's orders in a slot, or one of them. Before the gate.")
	sdk.Method("clear", clearSlot, "Go on clearing a slot whose gate has closed, by n orders looked at; call it until it is done. By anybody.")
	sdk.Method("settle", settle, "Go on settling, slot by slot up to this one, by n accounts visited; call it until it is done. By anybody.")

	sdk.View("market", marketView, "The market's time and parameters.")
	sdk.View("due", dueView, "What can be cleared and settled now.")
	sdk.View("slot", slotView, "What is known of a slot.")
	sdk.View("book", bookView, "The orders of a slot, bids first, the best first, in pages.")
	sdk.View("position", positionView, "The orders of a party in a slot.")
	sdk.View("statement", statementView, "What a slot comes to for a party; before it is settled, as far as is known by now.")
	sdk.View("statements", statementsView, "The settled statements of a party, the latest slot first, in pages.")
	sdk.View("account", accountView, "What a party has.")
	sdk.View("accounts", accountsView, "All accounts, in pages.")
	sdk.View("totals", totalsView, "The sum of all accounts, which is zero; of 1000 at a time.")
	sdk.View("meter", meterView, "What is known of a meter.")
	sdk.View("meters", metersView, "The meters of a party that are open, or closed and not settled yet.")
	sdk.View("readings", readingsView, "The readings of a meter, oldest first, in pages.")
	sdk.View("energy", energyView, "What a meter counted in a slot, as far as is known.")
}

func main() {}
