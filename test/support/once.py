"""What is costly is made once a run, whichever of pytest's workers needs it first; the others wait for it."""

import fcntl
import pathlib
from collections.abc import Callable

import pytest


class Once:
    def __init__(self, root: pathlib.Path):
        self.root = root

    def folder(self, name: str, make: Callable[[pathlib.Path], None]) -> pathlib.Path:
        """The folder `name`, filled by make(folder). If that fails, it fails for every worker."""
        folder, is_made = self.root / name, self.root / f"{name}.made"
        with (self.root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists() and not is_made.exists():
                pytest.fail(f"{name}: another test could not make it", pytrace=False)
            if not is_made.exists():
                folder.mkdir()
                make(folder)
                is_made.touch()
        return folder
