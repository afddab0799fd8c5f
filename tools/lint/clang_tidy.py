"""clang-tidy 14 over all of src, in parallel. A file that was clean is remembered in build/lint under a hash of all
that decides: its text, every header of ours that it reaches, its compile command and .clang-tidy."""

import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sources import report, repository

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def own_files(path, root, found):
    """Adds path and all files of the repository that it includes, directly or not, to found."""
    if path in found or not path.is_file():
        return found
    found.add(path)
    for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
        for base in (root / "src", root, path.parent):
            own_files(base / name, root, found)
    return found


def key_of(entry, root):
    digest = hashlib.sha256((root / ".clang-tidy").read_bytes() + entry["command"].encode())
    for path in sorted(own_files(Path(entry["file"]), root, set())):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def main():
    root, build = repository(), Path(sys.argv[2]).resolve()
    remembered = root / "build/lint"
    remembered.mkdir(parents=True, exist_ok=True)
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    source = str(root / "src") + os.sep
    entries = [entry for entry in entries if entry["file"].startswith(source) and entry["file"].endswith(".cpp")]

    def check(entry):
        name = str(Path(entry["file"]).relative_to(root))
        clean = remembered / key_of(entry, root)
        if clean.exists():
            return ""
        command = ["clang-tidy-14", "--quiet", "--extra-arg=-Wno-unknown-warning-option", "-p", str(build), entry["file"]]
        run = subprocess.run(command, cwd=root, capture_output=True, text=True)
        if run.returncode == 0:
            clean.touch()
            return ""
        return run.stdout.strip() or f"{name}: {run.stderr.strip()}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        report(f"clang-tidy ({len(entries)} files)", [text for text in pool.map(check, entries) if text])


if __name__ == "__main__":
    sys.exit(main())
