"""For whom a credential is, and what it says of this one person: a line of a roster, as all formats are read."""

from __future__ import annotations

from typing import Final, NamedTuple

import orjson


class Recipient(NamedTuple):
    """One line of a roster, valid as it stands: `registry.services.roster` checks before it builds one.

    A named tuple, not a dataclass: a million are made when a large roster is issued, in a quarter of the time.
    """

    name: str
    """In Unicode normal form NFC."""
    email: str | None = None
    """As given; the credential holds only its salted hash."""
    did: str | None = None
    """The holder's DID: `credentialSubject.id`."""
    valid_from: int | None = None
    """Unix seconds; None: when the batch is sealed."""
    valid_until: int | None = None
    """Unix seconds, after `valid_from`."""
    awarded_at: int | None = None
    """Unix seconds: `awardedDate`."""
    activity_start_at: int | None = None
    """Unix seconds: `credentialSubject.activityStartDate`."""
    activity_end_at: int | None = None
    """Unix seconds, not before the start: `credentialSubject.activityEndDate`."""
    result: str | None = None
    """Value for the achievement's only result description: `credentialSubject.result`."""
    evidence_url: str | None = None
    """Address of what was made: an `evidence` entry's id."""
    narrative: str | None = None
    """What this person did, in Markdown: `credentialSubject.narrative`."""
    license_number: str | None = None
    """`credentialSubject.licenseNumber`."""


NOTHING_MORE: Final = (None,) * (len(Recipient._fields) - 2)
"""What follows name and e-mail in most rosters."""


def details_to_text(recipient: Recipient) -> str | None:
    """Write what a recipient has beyond name and e-mail, for one column of the database; None: nothing."""
    more = recipient[2:]
    return None if more == NOTHING_MORE else orjson.dumps(more).decode()


def recipient_from(name: str, email: str | None, details: str | None) -> Recipient:
    """Put a recipient together from what the database keeps."""
    return Recipient(name, email) if details is None else Recipient(name, email, *orjson.loads(details))
