"""Rooms of src/ include only rooms on lower levels; neighbours on a level never include each other. Since every
edge goes strictly downwards, a cycle between rooms cannot exist; cycles between files of one room are looked for."""

import re
import sys

from sources import CPP, report, repository, source_files

LEVELS = (
    ("base",),
    ("tensor", "text", "media", "security"),
    ("kernels",),
    ("models",),
    ("runtime",),
    ("services",),
    ("server", "capi", "connect"),
    ("cli",),  # the program
    ("serve",),  # the server's program: the flags of cli, the doors of server
)
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def cycle_from(name, graph, path, done):
    """The first cycle of includes reachable from name, as a list of names; empty when there is none."""
    if name in path:
        return path[path.index(name):] + [name]
    if name in done:
        return []
    for included in graph.get(name, ()):
        if cycle := cycle_from(included, graph, path + [name], done):
            return cycle
    done.add(name)
    return []


def main():
    source = repository() / "src"
    mistakes, graph = [], {}
    for path in source_files(repository(), CPP):
        if not path.is_relative_to(source):
            continue
        name = path.relative_to(source)
        room = name.parts[0]
        if len(name.parts) < 2 or room not in LEVEL:
            mistakes.append(f"src/{name}: not in a room that the design knows")
            continue
        graph[str(name)] = INCLUDE.findall(path.read_text(encoding="utf-8"))
        for included in graph[str(name)]:
            other = included.split("/")[0]
            if other in LEVEL and other != room and LEVEL[other] >= LEVEL[room]:
                mistakes.append(f"src/{name}: level {LEVEL[room]} ({room}) includes level {LEVEL[other]}: {included}")
            elif other not in LEVEL and other != "pocket" and "/" not in included:
                mistakes.append(f'src/{name}: "{included}" should be written from src/: "{room}/{included}"')
    done = set()
    for name in graph:
        if cycle := cycle_from(name, graph, [], done):
            mistakes.append("includes in a circle: " + " -> ".join(cycle))
    report("include direction", mistakes)


if __name__ == "__main__":
    sys.exit(main())
