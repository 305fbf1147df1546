// The contract that is written once in each language, here in Rust: calls.txt says what is asked of it and what it answers, the same
// in every language. conformance.c says what the arguments of each method are.

#[link(wasm_import_module = "ward")]
extern "C" {
    fn method(out: *mut u8, cap: u32) -> i32;
    fn args(out: *mut u8, cap: u32) -> i32;
    fn sender(out: *mut u8);
    fn origin(out: *mut u8);
    fn block(out: *mut u8);
    fn randomness(out: *mut u8);
    fn caller_kind() -> i32;
    fn gas_left() -> u64;
    fn contract(out: *mut u8, cap: u32) -> i32;
    fn chain(out: *mut u8, cap: u32) -> i32;
    fn get(col: *const u8, collen: u32, key: *const u8, keylen: u32, out: *mut u8, cap: u32) -> i32;
    fn set(col: *const u8, collen: u32, key: *const u8, keylen: u32, val: *const u8, vallen: u32);
    fn exists(col: *const u8, collen: u32, key: *const u8, keylen: u32) -> i32;
    fn delete(col: *const u8, collen: u32, key: *const u8, keylen: u32) -> i32;
    fn scan(col: *const u8, collen: u32, start: *const u8, startlen: u32, end: *const u8, endlen: u32, flags: u32, limit: u32, out: *mut u8, cap: u32) -> i32;
    fn emit(name: *const u8, namelen: u32, attrs: *const u8, attrslen: u32);
    fn log(ptr: *const u8, len: u32);
    fn ret(ptr: *const u8, len: u32);
    fn fail(code: u32, ptr: *const u8, len: u32) -> !;
    fn sha256(ptr: *const u8, len: u32, out: *mut u8);
    fn sha512(ptr: *const u8, len: u32, out: *mut u8);
    fn blake2b(ptr: *const u8, len: u32, out: *mut u8);
    fn hmac_sha256(key: *const u8, keylen: u32, msg: *const u8, msglen: u32, out: *mut u8);
    fn hkdf_sha256(secret: *const u8, secretlen: u32, salt: *const u8, saltlen: u32, info: *const u8, infolen: u32, out: *mut u8, cap: u32) -> i32;
    fn ed25519_verify(key: *const u8, sig: *const u8, msg: *const u8, msglen: u32) -> i32;
    fn ed25519_verify_batch(ptr: *const u8, len: u32) -> i32;
    fn p256_verify(key: *const u8, sig: *const u8, msg: *const u8, msglen: u32) -> i32;
    fn p256_verify_digest(key: *const u8, sig: *const u8, digest: *const u8) -> i32;
    fn key_address(key: *const u8, keylen: u32, out: *mut u8) -> i32;
    fn cose_verify(key: *const u8, keylen: u32, aad: *const u8, aadlen: u32, msg: *const u8, msglen: u32, out: *mut u8, cap: u32) -> i32;
    fn call(contract: *const u8, contractlen: u32, method: *const u8, methodlen: u32, args: *const u8, argslen: u32) -> u32;
    fn call_with_gas(contract: *const u8, contractlen: u32, method: *const u8, methodlen: u32, args: *const u8, argslen: u32, gas: u64) -> u32;
    fn reply(out: *mut u8, cap: u32) -> i32;
}

const ABSENT: i32 = -1;
const UNKNOWN_METHOD: u32 = 0xffff_ffff;
const BAD_ARGUMENTS: u32 = 0xffff_fffe;

/// p and n are pointer and length of some bytes.
fn p(b: &[u8]) -> *const u8 {
    b.as_ptr()
}
fn n(b: &[u8]) -> u32 {
    b.len() as u32
}

fn failed(code: u32, reason: &[u8]) -> ! {
    unsafe { fail(code, p(reason), n(reason)) }
}

fn bad() -> ! {
    failed(BAD_ARGUMENTS, b"the arguments are not what the method takes")
}

/// ask returns what a function that tells something tells.
fn ask(f: impl Fn(*mut u8, u32) -> i32) -> Vec<u8> {
    let mut b = vec![0; 8192];
    let size = f(b.as_mut_ptr(), n(&b));
    if size < 0 || size as usize > b.len() {
        bad();
    }
    b.truncate(size as usize);
    b
}

/// fixed returns what a function writes whose answer always has the same size.
fn fixed(size: usize, f: impl Fn(*mut u8)) -> Vec<u8> {
    let mut b = vec![0; size];
    f(b.as_mut_ptr());
    b
}

