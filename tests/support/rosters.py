"""Rosters as files, for tests that have their bytes."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from registry.services.recipient import Recipient
from registry.services.roster import Roster, RosterOptions, RosterReport, open_roster


@dataclass(frozen=True, kw_only=True)
class ReadRoster:
    """A roster that was read to its end."""

    report: RosterReport
    recipients: tuple[Recipient, ...]

    @property
    def unused_columns(self) -> tuple[str, ...]:
        return self.report.columns.unused


def parse_roster(data: bytes, options: RosterOptions | None = None) -> ReadRoster:
    """Read a good roster from bytes.

    Raises:
        RosterFormatError: It is not good.
    """
    with tempfile.TemporaryDirectory() as folder:
        roster = opened(data, Path(folder), options)
        report = roster.check()
        report.require_good()
        return ReadRoster(report=report, recipients=tuple(recipients_in(report)))


def recipients_in(report: RosterReport) -> list[Recipient]:
    """Those to be issued to, in the order of the file."""
    return [each for number, each in sorted(report.recipients.numbered()) if number not in report.bad_rows]


def check_roster(data: bytes, options: RosterOptions | None = None) -> RosterReport:
    """Say what is wrong with a roster."""
    with tempfile.TemporaryDirectory() as folder:
        return opened(data, Path(folder), options).check()


def opened(data: bytes, folder: Path, options: RosterOptions | None = None) -> Roster:
    path = folder / "roster"
    path.write_bytes(data)
    return open_roster(path, options)
