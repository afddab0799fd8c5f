"""Rules that a file can be checked for by itself: its length, its first lines, and marks that the design forbids."""

import os
import re
import sys

from sources import CPP, report, repository, source_files

MAX_LINES = 800
MAX_HEADER_LINES = 200  # the aim is 150; a face that outgrows even this is two subjects
FORBIDDEN_MARK = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")  # split, or this line would find itself
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "misc"}
USING = re.compile(r"^using [\w:]*::(\w+);$", re.MULTILINE)
COMMENT_STARTS = ("//", "/*", "#", '"""')


def mistakes_in(name, text, is_executable):
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        yield f"{len(lines)} lines; at most {MAX_LINES}: split it where the second subject begins"
    if name.parts[0] == "src" and name.suffix == ".h" and len(lines) > MAX_HEADER_LINES:
        yield f"a header of {len(lines)} lines; at most {MAX_HEADER_LINES}"
    if not text.lstrip().startswith(COMMENT_STARTS):
        yield "does not open with a comment that says what it is"
    if text.startswith("#!") != is_executable:
        yield "executable without a #! line" if is_executable else "a #! line, but not executable: chmod +x"
    if name.suffix == ".h" and "#pragma once" not in text:
        yield "a header without #pragma once"
    if name.suffix in CPP and "using namespace std;" in text:
        yield "using namespace std"
    for used in USING.findall(text) if name.suffix == ".cpp" else ():  # clang-tidy reads files in groups and passes it over
        if len(re.findall(rf"\b{used}\b", text)) < 2:
            yield f"using {used}, and nothing does"
    if FORBIDDEN_NAMES & {part.split(".")[0] for part in name.parts}:
        yield "a name that says nothing; call it after its subject"
    for number, line in enumerate(lines, 1):
        if mark := FORBIDDEN_MARK.search(line):
            yield f"line {number}: {mark[0]}: open an issue, or do it"
        if line != line.rstrip():
            yield f"line {number}: spaces at the end"


def main():
    mistakes = []
    for path in source_files(repository()):
        name = path.relative_to(repository())
        text = path.read_text(encoding="utf-8")
        mistakes += (f"{name}: {mistake}" for mistake in mistakes_in(name, text, os.access(path, os.X_OK)))
    report("sizes and marks", mistakes)


if __name__ == "__main__":
    sys.exit(main())
