"""A model of the contract writes random histories: replay finds its state, and sees through every falsification."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from anchor.audit import check_complete
from anchor.errors import HistoryError
from anchor.events import RawLog
from anchor.history import ACCREDITOR_ROLE, ADMIN_ROLE, History
from anchor.replay import replay
from anchor.status import StatusPurpose, mask_of, positions_of, word_of
from tests.support.contract_model import Model, long_models, models
from tests.support.falsehoods import (
    falsified,
    forged,
    with_bit_flipped,
    with_contents_swapped,
    with_log_inserted,
    with_places_swapped,
    with_word,
    without,
)
from tests.support.history import REGISTRY, accredited, chain

LONG = 20
"""Histories of hundreds of calls, each with many falsehoods, whatever the profile: one takes a third of a second."""


def assert_rejected(logs: list[RawLog], told: Model) -> None:
    _, proven = chain(told.calls)
    with pytest.raises(HistoryError):
        check_complete(replay(logs, REGISTRY), proven)


@given(model=models())
def test_replay_finds_what_happened(model: Model) -> None:
    logs, proven = chain(model.calls)
    history = replay(logs, REGISTRY)
    check_complete(history, proven)
    assert [event.log for event in history.events] == logs
    assert history.members(ADMIN_ROLE) == (() if model.admin is None else (model.admin,))
    assert set(history.members(ACCREDITOR_ROLE)) == set(model.accreditors)
    for issuer in history.issuers:
        number, record = issuer.issuer_id, issuer.record
        assert (record.controller, issuer.pending_controller) == (model.controllers[number], model.offers.get(number))
        assert record.withdrawn_at == model.ends.get(number, 0)
        assert (record.status_epoch, issuer.next_status_epoch) == model.epochs[number]
        for purpose in StatusPurpose:
            assert set(issuer.positions(purpose)) == model.set_bits(number, purpose, record.status_epoch)
    assert {
        bytes(address): (key.issuer_id, key.scope, key.status_epoch, key.cut_off)
        for issuer in history.issuers
        for address, key in issuer.keys.items()
    } == {key: (each.issuer, each.scope, each.epoch, each.cut_off) for key, each in model.keys.items()}
    assert {
        (issuer.issuer_id, root): (batch.size, root in issuer.void_batches(), root in issuer.revoked_batches())
        for issuer in history.issuers
        for root, batch in issuer.batches.items()
    } == {
        place: (batch.size, model.is_void(batch), model.is_revoked(batch, model.epochs[place[0]][0]))
        for place, batch in model.roots.items()
    }
    assert {
        (issuer.issuer_id, purpose, word): mask
        for issuer in history.issuers
        for purpose, words in issuer.bits.items()
        for word, mask in words.items()
    } == model.bits
    check_changes(history)


def check_changes(history: History) -> None:
    """What is told of single credentials adds up to the bits."""
    for issuer in history.issuers:
        for purpose in StatusPurpose:
            for position in issuer.positions(purpose)[:20]:
                epoch = issuer.record.status_epoch
                changes = [change for change in issuer.changes_of(position) if change.epoch == epoch]
                kinds = [change.kind for change in changes]
                if purpose is StatusPurpose.REVOCATION:
                    assert kinds.count("credentialsRevoked") == 1
                else:
                    assert kinds.count("credentialsSuspended") == kinds.count("credentialsReinstated") + 1
            for word, mask in issuer.bits[purpose].items():
                shown = positions_of(word.status_list, word.word, mask)
                assert sum(mask_of(each.index) for each in shown) == mask
                assert {word_of(each.index) for each in shown} <= {word.word}


@given(model=models(), data=st.data())
def test_no_log_can_be_left_out(model: Model, data: st.DataObject) -> None:
    logs, _ = chain(model.calls)
    assert_rejected(without(logs, data.draw(st.integers(0, len(logs) - 1))), model)


@given(model=models(), data=st.data())
def test_no_bit_of_a_log_can_be_changed(model: Model, data: st.DataObject) -> None:
    logs, _ = chain(model.calls)
    index = data.draw(st.integers(0, len(logs) - 1))
    bits = 8 * (32 * len(logs[index].topics) + len(logs[index].data))
    assert_rejected(with_bit_flipped(logs, index, data.draw(st.integers(0, bits - 1))), model)


@given(model=models(), data=st.data())
def test_no_word_of_a_log_can_be_replaced(model: Model, data: st.DataObject) -> None:
    logs, _ = chain(model.calls)
    index = data.draw(st.integers(0, len(logs) - 1))
    place = data.draw(st.integers(0, len(logs[index].data) // 32 - 1))
    changed = with_word(logs, index, place, data.draw(st.integers(0, 2**256 - 1) | st.integers(0, 512)))
    assume(changed != logs)
    assert_rejected(changed, model)


@given(model=models(), data=st.data())
def test_no_two_logs_of_an_issuer_can_change_places(model: Model, data: st.DataObject) -> None:
    # Places alone are bound by no head: logs of two issuers at one time may have come in either order.
    logs, _ = chain(model.calls)
    whose = data.draw(st.sampled_from([call.issuer for call in model.calls]))
    own = [index for index, call in enumerate(model.calls) if call.issuer == whose]
    first, second = data.draw(st.sampled_from(own)), data.draw(st.sampled_from(own))
    assume(first != second)
    assert_rejected(with_contents_swapped(logs, first, second), model)
    assert_rejected(with_places_swapped(logs, first, second), model)


@given(model=models(), data=st.data())
def test_no_log_can_be_inserted(model: Model, data: st.DataObject) -> None:
    logs, _ = chain(model.calls)
    place, doubled = data.draw(st.integers(0, len(logs) - 1)), data.draw(st.sampled_from(logs))
    assert_rejected(with_log_inserted(logs, place, doubled), model)


@given(model=models(), data=st.data())
def test_no_history_with_heads_of_its_own_passes(model: Model, data: st.DataObject) -> None:
    # The forger runs his own contract: every head follows, and only the proven ones give him away.
    forged = list(model.calls)
    index = data.draw(st.integers(0, len(forged) - 1))
    match data.draw(st.sampled_from(["remove", "double", "swap", "alter", "append"])):
        case "remove":
            del forged[index]
        case "double":
            forged.insert(index, forged[index])
        case "swap":
            forged.insert(0, forged.pop(index))
        case "alter":
            *others, at = forged[index].values
            assert isinstance(at, int)
            forged[index] = replace(forged[index], values=(*others, at + 1))
        case _:
            issuer = len(model.controllers) + 1
            forged.append(accredited(issuer, "did:web:x", controller=b"\x01" * 20, at=model.at, block=model.block))
    assume(forged != model.calls)
    assert_rejected(chain(forged)[0], model)


@given(model=models())
def test_history_of_another_registry_is_refused(model: Model) -> None:
    other = replace(REGISTRY, chain_id=1)
    logs, _ = chain(model.calls, other)
    with pytest.raises(HistoryError):
        replay(logs, REGISTRY)


@settings(max_examples=LONG)
@given(model=long_models(), data=st.data())
def test_long_histories_are_whole_or_found_out(model: Model, data: st.DataObject) -> None:
    logs, proven = chain(model.calls)
    check_complete(replay(logs, REGISTRY), proven)
    random = Random(data.draw(st.integers(0, 2**64 - 1)))
    for _ in range(10):
        what, lie = falsified(logs, random)
        with pytest.raises(HistoryError):
            check_complete(replay(lie, REGISTRY), proven)
        note(what)
    with pytest.raises(HistoryError):
        check_complete(replay(chain(forged(model.calls, random))[0], REGISTRY), proven)
