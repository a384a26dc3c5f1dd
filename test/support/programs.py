"""Where the programs under test are: in SINEW_BIN, or else in the build for tests.

The tests run on the programs with sanitizers, which find more; the demonstration and the benchmarks on the release.
"""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SINEW_BIN", ROOT / "build" / "dev" / "bin")).absolute()


def program(name: str) -> pathlib.Path:
    """A program of ours, or an error that says how it is built."""
    path = BIN / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; run: cmake --build {BIN.parent} --target {name}")
    return path
