// Package registry keeps the chain's own records as rows of the state: who may
// sign, for whom, how much, and what code runs under which name.
//
//	key (kid) ──► account ──► owner account ──► ...   quota is carved downwards
//	   └─ windows: used sequences, one per lane
//	contract name ──► instance ──► code (by hash)
//	      ├─ history: the versions of its code, when and by whom
//	      ├─ timelock: how long a change of code is announced, and what is
//	      └─ permit: what may be deployed under the name or become its code, once
//
// A key is named by the address of its public key and signs for one account; an
// account may have several keys, so that rotation keeps the sender. Both names
// are issued once: a key's record stays when the key is retired, and a retired
// key is retired for ever.
//
// The records live in collections whose names start with a zero byte, which no
// contract can reach. They are canonical CBOR arrays that start with the version
// of their format; code is stored as it is.
//
// # Quota
//
// Nobody pays; an account has a quota in gas per hour. Its bucket holds level
// gas of a capacity C = quota - carved, and leaks C per hour:
//
//	level(now) = max(0, level - C * (now-at) / 3600)     in exact 3600ths
//	room(now)  = C - level(now), rounded down
//
// A charge adds to the level. Whoever is only let in with room spends at most
// C + C*w/3600 in any w seconds: one burst of an hour's quota, then the quota.
//
// What an account carves out for another leaves its capacity and becomes the
// other's, together with whatever part of its level no longer fits in; giving
// back does the reverse. The sum of levels stays, and so no carving, spending
// and giving back in turn gets more out of a quota than its owner could. For that
// a transaction is charged its limit before it runs and refunded what it did not
// use: charged afterwards, one that gave its account's quota away would leave an
// account in debt which nobody needs any more, and others with quota unspent.
//
// The package knows no clock: time is the block's, given in unix seconds.
package registry
