"""Runs clang-tidy over every source of a build folder's compile_commands.json, several at a time.

A source whose text, headers and checks are those of the last clean run is not checked again: the state is kept in
<build>/clang-tidy. Usage: run_clang_tidy.py BUILD_FOLDER JOBS
"""

import concurrent.futures
import hashlib
import json
import pathlib
import subprocess
import sys

SKIPPED_FLAGS = ("-fno-sanitize-recover", "-fsanitize")


def preprocessed_digest(entry: dict, checks: bytes) -> str:
    """A digest of what clang-tidy would read: the preprocessed source and the checks."""
    arguments = [word for word in entry["command"].split() if not word.endswith("ccache")]
    for flag in ("-o", "-MF", "-MT"):
        if flag in arguments:
            at = arguments.index(flag)
            del arguments[at : at + 2]
    arguments = [
        word for word in arguments if word not in ("-c", "-MD") and not word.startswith(SKIPPED_FLAGS)
    ]
    text = subprocess.run(arguments + ["-E"], cwd=entry["directory"], capture_output=True, check=False)
    source = pathlib.Path(entry["file"]).read_bytes()
    return hashlib.sha256(text.stdout + source + checks).hexdigest()


def check(entry: dict, build: pathlib.Path, root: pathlib.Path, checks: bytes) -> str:
    """Returns what clang-tidy complains about; empty when the source is clean."""
    name = str(pathlib.Path(entry["file"]).relative_to(root))
    stamp = build / "clang-tidy" / (name.replace("/", "_") + ".ok")
    digest = preprocessed_digest(entry, checks)
    if stamp.exists() and stamp.read_text() == digest:
        return ""
    command = [
        "clang-tidy-19",
        "-p",
        str(build),
        "--quiet",
        "--extra-arg=-Wno-unknown-warning-option",
        entry["file"],
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return result.stdout + (result.stderr if not result.stdout else "")
    stamp.write_text(digest)
    return ""


def main() -> int:
    build, jobs = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    root = pathlib.Path(__file__).resolve().parent.parent
    checks = (root / ".clang-tidy").read_bytes()
    entries = json.loads((build / "compile_commands.json").read_text())
    entries = [
        e for e in entries if pathlib.Path(e["file"]).is_relative_to(root) and "/build/" not in e["file"]
    ]
    (build / "clang-tidy").mkdir(exist_ok=True)
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for number, complaints in enumerate(pool.map(lambda e: check(e, build, root, checks), entries), 1):
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
