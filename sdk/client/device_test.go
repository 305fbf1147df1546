package client

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/tx"
)

// TestDeviceMessages pins the layouts that contracts/devices decodes; cli's tests enrol and
// authenticate with them on a real chain.
func TestDeviceMessages(t *testing.T) {
	lock, owner := mustKey(t, tx.ES256), mustKey(t, tx.EdDSA)
	device, account := lock.Public().Address(), owner.Public().Address()
	proof, err := ProvePossession(lock, "test", account)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := tx.OpenMessage(EnrolAAD, proof, lock.Public())
	if err != nil {
		t.Fatal(err)
	}
	nonce := payload[len(payload)-len("\x65owner\x54")-20-len("\x66device\x54")-20-len("\x68contract\x67devices")-nonceSize:][:nonceSize]
	want := `{"chain":"test","nonce":"0x` + hex.EncodeToString(nonce) + `","owner":"0x` + hex.EncodeToString(account[:]) +
		`","device":"0x` + hex.EncodeToString(device[:]) + `","contract":"devices"}`
	if got := string(specjson.Untyped(payload)); got != want {
		t.Errorf("possession\n got %s\nwant %s", got, want)
	}
	again, err := ProvePossession(lock, "test", account)
	if err != nil || bytes.Equal(again, proof) {
		t.Errorf("two proofs are the same: the nonce is (%v)", err)
	}

	c, err := NewChallenge("test", device, account, time.Unix(1760000000, 0), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Answer(lock)
	if err != nil {
		t.Fatal(err)
	}
	if payload, err = tx.OpenMessage(AuthAAD, answer, lock.Public()); err != nil {
		t.Fatal(err)
	}
	want = `{"chain":"test","nonce":"0x` + hex.EncodeToString(c.Nonce) + `","device":"0x` + hex.EncodeToString(device[:]) +
		`","expires":1760000060,"audience":"0x` + hex.EncodeToString(account[:]) + `","contract":"devices"}`
	if got := string(specjson.Untyped(payload)); got != want {
		t.Errorf("challenge\n got %s\nwant %s", got, want)
	}
	if _, err := tx.OpenMessage(EnrolAAD, answer, lock.Public()); err == nil {
		t.Error("an answer to a challenge opens as a proof of possession")
	}
	if _, err := tx.Decode(answer); err == nil {
		t.Error("an answer to a challenge decodes as a transaction")
	}

	if _, err := c.Answer(owner); err == nil {
		t.Error("another device answered")
	}
	if _, err := (Challenge{Device: device}).Answer(lock); err == nil {
		t.Error("a challenge for anybody was answered")
	}
	for _, d := range []time.Duration{0, MaxChallenge + time.Second} {
		if _, err := NewChallenge("test", device, account, time.Now(), d); err == nil {
			t.Errorf("a challenge for %v", d)
		}
	}
}
