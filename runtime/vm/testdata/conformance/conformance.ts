// The contract that is written once in each language, here in AssemblyScript: calls.txt says what is asked of it and what it answers, the
// same in every language. conformance.c says what the arguments of each method are.

// @ts-ignore: decorator
@external("ward", "method") declare function method(out: usize, cap: u32): i32;
// @ts-ignore: decorator
@external("ward", "args") declare function args(out: usize, cap: u32): i32;
// @ts-ignore: decorator
@external("ward", "sender") declare function sender(out: usize): void;
// @ts-ignore: decorator
@external("ward", "origin") declare function origin(out: usize): void;
// @ts-ignore: decorator
@external("ward", "block") declare function block(out: usize): void;
// @ts-ignore: decorator
@external("ward", "randomness") declare function randomness(out: usize): void;
// @ts-ignore: decorator
@external("ward", "caller_kind") declare function caller_kind(): i32;
// @ts-ignore: decorator
@external("ward", "gas_left") declare function gas_left(): u64;
// @ts-ignore: decorator
@external("ward", "contract") declare function contract(out: usize, cap: u32): i32;
// @ts-ignore: decorator
@external("ward", "chain") declare function chain(out: usize, cap: u32): i32;
// @ts-ignore: decorator
@external("ward", "get") declare function get(col: usize, collen: u32, key: usize, keylen: u32, out: usize, cap: u32): i32;
// @ts-ignore: decorator
@external("ward", "set") declare function set(col: usize, collen: u32, key: usize, keylen: u32, val: usize, vallen: u32): void;
// @ts-ignore: decorator
@external("ward", "exists") declare function exists(col: usize, collen: u32, key: usize, keylen: u32): i32;
// @ts-ignore: decorator
@external("ward", "delete") declare function remove(col: usize, collen: u32, key: usize, keylen: u32): i32;
// @ts-ignore: decorator
@external("ward", "scan") declare function scan(col: usize, collen: u32, start: usize, startlen: u32, end: usize, endlen: u32, flags: u32, limit: u32, out: usize, cap: u32): i32;
// @ts-ignore: decorator
@external("ward", "emit") declare function emit(name: usize, namelen: u32, attrs: usize, attrslen: u32): void;
// @ts-ignore: decorator
@external("ward", "log") declare function log(ptr: usize, len: u32): void;
// @ts-ignore: decorator
@external("ward", "ret") declare function ret(ptr: usize, len: u32): void;
// @ts-ignore: decorator
@external("ward", "fail") declare function fail(code: u32, ptr: usize, len: u32): void;
// @ts-ignore: decorator
@external("ward", "sha256") declare function sha256(ptr: usize, len: u32, out: usize): void;
// @ts-ignore: decorator
@external("ward", "sha512") declare function sha512(ptr: usize, len: u32, out: usize): void;
// @ts-ignore: decorator
@external("ward", "blake2b") declare function blake2b(ptr: usize, len: u32, out: usize): void;
// @ts-ignore: decorator
@external("ward", "hmac_sha256") declare function hmac_sha256(key: usize, keylen: u32, msg: usize, msglen: u32, out: usize): void;
// @ts-ignore: decorator
@external("ward", "hkdf_sha256") declare function hkdf_sha256(secret: usize, secretlen: u32, salt: usize, saltlen: u32, info: usize, infolen: u32, out: usize, cap: u32): i32;
// @ts-ignore: decorator
@external("ward", "ed25519_verify") declare function ed25519_verify(key: usize, sig: usize, msg: usize, msglen: u32): i32;
// @ts-ignore: decorator
@external("ward", "ed25519_verify_batch") declare function ed25519_verify_batch(ptr: usize, len: u32): i32;
// @ts-ignore: decorator
@external("ward", "p256_verify") declare function p256_verify(key: usize, sig: usize, msg: usize, msglen: u32): i32;
// @ts-ignore: decorator
@external("ward", "p256_verify_digest") declare function p256_verify_digest(key: usize, sig: usize, digest: usize): i32;
// @ts-ignore: decorator
@external("ward", "key_address") declare function key_address(key: usize, keylen: u32, out: usize): i32;
// @ts-ignore: decorator
@external("ward", "cose_verify") declare function cose_verify(key: usize, keylen: u32, aad: usize, aadlen: u32, msg: usize, msglen: u32, out: usize, cap: u32): i32;
// @ts-ignore: decorator
@external("ward", "call") declare function call(contract: usize, contractlen: u32, method: usize, methodlen: u32, args: usize, argslen: u32): u32;
// @ts-ignore: decorator
@external("ward", "call_with_gas") declare function call_with_gas(contract: usize, contractlen: u32, method: usize, methodlen: u32, args: usize, argslen: u32, gas: u64): u32;
// @ts-ignore: decorator
@external("ward", "reply") declare function reply(out: usize, cap: u32): i32;

