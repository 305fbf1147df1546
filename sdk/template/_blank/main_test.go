package main

import (
	"testing"

	"github.com/wardledger/ward/sdk/sdktest"
)

func TestSay(t *testing.T) {
	chain := sdktest.New(t, sdktest.Contract{Dir: "."})
	ada := chain.Account("ada")

	chain.Call(ada, "my-blank", "say", Text{"hello"}).OK().Emitted("changed")
	chain.Call(ada, "my-blank", "say", Text{}).Failed("empty")

	var got string
	if chain.View("my-blank", "said", nil).OK().Result(&got); got != "hello" {
		t.Errorf("it says %q", got)
	}
}
