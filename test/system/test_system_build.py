"""Assembling a real system from Debian's packages: pinned, interrupted, twice at once, and without root.

Packages come from the shared cache, or from the archive the first time. Each test has a cache of its own, so that what
it breaks stays its own.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from support.programs import ROOT, program
from support.waiting import read_until

BUILD_LIMIT_S = 3600
NOBODY = 65534


def shared_cache() -> pathlib.Path:
    named = os.environ.get("SINEW_CACHE")
    return pathlib.Path(named) if named else pathlib.Path.home() / ".cache" / "sinew"


class Builder:
    """Builds x86_64 from a copy of systems/ with a cache of its own."""

    def __init__(self, folder: pathlib.Path):
        self.systems = folder / "systems"
        self.cache = folder / "cache"
        shutil.copytree(ROOT / "systems", self.systems, symlinks=True)
        shutil.copytree(shared_cache() / "packages", self.cache / "packages")

    @property
    def lock(self) -> pathlib.Path:
        return self.systems / "x86_64" / "system.lock"

    def start(self, *options: str, **popen) -> subprocess.Popen:
        return subprocess.Popen(
            [program("system_tool"), "build", self.systems, "x86_64", *options],
            env=os.environ | {"SINEW_CACHE": str(self.cache), "HOME": "/nonexistent"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **popen,
        )

    @staticmethod
    def finish(process: subprocess.Popen) -> tuple[int, str, str]:
        output, errors = process.communicate(timeout=BUILD_LIMIT_S)
        return process.returncode, output.decode(), errors.decode()

    def build(self, *options: str, **popen) -> tuple[int, str, str]:
        return self.finish(self.start(*options, **popen))

    def built(self, *options: str, **popen) -> pathlib.Path:
        status, output, errors = self.build(*options, **popen)
        assert status == 0, errors
        return pathlib.Path(json.loads(output)["folder"])

    def pin_vanished_version(self, package: str) -> None:
        """Makes the lock name a version that no archive has."""
        text, count = re.subn(
            rf'(name = "{package}"\nversion = ")[^"]*("\narchitecture = "\w+"\nsha256 = ")\w{{64}}',
            r"\g<1>0.0.1-1\g<2>" + "0" * 64,
            self.lock.read_text(),
        )
        assert count == 1
        self.lock.write_text(text)

    def leftovers(self) -> list[pathlib.Path]:
        return list((self.cache / "systems").glob("*.part-*"))


def listing(folder: pathlib.Path) -> dict[str, str]:
    """Every entry below a folder: its kind, mode and size or target."""
    entries = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        detail = os.readlink(path) if path.is_symlink() else "" if path.is_dir() else str(status.st_size)
        entries[str(path.relative_to(folder))] = f"{status.st_mode:o} {detail}"
    return entries


@pytest.fixture
def builder(assembled, tmp_path) -> Builder:
    return Builder(tmp_path)


@pytest.mark.all
def test_a_vanished_version_is_refused_with_locked_and_replaced_without(builder):
    before = builder.lock.read_text()
    builder.pin_vanished_version("busybox")
    pinned = builder.lock.read_text()

    status, _, errors = builder.build("--locked")
    assert status == 1
    assert "busybox 0.0.1-1" in errors and "--locked" in errors
    assert builder.lock.read_text() == pinned

    status, output, errors = builder.build()
    assert status == 0, errors
    assert re.search(r"busybox  0\.0\.1-1 -> 1:1\.35", errors), errors
    assert builder.lock.read_text() != pinned
    assert 'name = "busybox"' in builder.lock.read_text()
    assert len(builder.lock.read_text().splitlines()) >= len(before.splitlines()) * 0.9


@pytest.mark.all
def test_a_damaged_package_in_the_cache_is_fetched_again(builder):
    lock = builder.lock.read_text()
    digest = re.search(r'name = "busybox"\n.*\n.*\nsha256 = "(\w+)"', lock)[1]
    damaged = builder.cache / "packages" / f"{digest}.deb"
    content = bytearray(damaged.read_bytes())
    content[5000] ^= 1
    damaged.write_bytes(content)
    folder = builder.built("--locked")
    assert (folder / "rootfs" / "usr" / "bin" / "busybox").stat().st_size > 500_000
    assert builder.lock.read_text() == lock


@pytest.mark.all
def test_a_build_that_is_killed_leaves_nothing_half_used(builder):
    process = builder.start(start_new_session=True)
    read_until(process.stderr, "unpack libstdc++", limit_s=BUILD_LIMIT_S)
    os.killpg(process.pid, signal.SIGKILL)
    builder.finish(process)
    assert len(builder.leftovers()) == 1
    assert not list((builder.cache / "systems").glob("*/manifest.toml"))
    folder = builder.built()
    assert (folder / "core.img").exists()
    assert builder.leftovers() == []


@pytest.mark.all
def test_two_builds_at_once_wait_for_each_other_and_get_the_same(builder):
    first = builder.start()
    read_until(first.stderr, "unpack", limit_s=BUILD_LIMIT_S)
    second = builder.start()
    (status, built, errors), (status_again, built_again, errors_again) = (
        builder.finish(process) for process in (first, second)
    )
    assert [status, status_again] == [0, 0], errors + errors_again
    assert built == built_again
    assert "waiting for process" in errors_again


@pytest.mark.skipif(os.geteuid() != 0, reason="this test becomes an ordinary user, which only root can")
def test_an_ordinary_user_builds_the_same_as_root(builder, tmp_path):
    for path in [tmp_path, *tmp_path.parents]:
        if path.stat().st_uid == 0 and path.is_relative_to("/tmp") and path != pathlib.Path("/tmp"):
            path.chmod(0o755)
    for path in [builder.cache, builder.systems, *builder.cache.rglob("*"), *builder.systems.rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    folder = builder.built(user=NOBODY, group=NOBODY, extra_groups=[], cwd="/")
    shared = next(shared_cache().glob(f"systems/{folder.name}"))
    assert listing(folder / "rootfs") == listing(shared / "rootfs")
    for name in ("core.img", "boot.bin", "vmlinuz"):
        assert (folder / name).read_bytes() == (shared / name).read_bytes()
