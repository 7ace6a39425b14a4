"""Whatever happened: what counts while events go by is what the replay says, and all lists are judged as each alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.errors import HistoryError
from anchor.events import AnyEvent
from anchor.history import IssuerHistory, StatusWord
from anchor.model import Hash32, StatusPosition
from anchor.replay import Replay, replay
from anchor.status import LIST_SIZE, StatusPurpose, group_positions
from registry.services.counting_status import CountingStatus
from registry.services.differences import DifferenceKind
from registry.services.doings import events_of
from registry.services.served_status import ServedList, compare_served
from registry.store.reconciliation import OwnBatch
from registry.store.records import BatchId, BatchState
from tests.support.contract_model import WORDS, Model, eventful_models
from tests.support.history import REGISTRY, chain

LISTS = range(3)

Found = tuple[DifferenceKind, StatusPosition]


class Moment(NamedTuple):
    """How an event left an issuer."""

    event: AnyEvent
    issuer: IssuerHistory


def moments(model: Model, issuer_id: int) -> list[Moment]:
    """Give an issuer's events, and how each left it."""
    run, found = Replay(REGISTRY), list[Moment]()
    for log in chain(model.calls)[0]:
        event = run.take(log)
        if event is None or getattr(event, "issuer_id", None) != issuer_id:
            continue
        try:
            issuer = run.result().issuer(issuer_id)
        except HistoryError:
            # In the middle of a call, whose next event changes what counts.
            found.append(Moment(event, found[-1].issuer))
            continue
        # The replay goes on with what it gives.
        bits = {purpose: dict(words) for purpose, words in issuer.bits.items()}
        found.append(Moment(event, replace(issuer, batches=dict(issuer.batches), bits=bits)))
    return found


def shown(issuer: IssuerHistory, batches: Mapping[Hash32, OwnBatch], purpose: StatusPurpose) -> set[StatusPosition]:
    """Give all positions that lists of one purpose show."""
    positions = set(issuer.positions(purpose))
    if purpose is StatusPurpose.REVOCATION:
        for root in issuer.revoked_batches():
            if root in batches:
                first, size = batches[root].first_position, batches[root].size
                positions |= {StatusPosition(*divmod(number, LIST_SIZE)) for number in range(first, first + size)}
    return positions


def some_batches(random: Random, issuer: IssuerHistory) -> dict[Hash32, OwnBatch]:
    place, batches = random.choice([0, 200, LIST_SIZE - 300]), {}
    for number, root in enumerate(random.sample(list(issuer.batches), len(issuer.batches)), start=1):
        size = random.choice([1, 256, random.randint(1, 600)])
        batches[root] = OwnBatch(BatchId(number), root, size, place, BatchState.ANCHORED, 0, None)
        place += size + random.choice([0, 5])
    return batches


class Served(NamedTuple):
    status_list: int
    purpose: StatusPurpose
    at: int
    positions: set[StatusPosition]


def some_list(random: Random, story: Sequence[Moment], batches: Mapping[Hash32, OwnBatch]) -> Served:
    """What was so at some moment, often at that which it names, with a lie or without."""
    status_list, purpose = random.choice(LISTS), random.choice(list(StatusPurpose))
    moment, other = random.choice(story), random.choice(story)
    at = (moment if random.random() < 0.7 else other).event.at + random.choice([0, 0, 0, 1, -1])
    positions = {each for each in shown(moment.issuer, batches, purpose) if each.status_list == status_list}
    if random.random() < 0.3:
        lies = random.choice([1, 4, 9])
        positions ^= {StatusPosition(status_list=status_list, index=random.randint(0, 700)) for _ in range(lies)}
    return Served(status_list, purpose, at, positions)


def judged(served: Served, story: Sequence[Moment], batches: Mapping[Hash32, OwnBatch]) -> list[Found]:
    """Judge one list, by what was shown after each event."""
    then, now = [set[StatusPosition]()], set[StatusPosition]()
    for event, issuer in story:
        now = {each for each in shown(issuer, batches, served.purpose) if each.status_list == served.status_list}
        if event.at < served.at:
            then = [now]
        elif event.at == served.at:
            then.append(now)
    if served.positions == now and served.positions in then:
        return []
    if served.positions in then:
        return [(DifferenceKind.SERVED_BEHIND, StatusPosition(status_list=served.status_list, index=0))]
    wrong = [sorted(served.positions - then[-1]), sorted(then[-1] - served.positions)]
    return [(DifferenceKind.SERVED_OTHERWISE, each) for positions in wrong for each in positions[:6]]


@settings(max_examples=15)
@given(model=eventful_models(), random=st.randoms(use_true_random=False))
def test_lists_are_judged_together_as_each_alone(model: Model, random: Random) -> None:
    history = replay(chain(model.calls)[0], REGISTRY)
    for issuer in history.issuers:
        story, batches = moments(model, issuer.issuer_id), some_batches(random, issuer)
        lists = [some_list(random, story, batches) for _ in range(5)]
        served = [
            ServedList(
                status_list=each.status_list,
                purpose=each.purpose,
                at=each.at,
                words=group_positions(each.positions).get(each.status_list, {}),
            )
            for each in lists
        ]
        events = events_of(history.events, issuer.issuer_id)
        found = [(each.kind, each.position) for each in compare_served(events, batches, served, now=2**40)]
        assert found == [each for one in lists for each in judged(one, story, batches)]


@settings(max_examples=15)
@given(model=eventful_models())
def test_what_counts_while_events_go_by_is_what_the_replay_says(model: Model) -> None:
    for issuer_id in range(1, len(model.epochs) + 1):
        status = CountingStatus()
        for event, issuer in moments(model, issuer_id):
            status.take(event)
            epoch = issuer.record.status_epoch
            for purpose in StatusPurpose:
                for status_list in LISTS:
                    for word in (*WORDS, 3):
                        right = issuer.bits[purpose].get(StatusWord(epoch, status_list, word), 0)
                        assert status.word(purpose, status_list, word) == right
            revoked = {root for root, batch in issuer.batches.items() if batch.is_revoked_in(epoch)}
            assert {root for root in issuer.batches if status.is_revoked(root)} == revoked
            assert set(status.revoked_batches()) == revoked
