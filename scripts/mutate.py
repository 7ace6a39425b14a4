"""Mutation testing of the pure core: which small faults in `anchor/*.py` would the unit tests not see?

    scripts/mutate.py                     all modules of the pure core
    scripts/mutate.py anchor/merkle.py    these only
    scripts/mutate.py --jobs 2 …          how many mutants at a time; 2 if not said

Prints, per module and in all, how many mutants were killed, and a diff of each survivor. Fails if fewer than 95 % are
killed, if a survivor is not explained in tests/mutants/survivors.toml, or if one explained there does not survive.

Runs in a copy of the working tree as it is. No fault is ever written to a file. One process has pytest and all tests
loaded; each mutant gets a fork of it, where the mutated function's code takes the place of the real one, and the tests
that ran its lines before run again, until one fails. What is evaluated once, on import (constants, enumerations,
defaults), gets a fork that has not imported the core yet, and the mutated module instead of the real one.

Only tests/unit and tests/vectors count as killers: the same every time, and quick. Decided in
docs/adr/0011-mutation-testing.md.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib.abc
import importlib.machinery
import os
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import types
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import coverage
import pytest
from mutant_processes import KILLED, SURVIVED, Pool, Progress, allow, in_fork
from mutants import Mutant, mutants_of

ROOT = Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "tests" / "mutants" / "survivors.toml"
COPIED = ("anchor", "registry", "tests", "docs", "pyproject.toml")
REQUIRED_PERCENT = 95

TEST_SECONDS = 2
"""Processor time that a test may take on a mutant, beyond ten times what it took before: else the mutant hangs."""
LOAD_SECONDS = 30

CONTROL = Mutant(
    module="anchor/verify.py", lines=range(0), function="", name="no fault", before="", after="", path=(), node=None
)
"""Goes the way of all mutants and has to survive all tests, or else what kills mutants is not their fault."""


@dataclass
class Tests:
    """What the tests did without a fault."""

    by_line: dict[str, dict[int, list[str]]]
    """Module → line → tests that ran it."""
    seconds: dict[str, float]
    lineless: list[str]
    """Those that ran no line of the core: they look at its classes and constants only."""

    def of(self, mutant: Mutant) -> list[str]:
        """Name the tests that can see a fault, the quickest first."""
        lines = self.by_line.get(mutant.module, {})
        if mutant is CONTROL:
            found = set(self.seconds)
        elif mutant.function:
            found = {test for line in mutant.lines for test in lines.get(line, ())}
        else:
            found = {test for tests in lines.values() for test in tests}.union(self.lineless)
        return sorted(found, key=lambda test: self.seconds[test])


# In a copy


def main() -> None:
    parser = argparse.ArgumentParser(description="Mutation testing of the pure core.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="such as anchor/merkle.py; all if none is named")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="mutants at a time (default: 2)")
    options = parser.parse_args()
    core = sorted(f"anchor/{path.name}" for path in (ROOT / "anchor").glob("*.py") if path.name != "__init__.py")
    unknown = sorted(set(options.modules) - set(core))
    if unknown:
        sys.exit(f"no modules of the pure core: {', '.join(unknown)}; there are {', '.join(core)}")
    modules = options.modules or core
    with tempfile.TemporaryDirectory(prefix="credanchor-mutants-") as folder:
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, folder)
        os.chdir(folder)
        results = run(modules, options.jobs)
    sys.exit(report(modules, results))


def run(modules: Sequence[str], jobs: int) -> list[tuple[Mutant, int]]:
    """Try all mutants of these modules; the working directory is the copy."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(Path.cwd()))
    preload()
    started = time.monotonic()
    tests = baseline()
    mutants = [mutant for module in modules for mutant in mutants_of(module, Path(module).read_text("utf-8"))]
    print(f"{len(tests.seconds)} tests pass without a fault; trying {len(mutants)} mutants", flush=True)
    progress = Progress(started)
    pool = Pool(jobs, progress)
    warm = [CONTROL, *(mutant for mutant in mutants if mutant.function and tests.of(mutant))]
    codes: dict[str, int] = in_fork(lambda: try_warm(warm, tests, pool))
    at_import = [mutant for mutant in mutants if not mutant.function]
    codes |= pool.run(at_import, lambda mutant: try_cold(mutant, tests, near=True))
    # What survived so far gets all tests: any of them may use the core while it is itself imported.
    left = [CONTROL, *(mutant for mutant in mutants if codes.get(mutant.key, SURVIVED) == SURVIVED)]
    control = codes[CONTROL.key]
    codes |= pool.run(left, lambda mutant: try_cold(mutant, tests))
    if (control, codes[CONTROL.key]) != (SURVIVED, SURVIVED):
        sys.exit("tests fail in a mutant's process without any fault: no figure here would mean anything")
    progress.clear()
    return [(mutant, codes[mutant.key]) for mutant in mutants]


