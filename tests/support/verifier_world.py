"""What somebody opens in the verifier page: one credential in each state that there is, on a real chain."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from anchor.ledger.testnet import dev_signer
from anchor.model import KeyScope, Policy
from registry.services.bundles import Bundler
from registry.web.verifier import verifier_page
from tests.ledger.chain import ADMIN, CONTROLLER, Chain
from tests.support.archives import zip_of
from tests.support.employer import ELSEWHERE, Institution, three_institutions

STOLEN_KEY = 9
"""The account whose anchoring key a thief gets."""
PERSON, EMAIL = "Zoë Tremblay", "zoe.tremblay@example.org"
RIGHT_TO_LEFT = "محمد بن عبد الله"


@dataclass(kw_only=True)
class VerifierWorld:
    """Files by name, with the right answer to each; and what else tests need of the chain."""

    chain: Chain
    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Outcome and reason."""
    thousand: bytes = b""
    """A ZIP archive with 1,000 credentials of one batch, of which the first three are revoked."""

    def add(self, name: str, document: dict[str, Any] | bytes, outcome: str, reason: str = "") -> None:
        data = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
        self.files[name] = data
        self.answers[name] = (outcome, reason)

    def policy(self, **changes: Any) -> Policy:
        return self.chain.policy(**{"nodes": (self.chain.url,), **changes})

    def page(self, **changes: Any) -> bytes:
        """The page with a policy in it."""
        return verifier_page(self.policy(**changes)).html


def build_world(chain: Chain) -> VerifierWorld:
    """Issue, revoke, suspend, steal and withdraw; the chain moves on."""
    world = VerifierWorld(chain=chain)
    college, institute, university = three_institutions(chain)
    now = int(time.time())
    _, documents = college.issue(
        6, names=[PERSON, RIGHT_TO_LEFT, *["Ana"] * 4], emails=[EMAIL, *["other@example.org"] * 5]
    )
    world.add("valid.json", documents[0], "valid")
    world.add("right-to-left.json", documents[1], "valid")
    world.add("tampered.json", {**documents[2], "name": "Something better"}, "invalid", "tampered")
    world.add("revoked.json", documents[3], "invalid", "revoked")
    world.add("suspended.json", documents[4], "invalid", "suspended")
    bundled = Bundler(chain.client).bundle(world.files["valid.json"])
    college.change_status("revoke", [3])
    college.change_status("suspend", [4])
    world.add("bundle.json", bundled, "valid")
    world.add("expired.json", one(college, validUntil=date(now - 86_400)), "invalid", "expired")
    world.add("not-yet.json", one(college, validFrom=date(now + 30 * 86_400)), "invalid", "notYetValid")
    hostile = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
    world.add("hostile.json", one(college, name=hostile, names=[hostile], issuer_name=hostile), "valid")
    world.add("own-tree.json", institute.make(1)[1][0], "invalid", "notAnchored")
    world.add("withdrawn-later.json", one(institute), "valid")
    world.add("borrowed.json", one(institute, did=college.did), "invalid", "untrustedIssuer")
    world.add("elsewhere.json", university.make(1, registry=ELSEWHERE)[1][0], "unknown", "untrustedRegistry")
    root, withdrawn = university.issue(1)
    university.revoke_batch(root)
    world.add("batch-revoked.json", withdrawn[0], "invalid", "batchRevoked")
    _steal(world, college)
    # Withdrawn now: what it has issued before stays good.
    chain.execute(ADMIN, chain.contract.withdraw(issuer_id=institute.issuer_id, at=0, reason=6))
    root, many = college.issue(1000)
    college.change_status("revoke", range(college.issued - 1000, college.issued - 997))
    world.thousand = zip_of([(f"{number:04}.json", json.dumps(each).encode()) for number, each in enumerate(many)])
    return world


def one(institution: Institution, **changes: Any) -> dict[str, Any]:
    """One credential in a batch of its own."""
    return institution.issue(1, **changes)[1][0]


def date(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _steal(world: VerifierWorld, college: Institution) -> None:
    """A second anchoring key of the college, which a thief has used before that was found out."""
    chain, thief = world.chain, dev_signer(STOLEN_KEY)
    consent = chain.consent(STOLEN_KEY, KeyScope.ANCHOR, issuer_id=college.issuer_id)
    chain.execute(CONTROLLER, chain.contract.add_key(consent, thief.sign_key_consent(chain.registry, consent)))
    root, documents = college.make(1)
    chain.execute(STOLEN_KEY, chain.contract.anchor(issuer_id=college.issuer_id, root=root, size=1))
    since = chain.client.latest_block().header.timestamp
    chain.execute(CONTROLLER, chain.contract.compromise_key(thief.address, since=since))
    world.add("stolen-key.json", documents[0], "invalid", "keyCompromised")
