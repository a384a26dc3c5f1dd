"""Doxygen's view of a header: writes out what the house's way of documenting leaves unsaid.

A /// comment covers the lines below it up to an empty one, so each of these declarations gets it. The class that a file is
about is documented at the top of the file. Members that mean the same everywhere (moves, comparisons, handlers of a
message that is documented itself) get a standard sentence. Line numbers stay as they are.
"""

import re
import sys

CONVENTIONS = [
    (r"~\w+\(", "Ends what it owns."),
    (r"(\w+)\(\1&&( \w+)?\)|[\w:<>]+& operator=\([\w:<>]+&& \w+\)", "Moves; the other is empty afterwards."),
    (r"(\w+)\(\1 const& \w+\)|[\w:<>]+& operator=\([\w:<>]+ (const& )?\w+\)", "Copies."),
    (r"\w+\((\w*Options|Supervisor) \w+\)", "Made with these options."),
    (r"\w+\(\) *(=|;|$)", "Empty, or with default values."),
    (r".*operator bool\(\)", "Whether it holds something."),
    (r".*operator(==|<=>)\(", "Compares member by member."),
    (r"using Reply =", "What the answer is."),
    (r"using Options =", "What it is made with."),
    (r"using (Value|Row|Entry) =", "What it gives; see the class."),
    (r"(struct|class) Options\b", "What it is made with."),
    (r"using ServerType =", "The class that it reaches."),
    (r"using Is\w+ =", "Marks the class for the runtime."),
    (r".*\bhandle_(call|cast|info|event)\(", "A handler; see the message."),
    (r".*\binit\(\)", "Runs when the process starts."),
    (r".*\bterminate\(", "Runs when it ends in order, or fails."),
    (r".*\)[^;]*\boverride\b", "See the base class."),
    (r".*\bawait_(ready|suspend|resume)\(|.*operator co_await\(", "For the compiler's coroutines."),
]
# What may stand before the part that tells a declaration apart.
SPECIFIERS = re.compile(
    r"(\[\[[^]]*(\([^)]*\))?[^]]*\]\]|static|constexpr|explicit|virtual|friend|inline|template<[^>]*>) +"
)
NO_DECLARATION = re.compile(
    r"[}{:,)#]|//|(public|private|protected|return|namespace|else|if|for|TRY|friend class)\b"
)


class Filter:
    """Goes through a file once, line by line."""

    def __init__(self, lines):
        self.lines = lines
        self.about = self.text_at_the_top()
        self.cover = None  # The comment of this paragraph, and how far its declarations are indented.
        self.pending = []  # A comment whose declaration comes next.
        self.previous = ";"  # The last line of code.

    def text_at_the_top(self):
        header = []
        for line in self.lines:
            if not line.startswith("///") or not line[3:].strip():
                break
            header.append(line[3:].strip())
        return " ".join(header)

    def run(self):
        in_header = True
        for number, line in enumerate(self.lines):
            code = line.strip()
            in_header = in_header and code.startswith("///")
            if not code:
                self.cover, self.pending = None, []
            elif code.startswith("///"):
                if not in_header:
                    self.pending.append(code[3:].strip())
            else:
                line = self.with_comment(line, code, self.declared_at(number))
                self.previous = code
            if code.startswith("///") and "`" not in code:
                line = re.sub(r"<(\w)>", r"&lt;\1&gt;", line)  # Else <S> is a tag.
            print(line)

    def declared_at(self, number):
        """What a line declares: for the head of a template, what comes below it."""
        while self.lines[number].strip().startswith(("template<", "requires")) and number + 1 < len(
            self.lines
        ):
            number += 1
        return self.lines[number].strip()

    def with_comment(self, line, code, declared):
        if code.startswith("}"):
            self.cover = None
        indent = len(line) - len(line.lstrip())
        is_class = re.match(r"(class|struct|enum class) \w+[^;]*$", declared) is not None
        if self.pending:
            if not code.startswith(("template<", "requires")):
                self.cover, self.pending = (" ".join(self.pending), indent), []
            if is_class and indent == 0:
                self.about = ""
            return line
        if NO_DECLARATION.match(code) or not self.previous.endswith((";", "{", "}", ":")):
            return line
        text = self.convention(declared)
        if is_class and indent == 0 and self.about:
            text, self.about = self.about, ""
        elif self.cover and self.cover[1] == indent:
            text = text or self.cover[0]
        return f"{line[:indent]}/** {text.replace('<', chr(92) + '<')} */ {line[indent:]}" if text else line

    @staticmethod
    def convention(code):
        while specifier := SPECIFIERS.match(code):
            code = code[specifier.end() :]
        return next((text for pattern, text in CONVENTIONS if re.match(pattern, code)), None)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        source = file.read().splitlines()
    if sys.argv[1].endswith(".hpp"):
        Filter(source).run()
    else:
        print("\n".join(source))
