"""Builds the test vectors without the code under test (scripts/gen-vectors writes them to tests/vectors)."""
