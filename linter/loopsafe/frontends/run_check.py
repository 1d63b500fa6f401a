"""`loopsafe check`: analyse, print in the wanted format, and say by the exit code how it went."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import loopsafe
from loopsafe.findings import Report
from loopsafe.frontends import summary
from loopsafe.frontends.edits import edits_of
from loopsafe.frontends.options import Selection
from loopsafe.frontends.rule_info import rule_infos
from loopsafe.frontends.terminal import CannotWork, complain, wants_colour, write
from loopsafe.frontends.work import Work, work_on_paths, work_on_stdin
from loopsafe.render import FORMATS, STATISTICS, WITH_EDITS, Results, text

CLEAN, FINDINGS, FAILED = range(3)


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """The arguments of `check`. `stdin_filename` is empty where files are read from disk."""

    paths: tuple[str, ...]
    selection: Selection
    output_format: str = "text"
    output_file: str = ""
    stdin_filename: str = ""
    statistics: bool = False
    exit_zero: bool = False
    quiet: bool = False


def run_check(request: CheckRequest) -> int:
    """Do what is asked and return the exit code.

    Raises:
        CannotWork: the configuration or an option cannot be used.
    """
    work = (
        work_on_stdin(request.stdin_filename, request.selection)
        if request.stdin_filename
        else work_on_paths(request.paths, request.selection)
    )
    report = work.analyse(quiet=request.quiet)
    tell_problems(work, report, request.quiet)
    _deliver(request, _lines(request, work, report))
    if report.problems:
        return FAILED
    return FINDINGS if report.findings and not request.exit_zero else CLEAN


def tell_problems(work: Work, report: Report, quiet: bool) -> None:
    """Say on standard error what could not be analysed, and where there was nothing to analyse."""
    complain(*report.problems, *(f"{warning.place}: warning: {warning.message}" for warning in report.warnings))
    if work.paths and not report.files and not report.problems and not quiet:
        complain(f"warning: no Python files found under {', '.join(f'`{path}`' for path in work.paths)}")


def _lines(request: CheckRequest, work: Work, report: Report) -> Iterator[str]:
    results = Results(
        report.findings,
        report.problems,
        edits_of(report.findings, work.overlay) if request.output_format in WITH_EDITS else {},
        rule_infos(),
        loopsafe.__version__,
    )
    if request.statistics:
        yield from STATISTICS[request.output_format](results)
    elif request.output_format == "text":
        yield from text.render(results, _colour(request))
    else:
        yield from FORMATS[request.output_format](results)
    if request.output_format == "text" and not request.quiet:
        yield summary.found(report)


def _colour(request: CheckRequest) -> bool:
    return not request.output_file and wants_colour(sys.stdout)


def _deliver(request: CheckRequest, lines: Iterator[str]) -> None:
    if not request.output_file:
        write(lines, _colour(request))
        return
    # All of it before the file is opened, so that a failure leaves no half of one.
    content = "".join(f"{line}\n" for line in lines)
    try:
        Path(request.output_file).write_text(content, "utf-8", errors="backslashreplace")
    except OSError as error:
        raise CannotWork(f"{request.output_file}: cannot be written: {error.strerror}") from error
