"""No node can flip a verdict of the page either: the same lies are told to its own TypeScript, run by Node.

What both programs determine they determine alike, and the page is at a loss only where Python is.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import settings

from anchor.model import Outcome, Verdict, Vouching
from tests.lies.about_answers import MOST_BYTES
from tests.lies.every_kind import KINDS
from tests.lies.judge import K_OF_N, LAGGING, ONE_NODE, PINNED, STANDING_BY, WrongVerdictError, expectation, judge
from tests.lies.kinds import Bringing, Case, Kind
from tests.lies.node import Fault, Lie
from tests.lies.theatre import NODES, Theatre
from tests.support.page_ledger import Page, page_program

EXAMPLES: Final = 12 if settings.default is not None and settings.default.max_examples >= 1000 else 3
"""Of each kind, under each policy."""
IMPATIENCE_MS: Final = 50
"""For a node that is slow."""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with page_program() as page:
        yield page


def cases_of(kind: Kind, theatre: Theatre) -> Iterator[Case]:
    choose = random.Random(kind.name)
    situations = kind.situations or tuple(theatre.story.situations)
    for number in range(EXAMPLES):
        yield Case(
            kind=kind,
            situation=choose.choice(situations),
            seed=choose.randrange(2**64),
            position=number % NODES,
        )


def verdicts(page: Page, theatre: Theatre, case: Case, lie: Lie) -> Iterator[tuple[str, Verdict]]:
    """Give the page's verdict under each policy while one node lies."""
    liar = theatre.name_of(case.position, lie)
    three = tuple(liar if place == case.position else node.url for place, node in enumerate(theatre.nodes))
    impatient = (liar, IMPATIENCE_MS) if lie.fault is Fault.SLOW else None

    def verdict(nodes: tuple[str, ...], **changes: object) -> Verdict:
        answer = page.check(
            theatre.policy(nodes=nodes, **changes),
            [theatre.story.documents[case.situation]],
            theatre.story.now,
            limits={"answerBytes": MOST_BYTES},
            impatient_with=impatient,
        )
        return answer.verdicts[0]

    panel = {"confirmations": case.confirmations, "vouching": Vouching.K_OF_N, "agreeing": 2}
    with theatre.lying(case):
        yield ONE_NODE, verdict((liar,), confirmations=case.confirmations)
        if case.brings is Bringing.ASKED:
            known = frozenset({theatre.newest()})
            yield PINNED, verdict((liar,), vouching=Vouching.PINNED_HASH, known_blocks=known)
        if case.seed // 2 % 2:
            yield STANDING_BY, verdict(three, confirmations=case.confirmations)
        yield K_OF_N, verdict(three, **panel)
        if not case.seed // 2 % 2:
            with theatre.lagging(case):
                yield LAGGING, verdict(three, **panel)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_lie_flips_a_verdict_of_the_page(kind: Kind, theatre: Theatre, page: Page) -> None:
    for case in cases_of(kind, theatre):
        lie = kind.make(theatre.scene(case))
        ours = dict(theatre.verdicts(case, lie))
        for policy, verdict in verdicts(page, theatre, case, lie):
            expected = expectation(
                case, theatre.story.situations[case.situation], lie, policy, theatre.story.latest - case.lag
            )
            try:
                judge(verdict, expected)
            except WrongVerdictError as error:
                raise WrongVerdictError(f"{policy}, {case}: {error}") from None
            said, python = (verdict.outcome, verdict.reason), (ours[policy].outcome, ours[policy].reason)
            if policy != LAGGING and python[0] is not Outcome.UNKNOWN:
                assert said == python, f"{policy}, {case}: {verdict.error}"
