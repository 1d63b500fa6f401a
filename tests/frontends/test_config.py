"""The configuration: where it is found, what it means, and how wrong ones are reported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loopsafe.project.config import Config, ConfigError, find_root, load_config


def write(file: Path, text: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> Path:
    """A folder in which the search for a configuration ends."""
    (tmp_path / ".git").mkdir()
    return tmp_path


def test_nothing_configured_means_the_defaults(tmp_path: Path) -> None:
    assert load_config(tmp_path) == Config(tmp_path)


def test_all_keys(tmp_path: Path) -> None:
    write(
        tmp_path / "pyproject.toml",
        """
        [tool.loopsafe]
        select = ["LSF1"]
        ignore = ["LSF104"]
        exclude = ["old"]
        extend-exclude = ["vendor/*"]
        min-confidence = "certain"
        """,
    )
    assert load_config(tmp_path / "pkg" / "not-there.py") == Config(
        tmp_path, ("LSF1",), ("LSF104",), ("old",), ("vendor/*",), "certain"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('selct = ["LSF"]', "unknown key `selct` in [tool.loopsafe]; did you mean `select`?"),
        ("extend_exclude = []", "unknown key `extend_exclude` in [tool.loopsafe]; did you mean `extend-exclude`?"),
        (
            "zzz = 1",
            "unknown key `zzz` in [tool.loopsafe]; known keys: annotations, baseline, dependencies, exclude, "
            "extend-exclude, extend-select, force-exclude, ignore, knowledge, max-file-size, min-confidence, "
            "per-file-ignores, respect-gitignore, select, site-packages, unreadable",
        ),
        ('select = "LSF"', "`select` in [tool.loopsafe] must be a list of strings, not 'LSF'"),
        ("exclude = [1]", "`exclude` in [tool.loopsafe] must be a list of strings, not [1]"),
        (
            'ignore = ["E501"]',
            "`ignore` in [tool.loopsafe] has `E501`, which is neither a code such as `LSF101` nor the start of one",
        ),
        (
            'min-confidence = "high"',
            "`min-confidence` in [tool.loopsafe] must be one of certain, likely, not 'high'",
        ),
        ("min-confidence = []", "`min-confidence` in [tool.loopsafe] must be one of certain, likely, not []"),
        ('unreadable = "fatal"', "`unreadable` in [tool.loopsafe] must be one of warning, error, not 'fatal'"),
        *(
            (
                f"max-file-size = {size}",
                f"`max-file-size` in [tool.loopsafe] must be a number of bytes from 1 to 16,777,215, not {told}",
            )
            for size, told in [("0", "0"), ("true", "True"), ("1e6", "1000000.0"), ("99999999", "99999999")]
        ),
        ("force-exclude = 1", "`force-exclude` in [tool.loopsafe] must be true or false, not 1"),
        ("baseline = []", "`baseline` in [tool.loopsafe] must be a path, not []"),
        ('baseline = "../known"', "`baseline` in [tool.loopsafe] has '../known', which leads out of the project"),
        (
            'per-file-ignores = ["a.py"]',
            "`per-file-ignores` in [tool.loopsafe] must be a table of patterns and lists of codes, not ['a.py']",
        ),
        (
            'per-file-ignores = {"a.py" = ["E1"]}',
            "`per-file-ignores` in [tool.loopsafe] has `E1`, which is neither a code such as `LSF101` nor the start "
            "of one",
        ),
        ('exclude = [""]', "`exclude` in [tool.loopsafe] has '', which no path matches"),
        ('extend-exclude = ["a\\u0000"]', "`extend-exclude` in [tool.loopsafe] has 'a\\x00', which no path matches"),
        ('knowledge = ["a\\u0000"]', "`knowledge` in [tool.loopsafe] has 'a\\x00', which is no path"),
        *(
            (
                f'knowledge = ["{path}"]',
                f"`knowledge` in [tool.loopsafe] has '{path}', which leads out of the project",
            )
            for path in ("/dev/zero", "../pack.toml", "out/pack.toml")
        ),
        *(
            (
                f'site-packages = ["{path}"]',
                f"`site-packages` in [tool.loopsafe] has '{path}', which is neither in the project nor in the active "
                "environment",
            )
            for path in ("/", "..", "out", "/usr", "../site-packages")
        ),
    ],
)
def test_wrong_values_name_file_and_key(
    line: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "pyproject.toml", f"[tool.loopsafe]\n{line}\n")
    (tmp_path / "out").symlink_to(tmp_path.parent)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as error:
        load_config(Path("."))
    assert str(error.value) == f"pyproject.toml: {message}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[tool.loopsafe\n", "pyproject.toml: not TOML: Expected"),
        (b"[tool]\nx = '\xff'\n", "pyproject.toml: not UTF-8: invalid start byte at byte 12"),
        (b"[tool]\nloopsafe = 3\n", "pyproject.toml: `tool.loopsafe` must be a table, not 3"),
        (b"x = " + b"[" * 10_000, "pyproject.toml: not TOML: nested more than 100 deep"),
        (b"x = " + b"{y = [" * 10_000, "pyproject.toml: not TOML: nested more than 100 deep"),
        (b"[a" + b".a" * 10_000 + b"]\n", "pyproject.toml: not TOML: a key of more than 100 parts"),
        (b"x = {'a'" + b" . 'a'" * 10_000 + b" = 1}\n", "pyproject.toml: not TOML: a key of more than 100 parts"),
        (b"x = " + b"9" * 10_000, "pyproject.toml: not TOML: Exceeds the limit"),
        (b"#" * 1_000_001, "pyproject.toml: cannot be read: larger than 1,000,000 bytes"),
        (b"[tool.loopsafe]\n" + b"x" * 10_000 + b" = 1\n", "pyproject.toml: unknown key `" + "x" * 76 + " ...`"),
    ],
)
def test_unusable_files(content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as error:
        load_config(Path("."))
    assert str(error.value).startswith(message)


def test_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"^pyproject\.toml: cannot be read: not a regular file$"):
        load_config(Path("."))


def test_what_people_write_is_not_too_deep(tmp_path: Path) -> None:
    dotted = ".".join("abcdefgh") * 20
    write(tmp_path / "pyproject.toml", f"a.b.c = [[['{dotted}', '[[[' ]]]\nd = {['1.2.3'] * 500}\n[tool.loopsafe]\n")
    assert load_config(tmp_path) == Config(tmp_path)


def test_site_packages_of_the_active_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "environment" / "lib" / "site-packages"
    folder.mkdir(parents=True)
    write(tmp_path / "project" / "pyproject.toml", f'[tool.loopsafe]\nsite-packages = ["{folder}"]\n')
    with pytest.raises(ConfigError, match="neither in the project nor in the active environment"):
        load_config(tmp_path / "project")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "environment"))
    assert load_config(tmp_path / "project").site_packages == (str(folder),)


@pytest.mark.parametrize("content", ["", "tool = 3\n", "[tool.other]\nx = 1\n"])
def test_files_that_say_nothing_about_loopsafe(content: str, tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", content)
    assert load_config(tmp_path) == Config(tmp_path)


class TestRoot:
    def test_the_nearest_mark(self, tmp_path: Path) -> None:
        write(tmp_path / "part" / "setup.cfg")
        assert find_root(write(tmp_path / "part" / "src" / "a.py")) == tmp_path / "part"

    def test_a_configured_folder_above_comes_before_a_nearer_mark(self, tmp_path: Path) -> None:
        write(tmp_path / "pyproject.toml", "[tool.loopsafe]\n")
        write(tmp_path / "part" / "pyproject.toml", "[project]\nname = 'part'\n")
        assert find_root(tmp_path / "part") == tmp_path

    def test_what_is_above_the_checkout_does_not_count(self, tmp_path: Path) -> None:
        write(tmp_path / "pyproject.toml", "[tool.loopsafe]\n")
        (tmp_path / "checkout" / ".git").mkdir(parents=True)
        assert find_root(tmp_path / "checkout" / "pkg") == tmp_path / "checkout"

    def test_without_any_mark_the_folder_itself(self, tmp_path: Path) -> None:
        (tmp_path / ".git").rmdir()
        file = write(tmp_path / "pkg" / "a.py")
        # Some folder above the tests' own may be marked; that is not this test's business.
        if not any((folder / mark).exists() for folder in tmp_path.parents for mark in ("setup.py", ".git")):
            assert find_root(file) == tmp_path / "pkg"

    def test_a_symlink_loop_has_one_too(self, tmp_path: Path) -> None:
        os.symlink(tmp_path / "a", tmp_path / "a")
        assert find_root(tmp_path / "a") == tmp_path


@pytest.mark.parametrize(
    ("select", "ignore", "code", "wanted"),
    [
        (["LSF"], [], "LSF101", True),
        (["LSF1"], [], "LSF201", False),
        (["LSF"], ["LSF1"], "LSF101", False),
        (["LSF101"], ["LSF1"], "LSF101", True),
        (["LSF101"], ["LSF1"], "LSF102", False),
        (["LSF101"], ["LSF101"], "LSF101", False),
        ([], [], "LSF101", False),
    ],
)
def test_the_longer_prefix_decides(select: list[str], ignore: list[str], code: str, wanted: bool) -> None:
    assert Config(Path(), tuple(select), tuple(ignore)).selects(code) is wanted


@pytest.mark.parametrize(
    ("pattern", "path", "excluded"),
    [
        ("vendor", "vendor", True),
        ("vendor", "pkg/vendor/a.py", True),
        ("vendor", "pkg/vendors/a.py", False),
        ("*_pb2.py", "pkg/deep/x_pb2.py", True),
        ("pkg/old", "pkg/old/a.py", True),
        ("pkg/old/", "pkg/old/a.py", True),
        ("./pkg/old", "pkg/old/deep/a.py", True),
        ("pkg/old", "other/pkg/old/a.py", False),
        ("pkg/*/a.py", "pkg/x/a.py", True),
        ("**/old", "pkg/old/a.py", True),
        ("**/old", "old/a.py", True),
        ("pkg/[ab].py", "pkg/a.py", True),
        ("Vendor", "vendor/a.py", False),
    ],
)
def test_exclude_patterns(pattern: str, path: str, excluded: bool) -> None:
    root = Path("/project")
    assert Config(root, exclude=(), extend_exclude=(pattern,)).excludes(root / path) is excluded
    assert Config(root, exclude=(pattern,)).excludes(root / path) is excluded


@pytest.mark.parametrize("folder", [".venv", "venv", "build", "node_modules", "__pycache__", "loopsafe.egg-info"])
def test_excluded_by_default(folder: str) -> None:
    assert Config(Path("/project")).excludes(Path("/project", folder))


def test_what_lies_above_the_root_does_not_exclude_it() -> None:
    root = Path("/home/me/.cache/build/project")
    assert not Config(root).excludes(root)
    assert not Config(root).excludes(root / "a.py")
    assert not Config(root).excludes(Path("/home/me/build/other.py"))
