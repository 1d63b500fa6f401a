"""What `--verbose` says: which projects a run is about, where their configuration is, and how much of them is read."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.frontends.options import Selection
from loopsafe.project.environment import environment_of
from loopsafe.project.places import places_in
from loopsafe.project.roots import Project


def about(project: Project, selection: Selection) -> Iterator[str]:
    """The lines on one project."""
    yield f"project: {project.config.root}"
    yield f"  configuration: {_configuration(project, selection)}"
    read = [file for file in project.files if not file.barred]
    environment = environment_of(project.config)
    yield f"  environment: {environment if environment else 'none'}"
    yield f"  files: {sum(file.wanted for file in read)} to report on, of {len(read)} that are read"


def _configuration(project: Project, selection: Selection) -> str:
    if selection.isolated:
        return "none, by --isolated"
    if selection.config_file:
        return f"{selection.config_file}, by --config"
    return ", ".join(str(place) for place in places_in(project.config.root)) or "none"
