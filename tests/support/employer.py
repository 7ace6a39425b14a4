"""What an employer has before her: credentials of three institutions, most of them good, in one folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anchor.events import IssuerAccredited
from anchor.ledger.contract import require_event
from anchor.ledger.testnet import dev_signer
from anchor.model import Hash32, KeyScope, RegistryId, address
from anchor.status import mask_of, word_of
from tests.ledger.chain import ADMIN, ANCHOR_KEY, CONTROLLER, DID, STATUS_KEY, Chain
from tests.support.issuing import make_batch

ELSEWHERE = RegistryId(chain_id=31337, address=address(b"\x77" * 20))
"""A registry that no policy here knows."""

FIRST_NAMES = ("Zoë", "ᐊᓇ", "Nguyễn Thị", "Łukasz", "محمد", "Anne-Marie", "Siobhán", "José")
LAST_NAMES = ("Tremblay", "ᐃᓄᒃ", "Hoa", "O'Brien", "Gagnon", "Côté", "Lefebvre", "Peñalosa", "Whitehorse", "Roy")


@dataclass(kw_only=True)
class Institution:
    """One that issues on a chain: its number there, and which of the testnet's accounts hold its keys."""

    chain: Chain
    did: str
    name: str
    achievement: str
    issuer_id: int
    anchor_key: int
    status_key: int
    issued: int = 0

    def make(self, count: int, **changes: Any) -> tuple[Hash32, list[dict[str, Any]]]:
        """Make a batch that is not anchored yet."""
        numbers = range(self.issued, self.issued + count)
        root, documents = make_batch(
            **{
                "registry": self.chain.registry,
                "issuer_id": self.issuer_id,
                "did": self.did,
                "names": [person(number) for number in numbers],
                "emails": [f"person.{number}@example.org" for number in numbers],
                "first_index": self.issued,
                "issuer_name": self.name,
                "achievement": self.achievement,
                **changes,
            }
        )
        self.issued += count
        return root, documents

    def issue(self, count: int, **changes: Any) -> tuple[Hash32, list[dict[str, Any]]]:
        """Make a batch and anchor it."""
        root, documents = self.make(count, **changes)
        call = self.chain.contract.anchor(issuer_id=self.issuer_id, root=root, size=count)
        self.chain.execute(self.anchor_key, call)
        return root, documents

    def change_status(self, function: str, indices: Sequence[int]) -> None:
        """Revoke, suspend or reinstate the credentials with these status indices."""
        masks: dict[int, int] = {}
        for index in sorted(indices):
            masks[word_of(index)] = masks.get(word_of(index), 0) | mask_of(index)
        call = getattr(self.chain.contract, function)(
            issuer_id=self.issuer_id, status_list=0, words=list(masks), masks=list(masks.values()), reason=1
        )
        self.chain.execute(self.status_key, call)

    def revoke_batch(self, root: Hash32) -> None:
        self.chain.execute(
            self.status_key, self.chain.contract.revoke_batch(issuer_id=self.issuer_id, root=root, reason=1)
        )


