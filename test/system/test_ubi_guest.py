"""ubi_volume_write() on a real kernel: Linux' own simulated NAND flash and UBI in a virtual machine."""

import random
import subprocess
from pathlib import Path

import pytest
from support.small_guest import SmallGuest, built_program

UBI_TOOLS = [Path("/usr/sbin") / name for name in ("ubiattach", "ubimkvol")]
# A static volume is as long as what was written to it, and its checksum is compared when it is opened.
# A volume keeps a mark from the beginning of an update to its end.
MAKE_VOLUMES = """
ubiattach -m 0 && ubimkvol /dev/ubi0 -N root -t static -s 6MiB && ubimkvol /dev/ubi0 -N small -s 1MiB || exit_with 98
is_unfinished() { [ "$(busybox cat /sys/class/ubi/ubi0_0/upd_marker)" = 1 ]; }
"""


def make_archive(folder: Path, name: str, script: str) -> Path:
    (folder / "fwup.conf").write_text(script)
    done = subprocess.run(
        [built_program("fwup"), "-c", "-f", "fwup.conf", "-o", name],
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


@pytest.fixture(name="guest")
def guest_fixture(tmp_path: Path) -> SmallGuest:
    noise = random.Random(1)
    with_hole = noise.randbytes(1_700_001) + bytes(1 << 20) + noise.randbytes(1_300_003)
    (tmp_path / "old.img").write_bytes(noise.randbytes(3_000_000))
    (tmp_path / "new.img").write_bytes(with_hole)
    return SmallGuest(
        scratch=tmp_path,
        modules=["mtd", "bch", "nandcore", "nand", "nandsim", "ubi"],
        programs=[built_program("fwup"), *UBI_TOOLS],
        files=[tmp_path / "old.img", tmp_path / "new.img"],
    )


def passes(guest: SmallGuest, script: str) -> str:
    status, output = guest.run(f"{MAKE_VOLUMES}\n{script}", timeout_s=300)
    assert status == 0, output
    return output


def test_a_volume_holds_exactly_the_resource(guest: SmallGuest) -> None:
    folder = guest.scratch
    guest.files += [
        make_archive(folder, "old.fw", script_for("old.img")),
        make_archive(folder, "new.fw", script_for("new.img", options="skip-holes = true")),
    ]
    passes(
        guest,
        """
        for version in old new; do
            fwup -a -q --unsafe -t upgrade -d /tmp/disk -i /files/$version.fw || exit_with 1
            busybox cmp /dev/ubi0_0 /files/$version.img || exit_with 2
        done
        """,
    )


def test_a_damaged_archive_leaves_a_volume_that_says_so_and_takes_a_whole_one(guest: SmallGuest) -> None:
    folder = guest.scratch
    whole = make_archive(folder, "new.fw", script_for("new.img"))
    damaged = bytearray(whole.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (folder / "damaged.fw").write_bytes(damaged)
    guest.files += [whole, folder / "damaged.fw"]
    output = passes(
        guest,
        """
        : >/tmp/disk
        fwup -a -q --unsafe -t upgrade -d /tmp/disk -i /files/damaged.fw && exit_with 1
        is_unfinished || exit_with 2
        [ -s /tmp/disk ] && exit_with 3
        fwup -a -q --unsafe -t upgrade -d /tmp/disk -i /files/new.fw || exit_with 4
        is_unfinished && exit_with 5
        busybox cmp /dev/ubi0_0 /files/new.img || exit_with 6
        """,
    )
    assert "resource 'rootfs'" in output


def test_what_a_volume_cannot_hold_is_refused_before_anything_is_written(guest: SmallGuest) -> None:
    guest.files.append(make_archive(guest.scratch, "big.fw", script_for("new.img", volume="/dev/ubi0_1")))
    output = passes(
        guest,
        """
        fwup -a -q --unsafe -t upgrade -d /tmp/disk -i /files/big.fw && exit_with 1
        [ -s /tmp/disk ] && exit_with 2
        true
        """,
    )
    assert "bytes, but the UBI volume /dev/ubi0_1 has only" in output
    assert "nothing was written" in output


def test_a_volume_that_is_in_use_is_refused(guest: SmallGuest) -> None:
    guest.files.append(make_archive(guest.scratch, "new.fw", script_for("new.img")))
    output = passes(
        guest,
        """
        exec 3</dev/ubi0_0
        fwup -a -q --unsafe -t upgrade -d /tmp/disk -i /files/new.fw && exit_with 1
        is_unfinished && exit_with 2
        true
        """,
    )
    assert "/dev/ubi0_0: cannot begin to update the UBI volume" in output
