package sdk_test

import (
	"errors"
	"fmt"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/sdk"
)

// The arguments, results and events of the examples are structs like these: each field has a name on the wire, and a doc for --help.
type (
	Ring struct {
		Times uint64 `doc:"how often"`
		Why   string `wire:",omitempty" doc:"what for, if you like to say"`
	}
	Rung struct {
		Times uint64 `doc:"how often it was rung"`
		Why   string `doc:"what for"`
	}
)

// A contract in full, but for its main.
func Example() {
	declares(func() {
		var (
			count = sdk.NewCounter("count")
			rung  = sdk.Event[Rung]("rung", "The bell was rung.")
			never = sdk.Error(2, "never", "A bell rings at least once.")
		)
		sdk.Describe("bell", "A bell that counts.")
		sdk.Method("ring", func(c *sdk.Ctx, a Ring) (uint64, error) {
			if a.Times == 0 {
				return 0, never
			}
			rung.Emit(c, Rung(a))
			return count.Add(c, a.Times), nil
		}, "Ring it.")

		send("ring", Ring{Times: 3, Why: "dinner"})
		send("ring", Ring{})
	})
	// Output:
	// event rung {"why": "dinner", "times": 3}
	// answer 3
	// failed 2: A bell rings at least once.
}

func ExampleDescribe() {
	declares(func() {
		sdk.Describe("door", "A door that counts.")

		spec, _ := abi.DecodeSpec(sdk.Spec())
		fmt.Println(spec.Name, "-", spec.Doc)
	})
	// Output:
	// door - A door that counts.
}

func ExampleMethod() {
	declares(func() {
		rings := sdk.NewItem[uint64]("rings")
		sdk.Method("ring", func(c *sdk.Ctx, a Ring) (uint64, error) {
			n, _ := rings.Get(c)
			rings.Set(c, n+a.Times)
			return n + a.Times, nil
		}, "Ring it.")

		send("ring", Ring{Times: 2})
	})
	// Output:
	// answer 2
}

// A view answers without a transaction, and can't write: the runtime ends it if it tries.
func ExampleView() {
	declares(func() {
		rings := sdk.NewItem[uint64]("rings")
		sdk.View("how_often", func(c *sdk.Ctx, _ sdk.None) (uint64, error) {
			n, _ := rings.Get(c)
			return n, nil
		}, "How often it has rung.")
		sdk.View("sly", func(c *sdk.Ctx, _ sdk.None) (sdk.None, error) {
			rings.Set(c, 5)
			return sdk.None{}, nil
		}, "Would write.")

		query("how_often", sdk.None{})
		query("sly", sdk.None{})
	})
	// Output:
	// answer 0
	// not_permitted: set in a view: a view changes nothing
}

func ExampleInit() {
	declares(func() {
		owner := sdk.NewItem[sdk.Address]("owner")
		sdk.Init(func(c *sdk.Ctx, _ sdk.None) error {
			owner.Set(c, c.Sender())
			return nil
		}, "Whoever creates the contract owns the door.")

		send("init", sdk.None{})
	})
	// Output:
}

// The second version of a contract counts what the first one only listed.
func ExampleUpgrade() {
	declares(func() {
		guests := sdk.NewSet[string]("guests")
		number := sdk.NewCounter("number")
		sdk.Upgrade(func(c *sdk.Ctx, from uint32) error {
			if from == 1 {
				for range guests.All().Keys(c) {
					number.Next(c)
				}
			}
			return nil
		}, "Counts the guests that are there.")

		send("upgrade", struct{ From uint32 }{1})
	})
	// Output:
}

func ExampleNone() {
	declares(func() {
		sdk.Method("knock", func(c *sdk.Ctx, _ sdk.None) (sdk.None, error) {
			c.Log("somebody knocked")
			return sdk.None{}, nil
		}, "Knock; nothing is needed for it, and nothing comes of it.")

		send("knock", sdk.None{})
	})
	// Output:
	// log somebody knocked
}

// Every attribute of an event can be searched and filtered for.
func ExampleEvent() {
	declares(func() {
		rung := sdk.Event[Rung]("rung", "The bell was rung.")

		inCall(func(c *sdk.Ctx) {
			rung.Emit(c, Rung{Times: 1, Why: "dinner"})
		})
	})
	// Output:
	// event rung {"why": "dinner", "times": 1}
}

func ExampleEventOf() {
	declares(func() {
		var opened sdk.EventOf[sdk.None] = sdk.Event[sdk.None]("opened", "The door was opened.")

		inCall(func(c *sdk.Ctx) { opened.Emit(c, sdk.None{}) })
	})
	// Output:
	// event opened {}
}

func ExampleError() {
	declares(func() {
		closed := sdk.Error(2, "closed", "The door is shut.")
		sdk.Method("plain", func(*sdk.Ctx, sdk.None) (sdk.None, error) { return sdk.None{}, closed }, "Fails.")
		sdk.Method("why", func(c *sdk.Ctx, _ sdk.None) (sdk.None, error) {
			return sdk.None{}, closed.Because("it opens at %s", c.Time().Add(sdk.Hour))
		}, "Fails, and says why.")

		send("plain", sdk.None{})
		send("why", sdk.None{})
	})
	// Output:
	// failed 2: The door is shut.
	// failed 2: it opens at 2026-01-05T09:00:00Z
}