def person(number: int) -> str:
    """The name of a learner."""
    return f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {LAST_NAMES[number // 3 % len(LAST_NAMES)]}"


def three_institutions(chain: Chain) -> tuple[Institution, Institution, Institution]:
    """The chain's own issuer, and two more that are accredited now."""
    college = Institution(
        chain=chain,
        did=DID,
        name="Collège Boréalis",
        achievement="Littératie des données",
        issuer_id=chain.issuer_id,
        anchor_key=ANCHOR_KEY,
        status_key=STATUS_KEY,
    )
    institute = accredit(chain, "did:web:institute.example", "Northern Institute", "First aid", 5, 6)
    university = accredit(chain, "did:web:university.example", "University of the Lakes", "Project management", 7, 8)
    return college, institute, university


def accredit(chain: Chain, did: str, name: str, achievement: str, anchor_key: int, status_key: int) -> Institution:
    """Accredit one more issuer, with keys of its own."""
    call = chain.contract.accredit(did=did, controller=dev_signer(CONTROLLER).address)
    issuer_id = require_event(chain.execute(ADMIN, call), chain.registry, IssuerAccredited).issuer_id
    for account, scope in ((anchor_key, KeyScope.ANCHOR), (status_key, KeyScope.STATUS)):
        consent = chain.consent(account, scope, issuer_id=issuer_id)
        signature = dev_signer(account).sign_key_consent(chain.registry, consent)
        chain.execute(CONTROLLER, chain.contract.add_key(consent, signature))
    return Institution(
        chain=chain,
        did=did,
        name=name,
        achievement=achievement,
        issuer_id=issuer_id,
        anchor_key=anchor_key,
        status_key=status_key,
    )


@dataclass(kw_only=True)
class Pile:
    """Files by name, and what is the right answer to each: outcome and reason."""

    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, name: str, content: bytes | dict[str, Any], outcome: str, reason: str = "") -> None:
        data = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
        self.files[name] = data
        self.answers[name] = (outcome, reason)

    def write_to(self, folder: Path) -> None:
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    @property
    def counts(self) -> dict[str, int]:
        counts = dict.fromkeys(("valid", "invalid", "unknown", "malformed"), 0)
        for outcome, _ in self.answers.values():
            counts[outcome] += 1
        return counts


def pile_of(chain: Chain) -> Pile:
    """Five hundred files of three institutions, with everything in them that an employer may meet."""
    college, institute, university = three_institutions(chain)
    pile = Pile()
    _, of_college = college.issue(200)
    for number, document in enumerate(of_college):
        revoked, suspended = number < 6, 6 <= number < 10
        answer = ("invalid", "revoked" if revoked else "suspended") if revoked or suspended else ("valid", "")
        pile.add(f"college/{number:04}.json", document, *answer)
    college.change_status("revoke", range(6))
    college.change_status("suspend", range(6, 12))
    college.change_status("reinstate", [10, 11])
    for number, document in enumerate(institute.issue(180)[1]):
        pile.add(f"institute/{number:04}.json", document, "valid")
    for number, document in enumerate(university.issue(90)[1]):
        pile.add(f"university/2026/{number:04}.json", document, "valid")
    withdrawn, of_withdrawn = university.issue(20)
    for number, document in enumerate(of_withdrawn):
        pile.add(f"university/2025/{number:04}.json", document, "invalid", "batchRevoked")
    university.revoke_batch(withdrawn)
    _add_forgeries(pile, college, institute, of_college)
    _, elsewhere = university.make(1, registry=ELSEWHERE)
    pile.add("other/elsewhere.json", elsewhere[0], "unknown", "untrustedRegistry")
    pile.add("other/cut-short.json", json.dumps(of_college[20]).encode()[:700], "malformed", "malformed")
    return pile


def _add_forgeries(pile: Pile, college: Institution, institute: Institution, originals: list[dict[str, Any]]) -> None:
    renamed = {**originals[50], "name": "Littératie des données, avec distinction"}
    pile.add("other/better.json", renamed, "invalid", "tampered")
    someone = {**originals[51], "credentialSubject": originals[52]["credentialSubject"]}
    pile.add("other/someone-else.json", someone, "invalid", "tampered")
    # A copied proof, under the college's name, on what another institution has never said.
    copied = {**originals[53], "proof": originals[54]["proof"]}
    pile.add("other/copied-proof.json", copied, "invalid", "tampered")
    # A tree of one's own, quickly made, never anchored.
    for number, document in enumerate(institute.make(3)[1]):
        pile.add(f"other/own-tree-{number}.json", document, "invalid", "notAnchored")
    # Anchored by an institution that is accredited, in the name of another.
    _, borrowed = institute.issue(1, did=college.did, issuer_name=college.name)
    pile.add("other/borrowed-name.json", borrowed[0], "invalid", "untrustedIssuer")
