// Everything uses each part of the sdk once, for its tests.
package main

import (
	"errors"
	"strings"

	"github.com/wardledger/ward/sdk"
)

type Key struct {
	Group string
	N     int32
}

type Value struct {
	Text string `wire:",omitempty"`
}

type Context struct {
	Sender, Origin sdk.Address
	Contract       string
	Chain          string
	Height         uint64
	Time           sdk.Time
	Gas            bool
}

var (
	created = sdk.NewItem[Context]("created")
	big     = sdk.NewItem[[]byte]("big")
	rows    = sdk.NewMap[Key, Value]("rows")
	byGroup = sdk.By[string](rows)
	byKey   = sdk.By[Key](rows)
	wrote   = sdk.Event[Value]("wrote", "Something was written.")
	refused = sdk.Error(7, "refused_it", "It was refused.")
)

type Put struct {
	Rows   []Key
	Delete bool   `wire:",omitempty"`
	Text   string `wire:",omitempty"`
}

type Ask struct {
	Group    *string
	From     *Key
	Until    *Key
	Reverse  bool   `wire:",omitempty"`
	After    []byte `wire:",omitempty"`
	Limit    uint32 `wire:",omitempty"`
	Each     bool   `wire:",omitempty"`
	EachStop uint32 `wire:",omitempty"`
}

type Answer struct {
	Keys   []Key
	Values []Value
	Next   []byte `wire:",omitempty"`
}

type Message struct {
	Key     sdk.PublicKey
	AAD     string `wire:"aad"`
	Message []byte
}

type Verified struct {
	OK      bool `wire:"ok"`
	Payload []byte
	Address *sdk.Address
	Hash    sdk.Hash
}

type Fail struct {
	How string
}

func init() {
	sdk.Describe("everything", "Uses each part of the sdk once.")
	sdk.Init(func(c *sdk.Ctx, _ sdk.None) error {
		created.Set(c, context(c))
		return nil
	}, "Remembers who created it.")
	sdk.Method("put", put, "Writes or deletes rows.")
	sdk.Method("put_big", func(c *sdk.Ctx, v Value) (bool, error) {
		_, had := big.Get(c)
		big.Set(c, []byte(v.Text))
		return had, nil
	}, "Writes a large value.")
	sdk.Method("drop_big", func(c *sdk.Ctx, _ sdk.None) (bool, error) { return big.Delete(c), nil }, "Deletes it.")
	sdk.View("get_big", func(c *sdk.Ctx, _ sdk.None) ([]byte, error) {
		b, _ := big.Get(c)
		return b, nil
	}, "Reads it.")
	sdk.View("get", func(c *sdk.Ctx, k Key) (Answer, error) {
		v, ok := rows.Get(c, k)
		if ok != rows.Has(c, k) {
			return Answer{}, errors.New("get and has differ")
		}
		if !ok {
			return Answer{}, nil
		}
		return Answer{Keys: []Key{k}, Values: []Value{v}}, nil
	}, "Reads a row.")
	sdk.View("list", list, "Reads rows.")
	sdk.View("context", func(c *sdk.Ctx, _ sdk.None) (Context, error) { return context(c), nil }, "What the call runs in.")
	sdk.View("created", func(c *sdk.Ctx, _ sdk.None) (Context, error) {
		v, _ := created.Get(c)
		return v, nil
	}, "What init ran in.")
	sdk.View("verify", verify, "Checks a message.")
	sdk.Method("fail", fail, "Fails in a way.")
	sdk.Method("nothing", func(c *sdk.Ctx, _ sdk.None) (sdk.None, error) {
		c.Log("nothing by %s", c.Sender())
		return sdk.None{}, nil
	}, "Takes and answers nothing.")
}

func context(c *sdk.Ctx) Context {
	return Context{c.Sender(), c.Origin(), c.Contract(), c.Chain(), c.Height(), c.Time(), c.GasLeft() > 0}
}

func put(c *sdk.Ctx, a Put) (uint64, error) {
	n := uint64(0)
	for _, k := range a.Rows {
		if !a.Delete {
			rows.Set(c, k, Value{a.Text})
			n++
		} else if rows.Delete(c, k) {
			n++
		}
	}
	wrote.Emit(c, Value{a.Text})
	return n, nil
}

func list(c *sdk.Ctx, a Ask) (out Answer, err error) {
	part := rows.All()
	if a.Group != nil {
		part = byGroup.Rows(*a.Group)
	}
	if a.From != nil {
		part = byKey.From(part, *a.From)
	}
	if a.Until != nil {
		part = byKey.Until(part, *a.Until)
	}
	if a.Reverse {
		part = part.Reverse()
	}
	if a.Each {
		for k, v := range part.Each(c) {
			if uint32(len(out.Keys)) == a.EachStop {
				break
			}
			// Another read in between, which a walk must not mind.
			if again, ok := rows.Get(c, k); !ok || again != v {
				return out, errors.New("a row changed while it was walked over")
			}
			out.Keys, out.Values = append(out.Keys, k), append(out.Values, v)
		}
		return out, nil
	}
	page, next := part.Page(c, a.After, a.Limit)
	for _, row := range page {
		out.Keys, out.Values = append(out.Keys, row.Key), append(out.Values, row.Value)
	}
	out.Next = next
	return out, nil
}

func verify(c *sdk.Ctx, a Message) (v Verified, err error) {
	v.Payload, v.OK = c.VerifyCOSE(a.Key, a.AAD, a.Message)
	if address, ok := c.KeyAddress(a.Key); ok {
		v.Address = &address
	}
	v.Hash = c.SHA256(a.Message)
	return v, nil
}

func fail(c *sdk.Ctx, a Fail) (sdk.None, error) {
	rows.Set(c, Key{"fail", 1}, Value{"must not stay"})
	wrote.Emit(c, Value{"must not be seen"})
	switch a.How {
	case "code":
		return sdk.None{}, refused
	case "because":
		return sdk.None{}, refused.Because("%d is %q", 7, "odd")
	case "wrapped":
		return sdk.None{}, wrapped{refused.Because("inside")}
	case "plain":
		return sdk.None{}, errors.New("just so")
	case "long":
		return sdk.None{}, errors.New(strings.Repeat("ä", 1000))
	case "panic":
		panic("on purpose")
	case "long key":
		rows.Has(c, Key{strings.Repeat("k", 300), 0})
	case "not UTF-8":
		wrote.Emit(c, Value{"\xff"})
	case "account":
		return sdk.None{}, c.Accounts().Shut(sdk.Address{1})
	}
	return sdk.None{}, nil
}

type wrapped struct{ err error }

func (w wrapped) Error() string { return "outside: " + w.err.Error() }
func (w wrapped) Unwrap() error { return w.err }

func main() {}
