"""Compile CredentialRegistry and write what the rest of the project reads of it, or check that this is up to date.

    python contracts/build.py            write anchor/ledger/abi/CredentialRegistry.json and .input.json, which explorers
                                         compile to verify a deployment, and snapshots/storage-layout.json
    python contracts/build.py --check    compare them with a fresh build, and that build with forge's (run it before)

This build goes through py-solc-x, with the settings of foundry.toml. That two build tools, which name the source files
differently, give the same bytes shows that the code depends on the sources alone, so that a verifier may pin its hash
(docs/adr/0006-one-code-hash.md). Run by scripts/build-contracts and scripts/check-contracts.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import solcx
from eth_hash.auto import keccak
from solcx.wrapper import get_version_str_from_solc_binary

CONTRACTS: Final = Path(__file__).resolve().parent
ROOT: Final = CONTRACTS.parent
SOLC: Final = ROOT / "scripts" / "solc"
ABI_FILE: Final = ROOT / "anchor" / "ledger" / "abi" / "CredentialRegistry.json"
INPUT_FILE: Final = ROOT / "anchor" / "ledger" / "abi" / "CredentialRegistry.input.json"
LAYOUT_FILE: Final = CONTRACTS / "snapshots" / "storage-layout.json"
FORGE_FILE: Final = CONTRACTS / "out" / "CredentialRegistry.sol" / "CredentialRegistry.json"

SOURCE: Final = "src/CredentialRegistry.sol"
NAME: Final = "CredentialRegistry"

# EIP-170 allows 24,576 bytes of code.
MAX_CODE_BYTES: Final = 24_576

_IMPORT: Final = re.compile(r'^import\s[^"]*"([^"]+)";', re.MULTILINE)
# The compiler numbers its types by their place in the whole build; the number says nothing.
_TYPE_NUMBER: Final = re.compile(r"\)\d+(?=_storage)")


def compiler_settings() -> dict[str, Any]:
    """Give the settings of foundry.toml as the compiler's standard JSON has them."""
    profile = tomllib.loads((CONTRACTS / "foundry.toml").read_text("utf-8"))["profile"]["default"]
    return {
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "viaIR": profile["via_ir"],
        "evmVersion": profile["evm_version"],
        "metadata": {"bytecodeHash": profile["bytecode_hash"], "appendCBOR": profile["cbor_metadata"]},
    }


def sources() -> dict[str, dict[str, str]]:
    """Collect the contract's source and all that it imports, by the names that the compiler resolves imports to."""
    found: dict[str, dict[str, str]] = {}
    wanted = [SOURCE]
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        folder = ROOT / "node_modules" if name.startswith("@") else CONTRACTS
        text = (folder / name).read_text("utf-8")
        found[name] = {"content": text}
        for target in _IMPORT.findall(text):
            relative = target.startswith(".")
            wanted.append(posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) if relative else target)
    return found


def build() -> dict[str, Any]:
    """Compile with py-solc-x and give the compiler's output for the contract."""
    contract = compile_sources(sources())
    if contract["evm"]["deployedBytecode"].get("immutableReferences"):
        sys.exit("the contract has immutables, so that its code hash would differ from one deployment to the next")
    return contract


def compile_sources(texts: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Compile the contract from these sources, whatever they say."""
    output = solcx.compile_standard(standard_input(texts), solc_binary=SOLC)
    contract: dict[str, Any] = output["contracts"][SOURCE][NAME]
    return contract


def standard_input(texts: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Give the compiler's whole input: what this build compiles is what an explorer compiles."""
    outputs = ["abi", "storageLayout", "evm.bytecode.object", "evm.deployedBytecode"]
    return {
        "language": "Solidity",
        "sources": dict(sorted(texts.items())),
        "settings": {**compiler_settings(), "outputSelection": {SOURCE: {NAME: outputs}}},
    }


def abi_document(contract: dict[str, Any]) -> dict[str, Any]:
    """Give what Python needs to deploy the contract, to call it and to recognise it."""
    runtime = contract["evm"]["deployedBytecode"]["object"]
    return {
        "contractName": NAME,
        "sourceName": SOURCE,
        "compiler": {"version": get_version_str_from_solc_binary(SOLC), "settings": compiler_settings()},
        "runtimeCodeHash": "0x" + keccak(bytes.fromhex(runtime)).hex(),
        "abi": contract["abi"],
        "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
        "runtimeBytecode": "0x" + runtime,
    }


def layout_document(layout: dict[str, Any]) -> dict[str, Any]:
    """Reduce the compiler's storage layout to what a state proof depends on: slots, offsets in bytes, types."""

    def entry(variable: dict[str, Any]) -> dict[str, Any]:
        declared = layout["types"][variable["type"]]
        return {
            "slot": int(variable["slot"]),
            "offset": variable["offset"],
            "bytes": int(declared["numberOfBytes"]),
            "type": declared["label"],
        }

    return {
        "variables": {variable["label"].removeprefix("_"): entry(variable) for variable in layout["storage"]},
        "structs": {
            declared["label"].removeprefix("struct ").removeprefix("ICredentialRegistry."): {
                member["label"]: entry(member) for member in declared["members"]
            }
            for _, declared in sorted(layout["types"].items(), key=lambda item: _TYPE_NUMBER.sub(")", item[0]))
            if "members" in declared
        },
    }


def render(document: dict[str, Any]) -> str:
    """Give a document the one text form in which it is checked in."""
    return json.dumps(document, indent=2) + "\n"


def problems(contract: dict[str, Any]) -> list[str]:
    """List in words what is out of date, too large, or different in forge's build."""
    found = [
        f"{file.relative_to(ROOT)} is out of date: run scripts/build-contracts"
        for file, document in (
            (ABI_FILE, abi_document(contract)),
            (INPUT_FILE, standard_input(sources())),
            (LAYOUT_FILE, layout_document(contract["storageLayout"])),
        )
        if not file.exists() or file.read_text("utf-8") != render(document)
    ]
    code_bytes = len(contract["evm"]["deployedBytecode"]["object"]) // 2
    if code_bytes > MAX_CODE_BYTES:
        found.append(f"the contract has {code_bytes} bytes of code, the EVM takes {MAX_CODE_BYTES}")
    if not FORGE_FILE.exists():
        return [*found, "there is no build of forge to compare with: run forge build"]
    forge = json.loads(FORGE_FILE.read_text("utf-8"))
    for ours, theirs, what in (
        (contract["evm"]["bytecode"]["object"], forge["bytecode"]["object"], "creation bytecode"),
        (contract["evm"]["deployedBytecode"]["object"], forge["deployedBytecode"]["object"], "runtime bytecode"),
    ):
        if "0x" + ours != theirs:
            found.append(f"py-solc-x and forge give different {what}")
    if layout_document(forge["storageLayout"]) != layout_document(contract["storageLayout"]):
        found.append("py-solc-x and forge give different storage layouts")
    return found


def main() -> None:
    """Write or check, as the command line says."""
    contract = build()
    match sys.argv[1:]:
        case []:
            ABI_FILE.write_text(render(abi_document(contract)), "utf-8")
            INPUT_FILE.write_text(render(standard_input(sources())), "utf-8")
            LAYOUT_FILE.write_text(render(layout_document(contract["storageLayout"])), "utf-8")
        case ["--check"]:
            if found := problems(contract):
                sys.exit("\n".join(found))
            size = len(contract["evm"]["deployedBytecode"]["object"]) // 2
            print(f"{NAME}: {size:,} bytes of code, {MAX_CODE_BYTES - size:,} to spare")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
