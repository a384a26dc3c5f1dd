"""Which slot GRUB starts: real boots in QEMU of a real system with a stand-in for PID 1.

The system is assembled from Debian's packages (or comes from the cache), the stand-in is compiled with the target's
toolchain, the image is written and updated by our own `fwup`. Each boot ends by itself: the stand-in reboots, and QEMU
runs with -no-reboot.
"""

import dataclasses
import json
import pathlib
import re
import subprocess

import pytest

from support.device import copy_image, kvm_works
from support.programs import ROOT, program
from support.waiting import PATIENCE_S

BLOCK = 512


def run(*arguments, **options) -> str:
    done = subprocess.run(
        [str(argument) for argument in arguments], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, f"{arguments}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@dataclasses.dataclass
class Boot:
    """What one start of the machine showed."""

    console: str

    @property
    def arguments(self) -> dict[str, str]:
        line = re.search(r"STAND-IN (.*)", self.console)
        assert line, f"PID 1 was never reached:\n{self.console}"
        return dict(re.findall(r"sinew\.(\w+)=(\w+)", line[1]))

    @property
    def choice(self) -> dict[str, str]:
        """Which slot, and as what."""
        return {name: self.arguments[name] for name in self.arguments if name not in ("starts", "runs")}

    @property
    def counts(self) -> tuple[int, int]:
        return int(self.arguments["starts"]), int(self.arguments["runs"])


@dataclasses.dataclass
class Machine:
    image: pathlib.Path
    state_block: int
    copy_block: int
    tried_block: int
    accelerator: str = "tcg"

    def boot(self) -> Boot:
        log = self.image.with_suffix(".log")
        words = run(
            program("system_tool"),
            "emulator",
            ROOT / "systems",
            "x86_64",
            self.image,
            log,
            self.accelerator,
        ).splitlines()
        subprocess.run([*words, "-no-reboot"], timeout=PATIENCE_S, check=True, capture_output=True)
        return Boot(log.read_text(errors="replace"))

    def apply(self, firmware: pathlib.Path, task: str) -> None:
        run(program("fwup"), "-a", "-q", "-d", self.image, "-i", firmware, "-t", task)

    def read(self, block: int) -> bytes:
        with self.image.open("rb") as file:
            file.seek(block * BLOCK)
            return file.read(BLOCK)

    def write(self, block: int, content: bytes) -> None:
        with self.image.open("r+b") as file:
            file.seek(block * BLOCK)
            file.write(content)

    def remove_kernel(self, slot: str) -> None:
        """Takes the kernel out of a slot's boot partition, as a broken update could."""
        table = json.loads(run("sfdisk", "--json", self.image))["partitiontable"]["partitions"]
        start = table[0 if slot == "a" else 1]["start"] * BLOCK
        run("mdel", "-i", f"{self.image}@@{start}", "::vmlinuz")


def compile_stand_in(sysroot: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """The stand-in for PID 1, made with the target's own toolchain: which so is tested, too."""
    stand_in = folder / "init"
    run(
        *("x86_64-linux-gnu-g++-12", "-O2", "-static", f"--sysroot={sysroot}"),
        f"-B{sysroot}/usr/lib/gcc/x86_64-linux-gnu/12",
        *("-o", stand_in, ROOT / "libs" / "system" / "test" / "stand_in_init.cpp"),
    )
    return stand_in


def make_firmware(folder: pathlib.Path, stand_in: pathlib.Path, version: str) -> None:
    run(program("system_tool"), "firmware", ROOT / "systems", "x86_64", folder / version, stand_in, version)


@pytest.fixture(scope="session")
def stand_ins(assembled, once) -> pathlib.Path:
    """A folder with two firmwares, and the image of a disk that has the first."""

    def make(folder: pathlib.Path) -> None:
        built = json.loads((assembled / "built.json").read_text())
        stand_in = compile_stand_in(pathlib.Path(built["folder"]) / "sysroot", folder)
        for version in ("1.0.0", "2.0.0"):
            make_firmware(folder, stand_in, version)
        run(
            *(program("fwup"), "-a", "-q", "-d", folder / "installed.img"),
            *("-i", folder / "1.0.0" / "firmware.fw", "-t", "complete"),
        )

    return once.folder("stand_ins", make)


@pytest.fixture
def machine(stand_ins, tmp_path) -> Machine:
    """A machine with 1.0.0 in slot a, validated, as `complete` leaves it."""
    image = tmp_path / "disk.img"
    copy_image(stand_ins / "installed.img", image)
    text = (ROOT / "systems" / "x86_64" / "system.toml").read_text()
    blocks = {
        name: int(re.search(rf"^{name} = (\d+)", text, re.M)[1])
        for name in ("state_block", "state_copy_block", "tried_block")
    }
    return Machine(image, blocks["state_block"], blocks["state_copy_block"], blocks["tried_block"])


@pytest.fixture
def updated(machine, stand_ins) -> Machine:
    """...and 2.0.0 in slot b, which may be started once."""
    machine.apply(stand_ins / "2.0.0" / "firmware.fw", "upgrade")
    return machine


def validated_state(slot: str) -> bytes:
    """The state block as `validate` writes it."""
    return grub_block(slot=slot, **{"try": ""}, whole="yes")


def grub_block(**variables: str | int) -> bytes:
    lines = "".join(f"{name}={value}\n" for name, value in variables.items())
    return f"# GRUB Environment Block\n{lines}".encode().ljust(BLOCK, b"#")


def both_validated(machine: Machine, slot: str, **more: str | int) -> None:
    """Slot `slot` decided, the other one good, too."""
    machine.write(machine.state_block, validated_state(slot))
    machine.write(machine.copy_block, validated_state(slot))
    values = {"tried": 1, "starts": 0, "runs": 0, "slot_a": "good", "slot_b": "good", "active": slot}
    machine.write(machine.tried_block, grub_block(**(values | more)))


def test_a_new_device_starts_slot_a(machine):
    assert machine.boot().choice == {"slot": "a", "trial": "0"}


def test_an_update_is_started_once_and_without_validation_the_old_slot_comes_back(updated):
    assert updated.boot().choice == {"slot": "b", "trial": "1"}
    assert b"tried=1" in updated.read(updated.tried_block)
    assert updated.boot().choice == {"slot": "a", "trial": "0", "rolled_back": "1"}


def test_with_a_destroyed_state_block_its_copy_counts(updated):
    updated.write(updated.state_block, b"\xff" * BLOCK)
    boot = updated.boot()
    assert boot.choice == {"slot": "b", "trial": "1"}
    assert "using its copy" in boot.console


@pytest.mark.all
def test_with_a_destroyed_copy_the_state_block_counts(updated):
    updated.write(updated.copy_block, b"\xff" * BLOCK)
    assert updated.boot().choice == {"slot": "b", "trial": "1"}


def test_without_any_boot_state_the_slot_validated_last_starts(updated):
    both_validated(updated, "b")
    updated.write(updated.state_block, bytes(BLOCK))
    updated.write(updated.copy_block, bytes(BLOCK))
    assert updated.boot().choice == {"slot": "b", "trial": "0"}


@pytest.mark.all
def test_without_any_boot_state_and_counters_slot_a_starts(updated):
    for block in (updated.state_block, updated.copy_block, updated.tried_block):
        updated.write(block, bytes(BLOCK))
    assert updated.boot().choice == {"slot": "a", "trial": "0"}


def test_a_trial_that_cannot_be_written_down_is_not_started(updated):
    updated.write(updated.tried_block, b"\xff" * BLOCK)
    assert updated.boot().choice == {"slot": "a", "trial": "0", "rolled_back": "1"}


def test_a_slot_on_trial_without_a_kernel_is_given_up_for_the_other(updated):
    updated.remove_kernel("b")
    boot = updated.boot()
    assert boot.choice == {"slot": "a", "trial": "0", "rolled_back": "1"}
    assert "slot b can't be loaded" in boot.console


@pytest.mark.all
def test_a_validated_slot_without_a_kernel_is_replaced_by_the_other(updated):
    updated.write(updated.state_block, validated_state("b"))
    assert updated.boot().choice == {"slot": "b", "trial": "0"}
    updated.remove_kernel("b")
    assert updated.boot().choice == {"slot": "a", "trial": "0", "rolled_back": "1"}


def test_a_slot_whose_platform_never_comes_up_is_given_up_for_the_other_good_one(updated):
    both_validated(updated, "b", starts=1)
    for starts in (2, 3):
        boot = updated.boot()
        assert boot.choice == {"slot": "b", "trial": "0"}
        assert boot.counts[0] == starts
    boot = updated.boot()
    assert boot.choice == {"slot": "a", "trial": "0", "rolled_back": "1"}
    assert boot.counts[0] == 4
    assert "slot b was started three times" in boot.console


def test_with_a_damaged_partition_table_the_slot_starts_all_the_same(updated):
    both_validated(updated, "b")
    sector = updated.read(0)
    updated.write(0, sector[:446] + bytes(64) + sector[510:])
    assert updated.boot().choice == {"slot": "b", "trial": "0"}


@pytest.mark.all
def test_two_slots_that_never_come_up_take_turns_and_the_counts_stay_bounded(updated):
    both_validated(updated, "a", starts=3, runs=5)
    boots = [updated.boot() for _ in range(4)]
    assert [boot.arguments["slot"] for boot in boots] == ["b", "b", "b", "a"]
    assert [boot.counts for boot in boots] == [(4, 6), (5, 6), (6, 6), (1, 6)]


@pytest.mark.all
def test_a_slot_that_was_never_validated_stands_in_only_on_trial(updated):
    both_validated(updated, "a", starts=3, slot_b="unproven")
    assert updated.boot().choice == {"slot": "b", "trial": "1", "rolled_back": "1"}


@pytest.mark.all
def test_a_slot_with_nothing_to_stand_in_for_it_is_started_again(machine):
    both_validated(machine, "a", starts=3, slot_b="")
    boot = machine.boot()
    assert boot.choice == {"slot": "a", "trial": "0"}
    assert boot.counts[0] == 1


@pytest.mark.skipif(not kvm_works(), reason="QEMU can't use KVM on this machine")
def test_a_trial_and_its_rollback_under_kvm(updated):
    updated.accelerator = "kvm"
    assert updated.boot().choice == {"slot": "b", "trial": "1"}
    assert updated.boot().choice == {"slot": "a", "trial": "0", "rolled_back": "1"}


@pytest.mark.all
def test_the_same_inputs_give_the_same_firmware(stand_ins, tmp_path):
    make_firmware(tmp_path, stand_ins / "init", "1.0.0")
    for name in ("rootfs.img", "initramfs", "ops.fw", "grub.cfg"):
        again = tmp_path / "1.0.0" / name
        assert again.read_bytes() == (stand_ins / "1.0.0" / name).read_bytes(), name
