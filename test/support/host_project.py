"""A project that is built, tested and run on this machine."""

import contextlib
import os
import pathlib
import signal
import subprocess
from collections.abc import Iterator

from support.tool import TOOL, Project, Tool
from support.waiting import PATIENCE_S, read_until


class HostProject(Project):
    """Built once; what a test changes is changed back, so that the next one compiles one file."""

    @classmethod
    def create(cls, tool: Tool, parent: pathlib.Path) -> "HostProject":
        # <errno.h> has a macro of that name.
        return super().create(tool, parent, "errno")

    @contextlib.contextmanager
    def changed(self, path: str, pattern: str, replacement: str) -> Iterator[None]:
        file = self.folder / path
        before = file.read_text()
        self.edit(path, pattern, replacement)
        try:
            yield
        finally:
            file.write_text(before)


class Running:
    """`sinew run`, in a group of its own as at a terminal; the LED has been on and off when this returns."""

    def __init__(self, project: HostProject, **environment: str):
        project.tool.run("run", "--build-only", folder=project.folder)
        self.process = subprocess.Popen(
            [str(TOOL), "run"],
            cwd=project.folder,
            env=project.tool.environment() | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self.lines = read_until(self.process.stdout, "LED0 on", "LED0 off")
        except AssertionError:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise

    def interrupt(self) -> int:
        """Ctrl-C, which goes to the whole group. Returns its status."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode
