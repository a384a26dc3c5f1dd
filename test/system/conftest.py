"""What the system tests share: the tool with keys of its own, blinky in several versions, and booted devices.

Without SINEW_TEST_ALL=1 those marked `all` are left out: what a quicker test shows in another way already.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.blinky import Blinky  # noqa: E402
from support.device import Device, copy_image  # noqa: E402
from support.once import Once  # noqa: E402
from support.programs import ROOT, program  # noqa: E402
from support.tool import Tool  # noqa: E402

EVERYTHING = os.environ.get("SINEW_TEST_ALL") == "1"
HAS_FAILED = pytest.StashKey[bool]()
LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_configure(config):
    config.addinivalue_line("markers", "all: only with SINEW_TEST_ALL=1 (./dev test --all)")
    config.stash[LEFT_OUT] = []
    if config.getoption("dist", "no") == "load":
        config.option.dist = "loadgroup"  # Groups share what one worker has made.


def pytest_collection_modifyitems(config, items):
    left_out = [] if EVERYTHING else [item for item in items if item.get_closest_marker("all")]
    config.stash[LEFT_OUT] = [item.nodeid.partition("@")[0] for item in left_out]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", [])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash[LEFT_OUT]
    elif exitstatus == 0:  # Images are large: they stay only after a failure.
        shutil.rmtree(session.config._tmp_path_factory.getbasetemp(), ignore_errors=True)


def pytest_terminal_summary(terminalreporter, config):
    if left_out := config.stash[LEFT_OUT]:
        terminalreporter.section("left out; they run with ./dev test --all, or with SINEW_TEST_ALL=1")
        for name in left_out:
            terminalreporter.line(name)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        item.stash[HAS_FAILED] = True


@pytest.fixture(autouse=True)
def clean_up(request, tmp_path):
    """What a test leaves behind stays only if it failed: images are large."""
    yield
    if not request.node.stash.get(HAS_FAILED, False):
        shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture(scope="session")
def once(tmp_path_factory) -> Once:
    base = tmp_path_factory.getbasetemp()
    return Once(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


@pytest.fixture(scope="session")
def assembled(once) -> pathlib.Path:
    """The system x86_64 is in the cache; the folder has what system_tool says of it."""

    def assemble(folder: pathlib.Path) -> None:
        done = subprocess.run(
            [program("system_tool"), "build", ROOT / "systems", "x86_64"], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
        (folder / "built.json").write_bytes(done.stdout)

    return once.folder("assembled", assemble)


@pytest.fixture(scope="session")
def tool(tmp_path_factory) -> Tool:
    return Tool(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def blinky(tool, tmp_path_factory) -> Blinky:
    """The project blinky, built as the versions that the tests update between."""
    return Blinky.create(tool, tmp_path_factory.mktemp("blinky"))


@pytest.fixture(scope="session")
def fresh_image(blinky, tmp_path_factory) -> pathlib.Path:
    """The image of a device that has booted 0.1.0 once: keys made, /data formatted."""
    image = tmp_path_factory.mktemp("image") / "fresh.img"
    blinky.project.image(blinky.firmware("0.1.0"), image)
    with Device(blinky.tool, image, image.with_suffix(".log")) as device:
        device.wait_until_running()
        device.ssh("echo kept > /data/witness && sync")
    return image


@pytest.fixture
def image(fresh_image, tmp_path) -> pathlib.Path:
    """A copy of fresh_image for one test."""
    copy = tmp_path / "device.img"
    copy_image(fresh_image, copy)
    return copy


@pytest.fixture
def device(blinky, image, tmp_path):
    """A device that runs 0.1.0."""
    with Device(blinky.tool, image, tmp_path / "console.log") as running:
        running.wait_until_running()
        yield running
