"""Histories that are none: events missing, out of order, altered or invented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from eth_abi import abi

from tests.support.recorded.heads import Heads, Told, to_hex
from tests.support.recorded.story import START, root_of

Json = dict[str, Any]


def false_histories(told: list[Told], registry: str) -> list[Json]:
    """Histories that are none, of the first events, each with the step of the audit that finds it out."""
    told = told[:15]
    names = [event.name for event in told]
    revoked, suspended, role = names.index("CredentialsRevoked"), names.index("CredentialsSuspended"), 6
    assert (names[role], told[9].issuer, told[10].issuer) == ("RoleChanged", 2, 1)
    true = Heads(registry)
    for event in told:
        true.take(event)
    state = true.state()

    def logs_of(events: Sequence[Told]) -> list[Json]:
        return [event.log for event in events]

    def own_heads(events: Sequence[Told]) -> tuple[list[Json], Json]:
        """The logs, with heads that follow from one another, and the state that would go with them."""
        heads, logs = Heads(registry), []
        for index, event in enumerate(events):
            moved = heads.take(event)
            count = sum(each["indexed"] for each in event.declared)
            types = [*event.types[count:], *["bytes32"] * len(moved)]
            data = abi.encode(types, [*event.values[count:], *(behind for _, behind in moved.values())])
            topics = abi.encode(event.types[:count], event.values[:count])
            words = [to_hex(topics[start : start + 32]) for start in range(0, len(topics), 32)]
            place = {"logIndex": hex(index)}
            logs.append(event.log | {"topics": [to_hex(event.topic), *words], "data": to_hex(data)} | place)
        return logs, heads.state()

    def without_issuer(issuer: int) -> list[Told]:
        return [event for event in told if event.issuer != issuer]

    def without(index: int) -> list[Told]:
        return [*told[:index], *told[index + 1 :]]

    def exchanged(first: int, second: int) -> list[Told]:
        events = list(told)
        one, two = events[first], events[second]
        place = ("blockNumber", "blockHash", "transactionHash", "logIndex")
        events[first] = _moved(two, {name: one.log[name] for name in place})
        events[second] = _moved(one, {name: two.log[name] for name in place})
        return events

    def altered(index: int, **changes: object) -> list[Told]:
        return [*told[:index], told[index].with_values(**changes), *told[index + 1 :]]

    def case(name: str, reason: str, step: int, logs: list[Json], stated: Json = state) -> Json:
        return {"name": name, "reason": reason, "step": step, "state": stated, "logs": logs}

    def cut(log: Json) -> Json:
        return log | {"data": log["data"][:-2]}

    last = len(told) - 1
    beyond = told[suspended].with_values(at=told[last].values[-1])
    cases = [
        case("missing-in-the-middle", "a suspension is left out", 4, logs_of(without(suspended))),
        case("missing-at-the-end", "the last event is left out", 6, logs_of(told[:-1])),
        case("missing-role", "a change of roles is left out", 4, logs_of(without(role))),
        case("missing-issuer", "an issuer, and all that it did, is left out", 4, logs_of(without_issuer(2))),
        case("missing-everything", "no logs at all", 6, []),
        case("missing-own-heads", "an event is left out, and all later heads are made to follow", 6,
             own_heads(without(4))[0]),
        case("reordered", "two events of an issuer have changed places", 4, logs_of(exchanged(revoked, suspended))),
        case("reordered-own-heads", "likewise, with heads that follow", 3,
             own_heads(exchanged(revoked, suspended))[0]),
        case("out-of-order", "logs of two issuers are not in the order of their blocks", 1,
             logs_of([*told[:9], told[10], told[9], *told[11:]])),
        case("doubled", "a log is given twice", 1, logs_of([*told[: suspended + 1], *told[suspended:]])),
        case("altered-reason", "the reason of a revocation is another", 4,
             [*logs_of(told[:revoked]), own_heads(altered(revoked, reason=2))[0][revoked] | _heads_of(told[revoked]),
              *logs_of(told[revoked + 1 :])]),
        case("altered-own-heads", "the reason of a revocation is another, and all later heads follow", 6,
             own_heads(altered(revoked, reason=2))[0]),
        case("altered-head", "a log carries another head", 4,
             [*logs_of(told[:role]), told[role].log | {"data": told[role].log["data"][:-2] + "00"},
              *logs_of(told[role + 1 :])]),
        case("cut-short", "a log's data is a byte short", 2,
             [*logs_of(told[:revoked]), cut(told[revoked].log), *logs_of(told[revoked + 1 :])]),
        case("invented-at-the-end", "an event is added that the contract could have emitted", 6,
             own_heads([*told, _moved(beyond.with_values(words=(9,), masks=(1,)), _later(told[last]))])[0]),
        case("other-registry", "every log is of another contract", 1,
             [log | {"address": "0x" + "dd" * 20} for log in logs_of(told)]),
    ]  # fmt: skip
    stranger = "0x" + "99" * 20
    forgeries: list[tuple[str, str, int, list[Told]]] = [
        ("forged-accreditor", "who accredits has not the role", 5, altered(2, actor=stranger)),
        ("forged-controller", "who adds a key is not the controller", 5, altered(3, actor=stranger)),
        ("forged-anchor", "who anchors is no key of the issuer", 5, altered(4, actor=stranger)),
        ("forged-scope", "a status key anchors", 5,
         [*told, _moved(told[4].with_values(root=root_of(9), actor=told[revoked].values[6], at=told[last].values[-1]),
                        _later(told[last]))]),
        ("forged-key-from-the-past", "a key is valid from before it was added", 5, altered(3, validFrom=START)),
        ("forged-withdrawal", "an accreditation ends in the past", 5, altered(5, withdrawnAt=told[5].values[-1])),
        ("forged-reason", "there is no such reason", 5, altered(revoked, reason=8)),
        ("forged-epoch", "a key writes another status epoch than its own", 5, altered(revoked, epoch=1)),
        ("forged-mask", "bits are set that were set before", 5,
         [*told, _moved(told[revoked].with_values(at=told[last].values[-1]), _later(told[last]))]),
        ("forged-root", "a root is anchored again that is not void", 5,
         [*told, _moved(told[4].with_values(at=told[last].values[-1]), _later(told[last]))]),
        ("forged-time", "an event is earlier than the one before it", 3, altered(4, at=START)),
        ("forged-deployment", "no admin was there first", 5, without(0)),
    ]  # fmt: skip
    for name, reason, step, events in forgeries:
        logs, stated = own_heads(events)
        cases.append(case(name, f"{reason}; every head follows, and the state agrees", step, logs, stated))
    return cases


def _moved(event: Told, place: Json) -> Told:
    return replace(event, log=event.log | place)


def _later(event: Told) -> Json:
    place = {name: event.log[name] for name in ("blockNumber", "blockHash", "transactionHash")}
    return {**place, "logIndex": hex(int(event.log["logIndex"], 16) + 1)}


def _heads_of(event: Told) -> Json:
    return {"logIndex": event.log["logIndex"]}
