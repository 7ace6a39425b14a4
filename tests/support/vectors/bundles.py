"""`bundle.json`: bundles, what they hold and what follows under a policy that knows their block; malformed ones."""

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import rlp
from eth_hash.auto import keccak

from tests.support.vectors.common import (
    CHAIN_ID,
    REGISTRY,
    Json,
    canonical_of,
    file_of,
    from_hex,
    number,
    preimage_of,
    status_pair,
    to_hex,
)
from tests.support.vectors.credentials import ALONE, BATCH, FIRST_INDEX, body, data_of, document, position_of, proof
from tests.support.vectors.ledger import (
    ANCHORED_AT,
    CODE_HASH,
    KEY,
    NOW,
    REVOKED,
    SUSPENDED,
    Batch,
    Bit,
    Key,
    batch_slot,
    did_slot,
    evidence_of,
    header,
    issuer_slot,
    key_slot,
    word_slot,
)
from tests.support.vectors.scenarios import FACTS, MAIN, OTHER_CHAIN, OTHER_REGISTRY, SLOTS

_FORMAT = "credanchor/bundle@v1"


def build() -> Json:
    return file_of(
        "Bundles: the blocks they rest on, and of each credential the verdict under a policy and at a time; malformed "
        "ones have none. docs/spec/bundle.md.",
        valid=_valid(),
        invalid=_invalid(),
    )


# What bundles are made of.


def bundle(credentials: list[Json], *evidences: Json) -> Json:
    """Put a bundle together of all that the evidences have, each node once."""
    nodes = [
        node
        for each in evidences
        for node in (*each["accountNodes"], *(node for storage in each["storage"] for node in storage["nodes"]))
    ]
    return {
        "format": _FORMAT,
        "credentials": credentials,
        "registries": [{"registry": each["registry"], "header": each["header"]} for each in evidences],
        "nodes": list(dict.fromkeys(nodes)),
    }


def slots_of(*names: str, epoch: int = 0) -> list[bytes]:
    """Name what the verdicts on these credentials of the batch need."""
    words = [
        word_slot(base, index, status_list=status_list, epoch=epoch)
        for status_list, index in map(position_of, names)
        for base in (REVOKED, SUSPENDED)
    ]
    return list(dict.fromkeys([SLOTS["issuer"], SLOTS["did"], SLOTS["batch"], SLOTS["key"], *words]))


def of_batch(*names: str, epoch: int = 0, **changes: Any) -> Json:
    """Bundle credentials of the batch, as the ledger has it with these changes."""
    facts = replace(FACTS, status_epoch=epoch, **changes)
    return bundle([document(name) for name in names], evidence_of(facts, slots_of(*names, epoch=epoch)))


def _bits(*bases: int, epoch: int = 0) -> tuple[Bit, ...]:
    return tuple(Bit(base=base, index=FIRST_INDEX, epoch=epoch) for base in bases)


def _not_anchored() -> Json:
    slots = [slot for slot in slots_of("plain") if slot != SLOTS["key"]]
    return bundle([document()], evidence_of(replace(FACTS, batches=()), slots))


def _alone(registry: str = REGISTRY, **changes: Any) -> tuple[Json, Batch]:
    """Anchor a credential as the only one of its batch."""
    content, salt = body("plain", **changes), number(7)
    leaf = sha256(preimage_of(salt, 0, FIRST_INDEX, sha256(canonical_of(content)).digest())).digest()
    said: Json = {"root": leaf, "size": 1, "leaf_index": 0, "salt": salt, "siblings": [], "registry": registry}
    return {**content, "proof": [proof(**said)]}, Batch(root=leaf, size=1)


def _of_one(credential: Json, batch: Batch, registry: str = REGISTRY, **changes: Any) -> tuple[Json, Json]:
    """Give a credential that is alone in its batch, and its evidence."""
    slots = [issuer_slot(), did_slot(), batch_slot(batch.root), key_slot(), *slots_of("plain")[4:]]
    return credential, evidence_of(replace(FACTS, batches=(batch,), **changes), slots, registry)


