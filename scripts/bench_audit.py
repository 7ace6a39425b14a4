"""Auditing: a long history of a real node, read anew and gone on from; and a longer one that no chain ever had."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

from bench_common import PROGRAM, ROOT, credanchor, line
from bench_run import run

from anchor.ledger.contract import RegistryContract
from anchor.ledger.testnet import find_anvil
from anchor.model import RegistryId, hash32
from registry.settings import TESTNET_FOLDER

NODE_EVENTS = 100_000
ONE = hash32((1).to_bytes(32, "big"))
MADE_UP_EVENTS = 1_000_000
MAX_SECONDS = 60.0
MAX_SECONDS_AGAIN = 2.0
MAX_MEGABYTES = 300
GAS_PER_EVENT = 75_000
GAS_PER_BLOCK = 1_000 * GAS_PER_EVENT
START_SECONDS = 30.0


def measure_audit(count: int, made_up: int) -> None:
    """Audit what a testnet has, twice, and replay a history that is made up."""
    print(f"credanchor audit, {count:,} batches on a testnet:")
    with tempfile.TemporaryDirectory(prefix="credanchor-bench-") as name:
        home = Path(name)
        node = credanchor(home, "dev", "up", "--port", "0")
        credanchor(home, "dev", "down")
        with quick_node(home, node["url"]):
            anchor_many(home, node, count)
            command: list[str | Path] = [PROGRAM, "audit", "--policy", home / "policy.json", "--json"]
            command += ["--keep", home / "kept"]
            # With all events as JSON, which is read here: the longest of its outputs.
            first = run(command)
            if len(first.content["events"]) < count:
                sys.exit("the audit did not show all events")
            line(
                "read, replay, prove, write", f"{first.wall:.1f} s", first.wall <= MAX_SECONDS, f"≤ {MAX_SECONDS:.0f} s"
            )
            line("  of it processor time", f"{first.cpu:.1f} s")
            tell_memory("memory", first.megabytes)
            again = run(command)
            if again.content["events"]:
                sys.exit("the second run showed what the first had shown")
            good = again.wall <= MAX_SECONDS_AGAIN
            line("second run", f"{again.wall:.2f} s", good, f"≤ {MAX_SECONDS_AGAIN:.0f} s")
            line("  of it processor time", f"{again.cpu:.2f} s")
            tell_memory("memory of the second run", again.megabytes)
    print(f"replaying {made_up:,} events that are made up while they are read:")
    for part in (made_up // 10, made_up):
        replayed = run([sys.executable, ROOT / "scripts" / "bench_audit_made_up.py", str(part)])
        line(f"{part:,} events", f"{part / replayed.content['seconds']:,.0f}/s of CPU")
        tell_memory("  memory", replayed.megabytes)


@contextmanager
def quick_node(home: Path, url: str) -> Iterator[None]:
    """Go on with a testnet that keeps nothing on disk, and takes many transactions into a block.

    The testnet's own process saves its chain every second, which takes longer the more there is.
    """
    port = str(urlsplit(url).port)
    command = [str(find_anvil()), "--port", port, "--quiet", "--load-state", str(home / TESTNET_FOLDER / "state.json")]
    # First come, first mined; else those of one price are in any order.
    command += ["--order", "fifo"]
    node = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(url):
            if node.poll() is not None or time.monotonic() > deadline:
                sys.exit("the testnet does not start")
            time.sleep(0.1)
        # Not given to the process: what it loads says otherwise, and prevails.
        ask(url, ("evm_setBlockGasLimit", [hex(2 * GAS_PER_BLOCK)]))
        yield
    finally:
        node.terminate()
        node.wait()


def answers(url: str) -> bool:
    """Tell whether a node is there."""
    try:
        return bool(ask(url, ("eth_chainId", [])))
    except URLError:
        return False


def tell_memory(what: str, megabytes: float | None) -> None:
    if megabytes is not None:
        line(what, f"{megabytes:.0f} MB", megabytes <= MAX_MEGABYTES, f"≤ {MAX_MEGABYTES} MB")


def anchor_many(home: Path, node: dict[str, Any], count: int) -> None:
    """Anchor batches of one credential each."""
    contract = RegistryContract(RegistryId.parse(node["registry"]))
    started = time.perf_counter()
    # Encoding a call takes longer than mining it: one is encoded, the others differ in their root.
    selector, issuer, _, size = words_of(contract.anchor(issuer_id=node["issuerId"], root=ONE, size=1).data)
    calls = (b"".join((selector, issuer, (number + 1).to_bytes(32, "big"), size)) for number in range(count))
    send_many(home, node, "anchor", calls, GAS_PER_EVENT)
    line("(anchoring them)", f"{time.perf_counter() - started:.0f} s")


def send_many(home: Path, node: dict[str, Any], key: str, calls: Iterable[bytes], gas: int) -> list[str]:
    """Send calls to the registry as one of the testnet's own keys, whose signatures the node does without.

    Args:
        home: The testnet's home folder.
        node: What `credanchor dev up` said of it.
        key: The key's name there.
        calls: What to call.
        gas: What a call takes at most.

    Returns:
        The hashes of the transactions.
    """
    sender = "0x" + json.loads((home / "keys" / f"{key}.json").read_bytes())["address"].removeprefix("0x")
    address, sent, data = node["url"], list[str](), iter(calls)
    ask(address, ("anvil_impersonateAccount", [sender]), ("evm_setAutomine", [False]))
    (nonce,) = ask(address, ("eth_getTransactionCount", [sender, "latest"]))
    message = {"from": sender, "to": "0x" + RegistryId.parse(node["registry"]).address.hex(), "gas": hex(gas)}
    while block := list(islice(data, GAS_PER_BLOCK // gas)):
        its = (
            message | {"data": "0x" + each.hex(), "nonce": hex(number)}
            for number, each in enumerate(block, start=int(nonce, 16) + len(sent))
        )
        sent += ask(address, *(("eth_sendTransaction", [each]) for each in its))
        ask(address, ("evm_mine", []))
    (newest,) = ask(address, ("eth_getBlockByNumber", ["latest", False]))
    # Blocks came faster than one a second, and each is at least a second later than the one before.
    time.sleep(max(0, int(newest["timestamp"], 16) - time.time()))
    return sent


def words_of(data: bytes) -> list[bytes]:
    """Split a call's data into its selector and words."""
    return [data[:4], *(data[at : at + 32] for at in range(4, len(data), 32))]


def ask(address: str, *calls: tuple[str, list[Any]]) -> list[Any]:
    """Ask the testnet several things at once."""
    content = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        for number, (method, params) in enumerate(calls)
    ]
    request = urllib.request.Request(  # noqa: S310  # the testnet's own address
        address, json.dumps(content).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310
        answers = json.load(response)
    failed = [answer["error"] for answer in answers if "error" in answer]
    if failed:
        sys.exit(f"the testnet refused: {failed[0]}")
    return [answer["result"] for answer in answers]
