"""The workflows may do no more than they must, end, and run the code they name. zizmor, in test.sh, looks deeper."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.support.scripts import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USES = re.compile(r"^\s*(?:- )?uses:\s*(.*)$", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")

each_workflow = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)


def parse(file: Path) -> dict:
    return yaml.safe_load(file.read_text("utf-8"))


def uses() -> set[str]:
    return {entry.strip() for file in WORKFLOWS for entry in USES.findall(file.read_text("utf-8"))}


def test_every_action_is_pinned_by_hash() -> None:
    assert not [entry for entry in uses() if not PINNED.fullmatch(entry)]


def test_an_action_is_of_one_version_everywhere() -> None:
    assert len(uses()) == len({entry.partition("@")[0] for entry in uses()}) > 0


@each_workflow
def test_a_workflow_may_only_read(file: Path) -> None:
    workflow = parse(file)
    assert workflow["permissions"] == {"contents": "read"}
    assert "cancel-in-progress" in workflow["concurrency"]
    # `on`, which YAML takes for a truth value. These two events run a stranger's change with the rights of the project.
    assert not {"pull_request_target", "workflow_run"} & set(workflow[True])


@each_workflow
def test_a_job_ends_and_keeps_no_credentials(file: Path) -> None:
    for name, job in parse(file)["jobs"].items():
        assert 0 < job["timeout-minutes"] <= 30, name
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, name
            # What is put into a script's text runs as a part of it; it comes by the environment instead.
            assert "${{" not in step.get("run", ""), name


def test_only_the_job_that_publishes_may_sign() -> None:
    jobs = {(file.stem, name): job for file in WORKFLOWS for name, job in parse(file)["jobs"].items()}
    privileged = {where: job for where, job in jobs.items() if "permissions" in job}
    assert list(privileged) == [("release", "publish")]
    publish = privileged["release", "publish"]
    assert publish["permissions"] == {"id-token": "write", "attestations": "write"}
    assert publish["environment"] == "pypi"
    # It runs nothing of the repository: no checkout and no scripts.
    assert not [step for step in publish["steps"] if "run" in step or "checkout" in step["uses"]]
