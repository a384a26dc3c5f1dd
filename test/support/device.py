"""An emulated device: `sinew emulate` running an image, and ssh to it.

Every wait has a limit, and a device that is asked to end is ended by its own process id.
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from support.tool import TOOL, Tool

BOOT_LIMIT_S = 1200.0


def kvm_works() -> bool:
    """Whether QEMU can really use KVM here: the device file alone promises nothing."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    probe = subprocess.run(
        "qemu-system-x86_64 -accel kvm -cpu host -display none -nodefaults -monitor stdio".split(),
        input="quit\n",
        capture_output=True,
        text=True,
        timeout=30,
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
    def __init__(self, tool: Tool, image: pathlib.Path, log: pathlib.Path, acceleration: str = "tcg"):
        self.tool = tool
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
        self.process = subprocess.Popen(
            [
                *(str(TOOL), "emulate", "--headless", "--image", str(self.image)),
                *("--ssh-port", str(self.port), "--log", str(self.log), "--accel", self.acceleration),
            ],
            env=self.tool.environment(),
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
        self.process.wait(timeout=30)
        if self.process.stderr:
            self.process.stderr.close()
        self.process = None

    def console(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def ssh_arguments(self) -> list[str]:
        return [
            *("ssh", "-p", str(self.port), "-i", str(self.tool.home / "ssh" / "id_ed25519")),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
            *("-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "IdentitiesOnly=yes"),
            *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=2", "root@127.0.0.1"),
        ]

    def try_ssh(self, command: str, timeout: float = 60, stdin=subprocess.DEVNULL):
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

    def ssh(self, command: str, timeout: float = 60) -> str:
        done = self.try_ssh(command, timeout)
        if done is None or done.returncode != 0:
            said = (
                "no answer in time"
                if done is None
                else f"status {done.returncode}: {done.stdout}{done.stderr}"
            )
            raise DeviceError(f"{command!r}: {said}\n--- console ---\n{self.console()[-4000:]}")
        return done.stdout

    def status(self) -> dict | None:
        """/run/sinew/status.json, with the name of the boot that wrote it, or None when it can't be had."""
        done = self.try_ssh("cat /proc/sys/kernel/random/boot_id /run/sinew/status.json", timeout=15)
        if done is None or done.returncode != 0:
            return None
        boot_id, _, text = done.stdout.partition("\n")
        try:
            return json.loads(text) | {"boot_id": boot_id}
        except json.JSONDecodeError:
            return None

    def wait_for(self, what: str, condition, limit_s: float = BOOT_LIMIT_S) -> dict:
        """Waits until `condition(status)` holds, and returns that status."""
        deadline = time.monotonic() + limit_s
        last = None
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                said = self.process.stderr.read() if self.process.stderr else ""
                raise DeviceError(f"waiting for {what}: the emulator ended\n{said}\n{self.console()[-4000:]}")
            last = self.status() or last
            if last is not None and condition(last):
                return last
            time.sleep(0.2)
        raise DeviceError(
            f"waiting for {what}: not within {limit_s} s; last seen: {last}\n{self.console()[-6000:]}"
        )

    def wait_until_running(self, limit_s: float = BOOT_LIMIT_S) -> dict:
        """Waits until the application runs on a validated slot."""
        return self.wait_for(
            "a running application on a validated slot",
            lambda status: status["validated"] and status["application"]["state"] == "running",
            limit_s,
        )

    def reboot(self) -> dict:
        """Reboots in order and waits until the application runs again."""
        before = self.status()
        self.try_ssh("reboot", timeout=10)
        boot_id = before["boot_id"] if before else None
        return self.wait_for(
            "the device to come back",
            lambda status: status["boot_id"] != boot_id
            and status["validated"]
            and status["application"]["state"] == "running",
        )
