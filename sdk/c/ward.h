/* ward.h: what a contract in C may ask of the Ward runtime. Version 2 of the import module "ward".
 *
 * Printed from the tables of runtime/abi by "go test ./sdk/c -run TestHeader -update": change those.
 *
 * C99 and later, C++ too; clang with --target=wasm32, no libc. README.md beside it has the command and a first contract.
 *
 * Where a function has out and cap, the answer is written to out if it fits in cap bytes. Its full length is returned either way:
 * if that is more than cap, nothing was written, and the contract asks again with more room. Numbers in memory are little-endian,
 * documents are canonical CBOR. Misuse (a pointer outside memory, more than a bound, a write in a view, a missing capability) ends
 * the call; the contract never sees it. Every call of a function costs Host and what its comment says: the names are those of
 * runtime/gas, and a parameter stands for its bytes.
 */
#ifndef WARD_H
#define WARD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define WARD_AT_LEAST
#else
#define WARD_AT_LEAST static /* in [static n]: the compiler warns of an array that is too small */
#endif

#ifdef __wasm__
#define WARD_IMPORT(name) __attribute__((__import_module__("ward"), __import_name__(#name)))
#define WARD_EXPORT(name) __attribute__((__export_name__(#name)))
#else /* A test of the contract on another machine: it defines the functions that it needs. */
#define WARD_IMPORT(name)
#define WARD_EXPORT(name)
#endif

/* Pointer and length of a string literal: ward_log(WARD_STR("hello")). */
#define WARD_STR(literal) ("" literal), ((uint32_t)(sizeof(literal) - 1))

/* What a contract exports, besides its memory (which wasm-ld does), all of the type void(void):
 *
 * WARD_EXPORT(_initialize) may be missing. Called once per instance, before anything else.
 * WARD_EXPORT(ward_call) must be there. Runs one method: asks for its name and arguments, and gives its result back.
 * WARD_EXPORT(ward_spec) may be missing. Gives the spec; called when the contract is built.
 *
 * The function's name in C is free, but for that of an import: ward_call is one.
 */

/* ---- What functions answer, and flags ---- */

/* WARD_ABSENT is answered instead of a length: no such row, not a valid signature, not a key that only its owner can
 * sign for. */
#define WARD_ABSENT (-1)
/* WARD_SCAN_REVERSE is the bit of scan's flags that asks for descending keys. */
#define WARD_SCAN_REVERSE 1
/* WARD_BLOCK_SIZE is the size in bytes of what block writes: the height, then the time, 8 bytes each. */
#define WARD_BLOCK_SIZE 16
/* WARD_ADDRESS_SIZE and WARD_HASH_SIZE are the sizes in bytes of what sender, origin, key_address and of what sha256
 * write. */
#define WARD_ADDRESS_SIZE 20
#define WARD_HASH_SIZE 32
/* Answers of caller_kind. */
#define WARD_CALLER_NOBODY 0
#define WARD_CALLER_ACCOUNT 1
#define WARD_CALLER_CONTRACT 2
/* WARD_MAX_DERIVED is the most bytes that hkdf_sha256 derives: 255 hashes (RFC 5869). */
#define WARD_MAX_DERIVED 8160
/* WARD_MAX_BATCH is the most signatures of one ed25519_verify_batch. */
#define WARD_MAX_BATCH 64
/* WARD_SCAN_ROW_HEAD is the size in bytes of the two lengths before each row that scan writes. */
#define WARD_SCAN_ROW_HEAD 8
/* WARD_STATUS_OK: done. */
#define WARD_STATUS_OK 0
/* WARD_STATUS_UNKNOWN: there is no such key, or no such owner account. */
#define WARD_STATUS_UNKNOWN (-1)
/* WARD_STATUS_EXISTS: the key is, or once was, in use. */
#define WARD_STATUS_EXISTS (-2)
/* WARD_STATUS_RETIRED: the key is retired, which is final. */
#define WARD_STATUS_RETIRED (-3)
/* WARD_STATUS_NO_QUOTA: the owner has less quota left than was to be carved. */
#define WARD_STATUS_NO_QUOTA (-4)
/* WARD_STATUS_NOT_A_SET: what was handed over can't be the chain's authorities; see AuthoritySet.Check. */
#define WARD_STATUS_NOT_A_SET (-5)
/* WARD_STATUS_NOT_PARAMETERS: what was handed over can't be the chain's parameters; see Parameters.Check. */
#define WARD_STATUS_NOT_PARAMETERS (-6)
/* WARD_STATUS_NOT_A_PERMIT: what was handed over can't be permitted; see Permit.Check. */
#define WARD_STATUS_NOT_A_PERMIT (-7)
/* WARD_STATUS_NAME_TAKEN: there is a contract of this name, so none can be deployed, and the permit is not one for
 * its code. */
