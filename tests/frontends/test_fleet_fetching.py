"""What `loopsafe fleet` fetches: by real pip and git, and made to break out, run something or take all there is."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopsafe.frontends.fleet.targets import without_secret
from loopsafe.frontends.fleet.unpacking import Tree, UnpackError, unpack
from tests.support.command_line import Cli
from tests.support.fleets import BROKEN
from tests.support.index import Index, tarred, zipped

posix = pytest.mark.skipif(os.name != "posix", reason="has links and hooks as Unix has them")
JSON = ("--output-format", "json")


@pytest.fixture
def index() -> Iterator[Index]:
    with Index() as made:
        yield made


class TestReleases:
    def add_source(self, index: Index, mark: Path) -> None:
        """Have an archive of source that would leave a mark if it were built."""
        evil = f"open({str(mark)!r}, 'w')\n"
        backend = '[build-system]\nrequires = []\nbuild-backend = "evil"\nbackend-path = ["."]\n'
        built = {"setup.py": evil, "evil.py": evil, "pyproject.toml": backend}
        index.add_sdist("source", "1.0", {"feed.py": BROKEN, **built})

    def test_wheels_and_archives_of_source(self, tmp_path: Path, index: Index, cli: Cli) -> None:
        mark = tmp_path / "was run"
        self.add_source(index, mark)
        index.add_wheel("wheel", "1.0", {"feed.py": BROKEN})
        index.add_wheel("wheel", "2.0", {"feed.py": ""})
        # What lies above must not be taken for the project's own.
        (tmp_path / "pyproject.toml").write_text('[tool.loopsafe]\nignore = ["LSF"]\n', "utf-8")
        (tmp_path / "scratch").mkdir()
        env = {**index.environment(), "TMPDIR": str(tmp_path / "scratch")}
        done = cli("fleet", "wheel==1.0", "source==1.0", "neither==1.0", *JSON, env=env)
        told = json.loads(done.stdout)
        wheel, source, neither = told["projects"]
        assert (wheel["status"], wheel["certain"], wheel["revision"]) == ("ok", 1, "1.0")
        assert (source["status"], source["certain"], source["files"]) == ("ok", 1, 3)
        assert neither["status"] == "failed"
        assert "neither==1.0 cannot be fetched: " in neither["reason"]
        assert [one["filename"] for one in told["findings"]] == ["feed.py", "feed.py"]
        assert not mark.exists()
        assert not list((tmp_path / "scratch").iterdir())

    def test_the_trap_works(self, tmp_path: Path, index: Index) -> None:
        mark = tmp_path / "was run"
        self.add_source(index, mark)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(tmp_path), "source==1.0"]
        done = subprocess.run(command, env={**os.environ, **index.environment()}, capture_output=True, check=False)
        # The build fails, since there is nothing in it that builds.
        assert done.returncode
        assert mark.exists()

    def test_what_is_not_what_the_index_says(self, index: Index, cli: Cli) -> None:
        index.add("source-1.0.tar.gz", tarred({"source-1.0/a.py": BROKEN}), digest="0" * 64)
        [told] = json.loads(cli("fleet", "source==1.0", *JSON, env=index.environment()).stdout)["projects"]
        assert told["status"] == "failed"
        assert "its digest is another" in told["reason"]

    def test_an_archive_that_breaks_out(self, index: Index, cli: Cli) -> None:
        index.add("source-1.0.tar.gz", tarred({"source-1.0/a.py": BROKEN, "../../../a.py": BROKEN}))
        [told] = json.loads(cli("fleet", "source==1.0", *JSON, env=index.environment()).stdout)["projects"]
        assert told["reason"] == "source==1.0 has a file that leads out of it: `../../../a.py`"


class TestUnpacking:
    def unpacked(self, tmp_path: Path, name: str, content: bytes) -> dict[str, bytes]:
        """What is in the folder of the project, by path."""
        archive = tmp_path / name
        archive.write_bytes(content)
        folder = Path(unpack(str(archive), str(tmp_path / "out")))
        assert not [path for path in tmp_path.rglob("*") if path.is_symlink()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    @pytest.mark.parametrize("name", ["../a.py", "/a.py", "x/../../a.py", "a/\0.py"])
    def test_no_path_leads_out(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(UnpackError, match="leads out"):
            Tree(str(tmp_path)).put(name, io.BytesIO)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(("name", "make"), [("a.zip", zipped), ("a.whl", zipped), ("a.tar.gz", tarred)])
    def test_in_archives(self, name: str, make: object, tmp_path: Path) -> None:
        assert callable(make)
        with pytest.raises(UnpackError, match="leads out"):
            self.unpacked(tmp_path, name, make({"top/a.py": "1", "../../a.py": "2"}))
        assert not (tmp_path.parent / "a.py").exists()

    def test_links_are_not_made(self, tmp_path: Path) -> None:
        made = tarred({"top/out/a.py": "1", "top/b.py": "2"}, {"top/out": "/", "top/b.py": "../../secret"})
        (tmp_path / "secret").write_text("mine", "utf-8")
        assert self.unpacked(tmp_path, "a.tar.gz", made) == {"out/a.py": b"1", "b.py": b"2"}
        assert (tmp_path / "secret").read_text("utf-8") == "mine"

    def test_a_link_in_a_zip_is_text(self, tmp_path: Path) -> None:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            link = zipfile.ZipInfo("top/out")
            link.external_attr = 0o120777 << 16
            archive.writestr(link, "/")
            archive.writestr("top/a.py", "1")
        assert self.unpacked(tmp_path, "a.zip", made.getvalue()) == {"out": b"/", "a.py": b"1"}

    def test_what_git_keeps_for_itself_is_left_out(self, tmp_path: Path) -> None:
        made = tarred({"top/.git/config": "x", "top/.GIT/hooks/a": "x", "top/a.py": "1", "top/a.py/b": "2"})
        assert self.unpacked(tmp_path, "a.tar.gz", made) == {"a.py": b"1"}

    def test_of_two_of_one_name_the_first_counts(self, tmp_path: Path) -> None:
        tree = Tree(str(tmp_path))
        tree.put("a.py", lambda: io.BytesIO(b"1"))
        tree.put("./a.py", lambda: io.BytesIO(b"2"))
        assert (tmp_path / "a.py").read_bytes() == b"1"

    def test_sizes_are_counted_not_believed(self, tmp_path: Path) -> None:
        tree = Tree(str(tmp_path), files=3, size=10)
        tree.put("a", lambda: io.BytesIO(b"12345678"))
        with pytest.raises(UnpackError, match="too large"):
            tree.put("b", lambda: io.BytesIO(b"12345678"))
        tree = Tree(str(tmp_path), files=1)
        tree.put("c", io.BytesIO)
        with pytest.raises(UnpackError, match="too many files"):
            tree.put("d", io.BytesIO)
        with pytest.raises(UnpackError, match="nest too deeply"):
            Tree(str(tmp_path)).put("a/" * 5000 + "b", io.BytesIO)

    def test_a_file_that_nobody_would_read_is_not_written(self, tmp_path: Path) -> None:
        made = zipped({"top/a.py": "1", "top/data.bin": "0" * (1 << 24)})
        assert self.unpacked(tmp_path, "a.zip", made) == {"a.py": b"1"}

    def test_what_has_no_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Tree, "__init__", _small(Tree))
        with pytest.raises(UnpackError, match="too large"):
            self.unpacked(tmp_path, "a.tar.gz", tarred({"top/data.bin": "0" * (1 << 24)}))

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.zip", b"PK\3\4 no"),
            ("a.tar.gz", b"\x1f\x8b no"),
            ("a.tar.gz", tarred({"top/a.py": "x" * 10_000})[:60]),
            ("a.tar.xz", b"no"),
            ("a.tar", b"no" * 1000),
            ("a.rar", b""),
        ],
        # By name: an archive holds the second it was made in, and the workers must agree on the names.
        ids=["zip", "gzip", "cut short", "xz", "tar", "rar"],
    )
    def test_what_is_broken(self, name: str, content: bytes, tmp_path: Path) -> None:
        with pytest.raises(UnpackError, match=r"is broken|is of a kind"):
            self.unpacked(tmp_path, name, content)


def _small(tree: type[Tree]) -> object:
    usual = tree.__init__

    def made(self: Tree, folder: str) -> None:
        usual(self, folder, size=1 << 20)

    return made


@posix
class TestRepositories:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> dict[str, str]:
        """Settings of a user whose git runs something on every occasion."""
        hooks = tmp_path / "hooks"
        hooks.mkdir()
        run = f'#!/bin/sh\ntouch "{tmp_path}/was run"\n'
        for name in ("post-checkout", "reference-transaction", "post-merge", "pre-auto-gc"):
            (hooks / name).write_text(run, "utf-8")
            (hooks / name).chmod(0o755)
        file = tmp_path / "gitconfig"
        evil = f'touch \\"{tmp_path}/was run\\"; cat'
        file.write_text(
            f'[core]\nhooksPath = {hooks}\n[filter "evil"]\nsmudge = "{evil}"\nrequired = true\n', "utf-8"
        )
        return {"GIT_CONFIG_GLOBAL": str(file), "GIT_CONFIG_NOSYSTEM": "1"}

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Path:
        folder = tmp_path / "repository"
        folder.mkdir()
        self.git(folder, "init", "--quiet", "--initial-branch=main")
        (folder / "feed.py").write_text(BROKEN, "utf-8")
        (folder / "secret.py").symlink_to(tmp_path / "secret.py")
        (folder / ".gitattributes").write_text("*.py filter=evil\n", "utf-8")
        self.commit(folder)
        self.git(folder, "branch", "old")
        (folder / "more.py").write_text(BROKEN, "utf-8")
        self.commit(folder)
        return folder

    def git(self, folder: Path, *arguments: str) -> str:
        settings = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
        return subprocess.run(command, cwd=folder, env=settings, check=True, capture_output=True, text=True).stdout

    def commit(self, folder: Path) -> None:
        self.git(folder, "add", ".")
        self.git(folder, "commit", "--quiet", "--message", "more")

    def test_is_fetched_and_nothing_run(
        self, repository: Path, settings: dict[str, str], tmp_path: Path, cli: Cli
    ) -> None:
        (tmp_path / "secret.py").write_text(BROKEN, "utf-8")
        address = f"file://{repository}"
        first = self.git(repository, "rev-parse", "old").strip()
        named = (address, f"git+{address}@old", f"git+{address}@{first}", f"{address}-no")
        # As in a hook of another repository.
        done = cli("fleet", *named, *JSON, env={**settings, "GIT_DIR": str(repository / ".git")})
        told = json.loads(done.stdout)
        new, old, same, missing = told["projects"]
        assert (new["status"], new["certain"], new["files"]) == ("ok", 2, 2)
        assert new["revision"] == self.git(repository, "rev-parse", "main").strip()
        assert [(one["status"], one["certain"], one["revision"]) for one in (old, same)] == [("ok", 1, first)] * 2
        assert missing["status"] == "failed"
        assert missing["reason"].startswith("git fetch: ")
        assert not (tmp_path / "was run").exists()

    def test_the_trap_works(self, repository: Path, settings: dict[str, str], tmp_path: Path) -> None:
        env = {**os.environ, **settings}
        subprocess.run(["git", "clone", "--quiet", f"file://{repository}", tmp_path / "clone"], env=env, check=True)
        assert (tmp_path / "was run").exists()


def test_no_password_is_told(cli: Cli) -> None:
    done = cli("fleet", "http://me:hunter2@127.0.0.1:1/x", "--results", "r.jsonl", *JSON, "-v")
    assert done.returncode == 2
    assert json.loads(done.stdout)["projects"][0]["project"] == "http://127.0.0.1:1/x"
    assert "hunter2" not in done.stdout + done.stderr
    assert without_secret("git@example.org:a/b") == "git@example.org:a/b"