def _two_registries() -> Json:
    """Two credentials of different registries, whose blocks differ, too."""
    status = status_pair(FIRST_INDEX, address=OTHER_REGISTRY.split(":")[2])
    second, its = _of_one(*_alone(OTHER_REGISTRY, credentialStatus=status), OTHER_REGISTRY, block_number=101)
    return bundle([document(), second], evidence_of(FACTS, slots_of("plain")), its)


def _two_batches() -> Json:
    """One credential with anchor proofs of two batches."""
    slots = [*slots_of("plain"), batch_slot(ALONE.root)]
    facts = replace(FACTS, batches=(MAIN, Batch(root=ALONE.root, size=1)))
    return bundle([document(proofs=[proof(), proof(tree=ALONE)])], evidence_of(facts, slots))


def _blocks(content: Json) -> list[Json]:
    found = []
    for each in content["registries"]:
        fields = rlp.decode(from_hex(each["header"]))
        found.append(
            {
                "registry": each["registry"],
                "blockHash": to_hex(keccak(from_hex(each["header"]))),
                "number": int.from_bytes(fields[8], "big"),
                "time": int.from_bytes(fields[11], "big"),
            }
        )
    return found


def policy(content: Json, **changes: Any) -> Json:
    """Trust the bundle's registries, and know the blocks it rests on."""
    known = [block["blockHash"] for block in _blocks(content)]
    return {
        "format": "credanchor/policy@v1",
        "registries": [
            {"registry": each["registry"], "codeHash": to_hex(CODE_HASH), "name": "Test registry"}
            for each in content["registries"]
        ],
        "vouching": "pinnedHash",
        "knownBlocks": {f"eip155:{CHAIN_ID}": known},
        "maxAgeSeconds": 3600,
        **changes,
    }


# Those that are read.


def _valid() -> list[Json]:
    plain, two = of_batch("plain"), _two_registries()
    several = of_batch("plain", "issuer-as-text", "letters", "unknown-members", "other-list")
    with_another_proof = of_batch("plain")
    with_another_proof["credentials"][0]["proof"].append({"type": "Ed25519Signature2020"})
    vectors = [
        _case("one-credential", plain, "valid"),
        _case("several-share-their-proofs", several, *["valid"] * 5),
        _case("two-registries-at-two-blocks", two, "valid", "valid"),
        _case("two-anchor-proofs", _two_batches(), "valid"),
        _case("members-in-another-order", dict(reversed(plain.items())), "valid"),
        _case("nodes-in-another-order", {**plain, "nodes": plain["nodes"][::-1]}, "valid"),
        _case("registries-in-another-order", {**two, "registries": two["registries"][::-1]}, "valid", "valid"),
        _case("another-proof-beside", with_another_proof, "valid"),
        _case("epoch-3", of_batch("plain", epoch=3, bits=_bits(REVOKED)), "valid"),
        _case("until-past", of_batch("until-past"), "invalid expired"),
        _case("revoked", of_batch("plain", bits=_bits(REVOKED)), "invalid revoked"),
        _case("suspended", of_batch("plain", bits=_bits(SUSPENDED)), "invalid suspended"),
        _case("one-of-two-revoked", of_batch("plain", "letters", bits=_bits(REVOKED)), "invalid revoked", "valid"),
        _case("revoked-in-epoch-3", of_batch("plain", epoch=3, bits=_bits(REVOKED, epoch=3)), "invalid revoked"),
        _case("batch-revoked", of_batch("plain", batches=(replace(MAIN, revoked_reason=1),)), "invalid batchRevoked"),
        _case(
            "key-compromised", of_batch("plain", keys={KEY: Key(compromised_at=ANCHORED_AT)}), "invalid keyCompromised"
        ),
        _case("issuer-of-another-did", of_batch("plain", did="did:web:other.example"), "invalid untrustedIssuer"),
        _case("not-anchored", _not_anchored(), "invalid notAnchored"),
        _case("not-anchored-121-s-ago", _not_anchored(), "unknown staleBlock", now=NOW + 116),
        _case("not-anchored-120-s-ago", _not_anchored(), "invalid notAnchored", now=NOW + 115),
        _case("block-not-known", plain, "unknown unvouchedBlock", knownBlocks={}),
        _case("block-known-of-another-chain", plain, "unknown unvouchedBlock", knownBlocks=_of_chain_1(plain)),
        _case("block-too-old", plain, "unknown staleBlock", now=NOW + 3596),
        _case("block-of-any-age", plain, "valid", now=NOW + 100_000_000, maxAgeSeconds=None),
        _case("block-in-the-future", plain, "unknown staleBlock", now=NOW - 66),
        _case("registry-not-trusted", plain, "unknown untrustedRegistry", registries=[]),
        _case(
            "one-registry-not-trusted",
            two,
            "valid",
            "unknown untrustedRegistry",
            registries=policy(two)["registries"][:1],
        ),
        _case("other-code", of_batch("plain", code_hash=keccak(b"other code")), "unknown wrongCode"),
    ]
    first = next(each for each in vectors if each["name"] == "one-credential")
    spaced = json.dumps(plain, indent=2).encode() + b"\n"
    return [*vectors, {**first, "name": "white-space-and-escapes", "bundle": to_hex(spaced)}]


