package main

import "github.com/wardledger/ward/sdk"

// Bounds, with their units. Amounts are such that no sum of this contract leaves an int64.
const (
	// maxPrice is the highest price in micro per kWh: 100 whole units of money, a hundred
	// times what electricity costs where it is dear.
	maxPrice = 100_000_000
	// maxWh is the largest order: 100 MW for ten hours.
	maxWh = 1_000_000_000
	// maxRegister is the highest that the registers of a meter can stand, in Wh: what a large
	// power station makes in a month. At maxPrice it is 10^17 micro.
	maxRegister = 1_000_000_000_000
	// maxPower is the most that a meter can be said to pass, in W.
	maxPower = 100_000_000
	// wattSeconds is how many Ws make a Wh.
	wattSeconds = 3600
	// maxMicro is the most that is credited or debited at once: a billion whole units.
	maxMicro = 1_000_000_000_000_000
	// maxBalance is how far an account can be from zero, in micro, so that what one settlement
	// adds to it can't leave an int64.
	maxBalance = 4_000_000_000_000_000_000

	// maxOrders is how many orders a side of a slot's book has: clearing keeps the remainders at
	// the margin of both in one row of 64 KiB, and a full side is looked through for its least order.
	maxOrders = 256
	// maxIndex is how many orders of one party are in it: the steps of a price curve.
	maxIndex = 8
	// maxAhead is how far ahead the slots lie that orders are taken for: today and tomorrow.
	maxAhead = 2 * sdk.Day
	// mostTariffs is how many tariffs are looked through for the worst one: each is read for each meter
	// that was silent.
	mostTariffs = 20
	// maxMeters is how many meters of a party are looked at when a slot is settled.
	maxMeters = 8
	// maxReadings is how many readings are in a batch: a day of quarter hours, and of 100 if the
	// clock went back.
	maxReadings = 100
	// maxFirst is the highest number of a meter's first reading, and maxMissed by how much the next can be
	// higher: a number near the last one would leave none for the readings after it.
	maxFirst, maxMissed = 1 << 48, 1 << 24
	// maxSkew is how far ahead of the chain a meter's clock may be, in seconds of real time.
	maxSkew = 120

	// maxSpeed is how fast market time may pass: an hour in a second.
	maxSpeed = 3600
	// maxDelay is the longest time between a slot and its gate or its settlement.
	maxDelay = 7 * sdk.Day

	// usualOrders and mostOrders are how many orders clear looks at in a call.
	usualOrders, mostOrders = 32, 256
	// usualParties and mostParties are how many parties settle visits in a call.
	usualParties, mostParties = 16, 64
	// totalled is how many accounts totals adds up in one page.
	totalled = 1000
)
