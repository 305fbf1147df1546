// Hello is a contract in thirty lines: a door that counts who opened it.
package main

import "github.com/wardledger/ward/sdk"

type Opened struct {
	By    sdk.Address `doc:"who opened it"`
	Count uint64      `doc:"how often it was opened so far"`
}

var (
	count  = sdk.NewItem[uint64]("count")
	opened = sdk.Event[Opened]("opened", "Somebody opened the door.")
	closed = sdk.Error(2, "closed", "The door opens from eight to eighteen, UTC.")
)

func init() {
	sdk.Describe("hello", "A door with a counter.")
	sdk.Method("open", open, "Open the door.")
	sdk.View("opened", func(c *sdk.Ctx, _ sdk.None) (uint64, error) { n, _ := count.Get(c); return n, nil }, "How often it was opened.")
}

func open(c *sdk.Ctx, _ sdk.None) (uint64, error) {
	if hour := c.Time() % 86400 / 3600; hour < 8 || hour >= 18 {
		return 0, closed.Because("it is %s, the door opens from eight to eighteen", c.Time())
	}
	n, _ := count.Get(c)
	count.Set(c, n+1)
	opened.Emit(c, Opened{c.Sender(), n + 1})
	return n + 1, nil
}

func main() {}