const ABSENT: i32 = -1;
const UNKNOWN_METHOD: u32 = 0xffffffff;
const BAD_ARGUMENTS: u32 = 0xfffffffe;

// Where arguments and results are: buffers of their own, so that nothing here depends on an allocator.
const input = memory.data(8192);
const output = memory.data(12288);
const scratch = memory.data(256);
const HEAD: usize = 3; // room for the head of the result

let at: usize = 0; // what is left of the arguments
let end: usize = 0;
let size: usize = HEAD; // of the result
let named: usize = 0; // the last name that was read
let name: string = "";

// text puts ASCII at an address and returns its length.
function text(s: string, to: usize): u32 {
  for (let i = 0; i < s.length; i++) store<u8>(to + i, <u8>s.charCodeAt(i));
  return s.length;
}

const WORDS = memory.data(64); // collections, names of events, salts
function failed(code: u32, reason: string): void {
  fail(code, scratch, text(reason, scratch));
  unreachable();
}

function bad(): void {
  failed(BAD_ARGUMENTS, "the arguments are not what the method takes");
}

function left(): u32 {
  return <u32>(end - at);
}

function take(n: u32): usize {
  if (n > left()) bad();
  at += n;
  return at - n;
}

function number(bytes: u32): u64 {
  const b = take(bytes);
  let n: u64 = 0;
  for (let i: u32 = bytes; i > 0; i--) n = (n << 8) | load<u8>(b + i - 1);
  return n;
}

// nameOf reads a length of one byte and as many bytes.
function nameOf(): u32 {
  const n = <u32>number(1);
  named = take(n);
  return n;
}

function put(from: usize, n: u32): void {
  memory.copy(output + size, from, n);
  size += n;
}

function putNumber(v: u64, bytes: u32): void {
  for (; bytes > 0; bytes--, v >>= 8) store<u8>(output + size++, <u8>v);
}

function open(): void {
  const n = args(input, 8192);
  if (n < 1 || n > 8192) bad();
  at = input;
  end = input + n;
  const head = <u32>number(1);
  let length: u32 = head - 0x40;
  if (head == 0x58) length = <u32>number(1);
  else if (head == 0x59) {
    length = <u32>number(1) << 8;
    length |= <u32>number(1);
  } else if (head < 0x40 || head > 0x57) bad();
  if (length != left()) bad();
}

function answer(): void {
  const n = <u32>(size - HEAD);
  const head: u32 = n < 24 ? 1 : n < 256 ? 2 : 3;
  const b = output + HEAD - head;
  if (head == 1) store<u8>(b, <u8>(0x40 + n));
  else if (head == 2) {
    store<u8>(b, 0x58);
    store<u8>(b + 1, <u8>n);
  } else {
    store<u8>(b, 0x59);
    store<u8>(b + 1, <u8>(n >> 8));
    store<u8>(b + 2, <u8>n);
  }
  ret(b, head + n);
}

// ended says how a call of another contract has ended: the code, and the reply.
function ended(code: u32): void {
  putNumber(code, 4);
  size += reply(output + size, <u32>(12288 - size));
}

// noted is ended, of which a row stays.
function noted(code: u32): void {
  ended(code);
  store<u8>(scratch, <u8>code);
  set(WORDS, text("calls", WORDS), named, 1, scratch, 1);
}

function other(limited: bool): u32 {
  const gas = limited ? number(8) : 0;
  const contract = nameOf();
  const whom = named;
  const what = nameOf();
  const how = named;
  const n = left();
  const withWhat = take(n);
  named = whom;
  if (limited) return call_with_gas(whom, contract, how, what, withWhat, n, gas);
  return call(whom, contract, how, what, withWhat, n);
}

