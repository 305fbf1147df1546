"""What must come out when clients that aren't Ward's own meet a real node. Run it with ./check.

The device side is python/ward.py, the dashboards are js/ in Node and in a browser. Two
dashboards read through a line that breaks: in the middle of a frame, while they are live,
and when the node is killed. Both must have each event once, as the pages of the log do.
"""
import contextlib
import functools
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE / "python"))
import ward  # noqa: E402
from cryptography.exceptions import InvalidSignature  # noqa: E402
from cryptography.hazmat.primitives import hashes  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils  # noqa: E402

CHAIN = "ward-clients"
WHOLE = 240  # seconds that all of this may take on a busy machine, the first build of the contracts included
BEGAN = time.monotonic()
SOON = 40  # seconds within which whatever is waited for must have come


def check(what, ok, *seen):
    if not ok:
        raise SystemExit(f"FAILED: {what}" + "".join(f"\n  {s}" for s in seen))
    print(f"  ok  {time.monotonic() - BEGAN:5.1f} s  {what}", flush=True)


def refused(what, status, code, f, *args, **named):
    """f must be refused with this status and code."""
    try:
        answer = f(*args, **named)
    except ward.Refused as e:
        check(f"{what}: {code}", (e.status, e.error["code"]) == (status, code), f"{e.status} {e}")
        return e
    raise SystemExit(f"FAILED: {what}: taken, and not refused as {code}: {answer}")


def call(node, key, contract, method, args=None):
    """What the method answered, and what happened. The call must succeed, which is not yet a yes."""
    receipt = node.call(key, contract, method, args)
    if receipt["code"] != "ok":
        raise SystemExit(f"FAILED: {contract} {method}: {receipt}")
    return receipt


def until(what, f):
    """What f answers as soon as it is true."""
    end = time.monotonic() + SOON
    while time.monotonic() < end:
        if answer := f():
            return answer
        time.sleep(0.05)
    raise SystemExit(f"FAILED: {what}: not within {SOON} s")


def verifies(key, signed, signature):
    public = key.private.public_key()
    try:
        if key.alg == ward.EDDSA:
            public.verify(signature, signed)
        else:
            r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            public.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def vectors():
    """The client makes the bytes of runtime/tx/testdata/vectors.json."""
    v = json.loads((ROOT / "runtime/tx/testdata/vectors.json").read_text())
    count = 0
    for k in v["keys"]:
        secret = bytes.fromhex(k["private_key"])
        private = ed25519.Ed25519PrivateKey.from_private_bytes(secret) if k["alg"] == "EdDSA" else \
            ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
        key = ward.Key(private)
        assert [key.public.hex(), key.address.hex(), ward.text(key.address)] == [k["public_key"], k["kid"], k["address"]], k
        assert ward.address(k["address"]) == key.address
        for t in (t for t in v["transactions"] if t["alg"] == k["alg"]):
            f, theirs = t["fields"], bytes.fromhex(t["transaction"])
            args = bytes.fromhex(f["args"])
            fields = {1: f["chain"], 2: int(f["sequence"]), 3: int(f["last_valid"]), 4: int(f["gas_limit"]), 5: f["contract"], 6: f["method"], 7: args}
            if not fields[3]:
                del fields[3]
            payload = ward.cbor(fields)
            signed = ward.sig_structure(bytes.fromhex(t["protected"]), ward.TX, payload)
            assert [payload.hex(), signed.hex()] == [t["payload"], t["sig_structure"]], t["name"]
            ours, id = key.message(ward.TX, payload)
            assert id.hex() == t["id"] and ours[:-64] == theirs[:-64], t["name"]
            assert verifies(key, signed, ours[-64:]) and verifies(key, signed, theirs[-64:]), t["name"]
            assert key.alg == ward.ES256 or ours == theirs, t["name"]  # Ed25519 signs alike everywhere, ES256 as it likes
            count += 1
        for m in (m for m in v["messages"] if m["alg"] == k["alg"]):
            ours, _ = key.message(m["aad"].encode(), bytes.fromhex(m["payload"]))
            assert ours[:-64].hex() == m["message"][:-128], m["name"]
            count += 1
    check(f"python makes the bytes of {count} signing vectors, for both algorithms", count >= 8)


