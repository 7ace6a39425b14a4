"""What a failed job tells an institution comes from a short list, whatever the error says."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest

import anchor.errors
import registry.errors
from anchor.errors import CredanchorError, NodeRefusedError
from registry.services.error_log import log_error
from registry.services.failures import FAILURES, NOBODY, SERVICE_FAILED, Failure, failure_of, name_of

POISON = "psycopg.OperationalError at https://user:secret@10.0.0.7:8545 in /srv/keys/anchor.json: zoe@example.org"
GUIDE = Path(__file__).parents[3] / "docs" / "api" / "rosters.md"


def kinds(of: type[CredanchorError] = CredanchorError) -> set[type[CredanchorError]]:
    return {of}.union(*map(kinds, of.__subclasses__()))


def poisoned(kind: type[CredanchorError]) -> CredanchorError:
    if issubclass(kind, NodeRefusedError):
        return kind(POISON, text=POISON, advice=POISON)
    return kind(POISON, advice=POISON)


def known() -> list[Failure]:
    return [NOBODY, *dict.fromkeys(failure for _, failure in FAILURES)]


def test_no_words_of_any_error_reach_an_institution() -> None:
    named = [each for module in (anchor.errors, registry.errors) for each in vars(module).values()]
    assert len(kinds()) > 40
    assert kinds() >= {each for each in named if isinstance(each, type) and issubclass(each, CredanchorError)}
    for kind in kinds():
        failure = failure_of(poisoned(kind))
        assert failure in known()
        assert failure.words not in POISON
        assert name_of(failure.words) == failure.name
    assert failure_of(ValueError(POISON)) is SERVICE_FAILED


@pytest.mark.parametrize(
    ("error", "name", "is_lasting"),
    [
        (registry.errors.UnfinishedError, "earlierUnfinished", False),
        (registry.errors.IssuedBeforeError, "issuedBefore", True),
        (registry.errors.ConflictError, "conflict", True),
        (registry.errors.SettingsError, "notSetUp", False),
        (registry.errors.BudgetError, "budgetUsedUp", False),
        (anchor.errors.KeyUnavailableError, "keyUnavailable", False),
        (anchor.errors.RevertedError, "ledgerRefuses", True),
        (anchor.errors.NodeRefusedError, "ledgerUnavailable", False),
        (anchor.errors.OutcomeUnknownError, "notMinedYet", False),
        (registry.errors.StoreError, "databaseUnavailable", False),
    ],
)
def test_what_waiting_mends_is_told_apart(error: type[CredanchorError], name: str, is_lasting: bool) -> None:
    failure = failure_of(poisoned(error))
    assert (failure.name, failure.is_lasting) == (name, is_lasting)


def test_each_failure_has_a_name_and_words_of_its_own_and_stands_in_the_guide() -> None:
    assert len({each.name for each in known()}) == len({each.words for each in known()}) == len(known())
    assert name_of("of an older version") is None
    rows = re.findall(
        r"^\| `(\w+)` \| ([^|]+) \| it (?:ends|is tried again) \|", GUIDE.read_text("utf-8"), re.MULTILINE
    )
    assert dict(rows) == {each.name: each.words for each in known()}


def test_the_log_has_the_words_of_known_errors_that_are_not_about_files(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("credanchor.service")
    logger.propagate = True
    for error in (
        registry.errors.StoreError("the disk is full"),
        ValueError(POISON),
        poisoned(anchor.errors.MalformedError),
    ):
        log_error(error, job="a-job")
    first, *others = (json.loads(each.message) for each in caplog.records)
    assert (first["error"], first["words"], first["job"]) == ("StoreError", "the disk is full", "a-job")
    assert all("words" not in each for each in others)
    assert "zoe@example.org" not in caplog.text
