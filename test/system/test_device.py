"""One device on its own: what it says of itself, its lines, and how it survives."""

import re

import pytest

from support.partitions import partitions
from support.programs import ROOT
from support.waiting import eventually


def level(device, line: int) -> str:
    """What the simulated hardware sees on a line: another program than the one that drives it."""
    return device.ssh(f"sinew-sim get {line}").strip()[-1]


def wait_for_toggles(device, line: int) -> None:
    """Waits until the line has changed a few times."""
    assert len(device.ssh(f"sinew-sim watch {line} --count 4").splitlines()) == 4


def test_the_led_toggles_in_the_kernel(device):
    wait_for_toggles(device, 0)
    assert level(device, 0) in "01"


def test_a_crashed_led_is_restarted_and_goes_on_toggling(device):
    application = device.status()["application"]
    device.ssh("sinew-sim set 1 1")
    eventually("the crash", lambda: "the self test was never written" in device.console())
    device.ssh("sinew-sim set 1 0")
    wait_for_toggles(device, 0)
    after = device.status()["application"]
    assert (after["pid"], after["restarts"]) == (
        application["pid"],
        application["restarts"],
    ), "only the LED restarted"


def test_its_application_can_be_looked_into_over_ssh(device):
    tree = device.tool.run("observe", "--device", "localhost", "--port", str(device.port), "--once")
    assert tree.startswith("BlinkyApplication ")
    assert "Led <" in tree and "Button <" in tree


def test_a_killed_application_is_started_again(device):
    before = device.status()["application"]
    device.ssh(f"kill -9 {before['pid']}")
    after = device.wait_for(
        "the application to be restarted",
        lambda s: s["application"]["state"] == "running" and s["application"]["pid"] != before["pid"],
    )
    assert after["application"]["restarts"] == before["restarts"] + 1
    wait_for_toggles(device, 0)


def test_an_application_that_keeps_crashing_leaves_the_device_reachable(device):
    boot_id = device.status()["boot_id"]
    device.ssh(
        'until grep -q \'"state":"failed"\' /run/sinew/status.json; do'
        " kill -9 $(pidof blinky) 2>/dev/null; sleep 0.1; done"
    )
    status = device.status()
    assert status["application"]["state"] == "failed"
    assert status["boot_id"] == boot_id, "it did not reboot"


def test_after_a_reboot_data_is_kept_and_the_reason_is_known(device):
    assert device.try_ssh("touch /etc/probe").returncode != 0, "the root file system is read-only"
    device.ssh("echo here > /data/probe")
    assert device.reboot()["boot_reason"] == "reboot_requested"
    assert device.ssh("cat /data/probe") == "here\n"


def test_hostname_clock_and_processes_are_in_order(device):
    assert device.ssh("hostname").startswith("sinew-")
    assert int(device.ssh("date +%s")) > 1_700_000_000
    assert "127.0.0.1" in device.ssh("ip addr show lo")
    zombies = device.ssh("grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null || true").split()
    assert zombies == []


def test_a_lost_pid_1_command_reboots_the_device(device):
    boot_id = device.status()["boot_id"]
    device.try_ssh("kill -9 $(pidof sinewd)")
    status = device.wait_for(
        "the device to come back",
        lambda s: s["boot_id"] != boot_id and s["application"]["state"] == "running",
    )
    assert status["boot_reason"] == "application_failed" or "sinewd" in status["boot_reason"]


def overwrite(device, offset: int, content: bytes) -> None:
    """Changes the image of a device whose power is off."""
    with device.image.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def test_data_whose_start_reads_as_uniform_bytes_is_repaired(device):
    device.kill()
    overwrite(device, partitions(device.image)["data"][0], b"\xff" * (128 << 10))
    device.start()
    status = device.wait_until_running()
    assert status["data"] == "repaired"
    assert device.ssh("cat /data/witness") == "kept\n"


def superblock_copies(size: int) -> list[int]:
    """Where ext4 keeps copies of its superblock, for blocks of 1 and of 4 KiB."""
    groups = {1} | {base**power for base in (3, 5, 7) for power in range(1, 12)}
    places = [(1 + 8192 * group) * 1024 for group in groups] + [32768 * group * 4096 for group in groups]
    return [place for place in places if place + 1024 <= size]


def test_what_is_no_file_system_is_left_alone_and_the_device_is_reachable(device):
    device.kill()
    start, size = partitions(device.image)["data"]
    precious = b"precious" * (1 << 14)
    for place in [0, *superblock_copies(size)]:
        overwrite(device, start + place, precious if place == 0 else precious[:1024])
    device.start()
    status = device.wait_for("a device without data", lambda s: s["application"]["state"] == "running")
    assert (status["data"], status["validated"]) == ("missing", True)
    assert "NOTHING OF IT WAS ERASED" in device.console()
    with device.image.open("rb") as file:
        file.seek(start)
        assert file.read(len(precious)) == precious


def test_an_application_that_stops_answering_is_ended_and_started_again(device):
    before = device.status()["application"]
    device.ssh(f"kill -STOP {before['pid']}")
    after = device.wait_for(
        "the application to be restarted",
        lambda s: s["application"]["state"] == "running" and s["application"]["pid"] != before["pid"],
    )["application"]
    assert after["restarts"] == before["restarts"] + 1
    assert "didn't answer" in after["last_end"]


@pytest.mark.all
def test_a_frozen_pid_1_is_ended_by_the_watchdog(device):
    boot_id = device.status()["boot_id"]
    device.ssh(
        "mount -t cgroup2 none /mnt && mkdir /mnt/frozen && echo 1 > /mnt/frozen/cgroup.procs"
        " && echo 1 > /mnt/frozen/cgroup.freeze"
    )
    assert device.wait_for_next_boot(boot_id)["boot_reason"] == "watchdog_or_reset"


def counters(device) -> int:
    text = (ROOT / "systems" / "x86_64" / "system.toml").read_text()
    return int(re.search(r"^tried_block = (\d+)", text, re.M)[1]) * 512


def test_after_too_many_resets_the_platform_comes_up_without_the_application(device):
    """The sixth start that the machine doesn't survive: nobody asked for its end, and nobody knows its reason."""
    device.kill()
    block = "# GRUB Environment Block\ntried=1\nstarts=0\nruns=5\nslot_a=good\nactive=a\n"
    overwrite(device, counters(device), block.encode().ljust(512, b"#"))
    device.start()
    status = device.wait_for("a device alone", lambda s: s["application"]["state"] == "held_back")
    assert "again and again" in status["application"]["last_end"]
    device.try_ssh("reboot")
    status = device.wait_for_next_boot(status["boot_id"])
    assert status["application"]["state"] == "running", "somebody asked for this start"
