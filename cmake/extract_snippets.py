"""Turns the C++ blocks of a Markdown page into one source that the build compiles, so that no page goes stale.

A block opened by ```cpp stands at namespace scope, in order, after the blocks above it. One opened by ```cpp body
is put into a function. The comment <!-- new part --> lets the page begin anew: what follows may define the same
names again. #include lines move to the top. Errors of the compiler name the page and its line.
"""

import pathlib
import re
import sys

PREAMBLE = """// Made from {page}; don't change it here.
#include <sinew/circuits.hpp>
#include <sinew/otp.hpp>
#include <sinew/otp/gtest.hpp>
#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>
"""


def blocks_of(text):
    """Yields (kind, first line number, lines): kind is "cpp", "body" or "part"."""
    kind, first, lines = None, 0, []
    for number, line in enumerate(text.splitlines(), 1):
        if kind is None and line.strip() == "<!-- new part -->":
            yield "part", number, []
        elif kind is None and (fence := re.fullmatch(r"```(\w*)\s*(\w*)", line)):
            is_cpp = fence[1] == "cpp"
            if is_cpp and fence[2] not in ("", "body"):
                raise ValueError(f"line {number}: unknown kind of block: {fence[2]}")
            kind, first, lines = (fence[2] or "cpp") if is_cpp else "other", number + 1, []
        elif kind is not None and line == "```":
            if kind != "other":
                yield kind, first, lines
            kind = None
        elif kind is not None:
            lines.append(line)
    if kind is not None:
        raise ValueError(f"line {first - 1}: this block has no end")


def source_of(page, text):
    includes, out, part, bodies = [], [], 1, 0
    name = re.sub(r"\W", "_", page.stem)
    opening = "namespace docs_{}_{} {{\nusing namespace std::chrono_literals;"
    out.append(opening.format(name, part))
    for kind, first, lines in blocks_of(text):
        if kind == "part":
            part += 1
            out += ["}", opening.format(name, part)]
            continue
        includes += [line for line in lines if line.startswith("#include")]
        code = ["" if line.startswith("#include") else line for line in lines]
        location = f'#line {first} "{page}"'
        if kind == "body":
            bodies += 1
            out += [f"[[maybe_unused]] void snippet_{bodies}() {{", location, *code, "}"]
        else:
            out += [location, *code]
    out.append("}")
    return PREAMBLE.format(page=page) + "\n".join([*dict.fromkeys(includes), *out]) + "\n"


def main():
    page, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    try:
        source = source_of(page, page.read_text(encoding="utf-8"))
    except ValueError as error:
        sys.exit(f"{page}: {error}")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(source, encoding="utf-8")


if __name__ == "__main__":
    main()
