"""No node can flip a verdict: every kind of lie, in every situation, under every policy, some hundred times each.

The counts are printed at the end of the run (`tests.lies.matrix`). All cases go by HTTP through a node that lies before
a real anvil, whose true answers are asked for once and then said again; pauses before asking again are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lies.every_kind import KINDS
from tests.lies.judge import Counts
from tests.lies.kinds import Case, Kind
from tests.lies.matrix import property_of
from tests.lies.theatre import NODES, Theatre

EXAMPLES = 100 if settings.default is not None and settings.default.max_examples >= 1000 else 10
"""Of each kind, under each policy: the whole run is to have a hundred of each at least."""


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_lie_flips_a_verdict(kind: Kind, theatre: Theatre, record_property: Callable[[str, object], None]) -> None:
    counts: Counts = Counter()
    situations = kind.situations or tuple(theatre.story.situations)

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 2**64 - 1), situation=st.sampled_from(situations), position=st.integers(0, NODES - 1))
    def play(seed: int, situation: str, position: int) -> None:
        case = Case(kind=kind, situation=situation, seed=seed, position=position)
        counts.update(theatre.play(case).items())

    play()
    record_property(*property_of(kind.name, counts))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_lie_of_one_in_three_flips_any_verdict_of_many(kind: Kind, theatre: Theatre) -> None:
    """Credentials of several batches share their evidence: what spoils one's proofs leaves the others'."""
    situations = kind.situations or ("valid", "revoked", "forged")
    for seed in range(4):
        case = Case(kind=kind, situation=situations[seed % len(situations)], seed=seed, position=seed % NODES)
        assert theatre.play_to_all(case) == len(theatre.story.situations)
