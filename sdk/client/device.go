package client

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/wire"
)

// What a device signs for the contract devices, beside transactions: COSE_Sign1 messages
// whose payload names chain, contract and device, each kind under an external AAD of its
// own. contracts/devices/README.md has the layout.
const (
	EnrolAAD        = "ward-enrol-v1" // of a proof of possession
	AuthAAD         = "ward-auth-v1"  // of an answer to a challenge
	DevicesContract = "devices"       // the name of the standard contract

	// MaxChallenge is how far ahead a challenge may expire: its nonce is remembered until then.
	MaxChallenge = 300 * time.Second

	// nonceSize is the size of the nonces made here, in bytes; the contract takes 16 to 32.
	nonceSize = 16
)

type possession struct {
	Chain    string
	Contract string
	Owner    address.Address
	Device   address.Address
	Nonce    []byte
}

// ProvePossession makes what a device gives to be enrolled: its signature that it agrees to
// belong to this owner on this chain. It is good for one enrolment.
func ProvePossession(device tx.Signer, chain string, owner address.Address) ([]byte, error) {
	nonce, err := newNonce()
	if err != nil {
		return nil, err
	}
	payload, err := wire.Marshal(possession{chain, DevicesContract, owner, device.Public().Address(), nonce})
	if err != nil {
		return nil, err
	}
	return tx.SignMessage(EnrolAAD, payload, device)
}

// Challenge is what a verifier wants signed by a device that claims to be present.
type Challenge struct {
	Chain    string
	Contract string
	Device   address.Address
	Audience address.Address // the verifier, who alone can show the answer to the chain
	Nonce    []byte          // of the verifier's making: 16 to 32 bytes, never used before
	Expires  int64           // unix seconds, at most MaxChallenge ahead of block time
}

// NewChallenge makes a challenge for one device with a fresh nonce. validFor is at most
// MaxChallenge; now is the verifier's clock.
func NewChallenge(chain string, device, audience address.Address, now time.Time, validFor time.Duration) (Challenge, error) {
	if validFor < time.Second || validFor > MaxChallenge {
		return Challenge{}, fmt.Errorf("a challenge can't be valid for %v: 1s to %v", validFor, MaxChallenge)
	}
	nonce, err := newNonce()
	return Challenge{chain, DevicesContract, device, audience, nonce, now.Add(validFor).Unix()}, err
}

// Answer is the device's signature over the challenge: the proof that the methods
// authenticate and verify take. A device refuses a challenge that is meant for another.
func (c Challenge) Answer(device tx.Signer) ([]byte, error) {
	if own := device.Public().Address(); c.Device != own {
		return nil, fmt.Errorf("the challenge is for %s, this device is %s", c.Device, own)
	}
	if c.Audience.IsZero() {
		return nil, errors.New("the challenge names no audience: anybody could use the answer")
	}
	payload, err := wire.Marshal(c)
	if err != nil {
		return nil, err
	}
	return tx.SignMessage(AuthAAD, payload, device)
}

func newNonce() ([]byte, error) {
	nonce := make([]byte, nonceSize)
	_, err := rand.Read(nonce)
	return nonce, err
}
