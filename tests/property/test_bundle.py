"""Whatever is changed in a bundle: never `valid` unless it says the same, and never `invalid`."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anchor.bundle import parse_bundle, write_bundle
from anchor.errors import BundleFormatError
from anchor.evidence import Evidence
from anchor.model import KnownBlock, Outcome, Vouching
from anchor.status import StatusPurpose
from anchor.verify import verify
from tests.support.world import NOW, REGISTRY, World, policy

# From 9 to 16 leaves, the path of leaf 6 looks the same: there, only the ledger knows the size.
WORLD = World(size=11, leaf_index=6)
for _purpose in StatusPurpose:
    # Each word has a leaf of its own.
    WORLD.set_bit(_purpose, position=WORLD.position._replace(index=WORLD.position.index ^ 1))
BUNDLE = write_bundle([json.dumps(WORLD.document(), ensure_ascii=False).encode()], WORLD.evidence())
KNOWN = parse_bundle(BUNDLE).proofs[0].block.hash


def outcomes(data: bytes) -> list[Outcome]:
    """Judge what a bundle holds, its block known; nothing where it is malformed."""
    try:
        bundle = parse_bundle(data)
    except BundleFormatError:
        return []
    evidence = Evidence(registries=tuple(each.vouched(Vouching.PINNED_HASH, ("test",)) for each in bundle.proofs))
    known = frozenset({KnownBlock(chain_id=REGISTRY.chain_id, hash=KNOWN)})
    rules = policy(vouching=Vouching.PINNED_HASH, known_blocks=known)
    return [verify(each, evidence, rules, NOW).outcome for each in bundle.parsed]


def content_of(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


def test_untouched_it_is_valid() -> None:
    assert outcomes(BUNDLE) == [Outcome.VALID]


@given(choice=st.data())
def test_any_byte_changed_is_never_valid_and_never_invalid(choice: st.DataObject) -> None:
    place = choice.draw(st.integers(0, len(BUNDLE) - 1))
    other = choice.draw(st.integers(0, 255).filter(lambda value: value != BUNDLE[place]))
    changed = BUNDLE[:place] + bytes([other]) + BUNDLE[place + 1 :]
    expected = [Outcome.VALID] if content_of(changed) == content_of(BUNDLE) else [Outcome.UNKNOWN]
    assert outcomes(changed) in ([], expected)


@given(start=st.integers(0, len(BUNDLE)), length=st.integers(1, 400), filling=st.binary(max_size=400))
def test_any_stretch_cut_or_replaced_is_never_valid_and_never_invalid(start: int, length: int, filling: bytes) -> None:
    changed = BUNDLE[:start] + filling + BUNDLE[start + length :]
    same = content_of(changed) == content_of(BUNDLE)
    assert outcomes(changed) in ([], [Outcome.VALID] if same else [Outcome.UNKNOWN])


def places(value: Any) -> list[tuple[Any, Any]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    return [place for key, child in children for place in [(value, key), *places(child)]]


@given(choice=st.data(), new=st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.just([]))
def test_any_member_replaced_or_removed_is_never_valid_and_never_invalid(choice: st.DataObject, new: Any) -> None:
    content = content_of(BUNDLE)
    container, key = choice.draw(st.sampled_from(places(content)))
    if choice.draw(st.booleans()):
        del container[key]
    else:
        container[key] = new
    assert outcomes(json.dumps(content).encode()) == []
