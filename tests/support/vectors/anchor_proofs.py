"""`anchor-proofs.json`: the JSON member, its base64url and its CBOR, valid and malformed in every way we know."""

from base64 import b64encode, urlsafe_b64encode
from typing import Any

from tests.support.vectors.common import (
    CHAIN_ID,
    ISSUER_ID,
    REGISTRY,
    REGISTRY_ADDRESS,
    Json,
    anchor_proof,
    cbor_of,
    file_of,
    number,
    proof_member,
    to_hex,
)

MAX_UINT32 = 2**32 - 1
CHECKSUMMED = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
ROOT, SALT = number(1), b"\x5a" * 32
PATH = [number(2), number(3)]
# Neighbours in CBOR's order of keys; the values are CBOR already, so that each can be written wrongly.
_KEYS = ("path", "root", "salt", "size", "issuerId", "registry", "leafIndex")


def head(major: int, value: int, width: int | None = None) -> bytes:
    """Write a CBOR head: in its shortest form, or with this many bytes behind the first."""
    if width is None:
        width = 0 if value < 24 else next(each for each in (1, 2, 4, 8) if value < 1 << (8 * each))
    if width == 0:
        return bytes([major << 5 | value])
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + value.to_bytes(width, "big")


def uint(value: int, width: int | None = None) -> bytes:
    return head(0, value, width)


def string(value: bytes, width: int | None = None) -> bytes:
    return head(2, len(value), width) + value


def text(value: str | bytes, width: int | None = None) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return head(3, len(data), width) + data


FIELDS = {
    "path": string(b"".join(PATH)),
    "root": string(ROOT),
    "salt": string(SALT),
    "size": uint(3),
    "issuerId": uint(ISSUER_ID),
    "registry": text(REGISTRY),
    "leafIndex": uint(1),
}


def cbor_map(entries: list[tuple[bytes, bytes]], start: bytes | None = None, end: bytes = b"") -> bytes:
    begin = head(5, len(entries)) if start is None else start
    return begin + b"".join(key + value for key, value in entries) + end


def entries_of(**changes: bytes) -> list[tuple[bytes, bytes]]:
    return [(text(key), changes.get(key, FIELDS[key])) for key in _KEYS]


def with_fields(**changes: bytes) -> Json:
    return proof_member(cbor_map(entries_of(**changes)))


CBOR = cbor_map(entries_of())
MEMBER = proof_member(CBOR)


def build() -> Json:
    return file_of(
        "Entries of proof with the cryptosuite merkle-eip155-jcs-2026: what they say, or why they are malformed. "
        "docs/spec/anchor-proof.md, Format.",
        valid=_valid(),
        invalid=[
            {"name": name, "proof": proof, "reason": reason}
            for name, proof, reason in (*_members(), *_base64(), *_cbor(), *_values(), *_registries())
        ],
    )


def _valid() -> list[Json]:
    def accept(name: str, **changes: Any) -> Json:
        said: Json = {
            "root": ROOT,
            "size": 3,
            "leaf_index": 1,
            "salt": SALT,
            "siblings": PATH,
            "registry": REGISTRY,
            "issuer_id": ISSUER_ID,
        } | changes
        return {
            "name": name,
            "proof": anchor_proof(**said),
            "registry": said["registry"],
            "issuerId": said["issuer_id"],
            "root": to_hex(said["root"]),
            "size": said["size"],
            "leafIndex": said["leaf_index"],
            "salt": to_hex(said["salt"]),
            "siblings": [to_hex(each) for each in said["siblings"]],
        }

    plain = accept("plain")
    assert plain["proof"] == MEMBER
    numbers = [
        accept(f"numbers-of-{value}", size=value + 1, leaf_index=value, issuer_id=value)
        for value in (23, 24, 255, 256, 65_535, 65_536, MAX_UINT32 - 1)
    ]
    longest = f"eip155:{'9' * 32}:0x{'f' * 40}"
    return [
        plain,
        accept("batch-of-one", size=1, leaf_index=0, siblings=[]),
        *numbers,
        accept("largest-issuer-id", issuer_id=MAX_UINT32),
        accept("32-siblings", size=MAX_UINT32, leaf_index=7, siblings=[number(index) for index in range(32)]),
        accept("siblings-of-another-number-are-for-the-fold", siblings=[]),
        accept("root-and-salt-all-zero", root=bytes(32), salt=bytes(32)),
        accept("mainnet", registry=f"eip155:1:{REGISTRY_ADDRESS}"),
        accept("chain-id-beyond-2-to-the-53", registry=f"eip155:9007199254740993:{REGISTRY_ADDRESS}"),
        accept("longest-registry", registry=longest, size=MAX_UINT32, siblings=[SALT] * 32),
        accept("address-all-zero", registry=f"eip155:1:0x{'0' * 40}"),
    ]


