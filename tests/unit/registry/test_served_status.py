import pytest

from anchor.errors import LedgerUnavailableError
from anchor.history import IssuerHistory
from anchor.model import StatusPosition
from anchor.status import StatusPurpose
from registry.services.differences import DifferenceKind
from registry.services.served_status import ServedList, compare_served
from tests.support.history import status_changed
from tests.support.stories import BEGINNING, REVOKED, STATUS_KEY, SWITCHED, replayed

FIRST, SECOND, LATER = (StatusPosition(status_list=0, index=index) for index in range(3))


def history() -> IssuerHistory:
    """Two revocations in two blocks of one second, and one later."""
    calls = [
        status_changed(REVOKED, 1, [0], [1 << index], actor=STATUS_KEY, at=at, block=block)
        for index, (at, block) in enumerate([(500, 5), (500, 6), (600, 7)])
    ]
    return replayed(*BEGINNING, *calls).issuer(1)


def differences(
    *positions: StatusPosition, at: int, now: int = 600, issuer: IssuerHistory | None = None
) -> list[DifferenceKind]:
    served = ServedList(status_list=0, purpose=StatusPurpose.REVOCATION, at=at, positions=frozenset(positions))
    return [each.kind for each in compare_served(issuer or history(), (), [served], now=now)]


def test_what_is_so_now_is_no_difference() -> None:
    assert differences(FIRST, SECOND, LATER, at=600) == []
    # A new epoch counts, and repeats one of three.
    assert differences(LATER, at=3000, now=3000, issuer=replayed(*SWITCHED).issuer(1)) == []


@pytest.mark.parametrize("shown", [(), (FIRST,), (FIRST, SECOND)])
def test_each_block_of_one_second_may_be_the_lists(shown: tuple[StatusPosition, ...]) -> None:
    assert differences(*shown, at=500) == [DifferenceKind.SERVED_BEHIND]


@pytest.mark.parametrize("shown", [(SECOND,), (FIRST, SECOND, LATER), (FIRST, LATER)])
def test_what_was_so_in_none_of_them_is_a_lie(shown: tuple[StatusPosition, ...]) -> None:
    assert set(differences(*shown, at=500)) == {DifferenceKind.SERVED_OTHERWISE}


def test_before_anything_happened_nothing_was_so() -> None:
    assert differences(at=400) == [DifferenceKind.SERVED_BEHIND]
    assert differences(FIRST, at=400) == [DifferenceKind.SERVED_OTHERWISE]


def test_a_list_of_a_later_block_than_ours_decides_nothing() -> None:
    with pytest.raises(LedgerUnavailableError, match="the service's node is ahead"):
        differences(FIRST, at=601)