#define WARD_STATUS_NAME_TAKEN (-8)
/* WARD_STATUS_TOO_MANY: as many permits wait as may. */
#define WARD_STATUS_TOO_MANY (-9)
/* WARD_STATUS_NO_PERMIT: no permit waits for this name. */
#define WARD_STATUS_NO_PERMIT (-10)
/* WARD_STATUS_NOT_YOURS: the permit would hand out a capability that the contract does not have itself. */
#define WARD_STATUS_NOT_YOURS (-11)

/* ---- Bounds, in bytes unless said otherwise: more ends the call ---- */

/* WARD_VERSION is the version of the "ward" import module that this release speaks. A contract whose spec names a
 * higher version is refused. */
#define WARD_VERSION 2
/* WARD_MAX_KEY is the longest storage key: several addresses, or a readable path of them, and a number. */
#define WARD_MAX_KEY 256
/* WARD_MAX_VALUE is the largest stored value. Larger things are several rows: a row is read, hashed and written
 * whole. */
#define WARD_MAX_VALUE 65536
/* WARD_MAX_ARGS is the largest argument document of a call: what fits in an ordinary transaction. */
#define WARD_MAX_ARGS 65536
/* WARD_MAX_RETURN is the largest result of a call; longer lists are paged. */
#define WARD_MAX_RETURN 65536
/* WARD_MAX_ATTRIBUTES is the largest attribute map of one event. Events are facts for dashboards, not a store for
 * documents. */
#define WARD_MAX_ATTRIBUTES 8192
/* WARD_MAX_REASON is the longest reason of a failure: a few lines of a terminal. A longer one is cut. */
#define WARD_MAX_REASON 1024
/* WARD_MAX_LOG is the longest single log line of a contract; a longer one is cut. */
#define WARD_MAX_LOG 4096
/* WARD_MAX_SCAN_ROWS is the most rows that one scan returns, whatever limit the contract asked for; the next page
 * starts after the last key. */
#define WARD_MAX_SCAN_ROWS 1024
/* WARD_MAX_MESSAGE is the largest document that cose_verify, sha256 and account_open take. */
#define WARD_MAX_MESSAGE 65536
/* WARD_MAX_DEPTH is how many contracts may be running at once, each called by the one before: each has a memory of
 * its own. */
#define WARD_MAX_DEPTH 8
/* WARD_MAX_AUTHORITIES is the most authorities of a chain. Every block carries a signature of each, and a vote costs
 * a message to each. */
#define WARD_MAX_AUTHORITIES 100

/* ---- Longest names, in bytes ---- */

#define WARD_MAX_CONTRACT_NAME 64
#define WARD_MAX_METHOD_NAME 64
#define WARD_MAX_EVENT_NAME 64
#define WARD_MAX_ERROR_NAME 64
#define WARD_MAX_FIELD_NAME 64
#define WARD_MAX_TYPE_NAME 64
#define WARD_MAX_CAPABILITY 64
/* WARD_MAX_COLLECTION leaves room for the longest contract name and a separator in the 128 bytes that runtime/state
 * allows a collection. */
#define WARD_MAX_COLLECTION 63
/* WARD_MAX_CHAIN is the longest chain id, as the consensus engine has it for genesis documents (50), rounded up to
 * what a transaction's field allows. */
#define WARD_MAX_CHAIN 64

/* ---- Bounds of what account_open takes ---- */

/* WARD_MAX_SCOPE_CONTRACTS is the most contracts that one key may be opened for. */
#define WARD_MAX_SCOPE_CONTRACTS 32
/* WARD_MAX_SCOPE_METHODS is the most methods of one contract that a scope names; a key that needs more gets the whole
 * contract. */
#define WARD_MAX_SCOPE_METHODS 64
/* WARD_MAX_PUBLIC_KEY is the longest public key in bytes: P-256 compressed. */
#define WARD_MAX_PUBLIC_KEY 33

/* ---- Bounds of what authorities_set takes ---- */

/* WARD_AUTHORITY_KEY_SIZE is the size in bytes of an authority's key, which is Ed25519. */
#define WARD_AUTHORITY_KEY_SIZE 32

