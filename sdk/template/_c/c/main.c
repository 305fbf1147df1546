// My-c counts, in C: storage, an event, an error, a view. ward.h has every function that there is; spec.json says what the
// contract offers, and must say what is here.
#include "ward.h"

enum { MAX_TOTAL = 1000000, TOO_MUCH = 2 };

static uint8_t buffer[256];

static int called(const char *what, int32_t length, const uint8_t *name, int32_t named) {
  if (named != length) return 0;
  while (named-- > 0)
    if (name[named] != (uint8_t)what[named]) return 0;
  return 1;
}

// put writes a number as CBOR does, the shortest way, and says how many bytes that took.
static int32_t put(uint8_t *out, uint64_t n) {
  int32_t size = n < 24 ? 0 : n <= 0xff ? 1 : n <= 0xffff ? 2 : n <= 0xffffffff ? 4 : 8;
  out[0] = size == 0 ? (uint8_t)n : size == 1 ? 24 : size == 2 ? 25 : size == 4 ? 26 : 27;
  for (int32_t i = 0; i < size; i++) out[1 + i] = (uint8_t)(n >> (8 * (size - 1 - i)));
  return 1 + size;
}

// number reads what put wrote. The runtime gives a contract canonical CBOR only, and what is something else is no number.
static int number(const uint8_t *in, int32_t length, uint64_t *n) {
  if (length < 1 || in[0] > 27) return 0;
  int32_t size = in[0] < 24 ? 0 : 1 << (in[0] - 24);
  if (length != 1 + size) return 0;
  *n = in[0] < 24 ? in[0] : 0;
  for (int32_t i = 0; i < size; i++) *n = *n << 8 | in[1 + i];
  return 1;
}

static uint64_t total(void) {
  uint64_t n = 0;
  int32_t length = ward_get(WARD_STR("total"), WARD_STR("\0"), buffer, sizeof buffer);
  if (length != WARD_ABSENT) number(buffer, length, &n);
  return n;
}

static void add(void) {
  // {"by": number}
  uint64_t by;
  int32_t length = ward_args(buffer, sizeof buffer);
  if (length < 5 || length > (int32_t)sizeof buffer || buffer[0] != 0xa1 || buffer[1] != 0x62 || buffer[2] != 'b' || buffer[3] != 'y' ||
      !number(buffer + 4, length - 4, &by))
    ward_fail(WARD_FAIL_BAD_ARGUMENTS, WARD_STR("by: a number is needed"));
  uint64_t n = total();
  if (by > MAX_TOTAL - n) ward_fail(TOO_MUCH, WARD_STR("It counts to a million."));
  n += by;

  int32_t size = put(buffer, n);
  ward_set(WARD_STR("total"), WARD_STR("\0"), buffer, size);
  ward_ret(buffer, size);

  // {"by": number, "total": number}; keys are in the order of their lengths
  uint8_t attributes[32] = {0xa2, 0x62, 'b', 'y'};
  size = 4 + put(attributes + 4, by);
  attributes[size++] = 0x65;
  for (int i = 0; i < 5; i++) attributes[size++] = (uint8_t) "total"[i];
  size += put(attributes + size, n);
  ward_emit(WARD_STR("added"), attributes, size);
}

WARD_EXPORT(ward_call) void my_call(void) {
  uint8_t name[WARD_MAX_METHOD_NAME];
  int32_t named = ward_method(name, sizeof name);
  if (called("add", 3, name, named)) {
    add();
  } else if (called("total", 5, name, named)) {
    ward_ret(buffer, put(buffer, total()));
  } else {
    ward_fail(WARD_FAIL_UNKNOWN_METHOD, WARD_STR("no such method"));
  }
}
