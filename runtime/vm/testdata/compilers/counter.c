// A counter in C, for the test of stock compilers: reads a row, adds one, writes it, emits and returns it.
typedef unsigned int u32;
typedef unsigned char u8;

#define WARD(name) __attribute__((import_module("ward"), import_name(#name)))
WARD(get) int ward_get(const char *col, u32 collen, const char *key, u32 keylen, void *out, u32 cap);
WARD(set) void ward_set(const char *col, u32 collen, const char *key, u32 keylen, const void *val, u32 vallen);
WARD(emit) void ward_emit(const char *name, u32 namelen, const void *attrs, u32 attrslen);
WARD(ret) void ward_ret(const void *ptr, u32 len);

static u8 row[1];
static u32 table[256];

// Something for each instruction set that compilers may use: floats, tables of functions, 64 bits, moving memory.
static u32 half(u32 x) { return (u32)((double)x / 2.0); }
static u32 twice(u32 x) { return x * 2; }
static u32 (*const steps[2])(u32) = {half, twice};

void *memcpy(void *to, const void *from, unsigned long n) {
  u8 *a = to;
  const u8 *b = from;
  while (n--) *a++ = *b++;
  return to;
}

__attribute__((export_name("ward_call"))) void ward_call(void) {
  if (ward_get("counts", 6, "n", 1, row, 1) != 1) row[0] = 0;
  unsigned long long sum = 0;
  for (int i = 0; i < 256; i++) {
    table[i] = steps[(i + row[0]) & 1](i);
    sum += (unsigned long long)table[i] << (i & 31);
  }
  row[0] += 1 + (sum == 42); // it is not 42
  ward_set("counts", 6, "n", 1, row, 1);
  u8 attrs[4] = {0xa1, 0x61, 'n', row[0]};
  ward_emit("counted", 7, attrs, 4);
  ward_ret(row, 1);
}
