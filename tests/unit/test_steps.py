"""Steps: of several that fail or stay unknown, the first one decides."""

from functools import partial

from anchor.errors import (
    PendingError,
    RevokedError,
    StaleBlockError,
    SuspendedError,
    UndeterminedError,
    VerificationError,
)
from anchor.model import CheckStatus
from anchor.steps import STEP_NAMES, Steps


def fail(error: Exception) -> str:
    raise error


def raising(error: Exception) -> Steps:
    steps = Steps()
    steps.run(10, partial(fail, error))
    return steps


def test_step_is_noted_by_number_and_name_in_words() -> None:
    steps = Steps()
    assert steps.run(3, lambda: "found") is True
    (check,) = steps.checks
    assert (check.step, check.name, check.status) == (3, STEP_NAMES[2], CheckStatus.PASSED)
    assert (check.detail, check.reason) == ("found", "")


def test_what_is_raised_is_noted_as_text_with_its_reason() -> None:
    for error, status in ((RevokedError("gone"), CheckStatus.FAILED), (StaleBlockError("old"), CheckStatus.UNKNOWN)):
        steps = Steps()
        assert steps.run(10, partial(fail, error)) is (status is CheckStatus.UNKNOWN)
        (check,) = steps.checks
        assert (check.status, check.reason) == (status, error.reason)
        assert type(check.detail) is str
        assert check.detail == str(error)


def test_first_failure_and_first_unknown_stay_when_steps_are_taken_over() -> None:
    failures: tuple[VerificationError, VerificationError] = (RevokedError("1"), SuspendedError("2"))
    unknowns: tuple[UndeterminedError, UndeterminedError] = (StaleBlockError("1"), PendingError("2"))
    steps = raising(failures[0])
    steps.take_over(raising(failures[1]))
    steps.take_over(raising(unknowns[0]))
    steps.take_over(raising(unknowns[1]))
    assert steps.failed is failures[0]
    assert steps.unknown is unknowns[0]
    assert len(steps.checks) == 4
    fresh = Steps()
    fresh.take_over(steps)
    assert (fresh.failed, fresh.unknown, fresh.checks) == (steps.failed, steps.unknown, steps.checks)
