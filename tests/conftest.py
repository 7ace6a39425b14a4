"""What holds for all tests: how many examples hypothesis tries, and a marker for each kind of test."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.lies.matrix import print_matrix

TESTS = Path(__file__).parent

# dev: quick, and the same examples every time. ci: many, and new ones every time; a failure prints how to repeat it.
settings.register_profile("dev", max_examples=50, derandomize=True, deadline=None)
settings.register_profile("ci", max_examples=1000, print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the folder that it lives in: its kind."""
    for item in items:
        item.add_marker(item.path.relative_to(TESTS).parts[0])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what came of the lies that the tests told."""
    reports = [each for kept in terminalreporter.stats.values() for each in kept if isinstance(each, pytest.TestReport)]
    calls = [report for report in reports if report.when == "call"]
    print_matrix(terminalreporter, [each for report in calls for each in report.user_properties])