def _members() -> list[tuple[str, Any, str]]:
    def changed(**members: Any) -> Json:
        return {**MEMBER, **members}

    def without(name: str) -> Json:
        return {key: member for key, member in MEMBER.items() if key != name}

    method = str(MEMBER["verificationMethod"])
    other_address = REGISTRY_ADDRESS.replace("5fb", "6fb")
    return [
        ("member-created", changed(created="2026-01-01T00:00:00Z"), "a member of its own"),
        ("member-id", changed(id="urn:x"), "a member of its own"),
        ("member-null", changed(created=None), "a member of its own"),
        *((f"without-{name}", without(name), "a member is missing") for name in MEMBER if name != "cryptosuite"),
        ("type-other", changed(type="Other"), "another type"),
        ("type-in-an-array", changed(type=["DataIntegrityProof"]), "the type is text"),
        ("purpose-authentication", changed(proofPurpose="authentication"), "another purpose"),
        ("method-of-another-issuer", changed(verificationMethod=method + "0"), "another issuer than in the CBOR"),
        (
            "method-of-another-registry",
            changed(verificationMethod=method.replace(REGISTRY_ADDRESS, other_address)),
            "another registry than in the CBOR",
        ),
        ("method-of-another-chain", changed(verificationMethod=method.replace("31337", "1")), "another chain"),
        (
            "method-checksummed",
            changed(verificationMethod=method.replace(REGISTRY_ADDRESS, CHECKSUMMED)),
            "upper-case letters in the address",
        ),
        ("method-leading-zero", changed(verificationMethod=method.replace("issuer-7", "issuer-07")), "a leading zero"),
        ("method-without-fragment", changed(verificationMethod=method.partition("#")[0]), "another form"),
        ("method-of-another-kind", changed(verificationMethod="did:web:college.example#key-1"), "another form"),
        ("method-an-object", changed(verificationMethod={"id": method}), "it is text"),
    ]


def _base64() -> list[tuple[str, Any, str]]:
    # One byte longer than the plain one, so that there is padding to leave out, and spare bits to abuse.
    data = cbor_map(entries_of(size=uint(100)))
    assert len(data) % 3 == 1
    good = str(proof_member(data)["proofValue"])
    padded, plain = urlsafe_b64encode(data).decode(), b64encode(data).decode().rstrip("=")
    assert plain != good[1:], "choose values whose two alphabets differ"
    assert good[-1] == "Q", "its two high bits count, the four low ones are spare"
    stray = good[:-1] + "R"

    def value(proof_value: Any) -> Json:
        return {**MEMBER, "proofValue": proof_value}

    return [
        ("value-null", value(None), "it is text"),
        ("value-number", value(7), "it is text"),
        ("value-empty", value(""), "no multibase prefix"),
        ("value-prefix-only", value("u"), "nothing behind the prefix"),
        ("prefix-missing", value(good[1:]), "no multibase prefix"),
        ("prefix-z", value("z" + good[1:]), "another multibase prefix (base58)"),
        ("prefix-upper-case", value("U" + padded), "another multibase prefix (padded base64url)"),
        ("prefix-m", value("m" + plain), "another multibase prefix (base64)"),
        ("padded", value("u" + padded), "padding"),
        ("padded-too-much", value("u" + padded + "="), "padding"),
        ("alphabet-of-plain-base64", value("u" + plain), "+ or / instead of - or _"),
        ("line-feed-at-the-end", value(good + "\n"), "white space"),
        ("space-inside", value(good[:20] + " " + good[20:]), "white space"),
        ("space-before", value(" " + good), "white space"),
        ("letter-beyond-ascii", value(good[:-1] + "é"), "not of the alphabet"),
        ("bits-left-over", value(stray), "the last character has bits that decode to nothing"),
        ("one-character-left-over", value(good[:-1]), "a last character alone is no byte"),
        ("2048-characters", value("u" + "A" * 2047), "decodes to no anchor proof"),
        ("2049-characters", value("u" + "A" * 2048), "longer than 2,048 characters"),
    ]


