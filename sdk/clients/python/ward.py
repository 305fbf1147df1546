"""A device client for Ward in one file: the standard library and python3-cryptography (38 or newer).

It was written from sdk/WIRE.md, and names its chapters. A device that is enrolled opens a door:

    key = Key.load("door.pem")                             # made if it isn't there
    print(key.public.hex(), key.prove("ward-1", owner).hex())   # for the owner, who enrols it
    receipt = Node("http://127.0.0.1:9273").call(key, "access", "use", {"object": "...", "relation": "open"})
    if receipt["code"] == "ok" and receipt["return"]["allowed"]: ...
"""
import hashlib
import http.client
import json
import os
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

EDDSA, ES256 = -8, -7
TX, ENROL, AUTH = b"ward-tx-v1", b"ward-enrol-v1", b"ward-auth-v1"  # external AAD: what a signature is for
GAS = 10_000_000  # a limit for a contract in plain Go that calls one other: WIRE.md, "Gas"


def cbor(v):
    """The one encoding of a value: WIRE.md, "CBOR"."""
    def head(major, n):
        for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
            if n < 24:
                return bytes([major << 5 | n])
            if n < 1 << 8 * size:
                return bytes([major << 5 | info]) + n.to_bytes(size, "big")
        raise ValueError(f"{n} does not fit in 64 bits")
    if v is None or v is True or v is False:
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[v]
    if isinstance(v, int):
        return head(0, v) if v >= 0 else head(1, -1 - v)
    if isinstance(v, bytes):
        return head(2, len(v)) + v
    if isinstance(v, str):
        return head(3, len(v.encode())) + v.encode()
    if isinstance(v, (list, tuple)):
        return head(4, len(v)) + b"".join(map(cbor, v))
    if isinstance(v, dict):
        return head(5, len(v)) + b"".join(k + w for k, w in sorted((cbor(k), cbor(w)) for k, w in v.items()))
    raise TypeError(f"{type(v).__name__} has no CBOR here")


ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def checksum(words):
    """The polymod of bech32 over the prefix "ward" and these words: BIP 173."""
    c = 1
    for w in [ord(x) >> 5 for x in "ward"] + [0] + [ord(x) & 31 for x in "ward"] + words:
        top, c = c >> 25, (c & 0x1ffffff) << 5 ^ w
        for i, g in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
            c ^= g if top >> i & 1 else 0
    return c


def text(address):
    """20 bytes as ward1...: WIRE.md, "Addresses"."""
    words = [int.from_bytes(address, "big") >> 155 - 5 * i & 31 for i in range(32)]
    check = checksum(words + [0] * 6) ^ 0x2bc830a3
    return "ward1" + "".join(ALPHABET[w] for w in words + [check >> 25 - 5 * i & 31 for i in range(6)])


def address(s):
    """ward1... as 20 bytes; a ValueError if it is none."""
    words = [ALPHABET.index(x) for x in s[5:]]
    if s[:5] != "ward1" or len(words) != 38 or checksum(words) != 0x2bc830a3:
        raise ValueError(f"{s!r} is no address")
    return sum(w << 155 - 5 * i for i, w in enumerate(words[:32])).to_bytes(20, "big")


class Key:
    """A private key and what follows from it: WIRE.md, "Keys"."""

    def __init__(self, private):
        self.private, self.alg = private, EDDSA if isinstance(private, ed25519.Ed25519PrivateKey) else ES256
        form = (("Raw", "Raw"), ("X962", "CompressedPoint"))[self.alg == ES256]
        self.public = private.public_key().public_bytes(getattr(serialization.Encoding, form[0]), getattr(serialization.PublicFormat, form[1]))
        self.address = hashlib.sha256(b"ward-key-v1" + self.public).digest()[:20]  # also the kid

    @classmethod
    def new(cls, alg=ES256):
        return cls(ec.generate_private_key(ec.SECP256R1()) if alg == ES256 else ed25519.Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path, alg=ES256):
        """The key in a PEM file (PKCS #8, not encrypted), which only this user can read. A new one if there is no file."""
        if not os.path.exists(path):
            pem = cls.new(alg).private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
                f.write(pem)
        with open(path, "rb") as f:
            return cls(serialization.load_pem_private_key(f.read(), None))

    def message(self, aad, payload):
        """COSE_Sign1 over payload, and SHA-256 of what was signed, which is a transaction's id: WIRE.md, "Signing"."""
        protected = cbor({1: self.alg, 4: self.address})
        signed = sig_structure(protected, aad, payload)
        if self.alg == EDDSA:
            signature = self.private.sign(signed)
        else:
            r, s = utils.decode_dss_signature(self.private.sign(signed, ec.ECDSA(hashes.SHA256())))
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return b"\xd2\x84" + cbor(protected) + b"\xa0" + cbor(payload) + cbor(signature), hashlib.sha256(signed).digest()

    def transaction(self, chain, sequence, contract, method, args=None, gas=GAS, last_valid=None):
        """A signed transaction and its id. args is a dict as the contract's spec says, addresses as 20 bytes."""
        fields = {1: chain, 2: sequence, 3: last_valid, 4: gas, 5: contract, 6: method, 7: cbor(args)}
        if last_valid is None:
            del fields[3]
        return self.message(TX, cbor(fields))

    def prove(self, chain, owner, nonce=None, contract="devices"):
        """The proof of possession with which owner (20 bytes) enrols this key: WIRE.md, "Being enrolled"."""
        return self.message(ENROL, cbor({"chain": chain, "contract": contract, "owner": owner, "device": self.address, "nonce": nonce or os.urandom(16)}))[0]

    def answer(self, chain, nonce, audience, expires, contract="devices"):
        """The answer to a verifier's challenge: WIRE.md, "Answering a challenge"."""
        return self.message(AUTH, cbor({"chain": chain, "contract": contract, "device": self.address, "nonce": nonce, "audience": audience, "expires": expires}))[0]


