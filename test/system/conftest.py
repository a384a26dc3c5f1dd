"""What the system tests share: the tool with keys of its own, blinky in several versions, and booted devices."""

import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.blinky import Blinky  # noqa: E402
from support.device import Device, copy_image  # noqa: E402
from support.tool import Tool  # noqa: E402

HAS_FAILED = pytest.StashKey[bool]()


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
