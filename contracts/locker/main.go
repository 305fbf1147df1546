// Locker is a wall of boxes for parcels: a courier opens a box once, the recipient for 48 hours after that, the owner always.
package main

import "github.com/wardledger/ward/sdk"

const (
	// keep is how long a recipient may open a box after the courier did, as often as needed: who forgot the bill comes back for it.
	keep = 48 * sdk.Hour
	// maxBoxes is how many boxes a locker has at most, so that views list all of them within the gas of one call.
	maxBoxes = 100
)

type Size struct {
	Boxes uint8 `doc:"how many boxes the locker has, 1 to 100; they are numbered from 1"`
}

type Which struct {
	Box uint8 `doc:"the number of a box"`
}

type Lending struct {
	Box       uint8       `doc:"the number of the box"`
	Courier   sdk.Address `doc:"who brings the parcel"`
	Recipient sdk.Address `doc:"whom it is for"`
}

type Who struct {
	Account sdk.Address `doc:"an account"`
}

// Parcel is the row of a box that is lent.
type Parcel struct {
	Courier   sdk.Address `doc:"who brings the parcel"`
	Recipient sdk.Address `doc:"whom it is for"`
	Lent      sdk.Time    `doc:"since when the box is lent"`
	Brought   sdk.Time    `wire:",omitempty" doc:"when the courier opened it; nothing until then"`
}

// Answer is what the lock acts on.
type Answer struct {
	Allowed bool   `doc:"the bolt may be drawn"`
	Reason  string `doc:"why, for people"`
}

type Tried struct {
	Box     uint8       `doc:"the number of the box"`
	By      sdk.Address `doc:"whose key signed"`
	Allowed bool        `doc:"the bolt may be drawn"`
	Reason  string      `doc:"why, for people"`
}

// State is a box with all that the owner knows of it.
type State struct {
	Box    uint8  `doc:"the number of the box"`
	Parcel Parcel `doc:"who and since when"`
}

// Part is what somebody has to know of a box.
type Part struct {
	Box   uint8    `doc:"the number of the box"`
	Role  string   `doc:"courier or recipient"`
	Since sdk.Time `doc:"since when they may open it"`
	Until sdk.Time `wire:",omitempty" doc:"from then on they may not; nothing for a courier"`
}

var (
	owner   = sdk.NewItem[sdk.Address]("owner")
	boxes   = sdk.NewItem[uint8]("boxes")
	parcels = sdk.NewMap[uint8, Parcel]("parcels")

	// A box is in the courier's list until the parcel is in it, and in the recipient's from then on.
	byCourier   = sdk.NewIndex("by_courier", parcels, func(_ uint8, p Parcel) (sdk.Address, bool) { return p.Courier, p.Brought.IsZero() })
	byRecipient = sdk.NewIndex("by_recipient", parcels, func(_ uint8, p Parcel) (sdk.Address, bool) { return p.Recipient, !p.Brought.IsZero() })

	lent  = sdk.Event[Lending]("lent", "A box waits for a parcel.")
	tried = sdk.Event[Tried]("tried", "Somebody tried a box.")
	freed = sdk.Event[Which]("freed", "A box is empty again.")

	size     = sdk.Error(2, "size", "A locker has 1 to 100 boxes.")
	notOwner = sdk.Error(3, "not_owner", "Only the owner lends and frees boxes.")
	noBox    = sdk.Error(4, "no_box", "The locker has no such box.")
	taken    = sdk.Error(5, "taken", "The box is lent already.")
	empty    = sdk.Error(6, "empty", "The box is not lent.")
)

func init() {
	sdk.Describe("locker", "Boxes for parcels: the courier opens one once, the recipient for 48 hours after that, the owner always.")
	sdk.Init(setUp, "Whoever creates the contract owns the locker.")
	sdk.Method("lend", lend, "Lend a box to a courier for a recipient.")
	sdk.Method("open", open, "Ask to open a box; the answer says whether to draw the bolt.")
	sdk.Method("free", free, "Say that a box is empty, whatever was in it.")
	sdk.View("all", all, "For the owner: the boxes that are lent, with who and since when.")
	sdk.View("mine", mine, "For couriers and recipients: the boxes that somebody may open now.")
}