/* ---- Bounds of what parameters_set takes ---- */

/* WARD_MAX_DEPLOYERS is the most accounts that the chain's parameters name as deployers. The list is read with every
 * deployment; what others want to deploy can be permitted one by one, see Permit. */
#define WARD_MAX_DEPLOYERS 64

/* ---- Bounds of what code_permit takes ---- */

/* WARD_MAX_PERMITS is the most permits that wait for their deployment. Each keeps a name from everybody else: what is
 * not deployed in the end has to be taken back. */
#define WARD_MAX_PERMITS 64
/* WARD_MAX_CAPABILITIES is the most capabilities of one contract. They are read with every call. */
#define WARD_MAX_CAPABILITIES 16

/* ---- Reserved codes of fail ---- */

/* WARD_FAIL_UNKNOWN_METHOD: the contract has no such method. */
#define WARD_FAIL_UNKNOWN_METHOD 0xffffffffu
/* WARD_FAIL_BAD_ARGUMENTS: the arguments do not fit the method. */
#define WARD_FAIL_BAD_ARGUMENTS 0xfffffffeu
/* WARD_FIRST_RESERVED_FAIL is the lowest code that an ErrorSpec may not have. */
#define WARD_FIRST_RESERVED_FAIL 0xffff0000u

/* ---- Codes: how a call of another contract ended ---- */

#define WARD_CODE_OK 0 /* the transaction succeeded */
#define WARD_CODE_UNKNOWN_CONTRACT 32 /* there is no contract of this name */
#define WARD_CODE_UNKNOWN_METHOD 33 /* the contract has no such method */
#define WARD_CODE_BAD_ARGUMENTS 34 /* the arguments do not fit the method */
#define WARD_CODE_FAILED 35 /* the contract refused, with a code of its own */
#define WARD_CODE_TRAPPED 36 /* the contract crashed or misused the host */
#define WARD_CODE_OUT_OF_GAS 37 /* the gas limit was used up */
#define WARD_CODE_TOO_DEEP 38 /* calls were nested too deeply */
#define WARD_CODE_NOT_PERMITTED 39 /* the caller lacks the permission or the contract the capability */
#define WARD_CODE_BAD_RESULT 40 /* the contract returned something that is not allowed */
#define WARD_CODE_BAD_CODE 41 /* the contract's code was refused */
#define WARD_CODE_EXISTS 42 /* something of this name exists already */
#define WARD_CODE_BREAKING 43 /* the new code takes something away that callers may rely on */

/* ---- Functions ---- */

/* Writes the name of the method that was called; returns its length. Gas: HostByte x out. Since version 1. */
WARD_IMPORT(method) int32_t ward_method(void *out, uint32_t cap);

/* Writes the arguments of the call, one canonical CBOR item; returns their length. Gas: HostByte x out. Since version
 * 1. */
WARD_IMPORT(args) int32_t ward_args(void *out, uint32_t cap);

/* Writes the 20-byte address of who called: the account of the signing key, or the calling contract. In a view
 * without a sender it is all zero. Gas: HostByte x out. Since version 1. */
WARD_IMPORT(sender) void ward_sender(uint8_t out[WARD_AT_LEAST 20]);

/* Writes the 20-byte address of the account whose key signed the transaction, at any call depth. Gas: HostByte x out.
 * Since version 1. */
WARD_IMPORT(origin) void ward_origin(uint8_t out[WARD_AT_LEAST 20]);

/* Writes the name under which this contract was created; returns its length. Gas: HostByte x out. Since version 1. */
WARD_IMPORT(contract) int32_t ward_contract(void *out, uint32_t cap);

/* Writes the chain id; returns its length. Gas: HostByte x out. Since version 1. */
WARD_IMPORT(chain) int32_t ward_chain(void *out, uint32_t cap);

/* Writes the block's height (u64) and time (i64, unix seconds, UTC). Gas: HostByte x out. Since version 1. */
WARD_IMPORT(block) void ward_block(uint8_t out[WARD_AT_LEAST 16]);

/* Writes the value of a row of this contract's collection; returns its length, or -1 if there is none. Gas: Read +
 * ReadByte x (key + out). Since version 1. */
WARD_IMPORT(get) int32_t ward_get(const void *col, uint32_t collen, const void *key, uint32_t keylen, void *out,
    uint32_t cap);

/* Stores a row, replacing the value that it had. Gas: Write + WriteByte x (key + val). Not in a view. Since version
 * 1. */
