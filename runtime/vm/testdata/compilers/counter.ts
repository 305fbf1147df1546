// A counter in AssemblyScript, for the test of stock compilers: reads a row, adds one, writes it, emits and returns it.
// @ts-ignore: decorator
@external("ward", "get") declare function get(col: usize, collen: u32, key: usize, keylen: u32, out: usize, cap: u32): i32;
// @ts-ignore: decorator
@external("ward", "set") declare function set(col: usize, collen: u32, key: usize, keylen: u32, val: usize, vallen: u32): void;
// @ts-ignore: decorator
@external("ward", "emit") declare function emit(name: usize, namelen: u32, attrs: usize, attrslen: u32): void;
// @ts-ignore: decorator
@external("ward", "ret") declare function ret(ptr: usize, len: u32): void;

class Step {
  constructor(public name: string, public by: f64) {}
}

export function ward_call(): void {
  const counts = String.UTF8.encode("counts");
  const n = String.UTF8.encode("n");
  const row = new Uint8Array(1);
  if (get(changetype<usize>(counts), 6, changetype<usize>(n), 1, row.dataStart, 1) != 1) row[0] = 0;
  // Objects, strings, sorting and floats.
  const steps: Step[] = [];
  for (let i = 0; i < 50; i++) steps.push(new Step(((i * 7) % 50).toString(), Math.sqrt(i)));
  steps.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  let total = 0.0;
  for (let i = 0; i < steps.length; i++) total += steps[i].by;
  row[0] += total > 200.0 && steps[0].name == "0" ? 1 : 9;
  const attrs = new Uint8Array(4);
  attrs[0] = 0xa1;
  attrs[1] = 0x61;
  attrs[2] = 0x6e;
  attrs[3] = row[0];
  const counted = String.UTF8.encode("counted");
  set(changetype<usize>(counts), 6, changetype<usize>(n), 1, row.dataStart, 1);
  emit(changetype<usize>(counted), 7, attrs.dataStart, 4);
  ret(row.dataStart, 1);
}
