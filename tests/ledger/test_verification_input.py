"""What explorers are given compiles to what is deployed."""

import json
from pathlib import Path

import pytest
import solcx
from eth_hash.auto import keccak

from anchor.ledger.abi import compiler_input, contract_build

ROOT = Path(__file__).parents[2]


def test_its_sources_are_the_projects() -> None:
    for name, source in json.loads(compiler_input())["sources"].items():
        folder = ROOT / "node_modules" if name.startswith("@") else ROOT / "contracts"
        assert source == {"content": (folder / name).read_text("utf-8")}


@pytest.mark.slow
def test_it_compiles_to_the_code_that_is_deployed() -> None:
    build = contract_build()
    file, _, name = build.full_name.partition(":")
    output = solcx.compile_standard(json.loads(compiler_input()), solc_binary=ROOT / "scripts" / "solc")
    compiled = output["contracts"][file][name]["evm"]
    assert bytes.fromhex(compiled["bytecode"]["object"]) == build.bytecode
    assert keccak(bytes.fromhex(compiled["deployedBytecode"]["object"])) == build.runtime_code_hash