WARD_IMPORT(set) void ward_set(const void *col, uint32_t collen, const void *key, uint32_t keylen, const void *val,
    uint32_t vallen);

/* Removes a row; returns 1 if there was one, else 0. Gas: Read + Write + ReadByte x key + WriteByte x key. Not in a
 * view. Since version 1. */
WARD_IMPORT(delete) int32_t ward_delete(const void *col, uint32_t collen, const void *key, uint32_t keylen);

/* Writes rows with start <= key < end in key order, or in descending order if flags bit 0 is set; an empty end is
 * unbounded. Each row is the key's length (u32), the value's length (u32), key, value. As many whole rows as fit in
 * cap and at most limit are written; returns the bytes written, 0 when there are no rows. If not even the first row
 * fits, nothing is written and the size that it needs is returned. The next page starts at the last key with a zero
 * byte appended, or, in descending order, ends at the last key. Gas: Scan + ReadByte x (start + end + out) + ScanRow
 * for each row that is looked at. Since version 1. */
WARD_IMPORT(scan) int32_t ward_scan(const void *col, uint32_t collen, const void *start, uint32_t startlen,
    const void *end, uint32_t endlen, uint32_t flags, uint32_t limit, void *out, uint32_t cap);

/* Emits an event; attrs is a canonical CBOR map with text keys. It happens only if the transaction succeeds. Gas:
 * Emit + EmitByte x (name + attrs). Not in a view. Since version 1. */
WARD_IMPORT(emit) void ward_emit(const void *name, uint32_t namelen, const void *attrs, uint32_t attrslen);

/* Sets the result of the call, one canonical CBOR item; a later call replaces it. Gas: ReturnByte x len. Since
 * version 1. */
WARD_IMPORT(ret) void ward_ret(const void *ptr, uint32_t len);

/* Ends the call as failed with the contract's own code, which is not 0 (some are reserved, see
 * WARD_FAIL_UNKNOWN_METHOD), and a reason in UTF-8. Does not return; writes and events of the call are undone. Gas:
 * HostByte x len. Since version 1. */
WARD_IMPORT(fail) __attribute__((__noreturn__)) void ward_fail(uint32_t code, const void *ptr, uint32_t len);

/* Adds a line to the debug log of this node. It is no part of the result. Gas: LogByte x len. Since version 1. */
WARD_IMPORT(log) void ward_log(const void *ptr, uint32_t len);

/* Checks a COSE_Sign1 message of a device against a public key (32 bytes Ed25519, 33 bytes P-256) and the external
 * AAD; writes its payload and returns the payload's length, or returns -1 if it is not a valid signature of that key
 * in canonical form, or the key is one that key_address refuses. Gas: Verify + HashByte x msg. Since version 1. */
WARD_IMPORT(cose_verify) int32_t ward_cose_verify(const void *key, uint32_t keylen, const void *aad, uint32_t aadlen,
    const void *msg, uint32_t msglen, void *out, uint32_t cap);

/* Writes the 20-byte address of a public key; returns 0, or -1 if it is not a public key, or an Ed25519 key of small
 * order, for which anybody can sign. Gas: Key. Since version 1. */
WARD_IMPORT(key_address) int32_t ward_key_address(const void *key, uint32_t keylen, uint8_t out[WARD_AT_LEAST 20]);

/* Writes the SHA-256 of some bytes. Gas: Hash + HashByte x len. Since version 1. */
WARD_IMPORT(sha256) void ward_sha256(const void *ptr, uint32_t len, uint8_t out[WARD_AT_LEAST 32]);

/* Returns how much gas the call may still use. Gas: nothing more. Since version 1. */
WARD_IMPORT(gas_left) uint64_t ward_gas_left(void);

/* Opens a key as the encoded OpenAccount says, so that it may sign transactions; returns a status. Gas: Account +
 * WriteByte x len. Needs the capability accounts. Not in a view. Since version 1. */
WARD_IMPORT(account_open) int32_t ward_account_open(const void *ptr, uint32_t len);

/* Shuts a key: from now on nothing that it signs is accepted; returns a status. Gas: Account. Needs the capability
 * accounts. Not in a view. Since version 1. */
WARD_IMPORT(account_shut) int32_t ward_account_shut(const uint8_t kid[WARD_AT_LEAST 20]);

/* Opens a shut key again; returns a status. Gas: Account. Needs the capability accounts. Not in a view. Since version
 * 1. */