func setUp(c *sdk.Ctx, s Size) error {
	if s.Boxes < 1 || s.Boxes > maxBoxes {
		return size.Because("%d boxes were asked for, a locker has 1 to %d", s.Boxes, maxBoxes)
	}
	owner.Set(c, c.Sender())
	boxes.Set(c, s.Boxes)
	return nil
}

func lend(c *sdk.Ctx, l Lending) (sdk.None, error) {
	if err := ownerOf(c, l.Box); err != nil {
		return sdk.None{}, err
	}
	if parcels.Has(c, l.Box) {
		return sdk.None{}, taken.Because("box %d is lent already; free it first", l.Box)
	}
	parcels.Set(c, l.Box, Parcel{Courier: l.Courier, Recipient: l.Recipient, Lent: c.Time()})
	lent.Emit(c, l)
	return sdk.None{}, nil
}

func free(c *sdk.Ctx, w Which) (sdk.None, error) {
	if err := ownerOf(c, w.Box); err != nil {
		return sdk.None{}, err
	}
	if !parcels.Delete(c, w.Box) {
		return sdk.None{}, empty.Because("box %d is not lent", w.Box)
	}
	freed.Emit(c, w)
	return sdk.None{}, nil
}

func ownerOf(c *sdk.Ctx, box uint8) error {
	if who, _ := owner.Get(c); c.Sender() != who {
		return notOwner
	}
	return exists(c, box)
}

func exists(c *sdk.Ctx, box uint8) error {
	if n, _ := boxes.Get(c); box < 1 || box > n {
		return noBox.Because("the boxes are 1 to %d", n)
	}
	return nil
}

// open answers no rather than refuse, so that the attempt is recorded: an error would undo the event.
func open(c *sdk.Ctx, w Which) (Answer, error) {
	if err := exists(c, w.Box); err != nil {
		return Answer{}, err
	}
	a := decide(c, w.Box)
	tried.Emit(c, Tried{w.Box, c.Sender(), a.Allowed, a.Reason})
	return a, nil
}

func decide(c *sdk.Ctx, box uint8) Answer {
	who := c.Sender()
	is, _ := owner.Get(c)
	p, ok := parcels.Get(c, box)
	switch {
	// Before the owner, who may be the courier as well: then the recipient's time begins here, too.
	case ok && p.Brought.IsZero() && who == p.Courier:
		p.Brought = c.Time()
		parcels.Set(c, box, p)
		return Answer{true, "courier, this once"}
	case who == is:
		return Answer{true, "owner"}
	case ok && !p.Brought.IsZero() && who == p.Recipient && c.Time() < until(p):
		return Answer{true, sdk.Text("recipient, until %s", until(p))}
	case ok && who == p.Recipient && p.Brought.IsZero():
		return Answer{false, "the parcel isn't there yet"}
	case ok && who == p.Recipient:
		return Answer{false, sdk.Text("the 48 hours ended at %s; ask the owner", until(p))}
	case ok && who == p.Courier:
		return Answer{false, sdk.Text("the courier opened it already, at %s", p.Brought)}
	}
	return Answer{false, "not your box"}
}

func until(p Parcel) sdk.Time { return p.Brought.Add(keep) }

// all and mine choose what an app shows. They hide nothing: nobody has checked who asks, and rows and events are everybody's to read.
func all(c *sdk.Ctx, _ sdk.None) ([]State, error) {
	var list []State
	for box, p := range parcels.All().Each(c) {
		list = append(list, State{box, p})
	}
	return list, nil
}

func mine(c *sdk.Ctx, w Who) ([]Part, error) {
	var list []Part
	for box, p := range byCourier.Of(w.Account).Each(c) {
		list = append(list, Part{Box: box, Role: "courier", Since: p.Lent})
	}
	for box, p := range byRecipient.Of(w.Account).Each(c) {
		if c.Time() < until(p) {
			list = append(list, Part{Box: box, Role: "recipient", Since: p.Brought, Until: until(p)})
		}
	}
	return list, nil
}

func main() {}