def _case(name: str, content: Json, *verdicts: str, now: int = NOW, **changes: Any) -> Json:
    outcomes = [verdict.partition(" ") for verdict in verdicts]
    return {
        "name": name,
        "bundle": to_hex(data_of(content)),
        "policy": policy(content, **changes),
        "now": now,
        "blocks": _blocks(content),
        "verdicts": [{"outcome": outcome, "reason": reason} for outcome, _, reason in outcomes],
    }


def _of_chain_1(content: Json) -> Json:
    return {"eip155:1": [block["blockHash"] for block in _blocks(content)]}


# Those that are refused, by the step that does it.


def _invalid() -> list[Json]:
    named = [*_step_1(), *_step_2(), *_step_3_and_4(), *_step_5(), *_step_6(), *_step_7()]
    vectors = [
        {"name": name, "bundle": to_hex(content if isinstance(content, bytes) else data_of(content)), "reason": reason}
        for name, content, reason in named
    ]
    assert len({each["name"] for each in vectors}) == len(vectors)
    return vectors


_Named = tuple[str, Json | bytes, str]


def _step_1() -> Iterator[_Named]:
    plain = of_batch("plain")
    data = data_of(plain)
    yield "step-1-cut-off", data[:-1], "not JSON"
    yield "step-1-byte-order-mark", b"\xef\xbb\xbf" + data, "JSON has no byte order mark"
    yield "step-1-array", b"[" + data + b"]", "a bundle is an object"
    yield "step-1-key-twice", data[:-1] + b',"nodes":[]}', "a key occurs twice in an object"
    proof_key_twice = data.replace(b'"proofPurpose":', b'"type":"DataIntegrityProof","proofPurpose":', 1)
    yield "step-1-key-twice-in-a-proof", proof_key_twice, "a key occurs twice in an object, wherever that is"
    deep, its = _of_one(*_alone(x=json.loads("[" * 62 + "]" * 62)))
    yield "step-1-nested-65-deep", bundle([deep], its), "the credential is nested 63 deep, within a bundle 65"
    yield "step-1-version-2", {**plain, "format": "credanchor/bundle@v2"}, "another version"
    yield "step-1-format-as-number", {**plain, "format": 1}, "the format is text"
    for member in plain:
        without = {name: value for name, value in plain.items() if name != member}
        yield f"step-1-without-{member}", without, "all four members must be there"
    yield "step-1-unknown-member", {**plain, "vouchedBy": ["me"]}, "a bundle does not say who vouches for it"