fn number(v: u64, size: usize) -> Vec<u8> {
    v.to_le_bytes()[..size].to_vec()
}

fn number32(v: i32, size: usize) -> Vec<u8> {
    number(v as u32 as u64, size)
}

/// Input is what is left of the arguments.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, size: usize) -> &'a [u8] {
        if size > self.0.len() {
            bad();
        }
        let (head, tail) = self.0.split_at(size);
        self.0 = tail;
        head
    }
    fn rest(&mut self) -> &'a [u8] {
        self.take(self.0.len())
    }
    fn number(&mut self, size: usize) -> u64 {
        let mut b = [0; 8];
        b[..size].copy_from_slice(self.take(size));
        u64::from_le_bytes(b)
    }
    /// named reads a length of one byte and as many bytes.
    fn named(&mut self) -> &'a [u8] {
        let size = self.number(1) as usize;
        self.take(size)
    }
}

/// open reads the head of a byte string of CBOR.
fn open(document: &[u8]) -> Input<'_> {
    let mut input = Input(document);
    let length = match input.number(1) as usize {
        0x58 => input.number(1) as usize,
        0x59 => {
            let b = input.take(2);
            (b[0] as usize) << 8 | b[1] as usize
        }
        head @ 0x40..=0x57 => head - 0x40,
        _ => bad(),
    };
    if length != input.0.len() {
        bad();
    }
    input
}

fn answer(s: &[u8]) {
    let size = s.len();
    let mut document = match size {
        0..=23 => vec![0x40 + size as u8],
        24..=255 => vec![0x58, size as u8],
        _ => vec![0x59, (size >> 8) as u8, size as u8],
    };
    document.extend_from_slice(s);
    unsafe { ret(p(&document), n(&document)) }
}

/// ended says how a call of another contract has ended: the code, and the reply.
fn ended(code: u32) -> Vec<u8> {
    let mut s = number(code as u64, 4);
    s.extend(ask(|out, cap| unsafe { reply(out, cap) }));
    s
}

/// noted is ended, of which a row stays.
fn noted(contract: &[u8], code: u32) -> Vec<u8> {
    let s = ended(code);
    unsafe { set(p(b"calls"), 5, p(contract), 1, p(&s), 1) }
    s
}

const ROWS: &[u8] = b"rows";

/// Warms the heap: the allocator grows the memory when it is first used. In _initialize that is once, in the snapshot from which every
/// call starts; later it is in each call, which pays for it, and for an instance that can't be used again.
#[no_mangle]
pub extern "C" fn _initialize() {
    let heap = vec![0u8; 32 << 10];
    unsafe { std::ptr::read_volatile(heap.as_ptr()) }; // or the compiler does without
}

#[no_mangle]
pub extern "C" fn ward_call() {
    let name = ask(|out, cap| unsafe { method(out, cap) });
    let document = ask(|out, cap| unsafe { args(out, cap) });
    let mut input = open(&document);
    let result = run(&name, &mut input);
    if !result.is_empty() {
        answer(&result);
    }
}

