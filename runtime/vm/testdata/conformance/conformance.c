/* The contract that is written once in each language, here in C: calls.txt says what is asked of it and what it answers, the
 * same in every language. Arguments and results are byte strings of CBOR; what is in them stands at each method. */
#include "ward.h"

static uint8_t method[WARD_MAX_METHOD_NAME], args[8192], out[12288];
static uint32_t size;                  /* of out */
static const uint8_t *in, *end, *name; /* what is left of the arguments; the last name that was read */

static void bad(void) { ward_fail(WARD_FAIL_BAD_ARGUMENTS, WARD_STR("the arguments are not what the method takes")); }

static uint32_t left(void) { return (uint32_t)(end - in); }

/* take returns the next n bytes of the arguments. */
static const uint8_t *take(uint32_t n) {
  if (n > left()) bad();
  in += n;
  return in - n;
}

static uint64_t number(uint32_t bytes) {
  const uint8_t *b = take(bytes);
  uint64_t n = 0;
  while (bytes-- > 0) n = n << 8 | b[bytes];
  return n;
}

/* named reads a length of one byte and as many bytes. */
static uint32_t named(void) {
  uint32_t n = (uint32_t)number(1);
  name = take(n);
  return n;
}

static void put(const void *from, uint32_t n) {
  const uint8_t *b = from;
  for (uint32_t i = 0; i < n; i++) out[size++] = b[i];
}

static void put_number(uint64_t v, uint32_t bytes) {
  for (; bytes > 0; bytes--, v >>= 8) out[size++] = (uint8_t)v;
}

/* answer returns out as a byte string: the head is written before it, where begin has left room. */
enum { HEAD = 3 };

static void begin(void) { size = HEAD; }

static void answer(void) {
  uint32_t n = size - HEAD, head = n < 24 ? 1 : n < 256 ? 2 : 3;
  uint8_t *b = out + HEAD - head;
  if (head == 1) b[0] = (uint8_t)(0x40 + n);
  if (head == 2) b[0] = 0x58, b[1] = (uint8_t)n;
  if (head == 3) b[0] = 0x59, b[1] = (uint8_t)(n >> 8), b[2] = (uint8_t)n;
  ward_ret(b, head + n);
}

static int32_t method_size;

static int is(const char *what, int32_t n) {
  if (n != method_size) return 0;
  for (int32_t i = 0; i < n; i++)
    if (method[i] != (uint8_t)what[i]) return 0;
  return 1;
}
#define IS(literal) is(literal, sizeof(literal) - 1)
#define ROWS WARD_STR("rows")

/* open reads the head of the arguments. */
static void open(void) {
  int32_t n = ward_args(args, sizeof args);
  if (n < 1 || n > (int32_t)sizeof args) bad();
  in = args;
  end = args + n;
  uint32_t head = (uint32_t)number(1), length = head - 0x40;
  if (head == 0x58) length = (uint32_t)number(1);
  else if (head == 0x59) length = (uint32_t)number(1) << 8, length |= (uint32_t)number(1);
  else if (head < 0x40 || head > 0x57) bad();
  if (length != left()) bad();
}

/* ended says how a call of another contract has ended: the code, and the reply. */
static void ended(uint32_t code) {
  put_number(code, 4);
  size += (uint32_t)ward_reply(out + size, sizeof out - size);
}

/* noted is ended, of which a row stays. */
static void noted(uint32_t code) {
  uint8_t row = (uint8_t)code;
  ended(code);
  ward_set(WARD_STR("calls"), name, 1, &row, 1);
}

/* call calls a contract, with a limit or without. */
static uint32_t call(int limited) {
  uint64_t gas = limited ? number(8) : 0;
  uint32_t contract = named();
  const uint8_t *whom = name;
  uint32_t what = named();
  const uint8_t *how = name;
  uint32_t n = left();
  const uint8_t *with = take(n);
  name = whom;
  if (limited) return ward_call_with_gas(whom, contract, how, what, with, n, gas);
  return ward_call(whom, contract, how, what, with, n);
}