def _step_2() -> Iterator[_Named]:
    plain = of_batch("plain")

    def credentials(*given: Any) -> Json:
        return {**plain, "credentials": list(given)}

    yield "step-2-no-credential", credentials(), "at least one credential"
    yield "step-2-credentials-as-object", {**plain, "credentials": document()}, "credentials are an array"
    yield "step-2-credential-as-text", credentials(data_of(document()).decode()), "a credential is an object"
    yield "step-2-credential-twice", credentials(document(), document()), "the same credential twice"
    twice = credentials(document(), document(proofs=[proof(), {"type": "Other"}]))
    yield "step-2-credential-twice-with-other-proofs", twice, "the same canonical bytes"
    yield "step-2-not-a-credential", credentials({**document(), "type": "Achievement"}), "not a credential"
    yield "step-2-date", credentials(document(validFrom="2026-01-01")), "a credential that is malformed by itself"
    yield "step-2-no-proof", credentials(document(proofs=[])), "no anchor proof, so nothing to prove"
    yield "step-2-one-without-proof", credentials(document(), document("letters", proofs=[])), "likewise, one of two"
    yield "step-2-changed", credentials(document(name="Data literacy!")), "the path leads to another root"
    yield "step-2-other-salt", credentials(document(proofs=[proof(salt=number(1))])), "the path leads to another root"
    yield (
        "step-2-other-position",
        credentials(document(credentialStatus=status_pair(FIRST_INDEX + 1))),
        "the path leads to another root",
    )
    elsewhere = status_pair(FIRST_INDEX, issuer_id=8)
    yield (
        "step-2-entries-of-another-issuer",
        credentials(document(credentialStatus=elsewhere)),
        "entries and proof differ",
    )
    both = [proof(), proof(root=number(1))]
    yield "step-2-one-of-two-paths", credentials(document(proofs=both)), "one anchor proof leads, the other does not"


def _step_3_and_4() -> Iterator[_Named]:
    plain, two = of_batch("plain"), _two_registries()
    (registry,) = plain["registries"]

    def registries(*given: Any) -> Json:
        return {**plain, "registries": list(given)}

    yield "step-3-no-registry", registries(), "the registry that the credential names is missing"
    yield "step-3-registry-twice", registries(registry, registry), "a registry twice"
    yield (
        "step-3-two-blocks-of-one-registry",
        registries(registry, two["registries"][1] | {"registry": REGISTRY}),
        "likewise",
    )
    yield "step-3-registry-that-nobody-names", registries(*two["registries"]), "no credential names the second one"
    yield "step-3-another-registry", registries({**registry, "registry": OTHER_REGISTRY}), "not the one that is named"
    yield "step-3-another-chain", registries({**registry, "registry": OTHER_CHAIN}), "not the chain that is named"
    yield (
        "step-3-registry-in-capitals",
        registries({**registry, "registry": REGISTRY.upper()}),
        "addresses are lower case",
    )
    yield "step-3-registry-as-number", registries({**registry, "registry": 1}), "a registry is named by a text"
    yield "step-3-registries-as-object", {**plain, "registries": registry}, "registries are an array"
    yield "step-3-registry-as-text", registries(REGISTRY), "a registry is an object"
    yield "step-3-block-hash", registries({**registry, "blockHash": to_hex(number(1))}), "exactly two members"
    yield "step-3-without-header", registries({"registry": REGISTRY}), "exactly two members"
    for name, text in _not_hex(registry["header"]).items():
        yield f"step-3-header-{name}", registries({**registry, "header": text}), "0x and lower-case hex digits"

    nodes = plain["nodes"]
    yield "step-4-nodes-as-object", {**plain, "nodes": {"0": nodes[0]}}, "nodes are an array"
    yield "step-4-node-twice", {**plain, "nodes": [*nodes, nodes[0]]}, "a node twice"
    large = [*nodes, "0x" + "00" * 533]
    yield "step-4-node-of-533-bytes", {**plain, "nodes": large}, "no trie has such a node"
    for name, text in _not_hex(nodes[0]).items():
        yield f"step-4-node-{name}", {**plain, "nodes": [text, *nodes[1:]]}, "0x and lower-case hex digits"


def _not_hex(text: str) -> Json:
    return {
        "in-capitals": "0x" + text[2:].upper(),
        "without-0x": text[2:],
        "of-odd-length": text[:-1],
        "with-a-line-feed": text + "\n",
        "empty": "0x",
        "as-number": 0,
        "null": None,
    }


