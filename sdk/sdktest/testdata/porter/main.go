// Porter is a contract that uses one of everything, for the tests of sdktest.
package main

import "github.com/wardledger/ward/sdk"

type Setup struct {
	House string `doc:"what is guarded"`
	Limit uint64 `wire:",omitempty" doc:"how many guests there may be"`
}

type Admit struct {
	Key     sdk.PublicKey `doc:"the guest's public key"`
	Pass    []byte        `doc:"a message of the guest under the AAD porter-v1: the name of the house"`
	Expires sdk.Time      `wire:",omitempty" doc:"when the guest has to leave"`
}

type Admitted struct {
	Guest   sdk.Address
	Expires sdk.Time `wire:",omitempty"`
}

type Guest struct {
	Since   sdk.Time
	By      sdk.Address
	Expires sdk.Time `wire:",omitempty"`
}

type Whom struct{ Guest sdk.Address }

var (
	house  = sdk.NewItem[Setup]("house")
	guests = sdk.NewMap[sdk.Address, Guest]("guests")

	admitted = sdk.Event[Admitted]("admitted", "A guest came in.")
	left     = sdk.Event[Whom]("left", "A guest went.")

	nameless = sdk.Error(2, "nameless", "A house needs a name.")
	badPass  = sdk.Error(3, "bad_pass", "The pass is not the guest's.")
	unknown  = sdk.Error(4, "unknown_guest", "There is no such guest.")
	refused  = sdk.Error(5, "key_refused", "The chain does not take the key.")
)

func init() {
	sdk.Describe("porter", "Lets guests in and out.")
	sdk.Init(setUp, "Names the house.")
	sdk.Method("admit", admit, "Lets a guest in, who can ring from now on.")
	sdk.Method("dismiss", dismiss, "Sends a guest away.")
	sdk.Method("ring", ring, "Says how long the guest has been here.")
	sdk.Method("stumble", stumble, "Traps.")
	sdk.View("guest", guest, "Who is a guest.")
	sdk.View("me", func(c *sdk.Ctx, _ sdk.None) (Whom, error) { return Whom{c.Sender()}, nil }, "Who asks.")
}

func stumble(*sdk.Ctx, sdk.None) (sdk.None, error) { panic("over the doorstep") }

func setUp(c *sdk.Ctx, s Setup) error {
	if s.House == "" {
		return nameless
	}
	house.Set(c, s)
	return nil
}

func admit(c *sdk.Ctx, a Admit) (Whom, error) {
	name, ok := c.VerifyCOSE(a.Key, "porter-v1", a.Pass)
	h, _ := house.Get(c)
	if !ok || len(name) == 0 || string(name[1:]) != h.House {
		return Whom{}, badPass
	}
	kid, _ := c.KeyAddress(a.Key)
	err := c.Accounts().Open(sdk.OpenKey{
		Key: a.Key, Owner: c.Sender(), Expires: a.Expires, Quota: 200_000_000,
		Scope: []sdk.Scope{{Contract: c.Contract(), Methods: []string{"ring"}}},
	})
	if err != nil {
		return Whom{}, refused.Because("%s: %s", kid, err)
	}
	guests.Set(c, kid, Guest{c.Time(), c.Sender(), a.Expires})
	admitted.Emit(c, Admitted{kid, a.Expires})
	c.Log("%s is in", kid)
	return Whom{kid}, nil
}

func dismiss(c *sdk.Ctx, w Whom) (sdk.None, error) {
	if !guests.Delete(c, w.Guest) {
		return sdk.None{}, unknown.Because("%s is no guest", w.Guest)
	}
	left.Emit(c, w)
	return sdk.None{}, c.Accounts().Shut(w.Guest)
}

func ring(c *sdk.Ctx, _ sdk.None) (sdk.Duration, error) {
	g, ok := guests.Get(c, c.Sender())
	if !ok {
		return 0, unknown
	}
	return c.Time().Sub(g.Since), nil
}

func guest(c *sdk.Ctx, w Whom) (Guest, error) {
	g, ok := guests.Get(c, w.Guest)
	if !ok {
		return Guest{}, unknown
	}
	return g, nil
}

func main() {}
