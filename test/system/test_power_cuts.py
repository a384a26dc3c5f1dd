"""An update can be cut at any moment: the updater killed, or the whole machine. What boots is the old firmware or the new
one, whole. The moments are seeded; SINEW_TEST_SEED repeats a run with others."""

import os
import random
import subprocess
import time

import pytest

from support.device import Device

CUTS_A_RUN = 4 if os.environ.get("SINEW_TEST_ALL") == "1" else 2
RUNS = 3


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


def wait_for_next_boot(device: Device, boot_id: str) -> dict:
    return device.wait_for(
        "the application on a validated slot after the next boot",
        lambda status: status["boot_id"] != boot_id
        and status["validated"]
        and status["application"]["state"] == "running",
    )


def update_and_measure(blinky, device: Device) -> float:
    """Brings 0.2.0 onto the device; returns the seconds from the first byte to the end of sinew-update."""
    boot_id = device.status()["boot_id"]
    started = time.monotonic()
    assert start_update(device, blinky.firmware("0.2.0")).wait(timeout=300) == 0
    took = time.monotonic() - started
    assert wait_for_next_boot(device, boot_id)["version"] == "0.2.0"
    return took


@pytest.fixture(params=[0, *(pytest.param(run, marks=pytest.mark.all) for run in range(1, RUNS))])
def moments(request):
    seed = int(os.environ.get("SINEW_TEST_SEED", "20240229")) + request.param
    print(f"seed {seed}")
    return random.Random(seed)


def check(status: dict, expected: set[str], device: Device) -> None:
    assert status["version"] in expected
    assert device.ssh("cat /data/witness") == "kept\n"


def test_the_machine_dies_at_any_moment_of_an_update(blinky, device, moments):
    took = update_and_measure(blinky, device)
    version = "0.2.0"
    for number in range(CUTS_A_RUN):
        new = other(version)
        update = start_update(device, blinky.firmware(new))
        # The last cut falls into the reboot and the trial boot that follow.
        is_last = number == CUTS_A_RUN - 1
        time.sleep(took + moments.uniform(0, 4) if is_last else moments.uniform(0, took))
        device.kill()
        update.wait(timeout=60)
        device.start()
        status = device.wait_until_running()
        check(status, {version, new}, device)
        version = status["version"]


def test_the_updater_is_killed_at_any_moment_of_an_update(blinky, device, moments):
    took = update_and_measure(blinky, device)
    version = "0.2.0"
    for _ in range(CUTS_A_RUN):
        new = other(version)
        boot_id = device.status()["boot_id"]
        update = start_update(device, blinky.firmware(new))
        time.sleep(moments.uniform(0, took))
        device.try_ssh("killall -9 fwup", timeout=10)
        if update.wait(timeout=120) != 0:
            device.try_ssh("reboot", timeout=10)
        status = wait_for_next_boot(device, boot_id)
        check(status, {version, new}, device)
        version = status["version"]
