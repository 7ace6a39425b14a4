"""The published history vectors are what the contract, as compiled now, really does."""

from tests.support.recorded.files import read, record, same_but_for_hashes


def test_history_vectors_are_what_the_contract_does() -> None:
    for name, content in record().items():
        assert same_but_for_hashes(read(name), content), f"{name} is not what scripts/gen-history records: run it"
