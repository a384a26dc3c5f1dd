"""The main job end to end, and what is seen on the way: `./dev demo`.

Creates blinky, builds it for x86_64, boots it in QEMU, watches its LED through a second program, crashes it, updates it,
and updates it to something that can't start. Exits 0 only when every step showed what it should.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

os.environ.setdefault(
    "SINEW_BIN", str(pathlib.Path(__file__).resolve().parents[1] / "build" / "tool" / "bin")
)

from support.blinky import mend_bug, plant_bug
from support.device import Device, DeviceError
from support.tool import TOOL, Project, Tool, ToolError

COLOURS = sys.stdout.isatty()
SILENCE_S = 15.0


class Report:
    """Prints each step as it happens, how long a silent one takes, and all of them as a table at the end."""

    def __init__(self):
        self.rows: list[tuple[str, str, float]] = []
        self.started = self.last_said = time.monotonic()
        self.somebody_else_speaks = False
        threading.Thread(target=self._break_silence, daemon=True).start()

    def _break_silence(self) -> None:
        while True:
            time.sleep(1)
            now = time.monotonic()
            if not self.somebody_else_speaks and now - self.last_said >= SILENCE_S:
                self.say(f"... {now - self.step_started:.0f} s")

    def step(self, title: str) -> None:
        self.title = title
        self.step_started = self.last_said = time.monotonic()
        print(f"\033[32m==>\033[0m \033[1m{title}\033[0m" if COLOURS else f"==> {title}", flush=True)

    def say(self, text: str) -> None:
        self.last_said = time.monotonic()
        for line in text.rstrip().splitlines():
            print(f"    {line}", flush=True)

    def run_visibly(self, tool: Tool, *arguments: str, folder: pathlib.Path) -> None:
        """Runs `sinew arguments...`, which shows its progress itself and may take as long as it needs."""
        self.somebody_else_speaks = True
        done = subprocess.run(
            [str(TOOL), *arguments],
            cwd=folder,
            env=tool.environment(),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self.somebody_else_speaks = False
        self.last_said = time.monotonic()
        if done.returncode != 0:
            raise ToolError(f"sinew {' '.join(arguments)}: status {done.returncode}")

    def seen(self, what: str) -> None:
        took = time.monotonic() - self.step_started
        self.rows.append((self.title, what, took))
        self.say(f"{what}  ({took:.1f} s)")

    def table(self) -> None:
        first, second = (max(len(row[column]) for row in self.rows) for column in (0, 1))
        line = f"+-{'-' * first}-+-{'-' * second}-+--------+"
        print("\n" + line)
        for title, what, took in self.rows:
            print(f"| {title:<{first}} | {what:<{second}} | {took:5.1f}s |")
        print(line)
        print(f"All of it took {time.monotonic() - self.started:.0f} s.", flush=True)


def expect(condition: bool, sentence: str) -> None:
    if not condition:
        raise DeviceError(sentence)


def watch_led(report: Report, device: Device, seconds: int) -> int:
    """How often line 0 of the GPIO chip changes, as the simulated hardware behind the guest's kernel sees it."""
    lines = device.ssh(f"timeout {seconds} sinew-sim watch 0 || true", timeout=seconds + 60).splitlines()
    report.say("\n".join(lines[:4]))
    return len(lines)


def upload(
    report: Report, tool: Tool, project: Project, device: Device, firmware: pathlib.Path
) -> subprocess.CompletedProcess:
    done = tool.try_run(
        "upload", "localhost", "--port", str(device.port), "--firmware", str(firmware), folder=project.folder
    )
    report.say(done.stdout + done.stderr)
    return done


def boot_times(device: Device) -> str:
    """Seconds of the device's own clock, and of this machine's."""
    asked = time.monotonic()
    uptime = float(device.ssh("cut -d' ' -f1 /proc/uptime"))
    power_to_kernel = max(0.0, asked - device.started_at - uptime)
    return f"kernel after {power_to_kernel:.1f} s, application up by {uptime:.1f} s of the device's clock"


