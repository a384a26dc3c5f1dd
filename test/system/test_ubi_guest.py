"""ubi_volume_write() on a real kernel: Linux' own simulated NAND flash and UBI in a virtual machine."""

import random
import subprocess
from pathlib import Path

import pytest
from support.programs import program
from support.small_guest import SmallGuest, Step

pytestmark = pytest.mark.xdist_group("ubi_guest")
UBI_TOOLS = [Path("/usr/sbin") / name for name in ("ubiattach", "ubimkvol")]
# Each step begins with an empty flash. A static volume is as long as what was written to it, and its checksum is
# compared when it is opened. A volume keeps a mark from the beginning of an update to its end.
EMPTY_FLASH = """
busybox rmmod ubi nandsim 2>/dev/null
load nandsim ubi
ubiattach -m 0 && ubimkvol /dev/ubi0 -N root -t static -s 6MiB && ubimkvol /dev/ubi0 -N small -s 1MiB || exit 98
is_unfinished() { [ "$(busybox cat /sys/class/ubi/ubi0_0/upd_marker)" = 1 ]; }
"""
STEPS = {
    "exactly": """
        for version in old new; do
            fwup -a -q --unsafe -t upgrade -d /tmp/disk -i /files/$version.fw || exit 1
            busybox cmp /dev/ubi0_0 /files/$version.img || exit 2
        done
        """,
    "damaged": """
        : >/tmp/disk
        fwup -a -q --unsafe -t upgrade -d /tmp/disk -i /files/old.fw || exit 7
        fwup -a -q --unsafe -t upgrade -d /tmp/disk -i /files/damaged.fw && exit 1
        is_unfinished && exit 2
        busybox cmp /dev/ubi0_0 /files/old.img || exit 8
        : >/tmp/disk
        fwup -a -q --unsafe -t upgrade -d /tmp/disk -i /files/damaged.fw && exit 1
        [ -s /tmp/disk ] && exit 3
        fwup -a -q --unsafe -t upgrade -d /tmp/disk -i /files/whole.fw || exit 4
        is_unfinished && exit 5
        busybox cmp /dev/ubi0_0 /files/new.img || exit 6
        """,
    "too_big": """
        : >/tmp/disk
        fwup -a -q --unsafe -t upgrade -d /tmp/disk -i /files/big.fw && exit 1
        [ -s /tmp/disk ] && exit 2
        true
        """,
    "in_use": """
        exec 3</dev/ubi0_0
        fwup -a -q --unsafe -t upgrade -d /tmp/disk -i /files/whole.fw && exit 1
        is_unfinished && exit 2
        true
        """,
}


def make_archive(folder: Path, name: str, script: str) -> Path:
    (folder / "fwup.conf").write_text(script)
    done = subprocess.run(
        [program("fwup"), "-c", "-f", "fwup.conf", "-o", name],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / name


def script_for(host_path: str, volume: str = "/dev/ubi0_0", options: str = "") -> str:
    return f"""
    file-resource rootfs {{ host-path = "{host_path}" {options} }}
    file-resource state {{ contents = "switched" }}
    task upgrade {{
        on-resource rootfs {{ ubi_volume_write("{volume}") }}
        on-resource state {{ raw_write(1) }}
    }}
    """


def damaged(archive: Path) -> Path:
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    copy = archive.with_name("damaged.fw")
    copy.write_bytes(content)
    return copy


@pytest.fixture(scope="module", name="steps")
def steps_fixture(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Step]:
    """One machine, whose flash is made anew for each step."""
    folder = tmp_path_factory.mktemp("ubi")
    noise = random.Random(1)
    with_hole = noise.randbytes(1_700_001) + bytes(1 << 20) + noise.randbytes(1_300_003)
    (folder / "old.img").write_bytes(noise.randbytes(3_000_000))
    (folder / "new.img").write_bytes(with_hole)
    whole = make_archive(folder, "whole.fw", script_for("new.img"))
    guest = SmallGuest(
        scratch=folder,
        modules=["mtd", "bch", "nandcore", "nand", "nandsim", "ubi"],
        programs=[program("fwup"), *UBI_TOOLS],
        files=[
            folder / "old.img",
            folder / "new.img",
            whole,
            damaged(whole),
            make_archive(folder, "old.fw", script_for("old.img")),
            make_archive(folder, "new.fw", script_for("new.img", options="skip-holes = true")),
            make_archive(folder, "big.fw", script_for("new.img", volume="/dev/ubi0_1")),
        ],
    )
    modules = {"modules": "load mtd bch nandcore nand"}
    return guest.run(modules | {name: EMPTY_FLASH + script for name, script in STEPS.items()})


def passed(step: Step) -> str:
    assert step.status == 0, step.output
    return step.output


def test_a_volume_holds_exactly_the_resource(steps: dict[str, Step]) -> None:
    passed(steps["exactly"])


def test_a_damaged_archive_leaves_a_volume_as_it_was(steps: dict[str, Step]) -> None:
    assert "resource 'rootfs'" in passed(steps["damaged"])


def test_what_a_volume_cannot_hold_is_refused_before_anything_is_written(steps: dict[str, Step]) -> None:
    output = passed(steps["too_big"])
    assert "bytes, but the UBI volume /dev/ubi0_1 has only" in output
    assert "nothing was written" in output


def test_a_volume_that_is_in_use_is_refused(steps: dict[str, Step]) -> None:
    output = passed(steps["in_use"])
    assert "/dev/ubi0_0: cannot begin to update the UBI volume" in output