def _cbor() -> list[tuple[str, Any, str]]:
    entries = entries_of()
    names = dict(zip(_KEYS, entries, strict=True))

    def raw(data: bytes) -> Json:
        return proof_member(data)

    def keyed(key: str, encoded: bytes) -> Json:
        return raw(cbor_map([(encoded if name == key else text(name), FIELDS[name]) for name in _KEYS]))

    def swapped(first: str, second: str) -> Json:
        order = [{first: second, second: first}.get(name, name) for name in _KEYS]
        return raw(cbor_map([names[name] for name in order]))

    alphabetical = cbor_map([names[name] for name in sorted(_KEYS)])
    chunks = b"\x5f" + string(ROOT[:16]) + string(ROOT[16:]) + b"\xff"
    not_shortest = "the length is not in its shortest form"
    many = [(text(f"k{index:02}"), uint(0)) for index in range(16)]
    return [
        ("cbor-truncated-by-one", raw(CBOR[:-1]), "the last value is missing"),
        ("cbor-truncated-in-a-string", raw(CBOR[:40]), "truncated"),
        ("cbor-head-only", raw(CBOR[:1]), "truncated"),
        ("cbor-byte-behind", raw(CBOR + b"\x00"), "bytes behind the map"),
        ("cbor-twice", raw(CBOR + CBOR), "bytes behind the map"),
        ("cbor-byte-before", raw(b"\x00" + CBOR), "a number, and bytes behind it"),
        ("cbor-self-described", raw(b"\xd9\xd9\xf7" + CBOR), "a tag"),
        ("cbor-array", raw(cbor_map(entries, start=head(4, 14))), "an array, no map"),
        ("cbor-null", raw(b"\xf6"), "null, no map"),
        ("cbor-empty-map", raw(b"\xa0"), "no members"),
        ("cbor-break-alone", raw(b"\xff"), "no item"),
        ("cbor-reserved-head", raw(b"\x1c"), "no item"),
        ("cbor-map-in-bytes", raw(string(CBOR)), "bytes, no map"),
        ("cbor-map-longer-than-data", raw(cbor_map(entries, start=head(5, 8))), "an entry is missing"),
        ("cbor-map-of-huge-length", raw(b"\xbb" + b"\xff" * 8), "entries are missing"),
        ("cbor-nested-deep", raw(b"\x81" * 1400), "nested, and truncated"),
        ("map-indefinite", raw(cbor_map(entries, start=b"\xbf", end=b"\xff")), "indefinite length"),
        (
            "map-length-not-shortest",
            raw(cbor_map(entries, start=head(5, 7, 1))),
            not_shortest,
        ),
        ("keys-alphabetical", raw(alphabetical), "keys out of order: CBOR sorts shorter ones first"),
        ("keys-swapped", swapped("path", "root"), "keys out of order"),
        ("keys-of-another-order-at-the-end", swapped("registry", "leafIndex"), "keys out of order"),
        ("key-twice", raw(cbor_map([*entries[:4], entries[3], *entries[4:]])), "a key twice"),
        (
            "key-twice-with-another-value",
            raw(cbor_map([*entries[:3], (text("size"), uint(4)), *entries[3:]])),
            "a key twice",
        ),
        *(
            (f"key-{name}-missing", raw(cbor_map([names[each] for each in _KEYS if each != name])), "a key is missing")
            for name in _KEYS
        ),
        ("key-unknown", raw(cbor_map([*entries, (text("leafIndexes"), uint(1))])), "an unknown key"),
        ("keys-unknown-only", raw(cbor_map(many)), "unknown keys"),
        ("key-in-another-case", keyed("size", text("Size")), "an unknown key"),
        ("key-as-bytes", keyed("size", string(b"size")), "a key is text"),
        ("key-as-number", keyed("size", uint(4)), "a key is text"),
        ("key-length-not-shortest", keyed("size", text("size", 1)), "the key's length is not in its shortest form"),
        ("key-indefinite", keyed("size", b"\x7f" + text("size") + b"\xff"), "indefinite length"),
        ("bytes-indefinite", with_fields(root=chunks), "indefinite length"),
        ("text-indefinite", with_fields(registry=b"\x7f" + text(REGISTRY) + b"\xff"), "indefinite length"),
        ("bytes-length-not-shortest", with_fields(root=string(ROOT, 2)), not_shortest),
        ("text-length-not-shortest", with_fields(registry=text(REGISTRY, 4)), not_shortest),
        ("number-not-shortest-8-bits", with_fields(size=uint(3, 1)), "the number is not in its shortest form"),
        ("number-not-shortest-16-bits", with_fields(size=uint(3, 2)), "the number is not in its shortest form"),
        ("number-not-shortest-32-bits", with_fields(issuerId=uint(7, 4)), "the number is not in its shortest form"),
        ("number-not-shortest-64-bits", with_fields(leafIndex=uint(1, 8)), "the number is not in its shortest form"),
        ("number-as-bignum", with_fields(size=b"\xc2" + string(b"\x03")), "a bignum"),
        ("number-as-half-float", with_fields(size=bytes.fromhex("f94200")), "a float"),
        ("number-as-double", with_fields(size=bytes.fromhex("fb4008000000000000")), "a float"),
        ("number-as-text", with_fields(size=text("3")), "it is a number"),
        ("number-as-bytes", with_fields(size=string(b"\x03")), "it is a number"),
        ("number-true", with_fields(leafIndex=b"\xf5"), "it is a number"),
        ("number-null", with_fields(leafIndex=b"\xf6"), "it is a number"),
        ("number-undefined", with_fields(leafIndex=b"\xf7"), "it is a number"),
        ("number-tagged", with_fields(size=b"\xc1" + uint(3)), "a tag"),
        ("number-decimal-fraction", with_fields(size=bytes.fromhex("c4820003")), "a tag"),
        ("bytes-as-text", with_fields(root=text(b"r" * 32)), "it is bytes"),
        ("bytes-as-array", with_fields(path=b"\x82" + string(PATH[0]) + string(PATH[1])), "it is bytes"),
        ("bytes-as-hex", with_fields(salt=text(to_hex(SALT))), "it is bytes"),
        ("bytes-tagged-as-uuid", with_fields(root=b"\xd8\x25" + string(ROOT)), "a tag"),
        ("text-as-bytes", with_fields(registry=string(REGISTRY.encode())), "it is text"),
        ("text-tagged-as-uri", with_fields(registry=b"\xd8\x20" + text(REGISTRY)), "a tag"),
        ("text-not-utf-8", with_fields(registry=text(REGISTRY.encode()[:-1] + b"\xff")), "not UTF-8"),
    ]


