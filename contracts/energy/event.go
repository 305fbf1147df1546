package main

import "github.com/wardledger/ward/sdk"

type (
	openedEvent struct {
		Operator    sdk.Address  `doc:"the other side of every payment"`
		Devices     string       `doc:"name of the contract that knows the meters"`
		SlotSeconds sdk.Duration `doc:"length of a slot"`
		GateSeconds sdk.Duration `doc:"how long before a slot its gate closes"`
		SettleAfter sdk.Duration `doc:"how long after its end a slot is settled"`
		Speed       int64        `doc:"seconds of market time in a second"`
		Start       sdk.Time     `doc:"market time at this moment"`
		AutoPmaxW   int64        `wire:",omitempty" doc:"meters that pass no more than this, in W, need no confirmation"`
	}
	registeredEvent struct {
		Meter     sdk.Address  `doc:"the meter"`
		Party     sdk.Address  `doc:"whose energy it counts"`
		PmaxW     int64        `doc:"the most that can pass it, in W"`
		Gateway   *sdk.Address `doc:"who may read it as well"`
		Replaces  *sdk.Address `doc:"the meter that hung in its place before"`
		Confirmed bool         `wire:",omitempty" doc:"what goes out by it is paid for; else the operator must confirm it first"`
	}
	confirmedEvent struct {
		Meter sdk.Address `doc:"the meter"`
		Party sdk.Address `doc:"whose energy it counts"`
		PmaxW int64       `doc:"the most that can pass it, in W"`
	}
	closedEvent struct {
		Meter    sdk.Address `doc:"the meter"`
		Party    sdk.Address `doc:"whose energy it counted"`
		Time     sdk.Time    `doc:"when it ended"`
		ImportWh int64       `doc:"its last registers: what came in"`
		ExportWh int64       `doc:"what went out"`
		Agreed   bool        `wire:",omitempty" doc:"the party and the operator agreed on them; readings after that time do not count"`
	}
	proposedEvent struct {
		Meter    sdk.Address `doc:"the meter"`
		By       sdk.Address `doc:"who would end it so: its party or the operator"`
		Time     sdk.Time    `doc:"when it ended"`
		ImportWh int64       `doc:"at which registers: what came in"`
		ExportWh int64       `doc:"what went out"`
	}
	gatewayEvent struct {
		Meter   sdk.Address  `doc:"the meter"`
		Gateway *sdk.Address `doc:"who may read it as well; missing: nobody"`
	}
	readingEvent struct {
		Meter     sdk.Address `doc:"the meter"`
		Party     sdk.Address `doc:"whose energy it counts"`
		Seq       uint64      `doc:"the meter's number of the reading"`
		Time      sdk.Time    `doc:"when it was read, in market time"`
		ImportWh  int64       `doc:"what came in until then, as the meter shows it"`
		ExportWh  int64       `doc:"what went out until then"`
		Assurance string      `doc:"A: the meter signed it, B: its gateway read it, C: its party entered it"`
		Missed    uint64      `wire:",omitempty" doc:"how many numbers were left out before it"`
		Estimated bool        `wire:",omitempty" doc:"the values were not measured"`
	}
	rolledEvent struct {
		Meter       sdk.Address `doc:"the meter"`
		Time        sdk.Time    `doc:"when it happened"`
		ImportWh    int64       `doc:"the registers before: what came in"`
		ExportWh    int64       `doc:"what went out"`
		NewImportWh int64       `doc:"the registers after"`
		NewExportWh int64       `doc:"the registers after"`
	}
	operatorEvent struct {
		Operator sdk.Address `doc:"who is the other side of every payment from now on"`
	}
	moneyEvent struct {
		Party   sdk.Address `doc:"whose account"`
		Micro   int64       `doc:"how much was moved"`
		Balance int64       `doc:"what the party has now"`
	}
	orderEvent struct {
		Slot  sdk.Time    `doc:"for which slot"`
		Party sdk.Address `doc:"whose order"`
		Side  string      `doc:"buy or sell"`
		Index uint8       `doc:"the party's number of the order"`
		Wh    int64       `doc:"how much"`
		Limit int64       `doc:"the worst price that it accepts, in micro per kWh"`
		Held  int64       `doc:"the party's collateral in this slot now, in micro"`
	}
	filledEvent struct {
		Slot  sdk.Time    `doc:"for which slot"`
		Party sdk.Address `doc:"whose order"`
		Side  string      `doc:"buy or sell"`
		Index uint8       `doc:"the party's number of the order"`
		Wh    int64       `doc:"how much of it is traded"`
		Price int64       `doc:"in micro per kWh"`
		Micro int64       `doc:"what that costs or brings, when the slot is settled"`
	}
	clearedEvent struct {
		Slot   sdk.Time `doc:"the slot"`
		Orders uint32   `doc:"how many orders there were"`
		Wh     int64    `doc:"how much is traded"`
		Price  *int64   `doc:"in micro per kWh; missing: nothing is traded"`
	}
	slotSettledEvent struct {
		Slot         sdk.Time `doc:"the slot"`
		Parties      uint32   `doc:"how many parties have a statement"`
		ResidueMicro int64    `doc:"what rounding, or pay as bid, left to the operator"`
	}
)

var (
	opened      = sdk.Event[openedEvent]("opened", "The market was opened.")
	operatorSet = sdk.Event[operatorEvent]("operator_set", "Another operator keeps the market.")
	tariffSet   = sdk.Event[Tariff]("tariff_set", "The prices from a slot on were set.")
	registered  = sdk.Event[registeredEvent]("meter_registered", "A meter's energy is counted from its next reading on.")
	confirmed   = sdk.Event[confirmedEvent]("meter_confirmed", "The operator confirmed a meter, whose exports are paid for from now on.")
	closedMeter = sdk.Event[closedEvent]("meter_closed", "A meter ended.")
	proposed    = sdk.Event[proposedEvent]("closing_proposed", "One of two said how a meter should end.")
	gatewaySet  = sdk.Event[gatewayEvent]("gateway_set", "Another gateway, or none, may read a meter.")
	recorded    = sdk.Event[readingEvent]("reading", "A meter was read.")
	rolledOver  = sdk.Event[rolledEvent]("rolled_over", "A meter's registers go on from other values.")
	credited    = sdk.Event[moneyEvent]("credited", "Money came in from the operator's account.")
	debited     = sdk.Event[moneyEvent]("debited", "Money went out to the operator's account.")
	ordered     = sdk.Event[orderEvent]("ordered", "A party offers to buy or sell.")
	cancelled   = sdk.Event[orderEvent]("cancelled", "A party took an order back.")
	displaced   = sdk.Event[orderEvent]("displaced", "An order went because its side was full and another had more collateral.")
	filled      = sdk.Event[filledEvent]("filled", "An order is traded, in whole or in part.")
	cleared     = sdk.Event[clearedEvent]("cleared", "A slot is cleared.")
	settled     = sdk.Event[Statement]("settled", "A party's account moved by what a slot came to.")
	slotDone    = sdk.Event[slotSettledEvent]("slot_settled", "All parties of a slot are settled.")
)
