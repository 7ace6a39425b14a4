"""For whom a credential is, and what it says of this one person: a line of a roster, as all formats are read."""

from __future__ import annotations

from typing import NamedTuple


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
