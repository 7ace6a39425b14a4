"""What holds for all tests: how many examples hypothesis tries, and a marker for each kind of test."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent

# dev: quick, and the same examples every time. ci: many, and new ones every time; a failure prints how to repeat it.
settings.register_profile("dev", max_examples=50, derandomize=True, deadline=None)
settings.register_profile("ci", max_examples=1000, print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the folder that it lives in: its kind."""
    for item in items:
        item.add_marker(item.path.relative_to(TESTS).parts[0])
