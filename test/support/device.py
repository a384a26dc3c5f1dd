"""An emulated device: `sinew emulate` running an image, and ssh to it.

Every wait has a limit, which only ends a test that hangs; a device that is asked to end is ended by its own process id.
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator

from support import machine_state
from support.tool import TOOL, Tool
from support.waiting import PATIENCE_S, eventually, lines_of

QEMU_WITH_MORE_ARGUMENTS = pathlib.Path(__file__).with_name("qemu")
# Asked over one connection for as long as the device stays up: each new one costs it a second of key exchange.
SAY_STATUS = "while cat /proc/sys/kernel/random/boot_id /run/sinew/status.json; do sleep 0.2; done"


def kvm_works() -> bool:
    """Whether QEMU can really use KVM here: the device file alone promises nothing."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    probe = subprocess.run(
        "qemu-system-x86_64 -accel kvm -cpu host -display none -nodefaults -monitor stdio".split(),
        input="quit\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return probe.returncode == 0


class DeviceError(RuntimeError):
    """The device did not do what it was asked for in time; the text ends with its console."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def copy_image(image: pathlib.Path, copy: pathlib.Path) -> None:
    """Holes stay holes: an image is a gigabyte of which a device writes a few dozen megabytes."""
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", image, copy], check=True)


class Device:
    """`restored_from`: what save() wrote, with a copy of the image of that moment; otherwise it boots."""

    def __init__(
        self,
        tool: Tool,
        image: pathlib.Path,
        log: pathlib.Path,
        acceleration: str = "tcg",
        restored_from: pathlib.Path | None = None,
    ):
        self.tool = tool
        self.restored_from = restored_from
        self.image = image
        self.log = log
        self.port = free_port()
        self.acceleration = acceleration
        self.process: subprocess.Popen | None = None
        self.started_at = 0.0

    def __enter__(self) -> "Device":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.kill()

    def start(self) -> None:
        """Switches it on; returns at once."""
        self.started_at = time.monotonic()
        more = machine_state.restore_arguments(self.restored_from) if self.restored_from else []
        self.restored_from = None  # The next start is a boot.
        self._start(more)

    def _start(self, more_arguments: list[str]) -> None:
        environment = self.tool.environment()
        if more_arguments:
            environment["PATH"] = f"{QEMU_WITH_MORE_ARGUMENTS}:{environment['PATH']}"
            environment["TEST_QEMU_ARGUMENTS"] = "\n".join(more_arguments)
        self.process = subprocess.Popen(
            [
                *(str(TOOL), "emulate", "--headless", "--image", str(self.image)),
                *("--ssh-port", str(self.port), "--log", str(self.log), "--accel", self.acceleration),
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def kill(self) -> None:
        """Takes its power away: QEMU is killed where it stands."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(timeout=PATIENCE_S)
        if self.process.stderr:
            self.process.stderr.close()
        self.process = None

    def boot_and_save(self, state: pathlib.Path, ready: Callable[["Device"], None]) -> None:
        """Boots, lets `ready` prepare the device, writes the machine to `state`, and ends it."""
        with tempfile.TemporaryDirectory(prefix="qemu-") as folder:  # A socket's path has to be short.
            monitor = pathlib.Path(folder, "monitor")
            self._start(machine_state.monitor_arguments(monitor))
            try:
                ready(self)
                machine_state.save(monitor, state)
            finally:
                self.kill()

    def console(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def ssh_arguments(self) -> list[str]:
        return [
            *("ssh", "-p", str(self.port), "-i", str(self.tool.home / "ssh" / "id_ed25519")),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
            *("-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "IdentitiesOnly=yes"),
            *("-o", "ServerAliveInterval=2", "-o", "ServerAliveCountMax=30", "root@127.0.0.1"),
        ]

    def try_ssh(self, command: str, timeout: float = PATIENCE_S, stdin=subprocess.DEVNULL):
        """Runs `command` on the device; returns the finished process, whatever its status, or None after `timeout`."""
        try:
            return subprocess.run(
                [*self.ssh_arguments(), command],
                stdin=stdin,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None

    def ssh(self, command: str, timeout: float = PATIENCE_S) -> str:
        done = self.try_ssh(command, timeout)
        if done is None or done.returncode != 0:
            said = (
                "no answer in time"
                if done is None
                else f"status {done.returncode}: {done.stdout}{done.stderr}"
            )
            raise DeviceError(f"{command!r}: {said}\n--- console ---\n{self.console()[-4000:]}")
        return done.stdout

    def status(self) -> dict:
        """/run/sinew/status.json, with the name of the boot that wrote it."""
        return self.wait_for("its status", lambda status: True)

    def _statuses(self) -> Iterator[dict]:
        """What the device says of itself, again and again, until the connection ends."""
        with subprocess.Popen(
            [*self.ssh_arguments(), SAY_STATUS],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as session:
            try:
                boot_id = ""
                for line in lines_of(session.stdout):
                    if line.startswith("{"):
                        yield json.loads(line) | {"boot_id": boot_id}
                    else:
                        boot_id = line
            finally:
                session.kill()

    def wait_for(self, what: str, condition, limit_s: float = PATIENCE_S) -> dict:
        """Waits until `condition(status)` holds, and returns that status."""
        seen: list[dict] = []

        def connect_and_look() -> dict | None:
            self._check_that_it_runs(what)
            for status in self._statuses():
                seen[:] = [status]
                if condition(status):
                    return status
            return None

        try:
            return eventually(what, connect_and_look, pause_s=0.3, limit_s=limit_s)
        except TimeoutError as error:
            raise DeviceError(f"{error}; last seen: {seen}\n{self.console()[-6000:]}") from None

    def _check_that_it_runs(self, what: str) -> None:
        if self.process is not None and self.process.poll() is not None:
            said = self.process.stderr.read() if self.process.stderr else ""
            raise DeviceError(f"waiting for {what}: the emulator ended\n{said}\n{self.console()[-4000:]}")

    def wait_until_running(self, limit_s: float = PATIENCE_S) -> dict:
        """Waits until the application runs on a validated slot."""
        return self.wait_for(
            "a running application on a validated slot",
            lambda status: status["validated"] and status["application"]["state"] == "running",
            limit_s,
        )

    def wait_for_next_boot(self, boot_id: str) -> dict:
        """Waits until the application runs on a validated slot, in another boot than the one named."""
        return self.wait_for(
            "the application on a validated slot after the next boot",
            lambda status: status["boot_id"] != boot_id
            and status["validated"]
            and status["application"]["state"] == "running",
        )

    def reboot(self) -> dict:
        """Reboots in order and waits until the application runs again."""
        boot_id = self.status()["boot_id"]
        self.try_ssh("reboot")
        return self.wait_for_next_boot(boot_id)
