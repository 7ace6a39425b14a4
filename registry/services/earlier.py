"""Who on a roster has been issued the same achievement before: a mistake, more often than not."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from anchor.identity import normalize_email
from anchor.model import to_hex
from registry.errors import Problem
from registry.services.credentials import CredentialFrame
from registry.services.issue import require_finished
from registry.services.recipient import Recipient, recipient_from
from registry.services.roster import MAX_PROBLEMS, Roster, RosterReport
from registry.services.rosters.columns import Field
from registry.store.batches import batches_of_achievement, iterate_credentials
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.records import BatchRecord


def find_earlier(
    store: Store, frame: CredentialFrame, roster: Roster, report: RosterReport, *, for_api: bool = False
) -> tuple[Sequence[int], Sequence[Problem]]:
    """Find recipients whose e-mail or DID is that of a credential for this achievement.

    Args:
        store: The registry's database.
        frame: Names issuer and achievement.
        roster: Says where a row is.
        report: Its recipients.
        for_api: Speak of roots and parameters, rather than of numbers and options.

    Returns:
        The numbers of their rows, and what is wrong with the first `MAX_PROBLEMS` of these, in the order of the file.

    Raises:
        UnfinishedError: One is in a batch that is not anchored yet: that one is to be finished first.
    """
    with store.reading() as connection:
        earlier = batches_of_achievement(connection, frame.registry, frame.issuer_id, frame.achievement["id"])
        if not earlier:
            return (), ()
        holders = dict(_holders(connection, earlier))
    found: list[tuple[int, Field, BatchRecord]] = []
    for number, recipient in report.recipients.numbered():
        for field, key in _keys(recipient):
            batch = holders.get(hash(key))
            if batch is not None:
                require_finished(batch)
                found.append((number, field, batch))
                break
    found.sort(key=lambda each: each[0])
    hint = f"take the row out, or use {'again=true' if for_api else '--again'} to issue it a second time"
    problems = []
    for number, field, batch in found[:MAX_PROBLEMS]:
        reason = f"got this achievement before, in batch {to_hex(batch.root) if for_api else batch.id}"
        problems.append(Problem(where=roster.where(number, field), reason=reason, hint=hint))
    return array("Q", [number for number, _, _ in found]), problems


def _holders(connection: InstitutionConnection, batches: tuple[BatchRecord, ...]) -> Iterator[tuple[int, BatchRecord]]:
    """Give what holders are known by, as hashes: a tenth of the memory."""
    for batch in batches:
        for each in iterate_credentials(connection, batch.id):
            for _, key in _keys(recipient_from(each.recipient_name, each.recipient_email, each.details)):
                yield hash(key), batch


def _keys(recipient: Recipient) -> Iterator[tuple[Field, str]]:
    if recipient.email is not None:
        yield Field.EMAIL, normalize_email(recipient.email)
    if recipient.did is not None:
        yield Field.DID, recipient.did
