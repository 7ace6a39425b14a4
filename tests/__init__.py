"""All tests. A package, because `merkletools` installs one of the same name, which would otherwise win."""