// An error is found again in one that wraps it: the receipt has its code.
func ExampleErrorCode() {
	declares(func() {
		closed := sdk.Error(2, "closed", "The door is shut.")
		sdk.Method("open", func(*sdk.Ctx, sdk.None) (sdk.None, error) {
			return sdk.None{}, fmt.Errorf("front door: %w", closed) // in a contract rather Because: fmt makes it twice as large
		}, "Open it.")

		send("open", sdk.None{})
	})
	// Output:
	// failed 2: front door: The door is shut.
}

func ExampleCtx() {
	inCall(func(c *sdk.Ctx) {
		fmt.Println("Alice's key signed:", c.Sender() == alice.Address(), c.Origin() == alice.Address(), c.CalledByContract())
		fmt.Println(c.Contract(), "on", c.Chain(), "at", c.Height(), c.Time())
		fmt.Println("gas left:", c.GasLeft() > 0)
		c.Log("for %s alone", "this node")
	})
	// Output:
	// Alice's key signed: true true false
	// door on example at 7 2026-01-05T08:00:00Z
	// gas left: true
	// log for this node alone
}

// Randomness differs from transaction to transaction and is the same on every node, and in all of a transaction. It is public before it
// is used: here it picks who is asked first, by which nobody wins anything.
func ExampleCtx_Randomness() {
	inCall(func(c *sdk.Ctx) {
		guests := []string{"ann", "bob", "cat"}
		first := guests[int(c.Randomness()[0])%len(guests)]
		again := guests[int(c.Randomness()[0])%len(guests)]
		fmt.Println(first == again)
	})
	// Output:
	// true
}

func ExampleCtx_ContractAddress() {
	inCall(func(c *sdk.Ctx) {
		bell := c.ContractAddress("bell")
		fmt.Println(bell, "called:", c.Sender() == bell)
	})
	// Output:
	// ward1z3586gca6c3ghgryg8frpjfqmrysfvgs9lvvjg called: false
}

func ExampleRemote() {
	declares(func() {
		ring := sdk.Remote[Ring, uint64]("ring")

		inCall(func(c *sdk.Ctx) {
			fmt.Println(ring.Call(c, "bell", Ring{Times: 3}))
			fmt.Println(ring.CallWithGas(c, "bell", Ring{Times: 3}, 100_000))
		})
	})
	// Output:
	// 3 <nil>
	// 3 <nil>
}

// What fails there is undone there, and is an error here.
func ExampleRemoteMethod() {
	declares(func() {
		type Ring struct {
			Times uint64
			Night bool
		}
		var ring sdk.RemoteMethod[Ring, uint64] = sdk.Remote[Ring, uint64]("ring")

		inCall(func(c *sdk.Ctx) {
			_, err := ring.Call(c, "bell", Ring{1, true})
			fmt.Println(err)
		})
	})
	// Output:
	// bell.ring: The neighbours sleep.
}

func ExampleCallError() {
	declares(func() {
		ring := sdk.Remote[struct{ Night bool }, uint64]("ring")

		inCall(func(c *sdk.Ctx) {
			_, err := ring.Call(c, "bell", struct{ Night bool }{true})
			if e, ok := err.(*sdk.CallError); ok {
				fmt.Println(e.Contract, e.Method, "refused with its code", e.ContractCode)
			}
		})
	})
	// Output:
	// bell ring refused with its code 2
}

// A generated client has such constants for all errors of the other contract (ward contract client).
func ExampleRemoteCode() {
	const ErrAsleep sdk.RemoteCode = 2
	declares(func() {
		ring := sdk.Remote[struct{ Night bool }, uint64]("ring")

		inCall(func(c *sdk.Ctx) {
			_, err := ring.Call(c, "bell", struct{ Night bool }{true})
			fmt.Println(errors.Is(err, ErrAsleep), sdk.NoContract(err))
		})
	})
	// Output:
	// true false
}

func ExampleNoContract() {
	declares(func() {
		ring := sdk.Remote[Ring, uint64]("ring")

		inCall(func(c *sdk.Ctx) {
			_, err := ring.Call(c, "gong", Ring{Times: 1})
			fmt.Println(sdk.NoContract(err), err)
		})
	})
	// Output:
	// true gong.ring: there is no contract gong
}

func ExampleIsContractName() {
	fmt.Println(sdk.IsContractName("front-door"), sdk.IsContractName("Front Door"))
	// Output:
	// true false
}

func ExampleIsMethodName() {
	fmt.Println(sdk.IsMethodName("open_wide"), sdk.IsMethodName("open-wide"))
	// Output:
	// true false
}

func ExampleText() {
	fmt.Println(sdk.Text("%d of %s, %q, %v", 3, sdk.Hour, "quoted", []byte{0xab, 1}))
	// Output:
	// 3 of 1h, "quoted", ab01
}

// Only programs beside contracts have it.
func ExampleSource() {
	b, err := sdk.Source.ReadFile("wire/doc.go")
	fmt.Println(len(b) > 0, err)
	// Output: true <nil>
}
