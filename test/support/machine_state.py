"""A running machine in a file: QEMU's migration, out of one QEMU and into the next.

What it is for: tests whose subject isn't booting get a device that has booted, in a second or two.
"""

import json
import pathlib
import shlex
import socket

from support.waiting import PATIENCE_S, eventually


class Monitor:
    """QEMU's monitor (QMP) at a Unix socket."""

    def __init__(self, path: pathlib.Path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE_S)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rw")
        self._file.readline()  # The greeting.
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments) -> dict:
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        for line in self._file:
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(f"QEMU: {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise RuntimeError(f"QEMU ended before it answered {command}")

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def monitor_arguments(path: pathlib.Path) -> list[str]:
    return ["-qmp", f"unix:{path},server=on,wait=off"]


def restore_arguments(state: pathlib.Path) -> list[str]:
    return ["-incoming", f"exec:cat {shlex.quote(str(state))}"]


def save(monitor_path: pathlib.Path, state: pathlib.Path) -> None:
    """Writes the machine to `state`. It stands still afterwards, so that its image can be copied."""
    monitor = Monitor(monitor_path)
    monitor.ask("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
    monitor.ask("migrate", uri=f"exec:cat > {shlex.quote(str(state))}")

    def is_over() -> bool:
        status = monitor.ask("query-migrate").get("status")
        if status in ("failed", "cancelled"):
            raise RuntimeError(f"QEMU couldn't save the machine: {status}")
        return status == "completed"

    eventually("the machine to be saved", is_over)
    monitor.close()
