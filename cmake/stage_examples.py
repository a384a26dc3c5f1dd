"""Puts the C++ examples of a library's pages and public headers into one source, so that the build compiles them.

    stage_examples.py STAGE OUTPUT FILE...

An example is a ```cpp block of a page (*.md), or in a header an indented paragraph of a /// comment with a
semicolon in it. STAGE is a source that declares what the examples take for granted; its line `// example: NAME`
stands for the next example of the FILE whose path ends in NAME. Folders among the files stand for the headers below
them. Every example has to be on the stage. `...` is what an example leaves out: it is dropped, and so it must stand
where nothing may. #include lines of pages move to the top. Errors of the compiler name the page or the header.
"""

import pathlib
import re
import sys

from extract_snippets import blocks_of

ELLIPSIS = re.compile(r"(?<![\w>)&.])\.\.\.(?!\w)")
MARK = re.compile(r"\s*// example: (\S+)")


def examples_of_page(text):
    for kind, first, lines in blocks_of(text):
        if kind != "part":
            yield first, lines


def examples_of_header(text):
    """Indented paragraphs, as Markdown has them: after an empty line, four spaces deep."""
    first, lines, may_begin = 0, [], False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        comment = re.match(r"\s*///( ?)(.*)", line)
        said = comment[2] if comment else ""
        if said.startswith("    ") and (lines or may_begin):
            first = first or number
            lines.append(said[4:])
            continue
        if any(";" in code for code in lines):
            yield first, lines
        first, lines, may_begin = 0, [], comment is not None and not said.strip()


def examples_of(file):
    text = file.read_text(encoding="utf-8")
    return list(examples_of_page(text) if file.suffix == ".md" else examples_of_header(text))


def fill(stage, examples):
    """The stage's lines with the examples in their places, the pages' #include lines apart."""
    includes, out = [], []
    for number, line in enumerate(stage.read_text(encoding="utf-8").splitlines(), 1):
        mark = MARK.fullmatch(line)
        if not mark:
            out.append(line)
            continue
        file = next(
            (file for file in examples if f"/{file}".endswith(f"/{mark[1]}") and examples[file]), None
        )
        if file is None:
            raise ValueError(f"{stage}:{number}: there is no such example any more: {mark[1]}")
        first, lines = examples[file].pop(0)
        includes += [line for line in lines if line.startswith("#include")]
        out += [f'#line {first} "{file}"']
        out += ["" if line.startswith("#include") else ELLIPSIS.sub("", line) for line in lines]
        out += [f'#line {number + 1} "{stage}"']
    for file, left in examples.items():
        for first, _ in left:
            raise ValueError(f"{file}:{first}: this example isn't compiled: give it its place in {stage}")
    return [*dict.fromkeys(includes), f'#line 1 "{stage}"', *out]


def main():
    stage, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    named = [pathlib.Path(name) for name in sys.argv[3:]]
    folders = [
        folder for name in named if name.is_dir() for folder in [name, *name.rglob("*/")] if folder.is_dir()
    ]
    headers = [header for name in named if name.is_dir() for header in name.rglob("*.hpp")]
    files = sorted([*headers, *(name for name in named if name.is_file())])
    try:
        lines = fill(stage, {file: found for file in files if (found := examples_of(file))})
    except ValueError as error:
        sys.exit(str(error))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        "\n".join([f"// Made from {stage}; don't change it here.", *lines]) + "\n", encoding="utf-8"
    )
    # A folder changes when a header is added to it.
    sources = " ".join(str(file.absolute()) for file in [*files, *folders])
    output.with_suffix(".d").write_text(f"{output}: {sources}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
