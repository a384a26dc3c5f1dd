"""An update can be cut at any moment: the updater killed, or the whole machine. What boots is the old firmware or the new
one, whole.

The moments are what the device says, not times: the lines of sinew-update's progress, and how much of the next boot
the console has shown. They are seeded; SINEW_TEST_SEED repeats a run with others. Every single write is cut in
libs/system/test/update_script_power_cut_test.cpp.
"""

import os
import pathlib
import random
import re
import subprocess

import pytest

from support.device import Device
from support.waiting import PATIENCE_S, eventually, lines_of

EVERYTHING = os.environ.get("SINEW_TEST_ALL") == "1"
CUTS_A_RUN = 4 if EVERYTHING else 2
KILLS_A_RUN = 4 if EVERYTHING else 1
RUNS = 3
INSTALLED = "sinew-update: installed"


def is_past(line: str, percent: int) -> bool:
    """Whether a line of sinew-update's tells so much progress; it tells every tenth of its way."""
    told = re.fullmatch(r"sinew-update: (\d+) %", line)
    return INSTALLED in line or (told is not None and int(told[1]) >= percent)


def start_update(
    device: Device, firmware: pathlib.Path, command: str = "sinew-update 2>&1"
) -> subprocess.Popen:
    """The command on the device, fed with `firmware`, running in the background."""
    with firmware.open("rb") as file:
        return subprocess.Popen(
            [*device.ssh_arguments(), command], stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )


def kill_at(percent: int) -> str:
    """A command for the device: sinew-update, whose fwup is killed when it tells so much progress."""
    return (
        'sinew-update 2>&1 | while read -r name told unit; do echo "$name $told $unit"; '
        f'[ "$unit" != % ] || [ "$told" -lt {percent} ] || killall -9 fwup; done'
    )


def other(version: str) -> str:
    return "0.2.0" if version == "0.1.0" else "0.1.0"


@pytest.fixture(params=[0, *(pytest.param(run, marks=pytest.mark.all) for run in range(1, RUNS))])
def moments(request):
    seed = int(os.environ.get("SINEW_TEST_SEED", "20240229")) + request.param
    print(f"seed {seed}")
    return random.Random(seed)


def check(status: dict, expected: set[str], device: Device) -> None:
    assert status["version"] in expected
    assert device.ssh("cat /data/witness") == "kept\n"


def test_the_machine_dies_at_any_moment_of_an_update(blinky, device, moments):
    version = "0.1.0"
    for number in range(CUTS_A_RUN):
        new = other(version)
        # The last cut falls into the reboot and the trial boot that follow.
        is_last = number == CUTS_A_RUN - 1
        percent = 101 if is_last else moments.randrange(100)
        shown = len(device.console()) + moments.randrange(8000)
        update = start_update(device, blinky.firmware(new))
        assert any(is_past(line, percent) for line in lines_of(update.stdout))
        if is_last:
            eventually(f"{shown} bytes on the console", lambda: len(device.console()) >= shown)
        device.kill()
        update.communicate(timeout=PATIENCE_S)
        device.start()
        status = device.wait_until_running()
        check(status, {version, new}, device)
        version = status["version"]


def test_the_updater_is_killed_at_any_moment_of_an_update(blinky, device, moments):
    version = "0.1.0"
    for _ in range(KILLS_A_RUN):
        new = other(version)
        boot_id = device.status()["boot_id"]
        update = start_update(device, blinky.firmware(new), kill_at(moments.randrange(100)))
        said = update.communicate(timeout=PATIENCE_S)[0].decode(errors="replace")
        if INSTALLED not in said:
            device.try_ssh("reboot")
        status = device.wait_for_next_boot(boot_id)
        check(status, {version, new}, device)
        version = status["version"]
