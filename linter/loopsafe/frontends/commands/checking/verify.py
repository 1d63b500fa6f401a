"""`loopsafe check --verify`: for a finding, a small program that shows the operation fail, away from the project.

Nothing of the project is imported or run, neither here nor there: the program does the same operation to an object of
its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from loopsafe.findings import Finding
from loopsafe.frontends.delivery import check_stays
from loopsafe.frontends.terminal import CannotWork
from loopsafe.harmless import printable
from loopsafe.knowledge.load import Knowledge, built_in_packs
from loopsafe.knowledge.schema import ProbeRow
from loopsafe.locations import parts_of
from loopsafe.writing import CannotWrite, Folder, open_folder

_PROGRAM = '''\
"""Shows how {code} fails, found at {place}:

    {message}

{witness}

Nothing of that project runs here. `{api}` is done to an object of this program's own while a task waits for what it
brings: on a thread, without and with asyncio's debug mode, and then handed over to the loop. The exit code is 0 if it
fails on the thread and works when handed over.
"""

import asyncio
import os
import sys
import threading
import time

PATIENCE = 1.0


async def watch(handed_over):
    """Do it on a thread; say where it ran, what it raised, and how long the task had to wait."""
    loop = asyncio.get_running_loop()
    it = {make}
{before}    waiting = asyncio.ensure_future({wait})
    seen = {{"error": None, "task": waiting}}

    def act():
        seen["on the loop"] = threading.current_thread() is threading.main_thread()
        {act}

    def work():
        time.sleep(0.2)  # until the loop has nothing left to do but wait
        seen["start"] = loop.time()
        try:
            if handed_over:
                loop.call_soon_threadsafe(act)
            else:
                act()
        except BaseException as error:
            seen["error"] = error

    threading.Thread(target=work).start()
    await asyncio.wait([waiting], timeout=PATIENCE + 0.2)
    seen["seconds"] = loop.time() - seen["start"]
    return seen


def fails(title, handed_over, debug):
    """Print what happens; whether it goes wrong."""
    loop = asyncio.new_event_loop()
    loop.set_debug(debug)
    # Not asyncio.run: that waits for all tasks, and this one may never be woken.
    seen = loop.run_until_complete(watch(handed_over))
    kept.append(seen)
    place = "the loop's thread" if seen["on the loop"] else "a thread"
    raised = f"raises {{seen['error']!r}}" if seen["error"] else "raises nothing"
    print(f"{{title}}: on {{place}}, {{raised}}; the task waited {{seen['seconds']:.2f}} s")
    if seen["on the loop"] != handed_over:
        raise SystemExit("it did not run where it should")
    return seen["error"] is not None or seen["seconds"] > PATIENCE / 2


if __name__ == "__main__":
    kept = []
    failed = fails("as found", False, debug=False), fails("as found, debug mode", False, debug=True)
    code = 0 if all(failed) and not fails("handed over", True, debug=True) else 1
    sys.stdout.flush()
    os._exit(code)  # without the complaints about tasks that nobody woke
'''


_OURS = _PROGRAM.partition("{")[0].encode()
_ODD = re.compile(r"[^\w.-]", re.ASCII)
_LONGEST = 150


def write_reproducers(folder: str, findings: Iterable[Finding], roots: Iterable[Path]) -> tuple[int, list[str]]:
    """Write a program for each finding that one can be made for: how many, and for the others a line that says why not.

    Raises:
        CannotWork: the folder or a file in it cannot be written, or the folder is a link that leads out of the project.
    """
    probes = Knowledge(built_in_packs()).probes
    check_stays(folder, roots)
    written, refused = 0, []
    try:
        # The folder's own name may be a link; what stands in it may not.
        real = Path(os.path.realpath(folder))
        real.mkdir(parents=True, exist_ok=True)
        with open_folder(real) as opened:
            for finding in findings:
                reason = _obstacle(finding, probes) or _write(opened, finding, probes[finding.api])
                refused += [f"No reproducer for {finding.location}: {finding.code}: {reason}"] if reason else []
                written += not reason
    except OSError as error:
        raise CannotWork(f"{folder}: cannot be written: {error.strerror or error}") from error
    return written, refused


def _write(folder: Folder, finding: Finding, probe: ProbeRow) -> str:
    """Write the program, also in the place of an earlier one; else say what stands there."""
    name = _name(finding)
    try:
        old = folder.found(name)
    except CannotWrite as error:
        return str(error)
    if old and not old.content.startswith(_OURS):
        return f"{folder.path / name} is there already and was not written by this command"
    folder.put(name, reproducer(finding, probe).encode())
    return ""


def _obstacle(finding: Finding, probes: dict[str, ProbeRow]) -> str:
    """Why the operation cannot be shown to fail by itself; empty where it can."""
    if finding.api in probes:
        return (
            ""
            if finding.context == "thread"
            else f"its context, {finding.context}, is not to be had outside the program"
        )
    if not finding.api.count("."):
        return "it is no single operation of a library's"
    return f"`{finding.api}` needs more around it than a small program has"


def _name(finding: Finding) -> str:
    span = finding.location.span
    path = "-".join(parts_of(finding.location.path)).strip("/-.")
    plain = _ODD.sub("_", path)[-_LONGEST:]
    if plain != path:
        # Other paths may come to the same.
        plain = f"{plain}-{sha256(os.fsencode(path)).hexdigest()[:8]}"
    return f"{finding.code}-{plain}-{span.row}-{span.column}.py"


def reproducer(finding: Finding, probe: ProbeRow) -> str:
    """The program's text."""
    hops = (f"    {step.kind:<8} {step.location}  {step.source}" for step in finding.witness)
    return _PROGRAM.format(
        code=finding.code,
        place=_told(str(finding.location)),
        message=_told(finding.message),
        witness="\n".join(map(_told, hops)),
        api=finding.api,
        make=probe.make,
        before=f"    {probe.before}\n" if probe.before else "",
        wait=probe.wait,
        act=probe.act,
    )


def _told(text: str) -> str:
    """Text as it may stand in the docstring."""
    return printable(text).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
