"""The sentences that close a run's text output."""

from __future__ import annotations

from collections.abc import Sequence

from loopsafe.findings import Finding, Report


def found(report: Report) -> str:
    """How many findings there are, how many can be fixed by which command, and what was not looked at."""
    findings, unread = report.findings, len(report.problems) - report.partial
    told = f"Found {count(len(findings))}{fixable(findings)}" if findings else "No problems found"
    if unread:
        told += f"; {unread} {'path' if unread == 1 else 'paths'} could not be analysed"
    return f"{told}; not everything could be followed." if report.partial else f"{told}."


def fixed(done: int, remaining: Sequence[Finding]) -> str:
    """How many findings a fix run has removed and how many are left."""
    if not done:
        return f"Fixed nothing; {count(len(remaining))} left{fixable(remaining)}." if remaining else "Nothing to fix."
    if not remaining:
        return f"Fixed {count(done)}; none left."
    return f"Fixed {count(done)}; {len(remaining)} left{fixable(remaining)}."


def count(problems: int) -> str:
    """`1 problem`, `2 problems`."""
    return f"{problems} problem{'' if problems == 1 else 's'}"


def fixable(findings: Sequence[Finding]) -> str:
    """In brackets, how many can be fixed and how; empty where none can."""
    kinds = [finding.fix.applicability for finding in findings if finding.fix]
    commands = {"safe": "loopsafe fix", "unsafe": "loopsafe fix --unsafe-fixes"}
    parts = [f"{kinds.count(kind)} fixable with `{command}`" for kind, command in commands.items() if kind in kinds]
    return f" ({', '.join(parts)})" if parts else ""
