"""An update can be cut at any moment: the updater killed, or the whole machine. What boots is the old firmware or the new
one, whole. The moments are seeded; SINEW_TEST_SEED repeats a run."""

import os
import random
import subprocess
import time

import pytest

from support.device import Device

CUTS = 12


def start_update(device: Device, firmware) -> subprocess.Popen:
    """sinew-update on the device, fed with `firmware`, running in the background."""
    with firmware.open("rb") as file:
        return subprocess.Popen(
            [*device.ssh_arguments(), "sinew-update"],
            stdin=file,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def other(version: str) -> str:
    return "0.2.0" if version == "0.1.0" else "0.1.0"


def duration_of_an_update(blinky, device: Device) -> float:
    """Seconds from the first byte to the end of sinew-update, so that cuts cover all of it."""
    started = time.monotonic()
    assert start_update(device, blinky.firmware("0.2.0")).wait(timeout=300) == 0
    took = time.monotonic() - started
    device.wait_for("0.2.0", lambda status: status["version"] == "0.2.0" and status["validated"])
    return took


@pytest.fixture
def moments():
    seed = int(os.environ.get("SINEW_TEST_SEED", "20240229"))
    print(f"SINEW_TEST_SEED={seed}")
    return random.Random(seed)


def check(status: dict, expected: set[str], device: Device) -> None:
    assert status["version"] in expected
    assert status["application"]["state"] == "running"
    assert device.ssh("cat /data/witness") == "kept\n"


def test_the_machine_dies_at_any_moment_of_an_update(blinky, device, moments):
    took = duration_of_an_update(blinky, device)
    version = "0.2.0"
    seen = set()
    for number in range(CUTS):
        new = other(version)
        update = start_update(device, blinky.firmware(new))
        # The last quarter of the cuts falls into the reboot and the trial boot that follow.
        time.sleep(moments.uniform(0, took) if number < CUTS * 3 // 4 else took + moments.uniform(0, 4))
        device.kill()
        update.wait(timeout=60)
        device.start()
        status = device.wait_until_running()
        check(status, {version, new}, device)
        seen.add("new" if status["version"] == new else "old")
        version = status["version"]
    assert "old" in seen, "no cut was early enough to mean anything"


def test_the_updater_is_killed_at_any_moment_of_an_update(blinky, device, moments):
    took = duration_of_an_update(blinky, device)
    version = "0.2.0"
    for _ in range(CUTS):
        new = other(version)
        update = start_update(device, blinky.firmware(new))
        time.sleep(moments.uniform(0, took))
        device.try_ssh("killall -9 fwup", timeout=10)
        update.wait(timeout=120)
        status = device.status()
        if status is not None and status["version"] == version and not status["trial"]:
            status = device.reboot()
        else:
            status = device.wait_until_running()
        check(status, {version, new}, device)
        version = status["version"]
