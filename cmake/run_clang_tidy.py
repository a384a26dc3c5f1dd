"""Runs clang-tidy over the sources in a build folder's compile_commands.json that aren't tests, several at a time.

A source that is compiled for several targets is checked once, by the plainest command.
A source is not checked again while its text, its headers, its command and the checks are those of a clean run: a file
named by their digest in ~/.cache/sinew/clang-tidy says so, for every clone. The headers are those that ninja knows, so
build first. Usage: run_clang_tidy.py BUILD_FOLDER JOBS
"""

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
def file_identity(path: pathlib.Path, root: pathlib.Path) -> str:
    """Our own files count by content; the system's by size and time."""
    if path.is_relative_to(root):
        return f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    status = path.stat()
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def is_checked(file: pathlib.Path, root: pathlib.Path) -> bool:
    return file.is_relative_to(root) and not {"build", "test"} & set(file.relative_to(root).parts)


def plainest(entries: list[dict]) -> list[dict]:
    """Of the commands that compile a file, the shortest."""
    best: dict[str, dict] = {}
    for entry in sorted(entries, key=lambda entry: len(entry["command"])):
        best.setdefault(entry["file"], entry)
    return list(best.values())


def output_of(entry: dict) -> str:
    words = entry["command"].split()
    return words[words.index("-o") + 1]


def digest_of(entry: dict, headers: list[str], root: pathlib.Path, checks: bytes) -> str:
    folder = pathlib.Path(entry["directory"])
    files = sorted(
        {(folder / header).resolve() for header in headers} | {pathlib.Path(entry["file"]).resolve()}
    )
    digest = hashlib.sha256(checks)
    digest.update(entry["command"].replace(str(root), "").encode())
    for file in files:
        digest.update(file_identity(file, root).encode())
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


def main() -> int:
    build, jobs = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    root = pathlib.Path(__file__).resolve().parent.parent
    checks = (root / ".clang-tidy").read_bytes()
    entries = json.loads((build / "compile_commands.json").read_text())
    entries = plainest([entry for entry in entries if is_checked(pathlib.Path(entry["file"]), root)])
    headers = known_headers(build)
    # clang-tidy checks a file once for each command that it finds for it.
    database = build / "clang-tidy"
    database.mkdir(exist_ok=True)
    (database / "compile_commands.json").write_text(json.dumps(entries))
    CACHE.mkdir(parents=True, exist_ok=True)

    def check_entry(entry: dict) -> str:
        return check(
            entry, database, CACHE / digest_of(entry, headers.get(output_of(entry), []), root, checks)
        )

    failures = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for number, complaints in enumerate(pool.map(check_entry, entries), 1):
            if sys.stdout.isatty():
                print(f"\r    {number}/{len(entries)}", end="", flush=True)
            if complaints:
                failures += 1
                print("\n" + complaints, flush=True)
    print(
        f"{len(entries) - failures} of {len(entries)} sources are clean"
        if failures
        else f"    {len(entries)} sources, no complaint"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
