"""Runs clang-tidy over the sources in a build folder's compile_commands.json that aren't tests, several at a time.

A source that is compiled for several targets is checked once, by the plainest command.
A source is not checked again while its text, its headers, its command and the checks are those of a clean run: a file
named by their digest in ~/.cache/sinew/clang-tidy says so, for every clone. The headers are those that ninja knows, so
build first.

With --some N: what the change touches (what is not committed, or not in origin/main, or else the last commit), and of
the rest as many as make N sources, chosen by the commit: in time each has its turn.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import subprocess
import sys

CACHE = (
    pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "sinew" / "clang-tidy"
)
ROOT = pathlib.Path(__file__).resolve().parent.parent


def known_headers(build: pathlib.Path) -> dict[str, list[str]]:
    """What each object file was compiled from, as ninja's log of dependencies has it."""
    text = subprocess.run(
        ["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True
    ).stdout
    headers: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("    "):
            current.append(line.strip())
        elif ": #deps" in line:
            current = headers.setdefault(line.partition(": #deps")[0], [])
    return headers


@functools.cache
def file_identity(path: pathlib.Path) -> str:
    """Our own files count by content; the system's by size and time."""
    if path.is_relative_to(ROOT):
        return f"{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    status = path.stat()
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def is_checked(file: pathlib.Path) -> bool:
    return file.is_relative_to(ROOT) and not {"build", "fuzz", "test"} & set(file.relative_to(ROOT).parts)


def plainest(entries: list[dict]) -> list[dict]:
    """Of the commands that compile a file, the shortest."""
    best: dict[str, dict] = {}
    for entry in sorted(entries, key=lambda entry: len(entry["command"])):
        best.setdefault(entry["file"], entry)
    return list(best.values())


def output_of(entry: dict) -> str:
    words = entry["command"].split()
    return words[words.index("-o") + 1]


def digest_of(entry: dict, headers: list[str], checks: bytes) -> str:
    folder = pathlib.Path(entry["directory"])
    files = sorted(
        {(folder / header).resolve() for header in headers} | {pathlib.Path(entry["file"]).resolve()}
    )
    digest = hashlib.sha256(checks)
    digest.update(entry["command"].replace(str(ROOT), "").encode())
    for file in files:
        digest.update(file_identity(file).encode())
    return digest.hexdigest()


def check(entry: dict, database: pathlib.Path, stamp: pathlib.Path) -> str:
    """Returns what clang-tidy complains about; empty when the source is clean."""
    if stamp.exists():
        return ""
    command = [
        "clang-tidy-19",
        "-p",
        database,
        "--quiet",
        "--extra-arg=-Wno-unknown-warning-option",
        "--extra-arg=-Wno-deprecated-declarations",
        entry["file"],
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return result.stdout + (result.stderr if not result.stdout else "")
    stamp.touch()
    return ""


def git(*words: str) -> list[str]:
    """The lines that git prints; none if it fails."""
    done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


def touched_files() -> set[pathlib.Path]:
    base = git("merge-base", "HEAD", "origin/main")
    if not base or base == git("rev-parse", "HEAD"):
        base = ["HEAD"] if git("status", "--porcelain") else ["HEAD~1"]
    return {ROOT / name for name in git("diff", "--name-only", base[0])}


def some_of(entries: list[dict], headers: dict[str, list[str]], count: int) -> list[dict]:
    """What is touched first: sources, then those that include a touched header; then by the commit."""
    touched = touched_files()
    commit = "".join(git("rev-parse", "HEAD"))

    def rank(entry: dict) -> tuple[int, str]:
        by_commit = hashlib.sha256((commit + entry["file"].removeprefix(str(ROOT))).encode()).hexdigest()
        if pathlib.Path(entry["file"]) in touched:
            return 0, by_commit
        folder = pathlib.Path(entry["directory"])
        includes = {(folder / header).resolve() for header in headers.get(output_of(entry), [])}
        return (1 if includes & touched else 2), by_commit

    return sorted(entries, key=rank)[:count]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("build", type=pathlib.Path)
    arguments.add_argument("--jobs", type=int, default=1)
    arguments.add_argument("--some", type=int, metavar="N")
    options = arguments.parse_args()

    build = options.build.resolve()
    checks = (ROOT / ".clang-tidy").read_bytes()
    entries = json.loads((build / "compile_commands.json").read_text())
    entries = plainest([entry for entry in entries if is_checked(pathlib.Path(entry["file"]))])
    headers = known_headers(build)
    total = len(entries)
    if options.some is not None:
        entries = some_of(entries, headers, options.some)
    # clang-tidy checks a file once for each command that it finds for it.
    database = build / "clang-tidy"
    database.mkdir(exist_ok=True)
    (database / "compile_commands.json").write_text(json.dumps(entries))
    CACHE.mkdir(parents=True, exist_ok=True)

    def check_entry(entry: dict) -> str:
        return check(entry, database, CACHE / digest_of(entry, headers.get(output_of(entry), []), checks))

    failures = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for number, complaints in enumerate(pool.map(check_entry, entries), 1):
            if sys.stdout.isatty():
                print(f"\r    {number}/{len(entries)}", end="", flush=True)
            if complaints:
                failures += 1
                print("\n" + complaints, flush=True)
    if failures:
        print(f"{len(entries) - failures} of {len(entries)} sources are clean")
        return 1
    left_out = f"; {total - len(entries)} left out" if total > len(entries) else ""
    print(f"    {len(entries)} sources, no complaint{left_out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
