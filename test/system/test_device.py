"""One device on its own: what it says of itself, its lines, and how it survives."""

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
