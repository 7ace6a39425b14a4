"""What the builders share: hex, JCS, leaves, trees and anchor proofs, by hashlib, rfc8785, merkletools and cbor2."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import cbor2
import merkletools
import rfc8785

Json = dict[str, Any]

REGISTRY_ADDRESS = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
CHAIN_ID = 31337
REGISTRY = f"eip155:{CHAIN_ID}:{REGISTRY_ADDRESS}"
ISSUER_ID = 7
DID = "did:web:college.example"


def to_hex(data: bytes) -> str:
    return "0x" + data.hex()


def from_hex(text: str) -> bytes:
    assert text.startswith("0x")
    return bytes.fromhex(text[2:])


def file_of(comment: str, **content: Any) -> Json:
    """Put the members around content that every file has."""
    return {"comment": comment, "source": "scripts/gen-vectors", **content}


def canonical_of(credential: Json) -> bytes:
    return rfc8785.dumps({name: member for name, member in credential.items() if name != "proof"})


def preimage_of(salt: bytes, status_list: int, index: int, credential_hash: bytes) -> bytes:
    return b"\x00" + salt + status_list.to_bytes(4, "big") + index.to_bytes(4, "big") + credential_hash


class Tree:
    """A batch's tree, by merkletools."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves
        self._tools = merkletools.MerkleTools(hash_type="sha256")
        self._tools.add_leaf([leaf.hex() for leaf in leaves])
        self._tools.make_tree()
        self.root = bytes.fromhex(self._tools.get_merkle_root())

    @property
    def size(self) -> int:
        return len(self.leaves)

    def siblings(self, index: int) -> list[bytes]:
        path = self._tools.get_proof(index)
        assert self._tools.validate_proof(path, self.leaves[index].hex(), self.root.hex())
        return [bytes.fromhex(sibling) for step in path for sibling in step.values()]


def cbor_of(**members: Any) -> bytes:
    """Write deterministic CBOR; for these keys RFC 8949's order is the older one, shorter keys first."""
    return cbor2.dumps(members, canonical=True)


def proof_member(cbor: bytes, *, registry: str = REGISTRY, issuer_id: int = ISSUER_ID) -> Json:
    return {
        "type": "DataIntegrityProof",
        "cryptosuite": "merkle-eip155-jcs-2026",
        "proofPurpose": "assertionMethod",
        "verificationMethod": f"did:pkh:{registry}#issuer-{issuer_id}",
        "proofValue": "u" + urlsafe_b64encode(cbor).rstrip(b"=").decode(),
    }


def anchor_proof(
    *,
    root: bytes,
    size: int,
    leaf_index: int,
    salt: bytes,
    siblings: list[bytes],
    registry: str = REGISTRY,
    issuer_id: int = ISSUER_ID,
) -> Json:
    cbor = cbor_of(
        registry=registry,
        issuerId=issuer_id,
        root=root,
        size=size,
        leafIndex=leaf_index,
        salt=salt,
        path=b"".join(siblings),
    )
    return proof_member(cbor, registry=registry, issuer_id=issuer_id)


def status_url(
    view: str,
    index: int | str,
    *,
    status_list: int = 0,
    issuer_id: int = ISSUER_ID,
    address: str = REGISTRY_ADDRESS,
    chain_id: int | str = CHAIN_ID,
) -> str:
    return f"ethereum:{address}@{chain_id}/{view}?uint32={issuer_id}&uint32={status_list}&uint256={index}"


def status_entry(purpose: str, index: int, **place: Any) -> Json:
    view = {"revocation": "isRevoked", "suspension": "isSuspended"}[purpose]
    status_list, issuer_id = place.get("status_list", 0), place.get("issuer_id", ISSUER_ID)
    return {
        "id": status_url(view, index, **place),
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": f"https://registry.example/status/{issuer_id}/{status_list}/{purpose}",
    }


def status_pair(index: int, **place: Any) -> list[Json]:
    return [status_entry("revocation", index, **place), status_entry("suspension", index, **place)]


def number(value: int) -> bytes:
    """32 bytes that tell themselves apart from others: the hash of a number."""
    return sha256(value.to_bytes(4, "big")).digest()
