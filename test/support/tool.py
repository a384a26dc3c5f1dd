"""The `sinew` tool and projects made with it, as tests and the demonstration drive them."""

import dataclasses
import json
import os
import pathlib
import re
import subprocess

from support.programs import BIN, ROOT

TOOL = BIN / "sinew"


class ToolError(RuntimeError):
    """`sinew` ended with a status other than 0; the text is what it said."""


@dataclasses.dataclass
class Tool:
    """Runs `sinew` with keys of its own (below `home`), so that nobody's real keys are touched."""

    home: pathlib.Path

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SINEW_")}
        if "SINEW_CACHE" in os.environ:
            kept["SINEW_CACHE"] = os.environ["SINEW_CACHE"]
        return kept | {"SINEW_HOME": str(self.home), "NO_COLOR": "1"}

    def try_run(self, *arguments: str, folder: pathlib.Path | None = None, timeout: float = 1800):
        """Runs `sinew arguments...` and returns the finished process, whatever its status."""
        return subprocess.run(
            [str(TOOL), *arguments],
            cwd=folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def run(self, *arguments: str, folder: pathlib.Path | None = None, timeout: float = 1800) -> str:
        """Like try_run(), but a failure raises, and what it printed is returned."""
        done = self.try_run(*arguments, folder=folder, timeout=timeout)
        if done.returncode != 0:
            raise ToolError(
                f"sinew {' '.join(arguments)}: status {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def run_json(self, *arguments: str, folder: pathlib.Path | None = None):
        return json.loads(self.run(*arguments, "--json", folder=folder))


@dataclasses.dataclass
class Project:
    """A project folder made by `sinew new`."""

    tool: Tool
    folder: pathlib.Path

    @classmethod
    def create(cls, tool: Tool, parent: pathlib.Path, name: str) -> "Project":
        tool.run("new", name, folder=parent)
        return cls(tool, parent / name)

    @property
    def name(self) -> str:
        return self.folder.name

    def edit(self, path: str, pattern: str, replacement: str) -> None:
        """Replaces the one place in the file `path` that matches the regular expression `pattern`."""
        file = self.folder / path
        text, count = re.subn(pattern, replacement, file.read_text(), flags=re.MULTILINE)
        if count != 1:
            raise ToolError(f"{path}: {count} places match {pattern!r}, expected one")
        file.write_text(text)

    def set_version(self, version: str) -> None:
        self.edit("sinew.toml", r'^version = ".*"$', f'version = "{version}"')

    def firmware(self, output: pathlib.Path) -> dict:
        """Builds firmware into `output` and returns what `sinew firmware --json` says."""
        return self.tool.run_json("firmware", "--output", str(output), folder=self.folder)

    def image(self, firmware: pathlib.Path, image: pathlib.Path) -> None:
        self.tool.run("burn", "--firmware", str(firmware), "--image", str(image), "--yes", folder=self.folder)
