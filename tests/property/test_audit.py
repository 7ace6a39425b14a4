"""A model of the contract writes random histories: replay finds its state, and sees through every falsification."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from anchor.audit import check_complete
from anchor.errors import HistoryError
from anchor.events import RawLog
from anchor.history import ACCREDITOR_ROLE, ADMIN_ROLE, History
from anchor.replay import replay
from anchor.status import StatusPurpose, mask_of, positions_of, word_of
from tests.support.contract_model import Model, models
from tests.support.history import REGISTRY, accredited, chain


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
    assert history.members(ADMIN_ROLE) == (model.admin,)
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
    del logs[data.draw(st.integers(0, len(logs) - 1))]
    assert_rejected(logs, model)


@given(model=models(), data=st.data())
def test_no_bit_of_a_log_can_be_changed(model: Model, data: st.DataObject) -> None:
    logs, _ = chain(model.calls)
    index = data.draw(st.integers(0, len(logs) - 1))
    log = logs[index]
    content = bytearray(b"".join(log.topics) + log.data)
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    end = 32 * len(log.topics)
    topics = tuple(bytes(content[start : start + 32]) for start in range(0, end, 32))
    logs[index] = replace(log, topics=topics, data=bytes(content[end:]))  # type: ignore[arg-type]
    assert_rejected(logs, model)


@given(model=models(), data=st.data())
def test_no_word_of_a_log_can_be_replaced(model: Model, data: st.DataObject) -> None:
    logs, _ = chain(model.calls)
    index = data.draw(st.integers(0, len(logs) - 1))
    log = logs[index]
    at = 32 * data.draw(st.integers(0, len(log.data) // 32 - 1))
    word = data.draw(st.integers(0, 2**256 - 1) | st.integers(0, 512)).to_bytes(32, "big")
    changed = log.data[:at] + word + log.data[at + 32 :]
    assume(changed != log.data)
    logs[index] = replace(log, data=changed)
    assert_rejected(logs, model)


@given(model=models(), data=st.data())
def test_no_two_logs_of_an_issuer_can_change_places(model: Model, data: st.DataObject) -> None:
    # Places alone are bound by no head: logs of two issuers at one time may have come in either order.
    logs, _ = chain(model.calls)
    whose = data.draw(st.sampled_from([call.issuer for call in model.calls]))
    own = [index for index, call in enumerate(model.calls) if call.issuer == whose]
    first, second = data.draw(st.sampled_from(own)), data.draw(st.sampled_from(own))
    assume(first != second)
    one, two = logs[first], logs[second]
    logs[first] = replace(one, topics=two.topics, data=two.data)
    logs[second] = replace(two, topics=one.topics, data=one.data)
    assert_rejected(logs, model)
    logs[first], logs[second] = two, one
    assert_rejected(logs, model)


@given(model=models(), data=st.data())
def test_no_log_can_be_inserted(model: Model, data: st.DataObject) -> None:
    logs, _ = chain(model.calls)
    doubled = data.draw(st.sampled_from(logs))
    later = [replace(log, log_index=log.log_index + 1) if log.log_index > doubled.log_index else log for log in logs]
    later.insert(doubled.log_index + 1, replace(doubled, log_index=doubled.log_index + 1))
    assert_rejected(later, model)


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