WARD_IMPORT(account_reopen) int32_t ward_account_reopen(const uint8_t kid[WARD_AT_LEAST 20]);

/* Shuts a key for ever and gives its quota back to the owner; returns a status. Gas: Account. Needs the capability
 * accounts. Not in a view. Since version 1. */
WARD_IMPORT(account_retire) int32_t ward_account_retire(const uint8_t kid[WARD_AT_LEAST 20]);

/* Calls a method of another contract and returns when that has ended: 0, or the receipt code of its failure, which
 * undoes what it wrote and emitted. It runs on the gas of this transaction, with this contract as its sender; in a
 * view, or if its spec says that the method is one, it runs as a view. A contract that is running already and a call
 * too deep are refused with their code. Out of gas ends the transaction. Gas: Call + ReturnByte x args, and what the
 * call uses. Since version 1. */
WARD_IMPORT(call) uint32_t ward_call(const void *contract, uint32_t contractlen, const void *method,
    uint32_t methodlen, const void *args, uint32_t argslen);

/* Writes what came of the last call: its result, nothing if it has none; after a failure a CBOR array of the
 * contract's own code (0 if the runtime refused) and the reason. Returns its length. Gas: HostByte x out. Since
 * version 1. */
WARD_IMPORT(reply) int32_t ward_reply(void *out, uint32_t cap);

/* Says who the chain's authorities shall be: a CBOR array of their Ed25519 keys in ascending order. The engine runs
 * the set of the end of block H from H+2 on. Returns a status. Gas: ReturnByte x len + Authority for each key. Needs
 * the capability authorities. Not in a view. Since version 1. */
WARD_IMPORT(authorities_set) int32_t ward_authorities_set(const void *ptr, uint32_t len);

/* Returns 1 if there is a row of this contract's collection, else 0. Gas: Read + ReadByte x key. Since version 2. */
WARD_IMPORT(exists) int32_t ward_exists(const void *col, uint32_t collen, const void *key, uint32_t keylen);

/* Returns what sender is: 0 nobody (a view that nobody asked for, init of what is nobody's), 1 the account of a key,
 * 2 a contract (in init and upgrade: an admin that is one). Gas: nothing more. Since version 2. */
WARD_IMPORT(caller_kind) int32_t ward_caller_kind(void);

/* Writes 32 bytes that differ from transaction to transaction and are the same on every node. They are public and
 * whoever sends the transaction can choose them: never a secret, a nonce or a lottery. Gas: Hash. Since version 2. */
WARD_IMPORT(randomness) void ward_randomness(uint8_t out[WARD_AT_LEAST 32]);

/* Writes the SHA-512 of some bytes (FIPS 180-4). Gas: Hash + HashByte x len. Since version 2. */
WARD_IMPORT(sha512) void ward_sha512(const void *ptr, uint32_t len, uint8_t out[WARD_AT_LEAST 64]);

/* Writes the BLAKE2b-256 of some bytes (RFC 7693). Gas: Hash + HashByte x len. Since version 2. */
WARD_IMPORT(blake2b) void ward_blake2b(const void *ptr, uint32_t len, uint8_t out[WARD_AT_LEAST 32]);

/* Writes the HMAC-SHA-256 of a message (RFC 2104). Gas: Mac + HashByte x (key + msg). Since version 2. */
WARD_IMPORT(hmac_sha256) void ward_hmac_sha256(const void *key, uint32_t keylen, const void *msg, uint32_t msglen,
    uint8_t out[WARD_AT_LEAST 32]);

/* Fills out with keying material derived by HKDF-SHA-256 (RFC 5869), at most 8160 bytes; returns cap. What a contract
 * derives is as public as what it derives it from. Gas: Mac + HashByte x (secret + salt) + (Mac + HashByte x info) x
 * blocks of 32 bytes in out. Since version 2. */
WARD_IMPORT(hkdf_sha256) int32_t ward_hkdf_sha256(const void *secret, uint32_t secretlen, const void *salt,
    uint32_t saltlen, const void *info, uint32_t infolen, void *out, uint32_t cap);

/* Returns 1 if sig is a signature of the Ed25519 key over the message by the rules of ZIP-215, else 0. Those accept
 * keys of small order, for which anybody can sign: key_address refuses them. Gas: VerifyEd25519 + HashByte x msg.
 * Since version 2. */
WARD_IMPORT(ed25519_verify) int32_t ward_ed25519_verify(const uint8_t key[WARD_AT_LEAST 32],
    const uint8_t sig[WARD_AT_LEAST 64], const void *msg, uint32_t msglen);

