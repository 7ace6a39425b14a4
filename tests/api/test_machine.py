"""Anything that two institutions may do by API, in any order, against a model of what must come of it.

Each run starts from a fresh service on a real chain. Runs are few and always the same; `CREDANCHOR_MACHINE_RUNS=500`
tries as many, and new ones each time.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from registry.services import operation
from tests.api.village import ACCOUNTS, Village, Villager, dev_account, settle_on_chain, village
from tests.ledger.chain import Chain
from tests.support.registry import ACHIEVEMENT
from tests.support.remote_signer import StandIn, stand_in

RUNS_VARIABLE = "CREDANCHOR_MACHINE_RUNS"
RUNS, STEPS = 7, 30
WORKED_ON = {"received", "validated", "sealed", "signed", "sent", "mined", "final"}
WANTED = ("final", "failed", "cancelled", "lost", "again", "anothers", "active", "revoked", "suspended")
ENDED = {"final", "cancelled", "failed"}


@dataclass(kw_only=True)
class Job:
    names: list[str]
    is_good: bool
    state: str = "received"
    root: str | None = None
    change: tuple[str, list[str]] | None = None
    """What is to be done to which credentials, if it is no roster."""


@dataclass(kw_only=True)
class Answer:
    """What was asked with an Idempotency-Key, and what came."""

    path: str
    how: dict[str, Any]
    status: int
    content: bytes


@dataclass(kw_only=True)
class Expected:
    """What one institution must find."""

    achievements: dict[str, list[str]] = field(default_factory=dict)
    """Names by code, version by version."""
    jobs: dict[str, Job] = field(default_factory=dict)
    credentials: dict[str, str] = field(default_factory=dict)
    """Names of recipients by credential's id, of what was sealed."""
    answers: list[Answer] = field(default_factory=list)
    writes: int = 0
    """Entries that its log must have, beside those of workers."""

    def standing(self, credential: str) -> str:
        """How a credential stands once all changes that were not cancelled are made, in the order of asking."""
        changes = [job.change for job in self.jobs.values() if job.change is not None and job.state != "cancelled"]
        made = [action for action, credentials in changes if credential in credentials]
        if "revoke" in made:
            return "revoked"
        made = ["reinstate", *(each for each in made if each != "revoke")]
        return "suspended" if made[-1] == "suspend" else "active"

    def is_changing(self, credential: str) -> bool:
        """Whether a change is on its way."""
        return any(
            job.change is not None and credential in job.change[1] and job.state not in ENDED
            for job in self.jobs.values()
        )


ACTIONS = (
    "mine",
    "upload_roster",
    "upload_roster",
    "cancel",
    "work",
    "work_and_lose_it",
    "work_and_lose_it",
    "keep_achievement",
    "revise_achievement",
    "cancel",
    "change_status",
    "change_status",
    "ask_again",
    "ask_for_anothers",
    "verify",
)
"""Functions below: the first is what the simplest run does, and what stands there twice is done more often."""


Action = Callable[["Machine", Villager, Expected, Random], None]


class Machine(RuleBasedStateMachine):
    """One rule does any of the actions: with several, most of few runs would do without most of them."""

    chain: Chain
    signer: StandIn
    folder: Path
    numbers: dict[str, int]
    runs = count()
    done: ClassVar[Counter[str]] = Counter()
    """What all runs did, so that a machine that stands still is noticed."""

    def __init__(self) -> None:
        super().__init__()
        self.fresh = count()
        self.before = self.chain.node.write("evm_snapshot", [])
        self._context = village(self.chain, self.folder / f"run-{next(self.runs)}", self.signer, self.numbers)
        self.village: Village = self._context.__enter__()
        self.expected = {code: Expected() for code in ACCOUNTS}

    def teardown(self) -> None:
        try:
            self.check_end()
        finally:
            self._context.__exit__(None, None, None)
            assert self.chain.node.write("evm_revert", [self.before])

    @rule(
        action=st.sampled_from(ACTIONS),
        code=st.sampled_from(sorted(ACCOUNTS)),
        seed=st.integers(min_value=0, max_value=2**32),
    )
    def step(self, action: str, code: str, seed: int) -> None:
        do: Action = globals()[action]
        do(self, self.village.villagers[code], self.expected[code], Random(seed))

    @invariant()
    def lists_have_what_is_their_institutions_and_nothing_else(self) -> None:
        for code, expected in self.expected.items():
            villager = self.village.villagers[code]
            kept = villager.ask("GET", "/v1/achievements").json()["achievements"]
            versions = {each["code"]: (each["version"], each["name"]) for each in kept}
            assert versions == {name: (len(each), each[-1]) for name, each in expected.achievements.items()}
            assert {each["id"] for each in villager.list("/v1/jobs", "jobs")} == set(expected.jobs)
            roots = {job.root for job in expected.jobs.values() if job.root}
            assert {each["root"] for each in villager.list("/v1/batches", "batches")} == roots

    def look_at_jobs(self) -> None:
        """None ends twice; what is sealed are the people of its roster."""
        for code, expected in self.expected.items():
            villager = self.village.villagers[code]
            for identifier, job in expected.jobs.items():
                seen = villager.ask("GET", f"/v1/jobs/{identifier}").json()
                if job.state in ENDED:
                    assert seen["state"] == job.state
                    continue
                job.state = seen["state"]
                assert job.state in (WORKED_ON if job.is_good else {"received", "validated", "failed"}), seen
                if job.state == "failed":
                    assert seen["problemCount"] == len(job.names)
                if seen.get("batch") is not None and job.root is None:
                    job.root = seen["batch"]
                    page = villager.list(f"/v1/batches/{job.root}/credentials", "credentials")
                    assert sorted(each["recipientName"] for each in page) == sorted(job.names)
                    expected.credentials |= {each["id"]: each["recipientName"] for each in page}

    def check_end(self) -> None:
        """Let workers finish, then check everything that was issued, and the logs."""
        for _ in range(200):
            if not self.village.work_once():
                break
        self.look_at_jobs()
        for code, expected in self.expected.items():
            villager = self.village.villagers[code]
            for job in expected.jobs.values():
                assert job.state in {"cancelled", "final" if job.is_good else "failed"}
                self.done[job.state] += 1
            credentials = villager.list("/v1/credentials", "credentials")
            assert {each["id"]: each["recipientName"] for each in credentials} == expected.credentials
            check_verdicts(villager, expected)
            for each in expected.credentials:
                standing = villager.ask("GET", f"/v1/credentials/{each}/status").json()["state"]
                assert standing == expected.standing(each)
                self.done[standing] += 1
            log = villager.list("/v1/audit", "entries")
            by_key = [each for each in log if each["actor"] == f"key {villager.key.split('_')[1]}"]
            assert len(by_key) == expected.writes
            assert operation.check_log(self.village.service.store, code)[0] == len(log)


