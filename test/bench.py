"""Measures Sinew: `./dev bench`. Prints lines `CASE METRIC VALUE UNIT`, or JSON with --json.

otp runs against its peers and prints a table of its own, as headers does; firmware runs its own program; device builds
blinky, boots it and asks it.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

os.environ.setdefault(
    "SINEW_BIN", str(pathlib.Path(__file__).resolve().parents[1] / "build" / "release" / "bin")
)

import bench_headers
import bench_otp
from support.device import Device, kvm_works
from support.programs import BIN
from support.tool import Project, Tool

BOOTS = 3

Figure = tuple[str, str, float, str]


def parse_figures(text: str) -> list[Figure]:
    """The lines of a benchmark program; what has another form is for people and left out."""
    figures = []
    for line in text.splitlines():
        words = line.split()
        if len(words) == 4:
            try:
                figures.append((words[0], words[1], float(words[2]), words[3]))
            except ValueError:
                continue
    return figures


def run_program(name: str) -> list[Figure]:
    done = subprocess.run([BIN / name], capture_output=True, text=True, check=True)
    return parse_figures(done.stdout)


def timed(action) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


def build_times(project: Project, firmware: pathlib.Path) -> Iterator[Figure]:
    """`sinew firmware` with nothing of the project built, with nothing to do, and after a change of one line."""
    yield "build", "project_cold", timed(lambda: project.firmware(firmware)), "s"
    yield "build", "nothing_changed", timed(lambda: project.firmware(firmware)), "s"
    changes = []
    for number in range(3):
        project.edit(
            "src/led.cpp", r"m_on = !m_on;.*$", f"m_on = !m_on; static int volatile change = {number};"
        )
        changes.append(timed(lambda: project.firmware(firmware)))
    yield "build", "one_line_changed", statistics.median(changes), "s"


def sizes(firmware: pathlib.Path, report: dict) -> Iterator[Figure]:
    yield "image", "fw", firmware.stat().st_size / 1e6, "MB"
    for part in report["parts"]:
        yield "image", part["name"], part["size_bytes"] / 1e6, "MB"
        yield "image", part["name"] + "_in_fw", part["compressed_bytes"] / 1e6, "MB"


MEMORY = r"""
for name in sinew-init sinewd sinew-sim blinky; do
    for pid in $(if [ $name = sinew-init ]; then echo 1; else pidof $name; fi); do
        awk -v name=$name '/^Pss:/ {p += $2} /^Rss:/ {r += $2} END {print name, p, r}' /proc/$pid/smaps_rollup
    done
done
awk '/^MemTotal|^MemAvailable/ {print $1, $2, 0}' /proc/meminfo
"""


def memory(device: Device) -> list[Figure]:
    """Proportional set size of each of Sinew's processes, and of the device as a whole."""
    time.sleep(5)
    values = {}
    for line in device.ssh(MEMORY).splitlines():
        name, pss_kb, _ = line.split()
        values[name.rstrip(":")] = values.get(name.rstrip(":"), 0) + int(pss_kb) / 1024
    figures = [
        ("memory", name, values[name], "MiB") for name in ("sinew-init", "sinewd", "sinew-sim", "blinky")
    ]
    figures.append(("memory", "sinew_processes", sum(figure[2] for figure in figures), "MiB"))
    figures.append(("memory", "used_of_device", values["MemTotal"] - values["MemAvailable"], "MiB"))
    return figures


def boot(tool: Tool, image: pathlib.Path, acceleration: str, log: pathlib.Path) -> dict[str, float]:
    with Device(tool, image, log, acceleration) as device:
        device.wait_until_running()
        asked = time.monotonic()
        uptime = float(device.ssh("cut -d' ' -f1 /proc/uptime"))
        first_toggle = json.loads(device.ssh("sinew-sim list --json"))["lines"][0]["first_change_ns"] / 1e9
        pid_1 = float(device.ssh("dmesg | sed -n 's/^\\[ *\\([0-9.]*\\)\\] Run \\/init as init.*/\\1/p'"))
        return {
            "qemu_to_kernel": asked - device.started_at - uptime,
            "kernel_to_pid_1": pid_1,
            "pid_1_to_first_toggle": first_toggle - pid_1,
        }


def boots(tool: Tool, image: pathlib.Path, folder: pathlib.Path) -> Iterator[Figure]:
    for acceleration in ["tcg", "kvm"] if kvm_works() else ["tcg"]:
        seen = [boot(tool, image, acceleration, folder / "console.log") for _ in range(BOOTS)]
        for name in seen[0]:
            yield f"boot_{acceleration}", name, statistics.median(one[name] for one in seen), "s"


def bench_device() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="sinew-bench-") as name:
        folder = pathlib.Path(name)
        tool = Tool(folder / "keys")
        project = Project.create(tool, folder, "blinky")
        firmware, image = folder / "blinky.fw", folder / "blinky.img"
        yield from build_times(project, firmware)
        yield from sizes(firmware, project.firmware(firmware))
        project.image(firmware, image)
        with Device(tool, image, folder / "console.log") as device:
            device.wait_until_running()
            yield from memory(device)
        yield from boots(tool, image, folder)


BENCHES = {
    "firmware": lambda: run_program("firmware_bench"),
    "device": bench_device,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    known = ["otp", "headers", *BENCHES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--json", action="store_true", help="one JSON array instead of lines")
    parser.add_argument("--case", action="append", help="otp: only this case; may be repeated")
    parser.add_argument(
        "--runs", type=int, default=bench_otp.RUNS, help="otp: runs of each case (%(default)s)"
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)} (known: {', '.join(known)})")
    names = options.names or known
    entries = bench_otp.measure(options.case, options.runs) if "otp" in names else []
    header_figures = list(bench_headers.measure()) if "headers" in names else []
    figures = (figure for name in names if name in BENCHES for figure in BENCHES[name]())
    if options.json:
        keys = ("case", "metric", "value", "unit")
        print(
            json.dumps(
                entries + [dict(zip(keys, figure)) for figure in [*header_figures, *figures]], indent=1
            )
        )
        return 0
    if entries:
        bench_otp.print_table(entries)
    if header_figures:
        bench_headers.print_table(header_figures)
    for case, metric, value, unit in figures:
        print(f"{case:<14} {metric:<28} {value:14.4g} {unit}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
