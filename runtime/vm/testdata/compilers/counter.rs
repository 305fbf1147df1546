// A counter in Rust, for the test of stock compilers: reads a row, adds one, writes it, emits and returns it.
use std::collections::BTreeMap;

#[link(wasm_import_module = "ward")]
extern "C" {
    fn get(col: *const u8, collen: u32, key: *const u8, keylen: u32, out: *mut u8, cap: u32) -> i32;
    fn set(col: *const u8, collen: u32, key: *const u8, keylen: u32, val: *const u8, vallen: u32);
    fn emit(name: *const u8, namelen: u32, attrs: *const u8, attrslen: u32);
    fn ret(ptr: *const u8, len: u32);
}

#[no_mangle]
pub extern "C" fn ward_call() {
    let mut row = [0u8; 1];
    unsafe {
        if get("counts".as_ptr(), 6, "n".as_ptr(), 1, row.as_mut_ptr(), 1) != 1 {
            row[0] = 0;
        }
    }
    // The standard library's allocator, formatting, sorting and floats.
    let mut words: BTreeMap<String, f64> = BTreeMap::new();
    for i in 0..100u64 {
        words.insert(format!("{:03}", i * 7 % 100), (i as f64).sqrt());
    }
    let total: f64 = words.values().sum();
    row[0] += if total > 600.0 && words.len() == 100 { 1 } else { 9 };
    let attrs = vec![0xa1, 0x61, b'n', row[0]];
    unsafe {
        set("counts".as_ptr(), 6, "n".as_ptr(), 1, row.as_ptr(), 1);
        emit("counted".as_ptr(), 7, attrs.as_ptr(), 4);
        ret(row.as_ptr(), 1);
    }
}
