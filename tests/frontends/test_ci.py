"""What CI systems are given: the GitHub action and the GitLab job, as far as they run here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.command_line import ROOT, environment
from tests.support.threads import OFFENDING, write_bug

ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
GITLAB = yaml.safe_load((ROOT / "examples" / "gitlab-ci.yml").read_text("utf-8"))["loopsafe"]
STEPS = ACTION["runs"]["steps"]
_EXPRESSION = re.compile(r"\$\{\{ (?P<name>[\w.]+) \}\}")

pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "a project"
    folder.mkdir()
    write_bug(folder)
    (folder / ".git").mkdir()
    return folder


class Runner:
    """Runs the shell steps of the action as GitHub does: one after another, with the outputs of those before."""

    def __init__(self, project: Path, **inputs: str) -> None:
        self._project, self._temporary = project, project.parent
        given = {name: one["default"] for name, one in ACTION["inputs"].items()} | inputs
        self.values = {f"inputs.{name}": value for name, value in given.items()}
        self.values |= {"github.action_path": str(ROOT), "steps.check.outputs.code": ""}

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run the step of that name."""
        step = next(step for step in STEPS if step["name"] == name)
        asked = {key: _EXPRESSION.sub(lambda match: self.values[match["name"]], v) for key, v in step["env"].items()}
        written = self._temporary / "output"
        written.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self._project,
            env={**os.environ, **asked, "RUNNER_TEMP": str(self._temporary), "GITHUB_OUTPUT": str(written)},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        for row in written.read_text().splitlines():
            key, _, value = row.partition("=")
            self.values[f"steps.{step['id']}.outputs.{key}"] = value
        return done

    def already_installed(self) -> None:
        """Put this checkout where the action would install it."""
        program = self._temporary / "loopsafe" / "bin" / "loopsafe"
        program.parent.mkdir(parents=True)
        path = environment()["PYTHONPATH"]
        program.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {sys.executable} -m loopsafe "$@"\n')
        program.chmod(0o755)


def test_the_action_installs_and_checks(project: Path) -> None:
    runner = Runner(project, python=sys.executable)
    installed = runner.run("Install")
    assert installed.returncode == 0, installed.stderr
    checked = runner.run("Check")
    assert checked.returncode == 0, checked.stderr
    assert f"file={OFFENDING.partition(':')[0]},line=" in checked.stdout
    assert runner.values["steps.check.outputs.code"] == "1"
    (run,) = json.loads((project / "loopsafe.sarif").read_text())["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["LSF102"]
    assert runner.run("Judge").returncode == 1


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"paths": "sensor.py\n\nstart.py\n"}, "1"),
        ({"arguments": "--ignore\nLSF102\n"}, "0"),
        ({"paths": "gone $(touch hacked).py"}, "2"),
        ({"paths": "--fix"}, "2"),
    ],
)
def test_what_the_action_is_told(inputs: dict[str, str], code: str, project: Path) -> None:
    runner = Runner(project, **inputs)
    runner.already_installed()
    assert runner.run("Check").returncode == 0
    assert runner.values["steps.check.outputs.code"] == code
    assert runner.run("Judge").returncode == int(code)
    assert not (project / "hacked").exists()


def test_nothing_is_put_into_the_text_of_a_script() -> None:
    assert [step["name"] for step in STEPS if "${{" in step.get("run", "")] == []
    assert ACTION["outputs"]["sarif"]["value"] == "${{ inputs.sarif }}"


def test_an_action_that_it_uses_is_pinned_as_in_the_workflows() -> None:
    workflows = "".join(file.read_text("utf-8") for file in (ROOT / ".github" / "workflows").glob("*.yml"))
    rows = [row.strip() for row in (ROOT / "action.yml").read_text("utf-8").splitlines() if "uses:" in row]
    assert [row for row in rows if row.removeprefix("- ") not in workflows] == []


def test_the_gitlab_job(project: Path) -> None:
    install, *checks = GITLAB["script"]
    assert install == 'python -m pip install --quiet "$LOOPSAFE"'
    Runner(project).already_installed()
    path = f"{project.parent / 'loopsafe' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", "\n".join(checks)],
        cwd=project,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout.startswith(OFFENDING)) == (1, True), done.stderr
    report = json.loads((project / GITLAB["artifacts"]["reports"]["codequality"]).read_text())
    assert [issue["check_name"] for issue in report] == ["LSF102"]