def sig_structure(protected, aad, payload):
    return cbor(["Signature1", protected, aad, payload])


class Refused(Exception):
    """The node's no: status and the error object."""

    def __init__(self, status, answer):
        self.status, self.error = status, answer.get("error", {"code": "?", "number": 0, "reason": str(answer)})
        super().__init__("{code} ({number}): {reason}".format(**self.error))


class Node:
    """The HTTP surface of a node: WIRE.md, "HTTP"."""

    def __init__(self, url, timeout=40):
        self.at, self.timeout, self.sequences = urllib.parse.urlsplit(url), timeout, {}

    def ask(self, method, path, body=None, kind=None, **query):
        """One request, sent again if the node is busy: the same transaction runs once, and nothing else changes anything."""
        for pause in (0.5, 1, 2, 4, 0):
            try:
                return self.once(method, path, body, kind, query)
            except Refused as e:
                if not pause or e.status not in (429, 503, 504) or e.error["code"] == "over_quota":
                    raise
                time.sleep(pause)

    def once(self, method, path, body, kind, query):
        connect = http.client.HTTPSConnection if self.at.scheme == "https" else http.client.HTTPConnection
        c = connect(self.at.hostname, self.at.port, timeout=self.timeout)
        try:
            c.request(method, path + ("?" + urllib.parse.urlencode(query) if query else ""), body, {"Content-Type": kind} if kind else {})
            r = c.getresponse()
            answer = json.loads(r.read())
        finally:
            c.close()
        if r.status >= 400:
            raise Refused(r.status, answer)
        return answer

    def get(self, path, **query):
        return self.ask("GET", path, **query)

    def submit(self, signed, wait="commit"):
        """The receipt of a signed transaction, or {"id", "status": "pending"}: the same bytes may be sent again and run once."""
        return self.ask("POST", "/v1/tx", signed, "application/cose", wait=wait, **({"timeout": 30} if wait == "commit" else {}))

    def call(self, key, contract, method, args=None, gas=GAS):
        """Signs a call with the key's next sequence and returns the receipt. Executed is not yet allowed: look at code and return."""
        if key.address not in self.sequences:
            self.chain = self.get("/v1/status")["chain"]
            self.sequences[key.address] = int(self.get("/v1/keys/" + text(key.address))["lanes"][0]["next"])
        sequence = self.sequences.pop(key.address)  # forgotten, and asked for again, unless all goes well
        signed, id = key.transaction(self.chain, sequence, contract, method, args, gas)
        receipt = self.submit(signed)
        if "code" not in receipt:
            raise TimeoutError(f"transaction {id.hex()} is on its way: GET /v1/tx/{id.hex()} will tell")
        self.sequences[key.address] = sequence + 1
        return receipt

    def query(self, contract, view, **args):
        """What a view answers. Its arguments are JSON: addresses are ward1..., bytes 0x and hex."""
        return self.ask("POST", f"/v1/contracts/{contract}/query/{view}", json.dumps(args), "application/json")["result"]

    def events(self, after="start", **filter):
        """Every event up to now, page by page; contract=, event= and **{"attr.object": ...} choose."""
        more = True
        while more:
            page = self.get("/v1/events", after=after, **filter)
            yield from page["events"]
            after, more = page["next"], page["more"]