fn run(name: &[u8], input: &mut Input) -> Vec<u8> {
    let none = Vec::new();
    unsafe {
        match name {
            b"set" => {
                let (key, value) = (input.named(), input.rest());
                set(p(ROWS), 4, p(key), n(key), p(value), n(value));
                none
            }
            b"get" => {
                let key = input.rest();
                ask(|out, cap| {
                    let size = get(p(ROWS), 4, p(key), n(key), out, cap);
                    if size == ABSENT {
                        failed(1, b"no such row");
                    }
                    size
                })
            }
            b"count" => {
                let key = input.rest();
                let mut row = [0u8; 8];
                let size = get(p(ROWS), 4, p(key), n(key), row.as_mut_ptr(), 8);
                if size != ABSENT && size != 8 {
                    failed(2, b"not a counter");
                }
                let value = number(u64::from_le_bytes(row).wrapping_add(1), 8);
                set(p(ROWS), 4, p(key), n(key), p(&value), 8);
                value
            }
            b"exists" => {
                let key = input.rest();
                number32(exists(p(ROWS), 4, p(key), n(key)), 1)
            }
            b"delete" => {
                let key = input.rest();
                number32(delete(p(ROWS), 4, p(key), n(key)), 1)
            }
            b"scan" => {
                let (flags, limit, room) = (input.number(1) as u32, input.number(1) as u32, input.number(2) as u32);
                let (start, end) = (input.named(), input.rest());
                if room > 4096 {
                    bad();
                }
                let mut rows = vec![0; room as usize];
                let size = scan(p(ROWS), 4, p(start), n(start), p(end), n(end), flags, limit, rows.as_mut_ptr(), room);
                let mut s = number32(size, 4);
                if size as u32 <= room {
                    s.extend_from_slice(&rows[..size as usize]);
                }
                s
            }
            b"emit" => {
                let (event, attributes) = (input.named(), input.rest());
                emit(p(event), n(event), p(attributes), n(attributes));
                none
            }
            b"log" => {
                let line = input.rest();
                log(p(line), n(line));
                none
            }
            b"fail" => {
                let code = input.number(4) as u32;
                set(p(ROWS), 4, p(b"failed"), 6, p(b"undone"), 6);
                emit(p(b"failed"), 6, p(b"\xa0"), 1);
                failed(code, input.rest())
            }
            b"spin" => loop {
                core::hint::spin_loop();
            },
            b"who" => {
                let mut s = fixed(20, |out| sender(out));
                s.extend(fixed(20, |out| origin(out)));
                s.extend(fixed(16, |out| block(out)));
                s.extend(fixed(32, |out| randomness(out)));
                s.push(caller_kind() as u8);
                s.push((gas_left() > 0) as u8);
                for text in [ask(|out, cap| contract(out, cap)), ask(|out, cap| chain(out, cap))] {
                    s.push(text.len() as u8);
                    s.extend(text);
                }
                s.extend_from_slice(name);
                s
            }
            b"hash" => {
                let m = input.rest();
                let mut s = fixed(32, |out| sha256(p(m), n(m), out));
                s.extend(fixed(64, |out| sha512(p(m), n(m), out)));
                s.extend(fixed(32, |out| blake2b(p(m), n(m), out)));
                s.extend(fixed(32, |out| hmac_sha256(p(b"key"), 3, p(m), n(m), out)));
                s.extend(fixed(42, |out| {
                    hkdf_sha256(p(m), n(m), p(b"salt"), 4, p(b"info"), 4, out, 42);
                }));
                s
            }
            b"ed25519" => {
                let (key, sig, m) = (input.take(32), input.take(64), input.rest());
                number32(ed25519_verify(p(key), p(sig), p(m), n(m)), 1)
            }
            b"batch" => {
                let batch = input.rest();
                number32(ed25519_verify_batch(p(batch), n(batch)), 1)
            }
            b"p256" => {
                let (key, sig, m) = (input.take(33), input.take(64), input.rest());
                let digest = fixed(32, |out| sha256(p(m), n(m), out));
                let mut s = number32(p256_verify(p(key), p(sig), p(m), n(m)), 1);
                s.extend(number32(p256_verify_digest(p(key), p(sig), p(&digest)), 1));
                s
            }
            b"address" => {
                let key = input.rest();
                let mut address = [0u8; 20];
                let is_key = key_address(p(key), n(key), address.as_mut_ptr());
                let mut s = number32(is_key, 1);
                if is_key == 0 {
                    s.extend_from_slice(&address);
                }
                s
            }
            b"cose" => {
                let (key, aad, m) = (input.named(), input.named(), input.rest());
                let mut payload = vec![0; 4096];
                let size = cose_verify(p(key), n(key), p(aad), n(aad), p(m), n(m), payload.as_mut_ptr(), 4096);
                let mut s = number32(size, 4);
                s.extend_from_slice(&payload[..size.max(0) as usize]);
                s
            }
            b"call" | b"limited" | b"ask" => {
                let gas = if name == b"limited" { input.number(8) } else { 0 };
                let (whom, what, with) = (input.named(), input.named(), input.rest());
                let code = if name == b"limited" {
                    call_with_gas(p(whom), n(whom), p(what), n(what), p(with), n(with), gas)
                } else {
                    call(p(whom), n(whom), p(what), n(what), p(with), n(with))
                };
                if name == b"ask" {
                    ended(code)
                } else {
                    noted(whom, code)
                }
            }
            b"relay" => {
                if input.0.is_empty() {
                    emit(p(b"arrived"), 7, p(b"\xa0"), 1);
                    return none;
                }
                let (whom, rest) = (input.take(1), input.rest());
                if rest.len() >= 16 {
                    bad();
                }
                let mut with = vec![0x40 + rest.len() as u8];
                with.extend_from_slice(rest);
                noted(whom, call(p(whom), 1, p(b"relay"), 5, p(&with), n(&with)))
            }
            _ => failed(UNKNOWN_METHOD, name),
        }
    }
}
