"""A small virtual machine for one test program: Debian's kernel, a few of its modules, busybox, and the program.

For what needs kernel modules but not a whole Sinew device. The machine is an initramfs; nothing is written to a disk.
The kernel is taken from SINEW_TEST_KERNEL (a folder holding boot/ and lib/modules/, as a linux-image package unpacks
to), otherwise the release's current linux-image package is downloaded once into build/test-kernel.

The processor is emulated: a /dev/kvm that opens may still hang (in nested virtual machines), and nothing here needs
its speed. SINEW_QEMU_ACCEL=kvm uses it.
"""

import fcntl
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from support.waiting import PATIENCE_S

REPOSITORY = Path(__file__).resolve().parents[2]
STEP_MARK = "small-guest-step:"


def run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()}"
    return done.stdout


def kernel_folder() -> Path:
    """The unpacked kernel package."""
    if given := os.environ.get("SINEW_TEST_KERNEL"):
        return Path(given)
    folder = REPOSITORY / "build" / "test-kernel"
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not list(folder.glob("boot/vmlinuz-*")):
            download_kernel(folder)
    return folder


def download_kernel(folder: Path) -> None:
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    depends = run("apt-cache", "depends", "--important", "linux-image-amd64")
    package = re.search(r"Depends: (linux-image-\S+)", depends)
    assert package, "apt knows no linux-image-amd64; run: apt-get update"
    run("apt-get", "download", package.group(1), cwd=partial)
    run("dpkg", "-x", str(next(partial.glob("*.deb"))), str(partial))
    partial.rename(folder)


def module_file(kernel: Path, name: str) -> Path:
    found = list(kernel.glob(f"lib/modules/*/kernel/**/{name}.ko"))
    assert found, f"the kernel in {kernel} has no module {name}"
    return found[0]


def shared_libraries(program: Path) -> list[Path]:
    """What the dynamic linker loads for `program`, the linker included."""
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", run("ldd", str(program)))]


class Archive:
    """A cpio archive in the form that the kernel unpacks (newc)."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._names: set[str] = set()
        self._inode = 0

    def add_folder(self, name: str) -> None:
        if name in (".", "") or name in self._names:
            return
        self.add_folder(str(Path(name).parent))
        self._add(name, 0o040755, b"")

    def add_file(self, name: str, content: bytes, mode: int = 0o755) -> None:
        self.add_folder(str(Path(name).parent))
        if name not in self._names:
            self._add(name, 0o100000 | mode, content)

    def add_link(self, name: str, target: str) -> None:
        self.add_folder(str(Path(name).parent))
        self._add(name, 0o120777, target.encode())

    def add_console(self) -> None:
        self.add_folder("dev")
        self._add("dev/console", 0o020600, b"", device=(5, 1))

    def finish(self) -> bytes:
        self._add("TRAILER!!!", 0, b"")
        return bytes(self._data)

    def _add(self, name: str, mode: int, content: bytes, device: tuple[int, int] = (0, 0)) -> None:
        self._names.add(name)
        self._inode += 1
        encoded = name.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(encoded), 0)
        self._data += b"070701" + b"".join(b"%08x" % value for value in fields) + encoded
        self._data += b"\0" * (-len(self._data) % 4) + content
        self._data += b"\0" * (-len(self._data) % 4)


@dataclass
class Step:
    """What a script ended with, and what the console showed meanwhile."""

    status: int
    output: str


@dataclass
class SmallGuest:
    """What goes into the machine (programs to /bin, files to /files, modules for `load NAME...`)."""

    scratch: Path
    modules: list[str] = field(default_factory=list)
    programs: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def initramfs(self, kernel: Path, steps: dict[str, str]) -> Path:
        archive = Archive()
        archive.add_console()
        for folder in ("proc", "sys", "tmp", "run", "dev"):
            archive.add_folder(folder)
        archive.add_file("bin/busybox", Path("/bin/busybox").read_bytes())
        archive.add_link("bin/sh", "busybox")
        for module in self.modules:
            archive.add_file(f"modules/{module}.ko", module_file(kernel, module).read_bytes(), 0o644)
        for program in self.programs:
            stripped = self.scratch / program.name
            run("strip", "-o", str(stripped), str(program))
            archive.add_file(f"bin/{program.name}", stripped.read_bytes())
            for library in shared_libraries(program):
                archive.add_file(str(library).lstrip("/"), library.resolve().read_bytes())
        for file in self.files:
            archive.add_file(f"files/{file.name}", file.read_bytes(), 0o644)
        scripts = "\n".join(
            f"echo '{STEP_MARK} {name}'; (\n{script}\n)\necho '{STEP_MARK}' $?"
            for name, script in steps.items()
        )
        archive.add_file(
            "init",
            f"""#!/bin/sh
export PATH=/bin
load() {{ for module; do busybox insmod "/modules/$module.ko" || exit 99; done; }}
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
{scripts}
busybox poweroff -f
""".encode(),
        )
        path = self.scratch / "initramfs"
        path.write_bytes(archive.finish())
        return path

    def run(self, steps: dict[str, str], memory_mb: int = 768) -> dict[str, Step]:
        """Boots, runs each script with sh, one after the other, and tells what came of them, by their names."""
        assert platform.machine() == "x86_64", "this test needs an x86_64 machine for its kernel and programs"
        kernel = kernel_folder()
        command = [
            "qemu-system-x86_64",
            *("-accel", os.environ.get("SINEW_QEMU_ACCEL", "tcg")),
            *("-m", str(memory_mb), "-nographic", "-no-reboot", "-nic", "none"),
            *("-kernel", str(next(kernel.glob("boot/vmlinuz-*")))),
            *("-initrd", str(self.initramfs(kernel, steps))),
            # no_timer_check: on a busy host the kernel's check of the emulated timer fails now and then, and it panics.
            *("-append", "console=ttyS0 quiet panic=-1 no_timer_check"),
        ]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE_S
            )
            output = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
        except subprocess.TimeoutExpired as expired:
            raise AssertionError(
                f"the guest hangs:\n{(expired.stdout or b'').decode(errors='replace')}"
            ) from None
        found = re.findall(rf"{STEP_MARK} ([a-z]\S*)\r?\n(.*?){STEP_MARK} (\d+)", output, re.DOTALL)
        assert [name for name, _, _ in found] == list(steps), f"the guest did not come to its end:\n{output}"
        return {name: Step(int(status), said) for name, said, status in found}