class Ward:
    """The node and the owner's command, both of the program ward."""

    def __init__(self, folder):
        self.program, self.home, self.process, self.listen = folder / "ward", folder / "home", None, "127.0.0.1:0"
        subprocess.run(["go", "build", "-o", self.program, "./cli/ward"], cwd=ROOT, check=True)
        self.run("init", "--json", "--plain", "--chain", CHAIN)

    def run(self, *args):
        """Runs a command of ward and returns the JSON that it prints."""
        done = subprocess.run([self.program, *args], cwd=ROOT, env=self.environment(), stdout=subprocess.PIPE, timeout=WHOLE)
        if done.returncode:
            raise SystemExit(f"FAILED: ward {' '.join(args)} ended with {done.returncode}")
        return json.loads(done.stdout)

    def environment(self):
        return {**os.environ, "WARD_HOME": str(self.home), "WARD_NODE": self.url if self.process else "", "WARD_KEY": "operator"}

    def start(self, *origins):
        origin = [x for o in origins for x in ("--origin", o)]
        self.process = subprocess.Popen([self.program, "node", "--home", self.home, "--listen", self.listen, "--p2p", "127.0.0.1:0", "--rpc", "none",
                                         "--rate", "-1", "--log-level", "warn", "--json", *origin], stdout=subprocess.PIPE)
        self.url = json.loads(self.process.stdout.readline() or '{"url": ""}')["url"]
        if not self.url:
            raise SystemExit(f"FAILED: the node ended with {self.process.wait()} before it was up")
        self.listen = self.url.removeprefix("http://")

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()


class Line:
    """A way to the node that breaks: the first connections after so many bytes, and all when told to."""

    def __init__(self, to, breaks):
        self.to, self.breaks, self.live, self.made, self.lock = to, list(breaks), set(), 0, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self.listener.accept()
                with self.lock:
                    room = self.breaks.pop(0) if self.breaks else None
                    self.made += 1
                try:
                    far = socket.create_connection(self.to.split(":"), SOON)
                except OSError:  # the node is down
                    near.close()
                    continue
                with self.lock:
                    self.live.add((near, far))
                threading.Thread(target=self.carry, args=(near, far, None), daemon=True).start()
                threading.Thread(target=self.carry, args=(far, near, room), daemon=True).start()

    def carry(self, source, sink, room):
        with contextlib.suppress(OSError):
            while data := source.recv(512):
                sink.sendall(data if room is None else data[:room])
                if room is not None and (room := room - len(data)) <= 0:
                    break
        self.sever(source, sink)

    def sever(self, *pair):
        for s in pair:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()

    def cut(self):
        with self.lock:
            live, self.live = self.live, set()
        for pair in live:
            self.sever(*pair)

    def close(self):
        self.sever(self.listener)
        self.cut()


