"""How tests wait: for what happens, never for a time. Limits only end a test that hangs."""

import select
import time
from collections.abc import Callable, Iterator
from typing import IO

PATIENCE_S = 1200.0


def eventually(what: str, condition: Callable, pause_s: float = 0.1, limit_s: float = PATIENCE_S):
    """Looks again and again until `condition` returns something true, and returns that; for what nobody announces."""
    deadline = time.monotonic() + limit_s
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {limit_s:.0f} s for {what}")
        time.sleep(pause_s)
    return found


def lines_of(source: IO[bytes], limit_s: float = PATIENCE_S) -> Iterator[str]:
    """The lines that come out of a pipe, to its end or to the limit."""
    deadline = time.monotonic() + limit_s
    rest = b""
    while time.monotonic() < deadline:
        ready, _, _ = select.select([source], [], [], max(0.0, deadline - time.monotonic()))
        piece = source.read1(65536) if ready else b""
        if not piece:
            return
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)


def read_until(source: IO[bytes], *parts: str, limit_s: float = PATIENCE_S) -> list[str]:
    """Reads lines until each of `parts` has been seen in one, and returns them."""
    lines, missing = [], set(parts)
    for line in lines_of(source, limit_s):
        lines.append(line)
        missing = {part for part in missing if part not in line}
        if not missing:
            return lines
    raise AssertionError(f"{sorted(missing)} never came in:\n" + "\n".join(lines))
