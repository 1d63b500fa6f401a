"""`loopsafe env`: where the packages of a project are installed, and what of them is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loopsafe.frontends.options import Selection
from loopsafe.frontends.terminal import CannotWork, write
from loopsafe.frontends.work import work_on_paths
from loopsafe.harmless import printable
from loopsafe.project.config import ConfigError
from loopsafe.project.environment import environment_of
from loopsafe.project.roots import Project
from loopsafe.questions import libraries


def show_environment(paths: Sequence[str], selection: Selection) -> int:
    """Print it for each project, and return the exit code.

    Raises:
        CannotWork: there is nothing at a path, or the configuration or an option cannot be used.
    """
    try:
        for project in work_on_paths(paths, selection).projects():
            write(map(printable, _lines(project)))
    except FileNotFoundError as error:
        raise CannotWork(f"{error}: no such file") from error
    except ConfigError as error:
        raise CannotWork(str(error)) from error
    return 0


def _lines(project: Project) -> Iterator[str]:
    yield f"project: {project.config.root}"
    environment = environment_of(project.config)
    if environment is None:
        yield "environment: none; calls that a library makes on its own threads are known only where a pack says so"
        return
    yield f"environment: {environment}"
    for name, told in libraries(project).items():
        yield f"  {name}: {told}"
    if environment.own:
        yield "nothing shows an environment of the project's own: make `.venv` beside it, or set `site-packages`"