def write(machine: Machine, who: Villager, expected: Expected, path: str, wanted: int, **how: Any) -> Any:
    """Ask for a write, with a key of its own; note what came, to be asked for again."""
    how["headers"] = {"Idempotency-Key": f"key-{next(machine.fresh)}", **how.get("headers", {})}
    answer = who.ask("POST", path, **how)
    assert answer.status_code == wanted, (path, answer.text)
    if wanted < 300:
        expected.writes += 1
        expected.answers.append(Answer(path=path, how=how, status=wanted, content=answer.content))
    return answer


def keep_achievement(machine: Machine, who: Villager, expected: Expected, random: Random) -> None:
    code = f"a{random.randrange(3)}"
    body = {"code": code, "achievement": {**ACHIEVEMENT, "id": f"urn:x:{code}", "name": f"{who.code} {code}"}}
    write(machine, who, expected, "/v1/achievements", 409 if code in expected.achievements else 201, json=body)
    expected.achievements.setdefault(code, [f"{who.code} {code}"])


def revise_achievement(machine: Machine, who: Villager, expected: Expected, random: Random) -> None:
    code, name = f"a{random.randrange(3)}", random.choice("xy")
    versions = expected.achievements.get(code)
    body = {"achievement": {**ACHIEVEMENT, "id": f"urn:x:{code}", "name": name}}
    wanted = 404 if versions is None else 409 if versions[-1] == name else 201
    answer = write(machine, who, expected, f"/v1/achievements/{code}/versions", wanted, json=body)
    if versions is not None and wanted == 201:
        versions.append(name)
        assert answer.json()["version"] == len(versions)


def upload_roster(machine: Machine, who: Villager, expected: Expected, random: Random) -> None:
    code, is_good = f"a{random.randrange(3)}", random.random() < 0.7
    if code not in expected.achievements and random.random() < 0.8:
        keep_achievement(machine, who, expected, random)
        code = next(iter(expected.achievements))
    names = [f"{who.code} person {next(machine.fresh)}" for _ in range(random.randint(1, 3))]
    content = "name,email\n" + "".join(f"{each},{'' if is_good else 'x'}\n" for each in names)
    answer = write(
        machine,
        who,
        expected,
        "/v1/batches",
        202 if code in expected.achievements else 404,
        params={"achievement": code},
        content=content.encode(),
        headers={"Content-Type": "text/csv"},
    )
    if answer.status_code == 202:
        expected.jobs[answer.json()["id"]] = Job(names=names, is_good=is_good)


def cancel(machine: Machine, who: Villager, expected: Expected, random: Random) -> None:
    if not expected.jobs:
        return
    identifier, job = random.choice(sorted(expected.jobs.items(), key=lambda each: each[0]))
    answer = who.ask("POST", f"/v1/jobs/{identifier}/cancel")
    if job.state in {"received", "validated", "cancelled"}:
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        expected.writes += job.state != "cancelled"
        job.state = "cancelled"
    else:
        assert answer.status_code == 409, answer.text


