"""The files that the checks look at: all hand-written source of the repository, found without git because a bare
system has none. Data (grammars, goldens, corpora, model files) and build output are not source."""

import sys
from pathlib import Path

FOLDERS = ("src", "include", "tests", "bench", "pocket", "tools", "bindings", "web", ".ci")
CPP = {".cpp", ".h"}
SOURCE = CPP | {".S", ".py", ".sh", ".cmake", ".ts", ".tsx", ".mjs", ".css"}
NAMES = {"inkstone", "CMakeLists.txt", "run"}
DATA = {"corpus", "__pycache__", "node_modules", "dist"}


def repository() -> Path:
    """The repository named on the command line."""
    return Path(sys.argv[1]).resolve()


def source_files(root: Path, suffixes: set[str] = SOURCE) -> list[Path]:
    """Source files below root with one of the suffixes, sorted; with all suffixes also the named scripts."""
    found = [path for path in root.glob("*") if path.is_file()]
    for folder in FOLDERS:
        found += (path for path in (root / folder).rglob("*") if path.is_file())
    wanted = []
    for path in found:
        if path.suffix not in suffixes and not (suffixes is SOURCE and path.name in NAMES):
            continue
        if not DATA & set(path.relative_to(root).parts):
            wanted.append(path)
    return sorted(wanted)


def report(check: str, mistakes: list[str]) -> None:
    """Prints the mistakes and ends the check: exit code 1 when there are any."""
    for mistake in mistakes:
        print(mistake)
    print(f"{check}: {'clean' if not mistakes else f'{len(mistakes)} mistakes'}")
    sys.exit(1 if mistakes else 0)