def create_and_boot(
    report: Report, tool: Tool, folder: pathlib.Path
) -> tuple[Project, dict[str, pathlib.Path], Device]:
    firmwares = {version: folder / f"blinky-{version}.fw" for version in ("0.1.0", "0.2.0", "0.3.0")}
    report.step("sinew new blinky")
    project = Project.create(tool, folder, "blinky")
    plant_bug(project)
    report.say("and it gets a bug: pressing the button crashes the LED's process")
    report.seen(f"{len(list(project.folder.rglob('*')))} files and folders")

    report.step("sinew firmware (0.1.0)")
    report.run_visibly(tool, "firmware", "--output", str(firmwares["0.1.0"]), folder=project.folder)
    report.seen(f"{firmwares['0.1.0'].stat().st_size / 1e6:.1f} MB")

    report.step("sinew burn --image")
    image = folder / "blinky.img"
    project.image(firmwares["0.1.0"], image)
    report.seen(f"{image.stat().st_size >> 20} MiB disk image")

    report.step("sinew emulate")
    device = Device(tool, image, folder / "console.log")
    device.start()
    status = device.wait_until_running()
    times = boot_times(device)
    expect(status["version"] == "0.1.0", f"expected 0.1.0, found {status['version']}")
    report.seen(times)
    return project, firmwares, device


def blink_and_crash(report: Report, device: Device) -> None:
    report.step("The LED's line in the device's kernel")
    changes = watch_led(report, device, 5)
    expect(changes >= 6, f"the LED's line changed only {changes} times in 5 s")
    report.seen(f"changed {changes} times in 5 s")

    report.step("Press the button: the LED's process crashes")
    application = device.status()["application"]
    device.ssh("sinew-sim set 1 1 && sleep 1 && sinew-sim set 1 0")
    crash = [line for line in device.console().splitlines() if "self test" in line]
    expect(bool(crash), "the console shows no report of the crash")
    report.say("\n".join(crash[:2]))
    changes = watch_led(report, device, 5)
    expect(changes >= 6, f"after the crash the line changed only {changes} times in 5 s")
    expect(device.status()["application"]["pid"] == application["pid"], "the whole application was restarted")
    report.seen(f"restarted by its supervisor, changed {changes} times in 5 s")


def update(
    report: Report, tool: Tool, project: Project, firmwares: dict[str, pathlib.Path], device: Device
) -> None:
    report.step("sinew firmware (0.2.0: bug mended, blinks faster)")
    mend_bug(project)
    project.edit("config/config.toml", r'^interval = "500ms"$', 'interval = "200ms"')
    project.set_version("0.2.0")
    project.firmware(firmwares["0.2.0"])
    report.seen("built after a small change")

    report.step("sinew upload (0.2.0)")
    expect(
        upload(report, tool, project, device, firmwares["0.2.0"]).returncode == 0,
        "the upload of 0.2.0 failed",
    )
    status = device.wait_until_running()
    expect((status["version"], status["slot"]) == ("0.2.0", "b"), f"0.2.0 does not run on slot b: {status}")
    changes = watch_led(report, device, 5)
    expect(changes >= 15, f"0.2.0 should blink faster; the line changed {changes} times in 5 s")
    report.seen(f"runs on slot {status['slot']}, validated; LED changed {changes} times in 5 s")

    report.step("sinew upload (0.3.0, which can't start)")
    project.edit("config/target.toml", r"cp2112_gpio:0", "cp2112_gpio:99")
    project.set_version("0.3.0")
    project.firmware(firmwares["0.3.0"])
    expect(
        upload(report, tool, project, device, firmwares["0.3.0"]).returncode != 0,
        "the upload of 0.3.0 claims success",
    )
    status = device.wait_until_running()
    expect(
        (status["version"], status["rolled_back"]) == ("0.2.0", True), f"0.2.0 did not come back: {status}"
    )
    report.seen(f"the device went back to {status['version']} on slot {status['slot']} by itself")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--stay", action="store_true", help="leave the device running at the end")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sinew-demo-"))
    report, device = Report(), None
    tool = Tool(folder / "keys")
    try:
        project, firmwares, device = create_and_boot(report, tool, folder)
        blink_and_crash(report, device)
        update(report, tool, project, firmwares, device)
        report.table()
        if options.stay:
            print(
                f"\nThe device goes on running (process {device.process.pid}). Reach it with\n    "
                f"ssh -p {device.port} -i {tool.home}/ssh/id_ed25519 root@localhost\n"
                f"and end it with\n    kill {device.process.pid}"
            )
            device = None
        return 0
    except (ToolError, DeviceError, subprocess.SubprocessError) as error:
        print(f"\nerror: {report.title}: {error}", file=sys.stderr)
        print(f"The files of this run are in {folder}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; run again: what was built until now is kept", file=sys.stderr)
        return 130
    finally:
        if device is not None:
            device.kill()


if __name__ == "__main__":
    sys.exit(main())
