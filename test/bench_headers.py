"""What each public header costs a program that includes it: `./dev bench headers`.

Each header is compiled alone, by the devices' compiler, without making code. Seconds are of the processor, the least
of a few rounds; an empty file and <vector> with <string> are compiled among the headers, so that the ratio to these
holds on a busy machine, too. Lines are those that are left after the preprocessor, without empty ones.
"""

import pathlib
import resource
import subprocess
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[1]
ROUNDS = 3
REFERENCE = "<vector>+<string>"
COMPILER = ["g++", "-std=c++23", "-x", "c++", "-"]

Figure = tuple[str, str, float, str]


def include_folders() -> list[pathlib.Path]:
    return sorted(ROOT.glob("libs/*/include"))


def public_headers() -> list[str]:
    """As a program includes them."""
    found = []
    for folder in include_folders():
        paths = (path.relative_to(folder) for path in folder.rglob("*.hpp"))
        found += sorted(str(path) for path in paths if "detail" not in path.parts)
    return found


def sources() -> dict[str, str]:
    known = {"empty": "", REFERENCE: "#include <string>\n#include <vector>\n"}
    return known | {header: f"#include <{header}>\n" for header in public_headers()}


def run_compiler(source: str, *options: str) -> tuple[str, float]:
    """What it wrote, and the seconds of processor time that it took."""
    flags = [f"-I{folder}" for folder in include_folders()]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(
        [*COMPILER, *flags, *options], input=source, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{source.strip()} doesn't compile alone:\n{done.stderr}")
    return done.stdout, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def line_count(source: str) -> int:
    text, _ = run_compiler(source, "-E", "-P")
    return sum(1 for line in text.splitlines() if line.strip())


def seconds(known: dict[str, str]) -> dict[str, float]:
    least = dict.fromkeys(known, float("inf"))
    for _ in range(ROUNDS):
        for name, source in known.items():
            _, took = run_compiler(source, "-fsyntax-only")
            least[name] = min(least[name], took)
    return least


def measure() -> Iterator[Figure]:
    known = sources()
    took = seconds(known)
    for name, source in known.items():
        yield name, "compile", took[name], "s"
        yield name, "ratio", took[name] / took[REFERENCE], "x"
        yield name, "preprocessed", line_count(source), "lines"


def print_table(figures: list[Figure]) -> None:
    rows: dict[str, dict[str, float]] = {}
    for name, metric, value, _ in figures:
        rows.setdefault(name, {})[metric] = value
    print(f"{'header':<46} {'s':>6} {'ratio':>6} {'lines':>7}")
    for name, row in rows.items():
        print(f"{name:<46} {row['compile']:6.2f} {row['ratio']:6.2f} {row['preprocessed']:7.0f}")