def _values() -> list[tuple[str, Any, str]]:
    def content(**changes: Any) -> Json:
        plain = {
            "registry": REGISTRY,
            "issuerId": ISSUER_ID,
            "root": ROOT,
            "size": 3,
            "leafIndex": 1,
            "salt": SALT,
            "path": b"".join(PATH),
        }
        # The member names the same issuer, so that only the value itself is wrong.
        issuer_id = changes.get("issuerId", ISSUER_ID)
        return proof_member(cbor_of(**{**plain, **changes}), issuer_id=issuer_id)

    return [
        ("root-of-31-bytes", content(root=ROOT[:31]), "32 bytes"),
        ("root-of-33-bytes", content(root=ROOT + b"\x00"), "32 bytes"),
        ("root-empty", content(root=b""), "32 bytes"),
        ("salt-of-31-bytes", content(salt=SALT[:31]), "32 bytes"),
        ("salt-of-33-bytes", content(salt=SALT + b"\x00"), "32 bytes"),
        ("salt-empty", content(salt=b""), "32 bytes"),
        ("path-of-33-bytes", content(path=PATH[0] + b"\x00"), "no multiple of 32 bytes"),
        ("path-of-31-bytes", content(path=PATH[0][:31]), "no multiple of 32 bytes"),
        ("path-of-33-siblings", content(path=PATH[0] * 33, size=MAX_UINT32), "at most 32 siblings"),
        ("size-0", content(size=0, leafIndex=0), "at least 1"),
        ("size-0-index-1", content(size=0), "at least 1"),
        ("size-2-to-the-32", content(size=2**32), "at most 2^32 - 1"),
        ("size-2-to-the-64", content(size=2**64), "at most 2^32 - 1"),
        ("size-negative", content(size=-3), "unsigned"),
        ("index-is-size", content(leafIndex=3), "not below the size"),
        ("index-beyond-size", content(leafIndex=4), "not below the size"),
        ("index-negative", content(leafIndex=-1), "unsigned"),
        ("issuer-0", content(issuerId=0), "at least 1"),
        ("issuer-2-to-the-32", content(issuerId=2**32), "at most 2^32 - 1"),
        ("issuer-negative", content(issuerId=-7), "unsigned"),
    ]