def _step_5() -> Iterator[_Named]:
    plain = of_batch("plain")
    (registry,) = plain["registries"]
    block = from_hex(registry["header"])
    state_root = rlp.decode(block)[3]

    def with_header(content: bytes) -> Json:
        return {**plain, "registries": [{**registry, "header": to_hex(content)}]}

    yield "step-5-header-not-rlp", with_header(block[:-1]), "the header is no RLP list"
    yield "step-5-header-with-a-byte-behind", with_header(block + b"\x00"), "the header is no RLP list"
    yield (
        "step-5-header-of-14-fields",
        with_header(header(100, NOW - 5, state_root, fields=14)),
        "no header has fewer than 15",
    )
    for name, place in {"number": 8, "time": 11}.items():
        fields = rlp.decode(block)
        fields[place] = fields[place].ljust(9, b"\x00")
        yield f"step-5-header-with-a-{name}-of-9-bytes", with_header(rlp.encode(fields)), "at most 8 bytes"
    fields = rlp.decode(block)
    fields[12] = bytes(32_768)
    yield "step-5-header-too-large", with_header(rlp.encode(fields)), "more than 32,768 bytes"
    yield (
        "step-5-header-of-another-state",
        with_header(header(100, NOW - 5, number(1))),
        "the nodes do not lead from its state root",
    )
    absent = evidence_of(replace(FACTS, account_exists=False), [])
    yield "step-5-no-account", bundle([document()], absent), "the registry's account is proven absent"
    account = evidence_of(FACTS, [])["accountNodes"]
    for place, node in enumerate(account):
        yield f"step-5-account-node-{place}-missing", _without(plain, node), "the nodes do not lead to the account"
    yield "step-5-account-node-altered", _altered(plain, account[-1]), "its hash is another one"


def _step_6() -> Iterator[_Named]:
    # A neighbour's bits are set, so that each word of a status list has a leaf of its own.
    neighbours = tuple(Bit(base=base, index=FIRST_INDEX ^ 1) for base in (REVOKED, SUSPENDED))
    facts = replace(FACTS, bits=neighbours)
    evidence = evidence_of(facts, slots_of("plain"))
    whole = bundle([document()], evidence)
    names = {slot: name for name, slot in SLOTS.items()}
    for storage in evidence["storage"]:
        leaf, name = storage["nodes"][-1], names[from_hex(storage["slot"])]
        yield f"step-6-without-{name}", _without(whole, leaf), "the nodes do not lead to a slot that is needed"
        yield f"step-6-altered-{name}", _altered(whole, leaf), "its hash is another one"
    epochs = tuple(replace(bit, epoch=epoch) for bit in neighbours for epoch in (0, 3))
    old = evidence_of(replace(FACTS, status_epoch=3, bits=epochs), slots_of("plain"))
    yield "step-6-words-of-an-old-epoch", bundle([document()], old), "the words of the issuer's status epoch are needed"
    for name, size in {"more": BATCH.size + 1, "fewer": BATCH.size - 1, "none": 0}.items():
        content = of_batch("plain", batches=(replace(MAIN, size=size),))
        yield f"step-6-batch-of-{name}-leaves", content, "the batch was not anchored with the size in the anchor proof"


def _step_7() -> Iterator[_Named]:
    plain = of_batch("plain")
    yield "step-7-stray-node", {**plain, "nodes": [*plain["nodes"], "0x80"]}, "nobody needs the last node"
    other = Bit(base=REVOKED, index=FIRST_INDEX ^ 256)
    facts = replace(FACTS, bits=(other,))
    slots = [*slots_of("plain"), word_slot(REVOKED, other.index)]
    yield (
        "step-7-slot-that-nobody-needs",
        bundle([document()], evidence_of(facts, slots)),
        "another word, proven as well",
    )
    credentials = {**of_batch("plain", "other-list", bits=_last_bit()), "credentials": [document()]}
    yield "step-7-credential-taken-out", credentials, "its words are proven still"


def _last_bit() -> tuple[Bit, ...]:
    status_list, index = position_of("other-list")
    return (Bit(base=REVOKED, index=index ^ 1, status_list=status_list),)


def _without(content: Json, node: str) -> Json:
    assert node in content["nodes"]
    return {**content, "nodes": [each for each in content["nodes"] if each != node]}


def _altered(content: Json, node: str) -> Json:
    assert node in content["nodes"]
    other = node[:-1] + f"{int(node[-1], 16) ^ 1:x}"
    return {**content, "nodes": [other if each == node else each for each in content["nodes"]]}
