package main

import (
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/wire"
)

// AuthAAD is what a device signs its answer to a challenge under.
const AuthAAD = "ward-auth-v1"

const (
	// maxLead is how far ahead a challenge may expire: as long as its answer can be
	// shown, its nonce must be remembered.
	maxLead = 300 * sdk.Second
	// forget is how many expired nonces a recorded authentication clears away. It
	// adds one at most, so what is stored never outgrows what is alive for long.
	forget = 4
)

// challenge is what a device signs to show itself to a verifier.
type challenge struct {
	Chain    string
	Contract string
	Device   sdk.Address
	Audience sdk.Address
	Nonce    []byte
	Expires  sdk.Time
}

var challenges = wire.New[challenge]()

// An Answer says whether a device is who it says it is. Other contracts ask for it, with
// copies of this type into which it must fit: a field more, and none of them lets a device in.
type Answer struct {
	Authentic bool         `doc:"the device is who it says it is, and active"`
	Device    sdk.Address  `doc:"the device"`
	Owner     *sdk.Address `doc:"its owner, once the owner has agreed"`
	Model     string       `wire:",omitempty" doc:"its model, once the owner has agreed"`
	State     State        `wire:",omitempty" doc:"its state, if it is known"`
	Assurance string       `wire:",omitempty" doc:"C, self-declared; missing unless authentic"`
	Why       string       `wire:",omitempty" doc:"why not, as a word"`
	Reason    string       `wire:",omitempty" doc:"why not, as a sentence"`
	At        sdk.Time     `doc:"the time for which this holds"`
}

// Why not, as a word.
const (
	whyUnknown   = "unknown_device"
	whySignature = "bad_signature"
	whyChain     = "wrong_chain"
	whyContract  = "wrong_contract"
	whyDevice    = "wrong_device"
	whyAudience  = "wrong_audience"
	whyExpired   = "expired"
	whyTooFar    = "expires_too_late"
	whyReplayed  = "replayed"
	whyPending   = "pending"
	whySuspended = "suspended"
	whyRetired   = "retired"
)

func (a Answer) no(why, format string, args ...any) Answer {
	a.Why, a.Reason = why, sdk.Text(format, args...)
	return a
}

// present answers for a device by its record alone.
func present(c *sdk.Ctx, address sdk.Address) (Answer, Device) {
	a := Answer{Device: address, At: c.Time()}
	d, ok := devices.Get(c, address)
	if !ok {
		// Which of several enrolments makes no difference: the key is the same in all of them,
		// and nothing else of what they say counts.
		if d, ok = firstPending(c, address); !ok {
			return a.no(whyUnknown, "no device %s is enrolled", address), d
		}
		a.State = Pending
		return a.no(whyPending, "its owner has not activated it"), d
	}
	a.Owner, a.Model, a.State = &d.Owner, d.Model, d.State
	because := ""
	if d.Reason != "" {
		because = ": " + d.Reason
	}
	switch d.State {
	case Active:
		a.Authentic, a.Assurance = true, d.Assurance
		return a, d
	case Suspended:
		return a.no(whySuspended, "it is suspended since height %d%s", d.Since, because), d
	}
	return a.no(whyRetired, "it is retired since height %d%s", d.Since, because), d
}

type authenticateArgs struct {
	Device sdk.Address `doc:"the device that claims to be here"`
	Proof  []byte      `doc:"its COSE_Sign1 over chain, contract, device, audience, nonce and expires, under ward-auth-v1"`
}

func authenticate(c *sdk.Ctx, a authenticateArgs) (Answer, error) {
	audience := c.Sender()
	answer, ch, err := answerTo(c, a.Device, audience, a.Proof)
	if err != nil {
		return answer, err
	}
	forgetExpired(c)
	if ch != nil {
		nonces.Set(c, nonceKey{ch.Device, ch.Audience, ch.Nonce}, ch.Expires)
		expiring.Set(c, expiryKey{ch.Expires, ch.Device, ch.Audience, ch.Nonce}, sdk.None{})
	}
	record(c, answer, &audience, "challenge")
	return answer, nil
}