def preload() -> None:
    """Import once, before all forks, what takes time to import and is not the core."""
    import cbor2  # noqa: F401
    import eth_abi  # noqa: F401
    import hypothesis  # noqa: F401
    import rfc8785  # noqa: F401
    import trie.hexary  # noqa: F401
    from eth_hash.auto import keccak

    keccak(b"")  # chooses its backend on the first call


def killers() -> list[str]:
    found = [*Path("tests/unit").glob("test_*.py"), *Path("tests/vectors").rglob("test_*.py")]
    return sorted(map(str, found))


def run_pytest(files: Sequence[str], plugin: object) -> int:
    quiet = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "-p", "no:logging", "-p", "no:faulthandler"]
    # Of modules that preload() has imported.
    quiet += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*quiet, *files], plugins=[plugin]))


class _Baseline:
    """Notes which test runs which lines of the core, and for how long."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failed: dict[str, str] = {}
        self.coverage = coverage.Coverage(data_file=None, config_file=False, source=["anchor"], messages=False)
        self.coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> object:
        self.coverage.switch_context(item.nodeid)
        before = time.process_time()
        done = yield
        self.seconds[item.nodeid] = time.process_time() - before
        self.coverage.switch_context("")
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed[report.nodeid] = f"{report.nodeid}\n{report.longrepr}"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed[report.nodeid] = f"{report.nodeid}\n{report.longrepr}"


def baseline() -> Tests:
    """Run all tests once on the code as it is.

    Returns:
        What they ran. A test that runs nothing of the core, and fails here for want of something else, is left out.
    """

    def measure() -> Tests:
        plugin = _Baseline()
        run_pytest(killers(), plugin)
        plugin.coverage.stop()
        data, by_line = plugin.coverage.get_data(), {}
        for file in data.measured_files():
            name = str(Path(file).relative_to(Path.cwd()))
            if Path(name).parent == Path("anchor"):
                contexts = data.contexts_by_lineno(file)
                by_line[name] = {line: [test for test in tests if test] for line, tests in contexts.items()}
        used = {test for lines in by_line.values() for tests in lines.values() for test in tests}
        # Of those that have nothing to do with the core, nothing is asked here.
        failed = [text for test, text in plugin.failed.items() if test in used or "::" not in test]
        if failed or not used:
            sys.exit("\n".join(["The tests fail without any fault:", *failed]))
        lineless = sorted(plugin.seconds.keys() - used - plugin.failed.keys())
        seconds = {test: plugin.seconds[test] for test in (*used, *lineless)}
        return Tests(by_line=by_line, seconds=seconds, lineless=lineless)

    loaded = in_fork(lambda: vars(measure()))
    by_line = {
        module: {int(line): tests for line, tests in lines.items()} for module, lines in loaded["by_line"].items()
    }
    return Tests(by_line=by_line, seconds=loaded["seconds"], lineless=loaded["lineless"])


# One mutant in one process


class _Judge:
    """Ends the process with the first test that fails, and a test that takes too long with it."""

    def __init__(self, tests: Tests) -> None:
        self.tests = tests

    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        allow(TEST_SECONDS + 10 * self.tests.seconds.get(item.nodeid, 0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os._exit(KILLED)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            os._exit(KILLED)


def try_warm(mutants: Sequence[Mutant], tests: Tests, pool: Pool) -> dict[str, int]:
    """Load all tests, then try each mutant in a fork of this process."""
    codes: dict[str, int] = {}

    class Loop:
        def pytest_runtestloop(self, session: pytest.Session) -> bool:
            items = {item.nodeid: item for item in session.items}
            functions = functions_of_core()
            trees = {mutant.module: ast.parse(Path(mutant.module).read_text("utf-8")) for mutant in mutants}
            session.config.pluginmanager.register(_Judge(tests))

            def test(mutant: Mutant) -> int:
                if mutant is not CONTROL and not replace_code(mutant, trees[mutant.module], functions):
                    return SURVIVED  # of this way
                chosen = [items[test] for test in tests.of(mutant)]
                for item, following in zip(chosen, [*chosen[1:], None], strict=True):
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                return SURVIVED

            codes.update(pool.run(mutants, test))
            return True

    run_pytest(files_of(tests.seconds), Loop())
    return codes


def functions_of_core() -> dict[tuple[str, str], list[types.FunctionType]]:
    """Find all functions of the core that exist, by module and qualified name, however they are wrapped or held."""
    found: dict[tuple[str, str], list[types.FunctionType]] = defaultdict(list)
    for thing in gc.get_objects():
        if isinstance(thing, types.FunctionType):
            path = Path(thing.__code__.co_filename)
            if path.parent == Path.cwd() / "anchor":
                found[f"anchor/{path.name}", thing.__code__.co_qualname].append(thing)
    return found


def replace_code(mutant: Mutant, tree: ast.Module, functions: dict[tuple[str, str], list[types.FunctionType]]) -> bool:
    """Give the real function the mutated code, wherever it has been imported to; tell whether that can be done."""
    compiled = compile(mutant.tree(tree), str(Path.cwd() / mutant.module), "exec", dont_inherit=True)
    code = next(code for code in codes_in(compiled) if code.co_qualname == mutant.function)
    for function in functions[mutant.module, mutant.function]:
        if function.__code__.co_freevars != code.co_freevars:  # without its `super()`
            return False
        function.__code__ = code
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("anchor."):
            for thing in vars(module).values():
                getattr(thing, "cache_clear", lambda: None)()
    return True


def codes_in(code: types.CodeType) -> Iterable[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from codes_in(constant)


def try_cold(mutant: Mutant, tests: Tests, *, near: bool = False) -> int:
    """Import everything anew, the mutated module instead of the real one, and run all tests that use the module.

    Args:
        mutant: What to try.
        tests: What there is.
        near: Only those in the module's own test files, which are quick to load and know it best.
    """
    allow(LOAD_SECONDS)
    path = str(Path.cwd() / mutant.module)
    tree = mutant.tree(ast.parse(Path(mutant.module).read_text("utf-8")))
    sys.meta_path.insert(0, _Finder(mutant.module.removesuffix(".py").replace("/", "."), path, tree))
    # Of lines that run on import only, nobody says by whom they are used.
    order = {test: place for place, test in enumerate(tests.of(mutant) or tests.seconds)}
    files = files_of(order)
    if near:
        files = [file for file in files if Path(file).name.startswith(f"test_{Path(mutant.module).stem}")]

    class Order(_Judge):
        def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
            items[:] = sorted((item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid])

    # A module that cannot be imported any more, or lacks a name, is noticed by whoever imports it.
    return SURVIVED if not files or run_pytest(files, Order(tests)) in {0, 5} else KILLED


def files_of(tests: Iterable[str]) -> list[str]:
    return sorted({test.partition("::")[0] for test in tests})


class _Finder(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Imports one module of the core from a tree instead of its file."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self.tree = tree

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=self.path)

    def get_code(self, fullname: str) -> types.CodeType:  # noqa: ARG002
        return compile(self.tree, self.path, "exec", dont_inherit=True)


# What came of it


def report(modules: Sequence[str], results: Sequence[tuple[Mutant, int]]) -> str | None:
    """Print figures and survivors; give the reason to fail, if there is one."""
    entries = tomllib.loads(EXPLAINED.read_text("utf-8")).get("survivor", []) if EXPLAINED.exists() else []
    explained = {(entry["module"], entry["mutant"]): entry["why"] for entry in entries if entry["module"] in modules}
    survivors = [mutant for mutant, code in results if code == SURVIVED]
    for mutant in survivors:
        why = explained.get((mutant.module, mutant.name), "NOT EXPLAINED")
        print(f"\n{mutant.module}:{mutant.lines.start} {mutant.name}\n- {mutant.before}\n+ {mutant.after}\n  ({why})")
    print(f"\n{'module':24} {'mutants':>8} {'killed':>8} {'of these by time':>17} {'survived':>9} {'killed %':>9}")
    share = 0.0
    for module in [*modules, "in all"]:
        codes = Counter(
            "survived" if code == SURVIVED else "timeout" if code == -signal.SIGXCPU else "killed"
            for mutant, code in results
            if module in {mutant.module, "in all"}
        )
        killed = codes["killed"] + codes["timeout"]
        share = 100 * killed / max(codes.total(), 1)
        print(f"{module:24} {codes.total():8} {killed:8} {codes['timeout']:17} {codes['survived']:9} {share:9.1f}")
    names = {(mutant.module, mutant.name) for mutant in survivors}
    problems = [f"a survivor is not explained: {module} {name}" for module, name in sorted(names - set(explained))]
    problems += [f"explained, but does not survive: {module} {name}" for module, name in sorted(set(explained) - names)]
    if share < REQUIRED_PERCENT:
        problems.append(f"{share:.1f} % killed, fewer than {REQUIRED_PERCENT} %")
    return "\n".join(["", *problems]) if problems else None


if __name__ == "__main__":
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    main()
