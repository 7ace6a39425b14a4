"""Credentials to show: of every kind that there is, from nearly nothing to everything at its worst."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from registry.web.render import ShownCredential
from registry.web.status import UNKNOWN, StatusView

EXAMPLES: Final = Path(__file__).parents[2] / "docs" / "examples"
ADDRESS: Final = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k"
URL: Final = f"https://credentials.college.example/c/{ADDRESS}"
REGISTRY: Final = "eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3"
TONES: Final = {
    "valid": "good",
    "revoked": "bad",
    "batchRevoked": "bad",
    "keyCompromised": "bad",
    "invalid": "bad",
    "suspended": "paused",
    "expired": "paused",
    "notYetValid": "paused",
    "pending": "unsure",
    "unknown": "unsure",
}
_SCRIPT: Final = "<script>alert(1)</script>"
_TURNED: Final = "\u202etxt.exe\u2066"
_RTL: Final = "محمد بن عبد الله"


def status(name: str = "valid") -> StatusView:
    """A status, checked against a block."""
    if name == UNKNOWN.name:
        return UNKNOWN
    moment = datetime(2026, 11, 28, 21, 5, tzinfo=UTC)
    return StatusView(name=name, tone=TONES[name], block=21_123_456, block_at=moment, anchored_at=1_790_000_000)


def shown(document: dict[str, Any], name: str = "valid", **changes: Any) -> ShownCredential:
    """What is shown of a credential."""
    values: dict[str, Any] = {
        "document": document,
        "status": status(name),
        "is_replaced": False,
        "anchored_at": 1_790_000_000,
        "registry": REGISTRY,
        "issuer_number": 7,
        "root": "0x" + "5f" * 32,
        "url": URL,
        "verifier_url": "https://verify.example/",
        "ledger_url": "../ledger/batches/0x" + "5f" * 32,
    }
    return ShownCredential(**{**values, **changes})


def name_of(text: str) -> dict[str, Any]:
    """A holder's name as a credential says it."""
    return {"type": "IdentityObject", "hashed": False, "identityHash": text, "identityType": "name"}


def minimal() -> dict[str, Any]:
    """As little as there can be."""
    return {
        "id": "urn:uuid:6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b11",
        "issuer": "did:web:college.example",
        "credentialSubject": {"achievement": {"id": "urn:x", "name": "X"}},
    }


def of_example(name: str, **subject: Any) -> dict[str, Any]:
    """A credential for an achievement of docs/examples/achievements."""
    achievement = json.loads((EXAMPLES / "achievements" / f"{name}.json").read_text("utf-8"))
    return {
        "id": "urn:uuid:6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b11",
        "name": achievement["name"],
        "issuer": {
            "id": "did:web:college.example",
            "type": ["Profile"],
            "name": "Collège Boréalis",
            "url": "https://college.example",
            "description": "A college in the north.\n\nUn collège du Nord.",
        },
        "validFrom": "2026-11-28T21:05:00Z",
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [name_of("Zoë Tremblay-Gagnon")],
            "achievement": achievement,
            **subject,
        },
    }


def full() -> dict[str, Any]:
    """One that has something of everything."""
    results = "https://college.example/achievements/premiers-soins-mentaux/2026/results/1"
    document = of_example(
        "microcredential-percent-fr",
        result=[
            {"type": ["Result"], "resultDescription": results, "value": "87.5"},
            {"type": ["Result"], "status": "Completed"},
        ],
        narrative="A animé **deux** rencontres :\n\n1. la première\n2. la seconde\n\n> Merci.\n\n`code`",
        role="Animatrice",
        term="Automne 2026",
        licenseNumber="A-9320041",
        activityStartDate="2026-09-01T00:00:00Z",
        activityEndDate="2026-11-20T00:00:00Z",
        creditsEarned=1.5,
    )
    document |= {"validUntil": "2029-11-01T00:00:00Z", "awardedDate": "2026-11-20T00:00:00Z"}
    document["evidence"] = [
        {
            "id": "https://portfolio.example.org/zoe/guide",
            "type": ["Evidence"],
            "name": "Guide",
            "narrative": "Un *guide*.",
        },
        {
            "id": "https://portfolio.example.org/zoe/film",
            "type": ["Evidence"],
            "description": "Un film de dix minutes.",
        },
    ]
    document["credentialSubject"]["achievement"]["creator"] = {"name": "Consortium du Nord"}
    return document


def rubric() -> dict[str, Any]:
    """One with a level of a rubric, in English."""
    base = "https://college.example/achievements/bedside-communication/2026"
    result = {"type": ["Result"], "resultDescription": f"{base}/results/1", "achievedLevel": f"{base}/levels/3"}
    return of_example("assessment-rubric-en", result=[result])


def hostile() -> dict[str, Any]:
    """One whose every text wants to be more than text; and words without end."""
    endless = "Wörter" * 2000
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">{_SCRIPT}<image href="https://evil.example/x"/></svg>'
    criteria = (
        f"{_SCRIPT}\n\n<img src=x onerror=alert(1)>\n\n[go](javascript:alert(1)) [there](https://good.example/)\n\n"
        "![seen](https://evil.example/pixel.png) [x](data:text/html,x)\n\n# Big\n\n###### Small\n\n"
        f"```\n{endless[:400]}\n```\n\n<https://evil.example@good.example/>\n\n{_TURNED}\n\n"
        + "- many\n" * 40
        + endless
    )
    return {
        "id": f"urn:uuid:{_SCRIPT}",
        "issuer": {
            "id": f"did:web:{endless[:300]}",
            "name": f"Université {_SCRIPT} {_TURNED}",
            "url": "javascript:alert(1)",
            "description": f"{_SCRIPT}{{{{ 7 * 7 }}}}",
        },
        "validFrom": "0001-01-01T00:00:00Z",
        "validUntil": "9999-12-31T23:59:59-23:59",
        "awardedDate": "yesterday",
        "evidence": [
            {"id": "javascript:alert(1)", "name": f"A {_SCRIPT}"},
            {"id": "https://xn--80ak6aa92e.example/" + "a" * 300, "narrative": _SCRIPT},
            {"id": "//evil.example", "genre": _SCRIPT},
            "nonsense",
            None,
        ],
        "credentialSubject": {
            "identifier": [
                {"identityType": "name", "hashed": True, "identityHash": "x"},
                name_of(f"{_RTL} {_TURNED}{_SCRIPT}"),
            ],
            "narrative": criteria[:3000],
            "result": [{"value": f"{_SCRIPT}"}, {"value": "9" * 5000}, {"status": _SCRIPT, "achievedLevel": 7}],
            "licenseNumber": endless[:300],
            "achievement": {
                "name": f"{_SCRIPT} {endless[:200]}",
                "description": f"{_SCRIPT}\n" * 20,
                "achievementType": f"ext:{_SCRIPT}",
                "inLanguage": '"><script>',
                "criteria": {"id": "https://good.example:99999/", "narrative": criteria},
                "image": {
                    "id": f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}",
                    "caption": f'"><script>{_SCRIPT}',
                },
                "alignment": [
                    {"targetName": f"{_SCRIPT}{number}", "targetUrl": "file:///etc/passwd"} for number in range(9)
                ],
                "tag": [_SCRIPT, "", 7, None, endless[:500]],
                "creditsAvailable": "NaN",
                "resultDescription": "none",
            },
        },
    }


DOCUMENTS: Final = {"full": full, "minimal": minimal, "rubric": rubric, "hostile": hostile}