WARD_EXPORT(ward_call) void run(void) {
  method_size = ward_method(method, sizeof method);
  open();
  begin();
  if (IS("set")) { /* length of the key, key, value */
    uint32_t n = named(), value = left();
    ward_set(ROWS, name, n, take(value), value);
  } else if (IS("get")) { /* key */
    uint32_t n = left();
    int32_t got = ward_get(ROWS, take(n), n, out + size, sizeof out - size);
    if (got == WARD_ABSENT) ward_fail(1, WARD_STR("no such row"));
    size += (uint32_t)got;
  } else if (IS("count")) { /* key of a row of 8 bytes */
    uint32_t n = left();
    const uint8_t *key = take(n);
    uint8_t row[8] = {0};
    int32_t got = ward_get(ROWS, key, n, row, 8);
    if (got != WARD_ABSENT && got != 8) ward_fail(2, WARD_STR("not a counter"));
    for (int i = 0; i < 8 && ++row[i] == 0; i++) {}
    ward_set(ROWS, key, n, row, 8);
    put(row, 8);
  } else if (IS("exists")) { /* key */
    uint32_t n = left();
    put_number((uint64_t)ward_exists(ROWS, take(n), n), 1);
  } else if (IS("delete")) { /* key */
    uint32_t n = left();
    put_number((uint64_t)ward_delete(ROWS, take(n), n), 1);
  } else if (IS("scan")) { /* flags, limit, room of 2 bytes, length of the start, start, end */
    uint32_t flags = (uint32_t)number(1), limit = (uint32_t)number(1), room = (uint32_t)number(2);
    uint32_t n = named(), stop = left();
    if (room > 4096) bad();
    int32_t got = ward_scan(ROWS, name, n, take(stop), stop, flags, limit, out + size + 4, room);
    put_number((uint64_t)got, 4);
    if (got <= (int32_t)room) size += (uint32_t)got;
  } else if (IS("emit")) { /* length of the name, name, attributes */
    uint32_t n = named(), attributes = left();
    ward_emit(name, n, take(attributes), attributes);
  } else if (IS("log")) { /* text */
    uint32_t n = left();
    ward_log(take(n), n);
  } else if (IS("fail")) { /* code of 4 bytes, reason */
    uint32_t code = (uint32_t)number(4), n = left();
    ward_set(ROWS, WARD_STR("failed"), WARD_STR("undone"));
    ward_emit(WARD_STR("failed"), WARD_STR("\xa0"));
    ward_fail(code, take(n), n);
  } else if (IS("spin")) { /* for ever */
    for (volatile uint32_t i = 0;; i++) {}
  } else if (IS("who")) {
    ward_sender(out + size), size += WARD_ADDRESS_SIZE;
    ward_origin(out + size), size += WARD_ADDRESS_SIZE;
    ward_block(out + size), size += WARD_BLOCK_SIZE;
    ward_randomness(out + size), size += WARD_HASH_SIZE;
    put_number((uint64_t)ward_caller_kind(), 1);
    put_number(ward_gas_left() > 0, 1);
    uint8_t text[WARD_MAX_CHAIN];
    int32_t n = ward_contract(text, sizeof text);
    put_number((uint64_t)n, 1), put(text, (uint32_t)n);
    n = ward_chain(text, sizeof text);
    put_number((uint64_t)n, 1), put(text, (uint32_t)n);
    put(method, (uint32_t)method_size);
  } else if (IS("hash")) { /* message: all hashes of it */
    uint32_t n = left();
    const uint8_t *message = take(n);
    ward_sha256(message, n, out + size), size += 32;
    ward_sha512(message, n, out + size), size += 64;
    ward_blake2b(message, n, out + size), size += 32;
    ward_hmac_sha256(WARD_STR("key"), message, n, out + size), size += 32;
    size += (uint32_t)ward_hkdf_sha256(message, n, WARD_STR("salt"), WARD_STR("info"), out + size, 42);
  } else if (IS("ed25519")) { /* key, signature, message */
    const uint8_t *key = take(32), *sig = take(64);
    uint32_t n = left();
    put_number((uint64_t)ward_ed25519_verify(key, sig, take(n), n), 1);
  } else if (IS("batch")) { /* as ed25519_verify_batch */
    uint32_t n = left();
    put_number((uint64_t)ward_ed25519_verify_batch(take(n), n), 1);
  } else if (IS("p256")) { /* key, signature, message */
    const uint8_t *key = take(33), *sig = take(64);
    uint32_t n = left();
    const uint8_t *message = take(n);
    uint8_t digest[32];
    ward_sha256(message, n, digest);
    put_number((uint64_t)ward_p256_verify(key, sig, message, n), 1);
    put_number((uint64_t)ward_p256_verify_digest(key, sig, digest), 1);
  } else if (IS("address")) { /* public key */
    uint32_t n = left();
    int32_t is_key = ward_key_address(take(n), n, out + size + 1);
    put_number((uint64_t)is_key, 1);
    if (is_key == 0) size += WARD_ADDRESS_SIZE;
  } else if (IS("cose")) { /* length of the key, key, length of the AAD, AAD, message */
    uint32_t key = named();
    const uint8_t *of = name;
    uint32_t aad = named(), n = left();
    int32_t payload = ward_cose_verify(of, key, name, aad, take(n), n, out + size + 4, 4096);
    put_number((uint64_t)payload, 4);
    if (payload > 0) size += (uint32_t)payload;
  } else if (IS("call")) { /* length of the contract, contract, length of the method, method, its arguments */
    noted(call(0));
  } else if (IS("limited")) { /* gas of 8 bytes, then as call */
    noted(call(1));
  } else if (IS("ask")) { /* as call, for a view */
    ended(call(0));
  } else if (IS("relay")) { /* contracts of one letter: calls the first, which calls the second... */
    if (left() == 0) {
      ward_emit(WARD_STR("arrived"), WARD_STR("\xa0"));
    } else {
      name = take(1);
      uint32_t n = left();
      uint8_t with[16];
      if (n >= sizeof with) bad();
      with[0] = (uint8_t)(0x40 + n);
      for (uint32_t i = 0; i < n; i++) with[i + 1] = in[i];
      noted(ward_call(name, 1, WARD_STR("relay"), with, n + 1));
    }
  } else {
    ward_fail(WARD_FAIL_UNKNOWN_METHOD, method, (uint32_t)method_size);
  }
  if (size > HEAD) answer();
}