export function ward_call(): void {
  name = String.UTF8.decodeUnsafe(scratch, method(scratch, 64));
  open();
  const rows = WORDS;
  const rowslen = text("rows", WORDS);
  if (name == "set") {
    const n = nameOf();
    const value = left();
    set(rows, rowslen, named, n, take(value), value);
  } else if (name == "get") {
    const n = left();
    const got = get(rows, rowslen, take(n), n, output + size, <u32>(12288 - size));
    if (got == ABSENT) failed(1, "no such row");
    size += got;
  } else if (name == "count") {
    const n = left();
    const key = take(n);
    store<u64>(scratch, 0);
    const got = get(rows, rowslen, key, n, scratch, 8);
    if (got != ABSENT && got != 8) failed(2, "not a counter");
    store<u64>(scratch, load<u64>(scratch) + 1);
    set(rows, rowslen, key, n, scratch, 8);
    put(scratch, 8);
  } else if (name == "exists") {
    const n = left();
    putNumber(exists(rows, rowslen, take(n), n), 1);
  } else if (name == "delete") {
    const n = left();
    putNumber(remove(rows, rowslen, take(n), n), 1);
  } else if (name == "scan") {
    const flags = <u32>number(1);
    const limit = <u32>number(1);
    const room = <u32>number(2);
    const n = nameOf();
    const stop = left();
    if (room > 4096) bad();
    const got = scan(rows, rowslen, named, n, take(stop), stop, flags, limit, output + size + 4, room);
    putNumber(got, 4);
    if (<u32>got <= room) size += got;
  } else if (name == "emit") {
    const n = nameOf();
    const attributes = left();
    emit(named, n, take(attributes), attributes);
  } else if (name == "log") {
    const n = left();
    log(take(n), n);
  } else if (name == "fail") {
    const code = <u32>number(4);
    const n = left();
    const failedlen = text("failed", scratch);
    const undonelen = text("undone", scratch + 16);
    set(rows, rowslen, scratch, failedlen, scratch + 16, undonelen);
    store<u8>(scratch + 32, 0xa0);
    emit(scratch, failedlen, scratch + 32, 1);
    fail(code, take(n), n);
  } else if (name == "spin") {
    while (true) {}
  } else if (name == "who") {
    sender(output + size);
    origin(output + size + 20);
    block(output + size + 40);
    randomness(output + size + 56);
    size += 88;
    putNumber(caller_kind(), 1);
    putNumber(gas_left() > 0 ? 1 : 0, 1);
    let n = contract(scratch, 64);
    putNumber(n, 1);
    put(scratch, n);
    n = chain(scratch, 64);
    putNumber(n, 1);
    put(scratch, n);
    size += text(name, output + size);
  } else if (name == "hash") {
    const n = left();
    const message = take(n);
    sha256(message, n, output + size);
    sha512(message, n, output + size + 32);
    blake2b(message, n, output + size + 96);
    hmac_sha256(scratch, text("key", scratch), message, n, output + size + 128);
    const salt = text("salt", scratch);
    const info = text("info", scratch + 16);
    size += 160;
    size += hkdf_sha256(message, n, scratch, salt, scratch + 16, info, output + size, 42);
  } else if (name == "ed25519") {
    const key = take(32);
    const sig = take(64);
    const n = left();
    putNumber(ed25519_verify(key, sig, take(n), n), 1);
  } else if (name == "batch") {
    const n = left();
    putNumber(ed25519_verify_batch(take(n), n), 1);
  } else if (name == "p256") {
    const key = take(33);
    const sig = take(64);
    const n = left();
    const message = take(n);
    sha256(message, n, scratch);
    putNumber(p256_verify(key, sig, message, n), 1);
    putNumber(p256_verify_digest(key, sig, scratch), 1);
  } else if (name == "address") {
    const n = left();
    const isKey = key_address(take(n), n, output + size + 1);
    putNumber(isKey, 1);
    if (isKey == 0) size += 20;
  } else if (name == "cose") {
    const key = nameOf();
    const whose = named;
    const aad = nameOf();
    const n = left();
    const payload = cose_verify(whose, key, named, aad, take(n), n, output + size + 4, 4096);
    putNumber(payload, 4);
    if (payload > 0) size += payload;
  } else if (name == "call") {
    noted(other(false));
  } else if (name == "limited") {
    noted(other(true));
  } else if (name == "ask") {
    ended(other(false));
  } else if (name == "relay") {
    if (left() == 0) {
      const arrived = text("arrived", scratch);
      store<u8>(scratch + 16, 0xa0);
      emit(scratch, arrived, scratch + 16, 1);
    } else {
      named = take(1);
      const n = left();
      if (n >= 16) bad();
      store<u8>(scratch + 16, <u8>(0x40 + n));
      memory.copy(scratch + 17, at, n);
      const relay = text("relay", scratch);
      noted(call(named, 1, scratch, relay, scratch + 16, n + 1));
    }
  } else {
    failed(UNKNOWN_METHOD, name);
  }
  if (size > HEAD) answer();
}
