package stream_test

import (
	"net/url"
	"testing"
	"unicode/utf8"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/node/stream"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/state"
)

// Whatever a query string holds, it is a filter that the log can serve, or an error with a
// reason that fits in a frame.
func FuzzParse(f *testing.F) {
	for _, q := range []string{
		"", "after=start", "after=1.2.3&contract=access&event=granted&attr.id=7", "attr.object=door%2F1&attr.on=true", "event=refused&attr.sender=ward1x",
		"attr.when=2026-01-01T00:00:00Z&contract=access", "attr.x=0xff&attr.y=-1&attr.z=18446744073709551615", "after=%00&contract=%ff",
	} {
		f.Add(q)
	}
	log, err := eventlog.Open(state.NewMemory())
	if err != nil {
		f.Fatal(err)
	}
	types := stream.NewTypes(specs{}, log)
	f.Fuzz(func(t *testing.T, q string) {
		query, err := url.ParseQuery(q)
		if err != nil || query.Get("contract") == "panics" {
			t.Skip()
		}
		sub, no := stream.Parse(query, types)
		if no != nil {
			if no.Reason == "" || !utf8.ValidString(no.Reason) || len(no.Reason) > 2000 {
				t.Errorf("%q: reason is %q", q, no.Reason)
			}
			return
		}
		if err := sub.Filter.Check(); err != nil {
			t.Errorf("%q: %v", q, err)
		}
		for _, a := range sub.Filter.Attributes {
			for _, v := range a.Values {
				if err := cbor.Valid(v); err != nil || len(a.Values) == 0 {
					t.Errorf("%q: attribute %s looks for %x: %v", q, a.Name, a.Values, err)
				}
			}
		}
	})
}