type verifyArgs struct {
	Device   sdk.Address `doc:"the device that claims to be here"`
	Audience sdk.Address `doc:"who made the challenge: say who you are, never what the device sent"`
	Proof    []byte      `doc:"its COSE_Sign1 over chain, contract, device, audience, nonce and expires, under ward-auth-v1"`
}

func verify(c *sdk.Ctx, a verifyArgs) (Answer, error) {
	answer, _, err := answerTo(c, a.Device, a.Audience, a.Proof)
	return answer, err
}

type selfArgs struct {
	Audience *sdk.Address `doc:"whom the device wants to be seen by, if anybody in particular"`
}

func authenticateSelf(c *sdk.Ctx, a selfArgs) (Answer, error) {
	answer, _ := present(c, c.Sender())
	record(c, answer, a.Audience, "transaction")
	return answer, nil
}

func status(c *sdk.Ctx, a deviceArgs) (Answer, error) {
	answer, _ := present(c, a.Device)
	return answer, nil
}

func record(c *sdk.Ctx, a Answer, audience *sdk.Address, how string) {
	if a.Authentic {
		authenticated.Emit(c, authenticatedEvent{a.Device, *a.Owner, audience, how, a.Assurance})
		return
	}
	denied.Emit(c, deniedEvent{a.Device, audience, how, a.Why, a.Reason})
}

// answerTo checks a device's answer to the challenge of an audience. The challenge is
// returned if the device really signed it, for this audience, and it is alive and new:
// then it is used up by being recorded, also if the device is refused for its state,
// so that it can't be shown again once the device is resumed.
func answerTo(c *sdk.Ctx, address, audience sdk.Address, proof []byte) (Answer, *challenge, error) {
	yes, d := present(c, address)
	if yes.Why == whyUnknown {
		return yes, nil, nil
	}
	no := yes
	no.Authentic, no.Assurance = false, ""

	payload, ok := c.VerifyCOSE(d.Key, AuthAAD, proof)
	if !ok {
		return no.no(whySignature, "the proof is not a COSE_Sign1 of the device's key under %s", AuthAAD), nil, nil
	}
	ch, err := challenges.Decode(payload)
	if err != nil {
		return no, nil, errProof.Because("proof: %s", err)
	}
	if len(ch.Nonce) < minNonce || len(ch.Nonce) > maxNonce {
		return no, nil, errProof.Because("proof: nonce is %d bytes, must be %d to %d", len(ch.Nonce), minNonce, maxNonce)
	}
	now := c.Time()
	switch {
	case ch.Chain != c.Chain():
		return no.no(whyChain, "the proof is for chain %q, this is %q", ch.Chain, c.Chain()), nil, nil
	case ch.Contract != c.Contract():
		return no.no(whyContract, "the proof is for contract %q, this is %q", ch.Contract, c.Contract()), nil, nil
	case ch.Device != address:
		return no.no(whyDevice, "the proof is of device %s", ch.Device), nil, nil
	case ch.Audience != audience:
		return no.no(whyAudience, "the proof is for %s, shown by %s", ch.Audience, audience), nil, nil
	case ch.Expires <= now:
		return no.no(whyExpired, "the challenge expired at %s, it is %s", ch.Expires, now), nil, nil
	case ch.Expires > now.Add(maxLead):
		return no.no(whyTooFar, "the challenge expires at %s, more than %s after %s", ch.Expires, maxLead, now), nil, nil
	case nonces.Has(c, nonceKey{address, audience, ch.Nonce}):
		return no.no(whyReplayed, "the challenge was answered before"), nil, nil
	}
	return yes, &ch, nil
}

// forgetExpired clears away a few nonces whose challenges have expired: they would be
// refused for that, so they need not be remembered.
func forgetExpired(c *sdk.Ctx) {
	var gone []expiryKey
	for key := range expiresAt.Until(expiring.All(), c.Time()).Each(c) {
		gone = append(gone, key)
		if len(gone) == forget {
			break
		}
	}
	for _, key := range gone {
		expiring.Delete(c, key)
		nonces.Delete(c, nonceKey{key.Device, key.Audience, key.Nonce})
	}
}
