"""Every C++ file is formatted exactly as clang-format 14 writes it; other versions differ in details. Writes nothing:
`clang-format-14 -i FILE` corrects a file."""

import subprocess
import sys

from sources import CPP, report, repository, source_files


def main():
    root = repository()
    names = [str(path.relative_to(root)) for path in source_files(root, CPP)]
    run = subprocess.run(["clang-format-14", "--dry-run", "-Werror", *names], cwd=root, capture_output=True, text=True)
    wrong = sorted({line.split(":")[0] for line in run.stderr.splitlines() if "clang-format-violations" in line})
    if run.returncode != 0 and not wrong:
        sys.exit(run.stderr)
    report("formatting", [f"{name}: clang-format-14 -i would change it" for name in wrong])


if __name__ == "__main__":
    sys.exit(main())
