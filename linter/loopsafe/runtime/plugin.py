"""`pytest --loopsafe`: a test fails that touches an object of a loop from another thread.

With `--loopsafe=raise` the operation raises instead of being done. `@pytest.mark.loopsafe(ignore="LSF102")` lets a test
do it, `ignore="LSF"` all. pytest loads this module in each run; without the option it does nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from loopsafe.runtime.violations import Violation

_OPTIONS = {"": "report", "=report": "report", "=raise": "raise", "=repair": "repair"}
_OUTSIDE = "outside of tests"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("loopsafe", "objects of event loops on other threads")
    for suffix, action in _OPTIONS.items():
        # Whole options, so that bare `--loopsafe` does not take the path that follows it for an action.
        group.addoption(
            f"--loopsafe{suffix}",
            action="store_const",
            const=action,
            dest="loopsafe",
            default=None,
            help="fail tests that touch objects of an event loop from another thread"
            if not suffix
            else f"the same; the action is to {action}",
        )
    group.addoption("--loopsafe-json", metavar="FILE", default="", help="write what was seen there, a line each")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and, if it is asked for, watch."""
    config.addinivalue_line("markers", "loopsafe(ignore=CODES): what may happen, by codes or their beginnings")
    action = config.getoption("loopsafe")
    if action:
        config.pluginmanager.register(_Watch(config, action), "loopsafe-watch")


class _Watch:
    """What is seen during each test."""

    def __init__(self, config: pytest.Config, action: Any) -> None:
        from loopsafe import runtime
        from loopsafe.runtime.journal import Journal

        self._journal = Journal(str(config.getoption("loopsafe_json")))
        self._worker = hasattr(config, "workerinput")
        if not self._worker:
            try:
                self._journal.begin()
            except OSError as error:
                raise pytest.UsageError(f"--loopsafe-json: {error}") from error
        self._test: list[Violation] = []
        self._outside: list[str] = []
        # By place and code: how it is told, and the tests that got there.
        self._told: dict[str, tuple[str, dict[str, None]]] = {}
        self._item: pytest.Item | None = None
        # One that the environment has started says it on standard error.
        runtime.uninstall()
        self._guard = runtime.install(action, self._see)
        self._guard.ignores = self._is_ignored

    def _see(self, violation: Violation) -> None:
        from loopsafe.runtime.journal import harmless

        harmless(self._journal.write, violation)
        if self._item is None:
            self._outside.append(str(violation))
        else:
            self._test.append(violation)

    def _is_ignored(self, violation: Violation) -> bool:
        marks = self._item.iter_markers("loopsafe") if self._item else ()
        return any(violation.code.startswith(tuple(_codes(mark.kwargs.get("ignore", ())))) for mark in marks)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Count for this test what happens from now on; each place anew."""
        self._item = item
        self._test.clear()
        self._guard.seen.clear()
        try:
            return (yield)
        finally:
            self._item = None

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail the phase in which something was seen."""
        seen, self._test = self._test, []
        raised = call.excinfo
        if seen and not raised and item.get_closest_marker("xfail"):
            # pytest takes the failure for the expected one if it is an exception, also by its class.
            call.excinfo = pytest.ExceptionInfo.from_exception(_raised(seen[0]))
        report = yield
        if seen:
            told = "\n\n".join(str(violation) for violation in seen)
            report.loopsafe = [(_key(one), _headline(one)) for one in seen]  # type: ignore[attr-defined]
            if raised and report.failed:
                report.sections.append(("loopsafe", told))
            else:
                report.outcome, report.longrepr = "failed", told
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep it for the summary; with xdist, where all reports come together."""
        for key, line in getattr(report, "loopsafe", ()):
            self._told.setdefault(key, (line, {}))[1][report.nodeid] = None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """What was seen outside of all tests fails the run."""
        from loopsafe import runtime

        runtime.uninstall()
        if self._worker:
            session.config.workeroutput["loopsafe"] = self._outside  # type: ignore[attr-defined]
        elif self._outside and session.exitstatus == 0:
            session.exitstatus = 1

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of xdist has ended."""
        self._outside += getattr(node, "workeroutput", {}).get("loopsafe", [])

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """List the places, each with the tests that got there."""
        if not self._told and not self._outside:
            terminalreporter.write_line("loopsafe: no object of a loop was touched off its thread.")
            return
        terminalreporter.section("loopsafe")
        for _, (line, tests) in sorted(self._told.items()):
            terminalreporter.write_line(f"{line}  ({_tests(list(tests))})")
        for told in dict.fromkeys(self._outside):
            terminalreporter.write_line(f"{told}\n    {_OUTSIDE}")


def _raised(violation: Violation) -> Exception:
    """The exception that the action `raise` would have raised, with a traceback."""
    from loopsafe.runtime.violations import LoopSafetyError

    try:
        raise LoopSafetyError(violation)
    except LoopSafetyError as error:
        return error


def _key(violation: Violation) -> str:
    return f"{violation.place}: {violation.code}"


def _headline(violation: Violation) -> str:
    return f"{violation.place}: {violation.code} {violation.message}"


def _tests(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _codes(told: str | Iterable[str]) -> list[str]:
    return told.replace(",", " ").split() if isinstance(told, str) else list(told)
