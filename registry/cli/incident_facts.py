"""What is found out before anything is done about an incident: the key, the proven history, the database's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anchor.cli.times import parse_time
from anchor.model import to_utc
from registry.cli.common import prove_history
from registry.cli.issuer_key import START
from registry.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from anchor.history import IssuerHistory
    from anchor.model import Address, Hash32, Key
    from registry.store.records import BatchRecord
    from registry.workplace import Workplace


def own_issuer(place: Workplace) -> int:
    """Give the institution's number.

    Raises:
        NotFoundError: It has none yet.
    """
    if place.settings.issuer_id is None:
        raise NotFoundError(
            "the settings name no issuer yet", advice="Once it is accredited: credanchor issuer show --save"
        )
    return place.settings.issuer_id


def own_key(place: Workplace, key: Address) -> Key:
    """Prove a key's record; the key is one of the institution's.

    Raises:
        NotFoundError: It is the key of no issuer.
        ConflictError: It is another issuer's.
    """
    record = place.governance.key(key)
    if record.issuer_id != own_issuer(place):
        raise ConflictError(
            f"0x{key.hex()} is a key of issuer {record.issuer_id}", advice="Name one of the institution of this folder."
        )
    return record


def own_history(place: Workplace) -> IssuerHistory:
    """Prove the registry's whole history, and give the institution's.

    Raises:
        NotFoundError: The registry has no issuer of its number.
        HistoryError, LedgerError, UndeterminedError: As of the audit.
    """
    place.governance.issuer(own_issuer(place))
    history, _ = prove_history(place.registry, place.settings.rpc_url, lambda _: None)
    return history.issuer(own_issuer(place))


def cut_off_of(place: Workplace, record: Key, since: str) -> int:
    """Read since when a key is stolen; a cut-off that was declared already and is earlier stays.

    Raises:
        MalformedError: It is no time.
        ConflictError: The contract would not take it: a time to come, or one at which the key was not valid yet.
    """
    from registry.wiring import now

    wanted = record.valid_from if since == START else parse_time(since)
    if wanted < record.valid_from:
        raise ConflictError(
            f"the key is valid only since {to_utc(record.valid_from)}, and {to_utc(wanted)} is before that",
            advice=f"Check the date, which is UTC unless it says otherwise. If nobody can say since when somebody else "
            f"has the key: --since {START}",
        )
    # The node's clock counts in the contract, and it may be ahead of this one.
    if wanted > max(now(), place.client.latest_block().header.timestamp):
        raise ConflictError(
            f"{to_utc(wanted)} is in the future: a key is declared compromised since a time that has passed",
            advice="Check the time, which is UTC unless it says otherwise: 2026-01-31T12:00:00-05:00.",
        )
    return min(wanted, record.compromised_at) if record.compromised_at else wanted


def is_withdrawn(place: Workplace, issuer: IssuerHistory) -> bool:
    """Tell whether the accreditation has ended, so that the issuer can neither anchor nor add an anchoring key."""
    ends = issuer.record.withdrawn_at
    return ends != 0 and ends <= place.client.latest_block().header.timestamp + 1


def sealed_here(place: Workplace) -> tuple[BatchRecord, ...]:
    """List what was sealed for the institution in its database."""
    from registry.store.voided import sealed_batches
    from registry.wiring import Institution

    institution = Institution(place.home, place.passphrase)
    with institution.store.reading() as connection:
        return sealed_batches(connection, institution.settings.registry_id, institution.settings.issuer_id)


def sent_from_here(place: Workplace) -> frozenset[Hash32]:
    """Give the hashes of all transactions that the institution's database has, in every version."""
    from registry.store.transactions import all_transaction_hashes
    from registry.wiring import Institution

    institution = Institution(place.home, place.passphrase)
    with institution.store.reading() as connection:
        return all_transaction_hashes(connection)