def _registries() -> list[tuple[str, Any, str]]:
    def registry(named: str) -> Json:
        return proof_member(cbor_map(entries_of(registry=text(named))), registry=named)

    address = REGISTRY_ADDRESS
    return [
        (
            "registry-checksummed",
            registry(f"eip155:{CHAIN_ID}:{CHECKSUMMED}"),
            "lower case",
        ),
        ("registry-upper-case-prefix", registry(f"eip155:{CHAIN_ID}:0X{address[2:]}"), "lower case"),
        ("registry-without-0x", registry(f"eip155:{CHAIN_ID}:{address[2:]}"), "0x is missing"),
        ("registry-of-another-namespace", registry(f"cosmos:{CHAIN_ID}:{address}"), "another namespace"),
        ("registry-namespace-upper-case", registry(f"EIP155:{CHAIN_ID}:{address}"), "another namespace"),
        ("registry-chain-0", registry(f"eip155:0:{address}"), "chain ids start at 1"),
        ("registry-chain-leading-zero", registry(f"eip155:0{CHAIN_ID}:{address}"), "a leading zero"),
        ("registry-chain-plus", registry(f"eip155:+{CHAIN_ID}:{address}"), "a sign"),
        ("registry-chain-hexadecimal", registry(f"eip155:0x7a69:{address}"), "no decimal"),
        ("registry-chain-empty", registry(f"eip155::{address}"), "no chain id"),
        ("registry-chain-of-33-digits", registry(f"eip155:{'1' * 33}:{address}"), "at most 32 digits"),
        ("registry-chain-in-other-digits", registry(f"eip155:\u0663:{address}"), "decimals are 0 to 9"),
        ("registry-address-short", registry(f"eip155:{CHAIN_ID}:{address[:-2]}"), "40 hex digits"),
        ("registry-address-long", registry(f"eip155:{CHAIN_ID}:{address}00"), "40 hex digits"),
        ("registry-address-not-hexadecimal", registry(f"eip155:{CHAIN_ID}:{address[:-1]}g"), "40 hex digits"),
        ("registry-line-feed", registry(f"{REGISTRY}\n"), "white space"),
        ("registry-empty", registry(""), "empty"),
        ("registry-with-fragment", registry(f"{REGISTRY}#issuer-7"), "more behind the address"),
    ]
