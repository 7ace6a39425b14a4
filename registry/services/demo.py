"""Demo data for trying the service out: one achievement, a few learners, on the local testnet."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from anchor.canonical import JsonObject
from registry.services.anchoring import Anchoring
from registry.services.approvals import Approvals
from registry.services.credentials import CredentialFrame
from registry.services.issue import seal_batch
from registry.services.recipient import Recipient
from registry.services.spool import RecipientSpool
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.pages import page_of_batches, page_of_credentials
from registry.store.records import UNFINISHED, BatchRecord

ACHIEVEMENT: Final[JsonObject] = {
    "id": "https://college.example/achievements/demo",
    "type": ["Achievement"],
    "achievementType": "MicroCredential",
    "inLanguage": "fr",
    "name": "Littératie des données en santé communautaire",
    "description": "Lit, vérifie et présente des données de santé, selon les règles que la communauté se donne.",
    "criteria": {
        "narrative": "Quarante heures d'étude, et un projet :\n\n* **nettoyer** un jeu de 500 enregistrements;\n"
        "* **l'illustrer**, et l'expliquer à un public non spécialiste;\n* **présenter** le tout à la communauté."
    },
    "creditsAvailable": 1.5,
    "alignment": [
        {
            "type": ["Alignment"],
            "targetName": "Analyser des données",
            "targetUrl": "https://skills.college.example/data-analysis",
            "targetFramework": "Compétences du Collège Boréalis",
        }
    ],
}
_RECIPIENTS: Final = (
    Recipient(
        name="Zoë Tremblay",
        email="zoe.tremblay@example.org",
        evidence_url="https://portfolio.example.org/zoe/projet",
        narrative="A présenté les données sur l'eau potable au *conseil de bande*.",
    ),
    Recipient(name="ᐊᓇ ᐃᓄᒃ", email="ana.inuk@example.org"),
    Recipient(name="محمد الأحمد", email="mohammed@example.org"),
)
_LOOKED_THROUGH: Final = 100
"""Batches, the newest first."""


def ensure_demo(
    store: Store, frame: CredentialFrame, approvals: Approvals, anchoring: Anchoring, *, now: int
) -> UUID | None:
    """Issue the demo credentials, unless they are on this registry already; give one of them, if one was not erased.

    Args:
        store: The demo institution's.
        frame: For `ACHIEVEMENT`.
        approvals: Approves what is derived.
        anchoring: Anchors it.
        now: Unix seconds.

    Raises:
        CredanchorError: The testnet does not take it.
    """
    with store.reading() as connection:
        batch = _demo_batch(connection, frame)
    if batch is None:
        batch = seal_batch(store, frame, RecipientSpool.of(_RECIPIENTS), approvals=approvals, again=True)
    if batch.state in UNFINISHED:
        anchoring.anchor(batch.id, now=now)
    with store.reading() as connection:
        found = page_of_credentials(connection, after=None, limit=len(_RECIPIENTS), batch=batch.id)
    kept = [each for each in found if not each.is_erased]
    # The one with most to show comes first.
    kept.sort(key=lambda each: each.recipient_name != _RECIPIENTS[0].name)
    return kept[0].uuid if kept else None


def _demo_batch(connection: InstitutionConnection, frame: CredentialFrame) -> BatchRecord | None:
    issuer = frame.registry, frame.issuer_id
    for each in page_of_batches(connection, before=None, limit=_LOOKED_THROUGH):
        is_here = (each.issuer.registry, each.issuer.issuer_id) == issuer
        if is_here and each.achievement_id == ACHIEVEMENT["id"]:
            return each
    return None
