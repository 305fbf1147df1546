// My-lock is a door with a list of people: its owner lets them in and takes them off again, and everything is an event.
package main

import "github.com/wardledger/ward/sdk"

// Guest is who may open the door, and until when.
type Guest struct {
	Account sdk.Address `doc:"whose key opens the door"`
	Until   sdk.Time    `doc:"from then on it doesn't"`
}

// Who names somebody.
type Who struct {
	Account sdk.Address `doc:"an account"`
}

// Answer is what the lock acts on.
type Answer struct {
	Allowed bool   `doc:"the bolt may be drawn"`
	Reason  string `doc:"why, for people"`
}

// Used is an attempt to open the door, whichever way it ended.
type Used struct {
	By      sdk.Address `doc:"whose key signed"`
	Allowed bool        `doc:"the bolt may be drawn"`
}

var (
	owner  = sdk.NewItem[sdk.Address]("owner")
	guests = sdk.NewMap[sdk.Address, sdk.Time]("guests")

	admitted = sdk.Event[Guest]("admitted", "Somebody may open the door from now on.")
	removed  = sdk.Event[Who]("removed", "Somebody may not open the door any more.")
	used     = sdk.Event[Used]("used", "Somebody tried the door.")

	notOwner = sdk.Error(2, "not_owner", "Only the owner decides who may open the door.")
	past     = sdk.Error(3, "past", "A guest is let in until a time that is still to come.")
	noGuest  = sdk.Error(4, "no_guest", "There is no such guest.")
)

func init() {
	sdk.Describe("my-lock", "A door whose owner says who may open it, and until when.")
	sdk.Init(setUp, "Whoever creates the contract owns the door.")
	sdk.Method("admit", admit, "Let somebody open the door until a certain time.")
	sdk.Method("remove", remove, "Take somebody off the list.")
	sdk.Method("open", open, "Ask to open the door; the answer says whether to draw the bolt.")
	sdk.View("allowed", allowed, "Say whether somebody may open the door now.")
}

func setUp(c *sdk.Ctx, _ sdk.None) error {
	owner.Set(c, c.Sender())
	return nil
}

func admit(c *sdk.Ctx, g Guest) (sdk.None, error) {
	if who, _ := owner.Get(c); c.Sender() != who {
		return sdk.None{}, notOwner
	}
	if g.Until <= c.Time() {
		return sdk.None{}, past.Because("it is %s already", c.Time())
	}
	guests.Set(c, g.Account, g.Until)
	admitted.Emit(c, g)
	return sdk.None{}, nil
}

func remove(c *sdk.Ctx, w Who) (sdk.None, error) {
	if who, _ := owner.Get(c); c.Sender() != who {
		return sdk.None{}, notOwner
	}
	if !guests.Delete(c, w.Account) {
		return sdk.None{}, noGuest.Because("%s is not on the list", w.Account)
	}
	removed.Emit(c, w)
	return sdk.None{}, nil
}

// open is recorded when the answer is no, too, so that is an answer and not an error: an error would undo the event.
func open(c *sdk.Ctx, _ sdk.None) (Answer, error) {
	a := decide(c, c.Sender())
	used.Emit(c, Used{By: c.Sender(), Allowed: a.Allowed})
	return a, nil
}

func allowed(c *sdk.Ctx, w Who) (Answer, error) { return decide(c, w.Account), nil }

func decide(c *sdk.Ctx, who sdk.Address) Answer {
	if is, _ := owner.Get(c); who == is {
		return Answer{true, "owner"}
	}
	until, ok := guests.Get(c, who)
	switch {
	case !ok:
		return Answer{false, "not on the list"}
	case c.Time() >= until:
		return Answer{false, sdk.Text("was let in until %s", until)}
	}
	return Answer{true, sdk.Text("until %s", until)}
}

func main() {}
