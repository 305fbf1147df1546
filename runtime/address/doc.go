// Package address names keys, accounts and contracts.
//
//	public key bytes --- SHA-256("ward-key-v1" || key)[:20] -------\
//	                                                                 Address, 20 bytes  <->  ward1...
//	contract name ------ SHA-256("ward-contract-v1" || name)[:20] -/
//
// In the protocol an address is its 20 bytes. People see bech32m (BIP 350) with the
// prefix "ward", which finds up to four wrong characters for certain. The two kinds
// are hashed under different prefixes, so that nobody can choose a key whose address
// is a contract's. The package knows no key format: a key is its bytes.
package address
