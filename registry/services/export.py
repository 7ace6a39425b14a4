"""What is kept of a person as one ZIP file: a page to read, JSON for programs, the credentials themselves.

index.html              everything, for people
data.json               everything, for programs
credentials/0001-….json each credential with its anchor proof, as it was issued
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final

from anchor.model import to_hex
from anchor.status import StatusReason
from registry.services.outlets import Archive
from registry.services.person import OUT_OF_REACH, STAYS_ELSEWHERE, STAYS_ON_THE_LEDGER, Held
from registry.services.recipient import recipient_from
from registry.services.standing import CredentialState
from registry.store.records import CredentialRecord, StatusEntry, TransactionRecord, TransactionState

FORMAT: Final = "credanchor/person@v1"
"""First member of data.json; a change that could break readers changes it."""

_REASONS: Final = {reason.value: reason.label for reason in StatusReason}

_DETAIL_NAMES: Final = (
    "did",
    "validFrom",
    "validUntil",
    "awardedAt",
    "activityStartAt",
    "activityEndAt",
    "result",
    "evidenceUrl",
    "narrative",
    "licenseNumber",
)
"""Members of a `Recipient` beyond name and e-mail, in its order."""

_STYLE: Final = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dd{margin:0;overflow-wrap:anywhere}"
)


def write_export(path: Path, held: Sequence[Held], states: Sequence[CredentialState | None], *, now: int) -> None:
    """Write a person's ZIP file, readable by its owner alone, whole or not at all.

    Args:
        path: The file; must not exist.
        held: From `registry.services.person.gather`.
        states: How they stand, each proven or None.
        now: Unix seconds.

    Raises:
        ConflictError: There is such a file, or it cannot be written.
    """
    content = export_content(held, states, now=now)
    with Archive(path) as archive:
        archive.write("index.html", export_page(content).encode())
        archive.write("data.json", json.dumps(content, ensure_ascii=False, indent=2).encode())
        for each in held:
            if each.file is not None:
                archive.write(f"credentials/{each.file_name}", each.file)


def export_content(held: Sequence[Held], states: Sequence[CredentialState | None], *, now: int) -> dict[str, Any]:
    """Give everything that is kept, for programs."""
    return {
        "format": FORMAT,
        "exportedAt": now,
        "credentials": [_content(each, state) for each, state in zip(held, states, strict=True)],
        "onTheLedger": list(STAYS_ON_THE_LEDGER),
        "withOthers": list(STAYS_ELSEWHERE),
        "notInTheDatabase": list(OUT_OF_REACH),
    }


def export_page(content: dict[str, Any]) -> str:
    """Give the same as a page to read; it needs no network and runs nothing."""
    parts = [_section(each) for each in content["credentials"]]
    for title, lines in (
        ("On the ledger, for ever", content["onTheLedger"]),
        ("With others", content["withOthers"]),
        ("Perhaps also kept, outside of this database", content["notInTheDatabase"]),
    ):
        parts.append(f"<h2>{title}</h2><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>What is kept about you</title><style>{_STYLE}</style><h1>What is kept about you</h1>"
        f"<p>Put together on {_when(content['exportedAt'])}. The same is in data.json, for programs.</p>"
        f"{''.join(parts)}</html>\n"
    )


def _content(held: Held, state: CredentialState | None) -> dict[str, Any]:
    credential, batch = held.found.credential, held.found.batch
    return {
        "id": credential.uuid.urn,
        "name": credential.recipient_name or None,
        "email": credential.recipient_email,
        "emailSalt": None if credential.email_salt is None else credential.email_salt.hex(),
        "more": _details(credential),
        "salt": None if credential.is_erased else to_hex(credential.salt),
        "erasedAt": held.erased_at,
        "achievement": batch.achievement_name,
        "file": None if held.file is None else f"credentials/{held.file_name}",
        "batch": {
            "number": batch.id,
            "registry": batch.issuer.registry.to_text(),
            "issuerId": batch.issuer.issuer_id,
            "root": to_hex(batch.root),
            "size": batch.size,
            "state": batch.state.value,
            "sealedAt": batch.sealed_at,
            "anchoredAt": batch.anchored_at,
            "transaction": _transaction(held.transaction),
        },
        "replaces": None if held.found.replaces is None else held.found.replaces.urn,
        "replacedBy": None if held.found.replaced_by is None else held.found.replaced_by.urn,
        "leafIndex": credential.leaf_index,
        "statusList": credential.position.status_list,
        "statusIndex": credential.position.index,
        "status": None if state is None else state.value,
        "statusHistory": [_entry(entry) for entry in held.history],
    }


def _details(credential: CredentialRecord) -> dict[str, Any]:
    """Give what the roster said of the person beyond name and e-mail."""
    recipient = recipient_from(credential.recipient_name, credential.recipient_email, credential.details)
    named = zip(_DETAIL_NAMES, recipient[2:], strict=True)
    return {name: value for name, value in named if value is not None}


def _entry(entry: StatusEntry) -> dict[str, Any]:
    return {
        "change": entry.kind.value,
        "reason": _REASONS.get(entry.reason, str(entry.reason)),
        "ofWholeBatch": entry.is_whole_batch,
        "signedAt": entry.signed_at,
        "cameAbout": entry.transaction.state is TransactionState.MINED,
        "transaction": _transaction(entry.transaction),
    }


def _transaction(transaction: TransactionRecord | None) -> dict[str, Any] | None:
    if transaction is None:
        return None
    return {
        "hash": to_hex(transaction.hash),
        "state": transaction.state.value,
        "blockNumber": transaction.block_number,
    }


def _section(credential: dict[str, Any]) -> str:
    batch = credential["batch"]
    rows = {
        "Name": credential["name"],
        "E-mail": credential["email"],
        **{name: _when(value) if isinstance(value, int) else value for name, value in credential["more"].items()},
        "Id": credential["id"],
        "File": credential["file"],
        "Issued on": _when(batch["sealedAt"]),
        "Anchored on": _when(batch["anchoredAt"]),
        "Erased on": _when(credential["erasedAt"]),
        "Status": credential["status"],
        "Replaces": credential["replaces"],
        "Replaced by": credential["replacedBy"],
        "Batch": f"{batch['number']}, of {batch['size']} credentials; root {batch['root']}",
        "Registry": f"{batch['registry']}, issuer {batch['issuerId']}",
        "Transaction": None if batch["transaction"] is None else batch["transaction"]["hash"],
        "Place in the batch": credential["leafIndex"],
        "Status position": f"list {credential['statusList']}, index {credential['statusIndex']}",
        "Salts": " · ".join(filter(None, (credential["salt"], credential["emailSalt"]))),
    }
    for entry in credential["statusHistory"]:
        did = "" if entry["cameAbout"] else f" ({entry['transaction']['state']})"
        rows[f"{entry['change']}, {_when(entry['signedAt'])}"] = (
            f"{entry['reason']}{did}; transaction {entry['transaction']['hash']}"
        )
    shown = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"
        for name, value in rows.items()
        if value not in (None, "")
    )
    return f"<h2>{escape(credential['achievement'])}</h2><dl>{shown}</dl>"


def _when(seconds: int | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
