"""clang-tidy 14 over all of src, in parallel. Nearly all of its time goes into the large headers, so it reads up to
sixteen files of a room at once, as one that includes them; where it finds something, or such a group does not compile,
it reads the files one by one, and only what it says then counts. A group that was clean is remembered in build/lint
under a hash of all that decides: its files, every header of ours that they reach, the command and .clang-tidy."""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sources import report, repository

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
GROUP = 16


def own_files(path, root, found):
    """Adds path and all files of the repository that it includes, directly or not, to found."""
    if path in found or not path.is_file():
        return found
    found.add(path)
    for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
        for base in (root / "src", root, path.parent):
            own_files(base / name, root, found)
    return found


def key_of(files, flags, root):
    digest = hashlib.sha256((root / ".clang-tidy").read_bytes() + "\n".join([*map(str, files), *flags]).encode())
    reached = set()
    for file in files:
        own_files(file, root, reached)
    for path in sorted(reached):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def flags_of(entry):
    """The flags of a compile command, without the compiler, the file and what is written."""
    words = shlex.split(entry["command"])[1:]
    return tuple(word for word, before in zip(words, ["", *words]) if word not in ("-o", "-c", entry["file"]) and before != "-o")


def groups_of(entries, root):
    """Lists of files of one room with the same flags."""
    alike = {}
    for entry in entries:
        file = Path(entry["file"])
        room = file.relative_to(root / "src").parts[0]
        alike.setdefault((room, flags_of(entry)), []).append(file)
    for (_, flags), files in sorted(alike.items()):
        files.sort()
        for start in range(0, len(files), GROUP):
            yield files[start:start + GROUP], flags


def run(file, flags, root):
    command = ["clang-tidy-14", "--quiet", "--extra-arg=-Wno-unknown-warning-option", str(file), "--", *flags]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


def main():
    root, build = repository(), Path(sys.argv[2]).resolve()
    remembered = root / "build/lint"
    (remembered / "groups").mkdir(parents=True, exist_ok=True)
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    source = str(root / "src") + os.sep
    entries = [entry for entry in entries if entry["file"].startswith(source) and entry["file"].endswith(".cpp")]

    def check(group):
        files, flags = group
        key = key_of(files, flags, root)
        if (remembered / key).exists():
            return ""
        joined = remembered / "groups" / f"{key}.cpp"
        joined.write_text("".join(f'#include "{file}"  // NOLINT\n' for file in files), encoding="utf-8")
        texts = []
        if run(joined, flags, root).returncode != 0:
            results = [(file, run(file, flags, root)) for file in files]
            texts = [result.stdout.strip() or f"{file}: {result.stderr.strip()}"
                     for file, result in results if result.returncode != 0]
        joined.unlink()
        if not texts:
            (remembered / key).touch()
        return "\n".join(texts)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(check, groups_of(entries, root))
        report(f"clang-tidy ({len(entries)} files)", [text for text in found if text])


if __name__ == "__main__":
    sys.exit(main())