/* Returns 1 if all of several signatures are valid as ed25519_verify says, else 0. Each is the key (32 bytes), the
 * signature (64), the message's length (u32) and the message; at most 64, and none is valid. Gas: Hash +
 * (VerifyEd25519 + HashByte x message) for each signature. Since version 2. */
WARD_IMPORT(ed25519_verify_batch) int32_t ward_ed25519_verify_batch(const void *ptr, uint32_t len);

/* Returns 1 if sig, r and s of 32 bytes each, is an ECDSA signature of the compressed P-256 key over the SHA-256 of
 * the message (FIPS 186-5), s high or low, else 0. Gas: Verify + HashByte x msg. Since version 2. */
WARD_IMPORT(p256_verify) int32_t ward_p256_verify(const uint8_t key[WARD_AT_LEAST 33],
    const uint8_t sig[WARD_AT_LEAST 64], const void *msg, uint32_t msglen);

/* Is p256_verify of a message whose SHA-256 the contract has. Gas: Verify. Since version 2. */
WARD_IMPORT(p256_verify_digest) int32_t ward_p256_verify_digest(const uint8_t key[WARD_AT_LEAST 33],
    const uint8_t sig[WARD_AT_LEAST 64], const uint8_t digest[WARD_AT_LEAST 32]);

/* Checks a chain of X.509 certificates in DER, leaf first, against anchors, both one behind the other, at a time in
 * unix seconds, by the profile of runtime/cert: P-256 and SHA-256, at most 4 certificates and 16 anchors of 2,048
 * bytes. Writes what the leaf says, a CBOR map, and returns its length, or returns the negative number of the reason
 * why not (1 to 26, see runtime/cert). Nothing is known of revocation: the map names each certificate by issuer and
 * serial. Signatures are as many as are checked. Gas: Certificate x (1 + signatures) + CertificateByte x (chain +
 * anchors) + Verify x signatures. Since version 2. */
WARD_IMPORT(x509_verify) int32_t ward_x509_verify(const void *chain, uint32_t chainlen, const void *anchors,
    uint32_t anchorslen, uint64_t time, void *out, uint32_t cap);

/* Is call with a limit of its own: if the call uses up gas, it fails as out of gas and this contract goes on. More
 * than there is left is no limit. Gas: Call + ReturnByte x args, and what the call uses. Since version 2. */
WARD_IMPORT(call_with_gas) uint32_t ward_call_with_gas(const void *contract, uint32_t contractlen, const void *method,
    uint32_t methodlen, const void *args, uint32_t argslen, uint64_t gas);

/* Writes the chain's parameters, a canonical CBOR map: deploy is who may deploy any code (operator, list or open),
 * and with list deployers are their addresses. Returns its length. Gas: Read + ReadByte x out. Since version 2. */
WARD_IMPORT(parameters_get) int32_t ward_parameters_get(void *out, uint32_t cap);

/* Changes the chain's parameters to what parameters_get would write, all of them; at most 64 deployers, in ascending
 * order. They are in force at once: in this transaction and for those behind it in the block. Returns a status. Gas:
 * Write + WriteByte x len. Needs the capability parameters. Not in a view. Since version 2. */
WARD_IMPORT(parameters_set) int32_t ward_parameters_set(const void *ptr, uint32_t len);

/* Permits one deployment, whoever sends it: a canonical CBOR map of hash (SHA-256 of the code), init (SHA-256 of the
 * arguments of its init, left out if there are none), name, admin (20 bytes, the sender of its init; zeros: nobody)
 * and capabilities (in ascending order), of which this contract must have each. Until then the name is kept for it.
 * For the name of a contract that is there, with its admin and capabilities and without init, it permits that code to
 * become the contract's, once; the contract must have capabilities, or this one for its admin. Another permit for the
 * name is replaced; at most 64 wait. Returns a status. Gas: Permit + WriteByte x len. Needs the capability code. Not
 * in a view. Since version 2. */
WARD_IMPORT(code_permit) int32_t ward_code_permit(const void *ptr, uint32_t len);

/* Takes back what code_permit permitted for a name, if it has not happened yet; returns a status. Gas: Permit. Needs
 * the capability code. Not in a view. Since version 2. */
WARD_IMPORT(code_withdraw) int32_t ward_code_withdraw(const void *name, uint32_t namelen);

#ifdef __cplusplus
}
#endif

#endif
