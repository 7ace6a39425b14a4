"""The credentials of `verification.json`: many of one batch, so that one piece of evidence serves them all."""

import json
from hashlib import sha256
from typing import Any

from tests.support.vectors.common import (
    DID,
    Json,
    Tree,
    anchor_proof,
    canonical_of,
    number,
    preimage_of,
    status_pair,
)

FIRST_INDEX = 94_567
OTHER_LIST, LAST_INDEX = 1, 131_071
BATCH_SIZE = 29

# What each credential of the batch has instead of, or besides, the members of `_body`; None: left out.
VARIANTS: dict[str, Json] = {
    "plain": {},
    "issuer-as-text": {"issuer": DID},
    "type-as-text": {"type": "VerifiableCredential"},
    "without-id": {"id": None},
    "without-dates": {"validFrom": None},
    "unknown-members": {"x": [1.5, -0.25, 1e-7, None, {"proof": "inside"}], "": 0, "10": 1, "9": 2, "__proto__": {}},
    "letters": {"name": "Littératie des données \U0001f600\u2028é", "\U0001f600": 1, "\ufb33": 2},
    "from-now": {"validFrom": "2026-09-21T14:13:20Z"},
    "from-next-second": {"validFrom": "2026-09-21T14:13:21Z"},
    "from-block": {"validFrom": "2026-09-21T14:13:15Z"},
    "from-second-after-block": {"validFrom": "2026-09-21T14:13:16Z"},
    "from-far": {"validFrom": "2030-01-01T00:00:00Z"},
    "until-now": {"validUntil": "2026-09-21T14:13:20Z"},
    "until-next-second": {"validUntil": "2026-09-21T14:13:21Z"},
    "until-before-block": {"validUntil": "2026-09-21T14:13:14Z"},
    "until-past": {"validUntil": "2026-02-01T00:00:00Z"},
    "until-with-fraction": {"validUntil": "2026-09-21T14:13:20.999Z"},
    "from-with-fraction": {"validFrom": "2026-09-21T14:13:20.999999999999Z"},
    "until-with-zone": {"validUntil": "2026-09-21T10:43:21-03:30"},
    "from-with-zone": {"validFrom": "2026-09-22T14:12:20+23:59"},
    "until-before-from": {"validFrom": "2026-09-21T14:13:21Z", "validUntil": "2026-09-21T14:13:20Z"},
    "first-year": {"validFrom": "0001-01-01T00:00:00+01:00", "validUntil": "9999-12-31T23:59:59-14:00"},
    "leap-day": {"validFrom": "2024-02-29T23:59:59Z"},
    "zone-minus-zero": {"validFrom": "2026-09-21T14:13:20-00:00"},
    "did-with-other-letters": {"issuer": {"id": DID.upper()}},
    "did-not-ascii": {"issuer": {"id": "did:web:coll\u00e8ge.example"}},
    "other-list": {},
}


def position_of(name: str) -> tuple[int, int]:
    """Status list and index of a credential of the batch."""
    if name == "other-list":
        return OTHER_LIST, LAST_INDEX
    return 0, FIRST_INDEX + list(VARIANTS).index(name)


def salt_of(name: str) -> bytes:
    return sha256(b"salt of " + name.encode()).digest()


def body(name: str, /, **changes: Any) -> Json:
    """Write the credential without its proof."""
    status_list, index = position_of(name)
    content = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:example:1",
        "type": ["VerifiableCredential"],
        "name": "Data literacy",
        "issuer": {"id": DID, "name": "Borealis College"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"name": "Zo\u00eb"},
        "credentialStatus": status_pair(index, status_list=status_list),
        **VARIANTS[name],
        **changes,
    }
    return {member: value for member, value in content.items() if value is not None}


def leaf_of(name: str) -> bytes:
    status_list, index = position_of(name)
    content = sha256(canonical_of(body(name))).digest()
    return sha256(preimage_of(salt_of(name), status_list, index, content)).digest()


def _batch() -> Tree:
    leaves = [leaf_of(name) for name in VARIANTS]
    # "plain" comes first; the last one stands at the end of the odd tree, where it moves up.
    filling = [number(index) for index in range(BATCH_SIZE - len(leaves))]
    return Tree([*leaves[:-1], *filling, leaves[-1]])


BATCH = _batch()
"""All credentials above."""
SECOND = Tree([number(100), leaf_of("plain"), number(101)])
"""Another batch with the plain credential in it."""
ALONE = Tree([leaf_of("plain")])
"""A batch of only the plain credential."""


def proof(name: str = "plain", tree: Tree = BATCH, **changes: Any) -> Json:
    index = tree.leaves.index(leaf_of(name))
    said = {
        "root": tree.root,
        "size": tree.size,
        "leaf_index": index,
        "salt": salt_of(name),
        "siblings": tree.siblings(index),
    }
    return anchor_proof(**{**said, **changes})


def document(name: str = "plain", /, proofs: list[Any] | None = None, **changes: Any) -> Json:
    """Write a credential with its proof; with changes, one that was tampered with."""
    return {**body(name, **changes), "proof": [proof(name)] if proofs is None else proofs}


def data_of(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def credential(name: str = "plain", /, proofs: list[Any] | None = None, **changes: Any) -> bytes:
    return data_of(document(name, proofs, **changes))