def work(machine: Machine, who: Villager, expected: Expected, random: Random) -> None:
    for _ in range(random.randint(1, 4)):
        machine.village.work_once()
        machine.look_at_jobs()


def work_and_lose_it(machine: Machine, who: Villager, expected: Expected, random: Random) -> None:
    """A reorganisation takes back what the worker has sent."""
    before = machine.chain.node.write("evm_snapshot", [])
    block = machine.chain.client.latest_block().header.number
    machine.village.work_once()
    machine.done["lost"] += machine.chain.client.latest_block().header.number > block
    assert machine.chain.node.write("evm_revert", [before])
    machine.look_at_jobs()


def change_status(machine: Machine, who: Villager, expected: Expected, random: Random) -> None:
    anchored = anchored_credentials(who, expected)
    if not anchored:
        return
    chosen = random.sample(anchored, random.randint(1, min(2, len(anchored))))
    action = random.choice(["revoke", "suspend", "suspend", "reinstate"])
    body = {"action": action, "reason": "other", "credentials": chosen}
    answer = write(machine, who, expected, "/v1/status", 202, json=body)
    expected.jobs[answer.json()["id"]] = Job(names=[], is_good=True, change=(action, chosen))


def mine(machine: Machine, who: Villager, expected: Expected, random: Random) -> None:
    machine.chain.mine(random.randint(1, 3))


def ask_again(machine: Machine, who: Villager, expected: Expected, random: Random) -> None:
    if not expected.answers:
        return
    earlier = random.choice(expected.answers)
    again = who.ask("POST", earlier.path, **earlier.how)
    assert (again.status_code, again.content) == (earlier.status, earlier.content)
    assert again.headers["idempotent-replayed"] == "true"
    other = {**earlier.how, "params": {**earlier.how.get("params", {}), "again": "true"}}
    refused = who.ask("POST", earlier.path, **other)
    assert refused.status_code == 409, refused.text
    machine.done["again"] += 1


def ask_for_anothers(machine: Machine, who: Villager, expected: Expected, random: Random) -> None:
    (other,) = ACCOUNTS.keys() - {who.code}
    found = machine.expected[other]
    paths = [f"/v1/jobs/{each}" for each in found.jobs]
    for each in found.credentials:
        paths += [f"/v1/credentials/{each}{what}" for what in ("", "/proof", "/document", "/bundle", "/status")]
    paths += [f"/v1/batches/{job.root}" for job in found.jobs.values() if job.root]
    for path in random.sample(sorted(paths), min(4, len(paths))):
        answer = who.ask("GET", path)
        assert answer.status_code == 404, path
        assert other not in answer.text
        machine.done["anothers"] += 1


def verify(machine: Machine, who: Villager, expected: Expected, random: Random) -> None:
    check_verdicts(who, expected)


def anchored_credentials(who: Villager, expected: Expected) -> list[str]:
    """List what can be had; what is not anchored cannot."""
    anchored = {job.root for job in expected.jobs.values() if job.root and job.state in {"mined", "final"}}
    found = []
    for each in sorted(expected.credentials):
        is_anchored = who.ask("GET", f"/v1/credentials/{each}").json()["batch"] in anchored
        assert who.ask("GET", f"/v1/credentials/{each}/document").status_code == (200 if is_anchored else 409)
        found += [each] if is_anchored else []
    return found


def check_verdicts(who: Villager, expected: Expected) -> None:
    """What can be had is valid, unless it was revoked or is suspended; what is just being changed may be either."""
    settled = [each for each in anchored_credentials(who, expected) if not expected.is_changing(each)]
    if not settled:
        return
    documents = [who.ask("GET", f"/v1/credentials/{each}/document").json() for each in settled]
    report = who.ask("POST", "/v1/verify", json=documents).json()
    outcomes = {each["credentialId"]: (each["outcome"], each["reason"]) for each in report["results"]}
    wanted = {"active": ("valid", ""), "revoked": ("invalid", "revoked"), "suspended": ("invalid", "suspended")}
    assert outcomes == {each: wanted[expected.standing(each)] for each in settled}


def test_whatever_two_institutions_do_comes_out_as_it_must(chain: Chain, tmp_path: Path) -> None:
    numbers = settle_on_chain(chain)
    accounts = [dev_account(each).key for pair in ACCOUNTS.values() for each in pair]
    more = os.environ.get(RUNS_VARIABLE)
    rules = settings(
        max_examples=int(more or RUNS),
        stateful_step_count=STEPS,
        derandomize=more is None,
        deadline=None,
        database=None,
        phases=[Phase.generate, *([Phase.shrink] if more else [])],
        suppress_health_check=list(HealthCheck),
    )
    with stand_in(*accounts) as signer:
        fields = {"chain": chain, "signer": signer, "folder": tmp_path, "numbers": numbers}
        machine = type("VillageMachine", (Machine,), fields)
        run_state_machine_as_test(machine, settings=rules, _min_steps=STEPS - 1)
    # A machine that stands still proves nothing.
    assert all(Machine.done[each] for each in WANTED), Machine.done
