"""What the system tests share: the tool with keys of its own, projects, blinky in several versions, booted devices.

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
from support.host_project import HostProject  # noqa: E402
from support.once import Once  # noqa: E402
from support.programs import ROOT, program  # noqa: E402
from support.tool import Tool  # noqa: E402

EVERYTHING = os.environ.get("SINEW_TEST_ALL") == "1"
HAS_FAILED = pytest.StashKey[bool]()
LEFT_OUT = pytest.StashKey[list[str]]()
# The first device makes what most wait for; meanwhile the other workers do what needs none of it.
ORDER = [
    "cli",
    "observe",
    "gpio_guest",
    "ubi_guest",
    "boot_state",
    "system_build",
    "power_cuts",
    "update",
    "device",
    "hardening",
]


def pytest_configure(config):
    config.addinivalue_line("markers", "all: only with SINEW_TEST_ALL=1 (./dev test --all)")
    config.stash[LEFT_OUT] = []
    if config.getoption("dist", "no") == "load":
        config.option.dist = "loadgroup"  # Groups share what one worker has made.


def place(item) -> int:
    name = item.module.__name__.removeprefix("test_")
    return ORDER.index(name) if name in ORDER else len(ORDER)


def pytest_collection_modifyitems(config, items):
    left_out = [] if EVERYTHING else [item for item in items if item.get_closest_marker("all")]
    config.stash[LEFT_OUT] = [item.nodeid.partition("@")[0] for item in left_out]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=place)
    first = next((item for item in items if "device" in item.fixturenames), None)
    if first:
        items.remove(first)
        items.insert(0, first)


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
def tool(tmp_path_factory) -> Tool:
    return Tool(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def host_project(tool, tmp_path_factory) -> HostProject:
    """A project as `sinew new` makes it, for this machine. Tests that use it are a group, for one worker."""
    return HostProject.create(tool, tmp_path_factory.mktemp("host"))


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
def blinky(once) -> Blinky:
    """The project blinky, built as the versions that the tests update between."""
    return Blinky.load(once.folder("blinky", Blinky.create))


@pytest.fixture(scope="session")
def booted(blinky, once) -> pathlib.Path:
    """The image and the state of a device that runs 0.1.0: keys made, /data formatted."""

    def boot(folder: pathlib.Path) -> None:
        image = folder / "booting.img"
        blinky.project.image(blinky.firmware("0.1.0"), image)

        def wait(device: Device) -> None:
            device.wait_until_running()
            device.ssh("echo kept > /data/witness && sync")

        Device(blinky.tool, image, folder / "console.log").boot_and_save(folder / "state", wait)
        image.rename(folder / "fresh.img")

    return once.folder("booted", boot)


@pytest.fixture
def device(blinky, booted, tmp_path):
    """A device that runs 0.1.0, as if it had just booted."""
    image = tmp_path / "device.img"
    copy_image(booted / "fresh.img", image)
    with Device(blinky.tool, image, tmp_path / "console.log", restored_from=booted / "state") as running:
        running.wait_until_running()
        yield running
