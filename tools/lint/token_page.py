"""docs/token.md leads a reader through at most ten files: they must all exist, and so must every other file of the
repository that a page links to."""

import re
import sys

from sources import report, repository

MAX_STATIONS = 10
STATION = re.compile(r"^\d+\. \[`([^`]+)`\]", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")


def main():
    root = repository()
    mistakes = []
    for page in [*root.glob("*.md"), *root.glob("docs/*.md"), *root.glob("pocket/*/*.md")]:
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            if not (page.parent / link).exists():
                mistakes.append(f"{page.relative_to(root)}: no such file: {link}")
    stations = STATION.findall((root / "docs/token.md").read_text(encoding="utf-8"))
    if not 1 <= len(stations) <= MAX_STATIONS:
        mistakes.append(f"docs/token.md: {len(stations)} stations; wanted 1 to {MAX_STATIONS}")
    mistakes += (f"docs/token.md: no such file: {name}" for name in stations if not (root / name).is_file())
    report("pages", mistakes)


if __name__ == "__main__":
    sys.exit(main())
