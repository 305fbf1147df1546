package client

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

// story is a trace in the node's JSON, with every kind of step.
const story = `{"contract":"door","method":"open","args":{"door":"1"},"code":"failed","number":35,"contract_code":3,"contract_error":"locked","reason":"it is locked","result":null,` +
	`"gas":{"used":100,"instance":10,"instructions":20,"functions":30,"calls":40},"functions":[{"name":"get","calls":2,"gas":30}],` +
	`"steps":[{"op":"get","collection":"doors","key":"0x01","found":true,"value":"0x"},{"op":"get","collection":"doors","key":"0x02","found":false},` +
	`{"op":"set","collection":"doors","key":"0x01","value":"0x09","value_cut":5000},{"op":"scan","collection":"doors","key":"0x01","end":"0x02","reverse":true},` +
	`{"op":"emit","event":"opened","attributes":{"by":7}},{"op":"log","line":""},` +
	`{"op":"call","call":{"contract":"lock","method":"turn","view":true,"args":"0xa0","args_cut":70000,"code":"trapped","number":36,"reason":"trap","stack":["ward.get","main.turn"],"result":null,` +
	`"gas":{"used":40,"instance":40,"instructions":0,"functions":0,"calls":0},"functions":[],"steps":[],"omitted":2}}]}`

func TestSimulate(t *testing.T) {
	key := mustKey(t, tx.EdDSA)
	f := newFake(t, key)
	f.mux.HandleFunc("POST /v1/contracts/door/simulate/{method}", func(w http.ResponseWriter, r *http.Request) {
		var body json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&body)
		if q := r.URL.Query(); string(body) != `{"door":"1"}` || q.Get("gas") != "5000" || q.Get("height") != "40" || q.Get("sender") != key.Public().Address().String() {
			t.Errorf("asked %s with %s", body, r.URL.RawQuery)
		}
		answer(w, 200, `{"height":41,"time":1760000100,"clock":"block","code":"failed","number":35,"reason":"it is locked","gas_used":111,"contract":"door","method":"open",`+
			`"contract_code":3,"contract_error":"locked","gas_limit":5000,"return":null,"events":[{"contract":"door","event":"refused","attributes":{"code":35}}],"gas_admission":11,"trace":%s}`, story)
	})
	c := f.client(t)
	got, err := c.Simulate(t.Context(), Question{Contract: "door", Method: "open", Args: Args("\xa1ddoora1"), Height: 40, Sender: key.Public().Address()}, 5000)
	if err != nil {
		t.Fatal(err)
	}
	if got.Height != 41 || got.Time.Unix() != 1760000100 || got.Clock != "block" || got.Code != receipt.Failed || got.GasUsed != 111 || got.GasAdmission != 11 ||
		got.Return != nil || len(got.Events) != 1 || got.Events[0].Name != "refused" {
		t.Errorf("%+v", got)
	}
	if refused := (*Refused)(nil); !errors.As(got.Err(), &refused) || refused.ContractError != "locked" || refused.Reason != "it is locked" {
		t.Errorf("it would end with %v", got.Err())
	}
	if again, err := json.Marshal(got.Call); err != nil || string(again) != story {
		t.Errorf("the story is\n%s, want\n%s", again, story)
	}
	if _, err := c.Simulate(t.Context(), Question{Contract: "..", Method: "open"}, 0); !isRefused(err, receipt.UnknownContract) {
		t.Error(err)
	}
}

func TestTrace(t *testing.T) {
	f := newFake(t, mustKey(t, tx.EdDSA))
	f.mux.HandleFunc("GET /v1/tx/{id}/trace", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") != (tx.ID{1}).String() {
			answer(w, 410, `{"error":{"code":"pruned","number":1009,"reason":"gone"}}`)
			return
		}
		answer(w, 200, `{"height":3,"index":1,"time":1760000000,"id":%q,"code":"failed","number":35,"reason":"it is locked","gas_used":111,"gas_limit":5000,"contract":"door","method":"open","return":null,"events":[],"gas_admission":11,"trace":%s}`, tx.ID{1}, story)
	})
	c := f.client(t)
	got, err := c.Trace(t.Context(), tx.ID{1})
	if err != nil || got.ID != (tx.ID{1}) || got.Height != 3 || got.Code != receipt.Failed || got.GasAdmission != 11 || got.Call.Gas.Used != 100 {
		t.Fatalf("%+v, %v", got, err)
	}
	if again, _ := json.Marshal(got.Call); string(again) != story {
		t.Errorf("the story is\n%s, want\n%s", again, story)
	}
	var gone *Unserved
	if _, err := c.Trace(t.Context(), tx.ID{2}); !errors.As(err, &gone) || gone.Code != "pruned" {
		t.Error(err)
	}
}