class Follower:
    """js/follow.js in Node, with the lines that it printed."""

    def __init__(self, url):
        self.process = subprocess.Popen(["node", HERE / "js/follow.js", url, "after=start"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.events, self.states = [], []
        self.readers = [threading.Thread(target=self.read, args=a, daemon=True)
                        for a in ((self.process.stdout, self.events), (self.process.stderr, self.states))]
        for r in self.readers:
            r.start()

    def read(self, pipe, lines):
        for line in pipe:
            lines.append(json.loads(line) if line.startswith("{") else line)

    def end(self):
        self.process.stdin.close()  # which is how it is told to end
        code = self.process.wait(SOON)
        for r in self.readers:
            r.join(SOON)
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()


class Browser:
    """A headless Chromium with one page, driven over a pipe (the DevTools protocol)."""

    def __init__(self, program, url, folder):
        theirs_in, self.out = os.pipe()
        self.into, theirs_out = os.pipe()
        flags = ["--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={folder}",
                 "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]  # it talks to nobody else
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # which Chromium demands of root; the page is ours
        self.process = subprocess.Popen(["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", program, *flags, "about:blank"],
                                        pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.answers, self.count = os.fdopen(self.into, "rb"), 0
        target = self.ask("Target.createTarget", url=url)["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def ask(self, method, session=None, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params, **({"sessionId": session} if session else {})}
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = b""
            while not answer.endswith(b"\0"):
                byte = self.answers.read(1)
                if not byte:
                    raise SystemExit(f"FAILED: the browser ended with {self.process.wait()}")
                answer += byte
            answer = json.loads(answer[:-1])
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise SystemExit(f"FAILED: the browser: {method}: {answer['error']}")
                return answer["result"]

    def evaluate(self, expression):
        return self.ask("Runtime.evaluate", self.session, expression=expression, returnByValue=True)["result"].get("value")

    def cursors(self):
        return self.evaluate("[...document.querySelectorAll('tr[data-cursor]')].map(r => r.dataset.cursor).reverse()") or []

    def state(self):
        return self.evaluate("document.querySelector('#state')?.textContent") or ""

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.answers.close()
        os.close(self.out)


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {".html": "text/html", ".js": "text/javascript"}

    def log_message(self, *_):
        pass


def a_device(w, node):
    """Two devices: a gateway that the operator enrols with the command, and a lock that the gateway enrols."""
    gateway, lock = ward.Key.load(w.home / "gateway.pem"), ward.Key.new(ward.EDDSA)
    check("a key is kept in a file", ward.Key.load(w.home / "gateway.pem").address == gateway.address)
    refused("a key that nobody enrolled", 403, "unknown_key", node.submit, gateway.transaction(CHAIN, 1, "access", "register", {"name": "lab/door"})[0])

    scope = json.dumps([{"contract": "access"}, {"contract": "devices"}])
    for model, quota in ("gateway", "36000000000"), ("lock", "800000000"):
        w.run("call", "--json", "devices", "set_model", "--model", model, "--quota", quota, "--scope", scope)
    operator = ward.address(w.run("key", "show", "--json", "operator")["address"])
    w.run("call", "--json", "devices", "enrol", "--model", "gateway", "--key", "0x" + gateway.public.hex(), "--proof", "0x" + gateway.prove(CHAIN, operator).hex())
    check("the operator enrols the gateway (ES256) by its proof of possession", node.query("devices", "status", device=ward.text(gateway.address))["authentic"])

    def enrol(proof):
        return node.call(gateway, "devices", "enrol", {"model": "lock", "key": lock.public, "proof": proof})

    bad = enrol(lock.prove(CHAIN, operator))
    check("a proof for another owner is refused by the contract", bad["code"] == "failed" and bad["number"] == 35 and bad["contract_error"], bad)
    receipt = enrol(lock.prove(CHAIN, gateway.address))
    check("the gateway enrols a lock (EdDSA) out of its own quota", receipt["return"] == {"device": ward.text(lock.address), "state": "active"}, receipt)
    return gateway, lock


def decisions(node, gateway, lock):
    """Allow and deny, and what is refused before any contract sees it."""
    door = call(node, gateway, "access", "register", {"name": "lab/door"})["return"]["object"]
    wish = {"object": door, "relation": "open"}
    check("the owner may", call(node, gateway, "access", "use", wish)["return"]["allowed"] is True)
    no = call(node, lock, "access", "use", wish)
    check("another may not, and hears why", no["code"] == "ok" and no["return"]["allowed"] is False and no["return"]["why"] == "no_grant", no)
    call(node, gateway, "access", "grant", {"object": door, "subject": lock.address, "relations": ["open"]})
    yes = call(node, lock, "access", "use", wish)
    check("with a grant they may", yes["return"]["allowed"] is True and [e["event"] for e in yes["events"]] == ["allowed"], yes)
    check("a view says the same", node.query("access", "check", subject=ward.text(lock.address), **wish)["allowed"] is True)

    def sign(sequence, key=lock, contract="access", method="use", args=wish, chain=CHAIN, **more):
        return key.transaction(chain, sequence, contract, method, args, **more)[0]

    next = int(node.get("/v1/keys/" + ward.text(lock.address))["lanes"][0]["next"])
    good = sign(next)
    forged = good[:-1] + bytes([good[-1] ^ 1])
    refused("a forged signature", 403, "bad_signature", node.submit, forged)
    refused("another's kid", 403, "bad_signature", node.submit,
            sign(next + 50).replace(lock.address, gateway.address).replace(b"\x01\x27", b"\x01\x26", 1))
    first = node.submit(good)
    check("the true one runs after the forged one", first["code"] == "ok", first)
    check("sent again, it is the same transaction", node.submit(good)["height"] == first["height"])
    refused("sent again as new", 409, "replayed", node.submit, good, wait="check")
    refused("another under a used sequence", 409, "replayed", node.submit, sign(next, method="use", args={**wish, "relation": "close"}))
    refused("a sequence far ahead", 409, "sequence_jump", node.submit, sign(next + 2000))
    refused("another chain", 400, "wrong_chain", node.submit, sign(next + 1, chain="elsewhere"))
    refused("a height that has passed", 409, "expired", node.submit, sign(next + 1, last_valid=1))
    refused("no gas", 400, "gas_limit", node.submit, sign(next + 1, gas=1))
    refused("out of scope", 403, "out_of_scope", node.submit, sign(next + 1, contract="hello", method="open"))
    refused("more gas than is left", 429, "over_quota", node.submit, sign(next + 1, gas=1_000_000_000))
    refused("bytes that are none", 400, "malformed", node.submit, good + b"\0")
    unknown = node.submit(sign(next + 1, method="fly"))
    check("an unknown method is a receipt, and takes its sequence", (unknown["code"], unknown["number"]) == ("unknown_method", 33), unknown)
    check("sequences may overtake each other", [node.submit(sign(s))["code"] for s in (next + 4, next + 3)] == ["ok", "ok"])

    nonce, expires = os.urandom(16), int(time.time()) + 60
    answer = {"device": lock.address, "proof": lock.answer(CHAIN, nonce, gateway.address, expires)}
    shown = [call(node, gateway, "devices", "authenticate", answer)["return"] for _ in range(2)]
    check("the lock answers a challenge, which counts once", [s["authentic"] for s in shown] == [True, False] and shown[1]["why"] == "replayed", shown)

    call(node, gateway, "devices", "suspend", {"device": lock.address})
    refused("a suspended device", 403, "key_shut", node.submit, sign(next + 5))
    call(node, gateway, "devices", "resume", {"device": lock.address})
    node.sequences.clear()  # other numbers were used by hand
    return wish


def shape(there, page, live):
    """Every member that the node sends is in the page's example, with the same type."""
    kind = {bool: "bool", int: "number", float: "number"}
    if live is None or page is None or page == {}:
        return []
    if kind.get(type(live), type(live)) != kind.get(type(page), type(page)):
        return [f"{there} is {type(live).__name__}, the page says {type(page).__name__}"]
    if isinstance(live, dict):
        return [w for k, v in live.items() for w in (shape(f"{there}.{k}", page[k], v) if k in page else [f"{there}.{k} is not on the page"])]
    if isinstance(live, list):
        return [w for v in live for w in (shape(there + "[]", functools.reduce(merged, page), v) if page else [])]
    return []


def merged(a, b):
    """An example that has the members of both."""
    if isinstance(a, dict) and isinstance(b, dict) and a and b:
        return {k: merged(a[k], b[k]) if k in a and k in b else {**a, **b}[k] for k in {**a, **b}}
    return a


def examples(node, gateway, lock, wish):
    """The answers on the page WIRE.md are those of a node."""
    page = dict(re.findall(r"^```json ((?:GET|POST|an) .+)\n((?:.*\n)*?)```$", (HERE.parent / "WIRE.md").read_text(), re.M))
    id = gateway.transaction(CHAIN, 1, "access", "register", {"name": "lab/door"})[1].hex()
    receipt = call(node, lock, "access", "use", wish)
    failed = node.call(lock, "devices", "resume", {"device": gateway.address})
    try:
        node.submit(lock.transaction("elsewhere", 1, "access", "use", wish)[0])
    except ward.Refused as e:
        error = {"error": e.error, "id": id}
    kid = ward.text(lock.address)
    pending = node.submit(lock.transaction(CHAIN, node.sequences[lock.address], "access", "use", wish)[0], wait="check")
    node.sequences.clear()
    live = {
        "GET /": node.get("/"),
        "POST /v1/tx 202": pending,
        "GET /v1/tx/{id}": [node.get("/v1/tx/" + r["id"]) for r in (receipt, failed)],
        "GET /v1/tx/{id}/trace": node.get("/v1/tx/" + receipt["id"] + "/trace"),
        "GET /v1/blocks/{height}": node.get(f"/v1/blocks/{receipt['height']}"),
        "GET /v1/contracts": node.get("/v1/contracts", limit=1),
        "GET /v1/contracts/{name}": node.get("/v1/contracts/access"),
        "POST /v1/contracts/{name}/query/{method}": node.ask("POST", "/v1/contracts/access/query/check", json.dumps({**wish, "subject": kid}), "application/json"),
        "POST /v1/contracts/{name}/simulate/{method}": node.ask("POST", "/v1/contracts/access/simulate/use?sender=" + kid, json.dumps(wish), "application/json"),
        "GET /v1/keys/{kid}": node.get("/v1/keys/" + kid),
        "GET /v1/events": node.get("/v1/events", limit=3),
        "GET /v1/status": node.get("/v1/status"),
        "GET /healthz": node.get("/healthz"),
        "an error": error,
    }
    wrong = [f"{name}: no such example on the page" for name in live if name not in page]
    for name, text in page.items():
        if name not in live:
            wrong.append(f"{name}: nothing to compare it with")
            continue
        example = json.loads(text)
        for answer in live[name] if isinstance(live[name], list) else [live[name]]:
            wrong += shape(name, example, answer)
    check(f"{len(page)} examples on the page WIRE.md have the members that a node sends", not wrong, *wrong)


def dashboards(w, node, gateway, wish, site, folder, program):
    """Node and a browser follow through lines that break, and have what the log has."""
    with contextlib.ExitStack() as cleanup:
        lines = [cleanup.enter_context(contextlib.closing(Line(w.listen, (1500, 5000, 9000)))) for _ in range(2)]
        follower = Follower(lines[0].url)
        cleanup.callback(follower.kill)
        browser = Browser(program, f"{site}/index.html?node={lines[1].url}&after=start", folder / "browser")
        cleanup.callback(browser.kill)
        until("node's follower is live", lambda: any(s["state"] == "live" for s in follower.states))
        until("the page is live", lambda: browser.state().startswith("live"))
        for _ in range(5):
            call(node, gateway, "access", "use", wish)
        for line in lines:
            line.cut()
        for _ in range(5):
            call(node, gateway, "access", "use", wish)
        w.kill()
        w.start(site)
        for _ in range(5):
            last = call(node, gateway, "access", "use", wish)
        marker = last["events"][-1]["cursor"]
        until("node's follower has the last event", lambda: follower.events and follower.events[-1]["cursor"] == marker)
        until("the page has the last event", lambda: browser.cursors()[-1:] == [marker])
        pages = list(node.events())
        code = follower.end()
        check("node's follower ended well", code == 0 and follower.states[-1]["state"] == "closed", code, follower.states[-1:])
        check(f"the lines broke ({lines[0].made} and {lines[1].made} connections)", min(line.made for line in lines) >= 5)
        same = [{k: v for k, v in e.items() if k != "type"} for e in follower.events]
        check(f"node has all {len(pages)} events of the log, each once", same == pages, len(same), len(pages))
        shown = browser.cursors()
        check(f"the page shows all {len(pages)} events of the log, each once", shown == [e["cursor"] for e in pages], len(shown), browser.state())
        mine = {"contract": "access", "event": "allowed", "attr.object": wish["object"]}
        found = [e["cursor"] for e in node.events(**mine)]
        check(f"a filter finds {len(found)} of them", found == [e["cursor"] for e in pages if e["contract"] == "access" and e["event"] == "allowed"
                                                              and e["attributes"]["object"] == wish["object"]])


def main(program):
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"FAILED: not done within {WHOLE} s"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("FAILED: told to end"))
    signal.alarm(WHOLE)
    vectors()
    files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=HERE / "js"))
    threading.Thread(target=files.serve_forever, daemon=True).start()
    site = "http://127.0.0.1:%d" % files.server_port
    with tempfile.TemporaryDirectory(prefix="ward-clients-") as folder:
        folder = pathlib.Path(folder)
        w = Ward(folder)
        try:
            w.start(site)
            node = ward.Node(w.url)
            gateway, lock = a_device(w, node)
            wish = decisions(node, gateway, lock)
            examples(node, gateway, lock, wish)
            dashboards(w, node, gateway, wish, site, folder, program)
        finally:
            w.kill()
            files.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
