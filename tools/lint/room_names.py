"""Names without linkage are unique in a room, because the sanitizers' presets compile its files in groups, where two of
one name would clash. Looks at what stands at the beginning of a line inside of an anonymous namespace, which is enough
for text that clang-format has laid out. Overloads are told apart by their parameters."""

import re
import sys

from sources import report, repository, source_files

NAMESPACE = re.compile(r"^(?:inline )?namespace ([\w:]+) \{$")
TYPE = re.compile(r"^(?:struct|class|enum class) (\w+)(?: final)?(?: :[^:].*)?(?: \{.*|;)$")
CONSTANT = re.compile(r"^(?:static |thread_local |inline )*(?:const|constexpr|std::\S+) [^(=]*?\b(\w+)(?:\[\w*\])*(?: =|\{|;)")
FUNCTION = re.compile(r"^[A-Za-z_][\w:<>,*& ]*?[ *&](\w+)\(([^()]*(?:\([^()]*\)[^()]*)*)\)(?: noexcept)?(?: -> [\w:<>*& ]+)? \{")


def names_of(text):
    """Pairs of the enclosing namespaces and a name (with its parameters) of everything without linkage."""
    spaces, start, lines = [], 0, text.split("\n")
    for number, line in enumerate(lines):
        if line == "namespace {":
            spaces.append("")
        elif space := NAMESPACE.match(line):
            spaces.append(space[1])
        elif line.startswith("}  // namespace"):
            spaces.pop()
        elif "" in spaces and line and not line[0].isspace():
            where = "::".join(filter(None, spaces))
            statement = " ".join(part.strip() for part in lines[number:number + 4])
            if found := TYPE.match(line) or CONSTANT.match(line):
                yield where, found[1]
            elif found := FUNCTION.match(statement):
                types = re.sub(r"\s*\b\w+\s*(?=,|$)", "", re.sub(r"\s*=[^,]*", "", found[2]))
                yield where, f"{found[1]}({types})"


def main():
    root = repository()
    seen, mistakes = {}, []
    for path in source_files(root, {".cpp"}):
        name = path.relative_to(root)
        if name.parts[0] not in ("src", "tests") or name.parts[1] in ("kernels", "fuzz") or len(name.parts) < 3:
            continue
        for where, what in names_of(path.read_text(encoding="utf-8")):
            first = seen.setdefault((name.parts[:2], where, what), name)
            if first != name:
                mistakes.append(f"{name}: {what} is also in {first}; names without linkage are unique in a room")
    report("names in rooms", mistakes)


if __name__ == "__main__":
    sys.exit(main())
