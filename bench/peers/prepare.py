"""The environment with the peers, and the models: true shapes with random weights, made here, so that nothing is
downloaded but packages. What exists is kept; what fails half-way is made again the next time."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def has_amx():
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    return cpuinfo.exists() and "amx_int8" in cpuinfo.read_text()


def install(folder):
    """build/peers/venv by requirements.txt; llama.cpp is compiled for this processor. Returns its Python."""
    venv, wanted = folder / "venv", (HERE / "requirements.txt").read_text()
    stamp = venv / ".installed"
    python = venv / "bin/python"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    environment = {**os.environ, "CMAKE_ARGS": "-DGGML_NATIVE=ON"}
    if has_amx():  # GCC 12 drops stores before _tile_loadconfig, and llama.cpp crashes
        environment.update(CC="clang", CXX="clang++")
    subprocess.run([python, "-m", "pip", "install", "--no-binary", "llama-cpp-python", "-r", HERE / "requirements.txt"],
                   check=True, env=environment)
    stamp.write_text(wanted)
    return python


def make(path, command, log, environment=None):
    """Runs a command that makes {path}, under another name until it is whole."""
    unfinished = path.with_name("unfinished-" + path.name)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.unlink(missing_ok=True)
    print(f"making {path.name}", file=sys.stderr)
    with open(log, "ab") as handle:
        subprocess.run([str(part).replace("{path}", str(unfinished)) for part in command], check=True, stdout=handle,
                       stderr=handle, env={**os.environ, **(environment or {})})
    unfinished.rename(path)


class Models:
    def __init__(self, folder, program, python):
        self.folder, self.program, self.python = folder / "models", program, python
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "prepare.log"

    def synth(self, job, types, ending):
        layers = f"-{job.layers}-layers" if job.layers else ""
        path = self.folder / f"{job.shape}{layers}-{types}{ending}"
        if not path.exists():
            flags = ["--layers", job.layers] if job.layers else []
            make(path, [self.program, "synth", "--like", job.shape, "--type", types, *flags, "-o", "{path}"], self.log)
        return path

    def gguf(self, job):
        return self.synth(job, job.types, ".gguf")

    def of_peer(self, job, peer, export):
        """The same GGUF, or the peer's own form of the same shape."""
        if not export:
            return self.gguf(job)
        source = self.synth(job, "bf16", "")
        if peer == "transformers":
            return source
        path = self.folder / f"{job.shape}-{peer}-{export}"
        if not path.exists():
            make(path, self.export_command(peer, export, source), self.log,
                 {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"})
        return path

    def export_command(self, peer, export, source):
        if peer == "openvino":
            return [self.python.with_name("optimum-cli"), "export", "openvino", "--model", source, "--task",
                    "text-generation-with-past", "--weight-format", export, "{path}"]
        return [self.python, "-m", "onnxruntime_genai.models.builder", "-m", source, "-i", source, "-o", "{path}",
                "-p", export, "-e", "cpu", "-c", self.folder / "builder-cache",
                "--extra_options", "int4_accuracy_level=4", "int4_block_size=128"]


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def instruction_sets():
    """What decides which kernels run."""
    known = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "amx_int8", "amx_bf16", "asimddp", "i8mm", "sve")
    words = set(pathlib.Path("/proc/cpuinfo").read_text().split())
    return [name for name in known if name in words]


def our_version(program):
    version = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[1]
    commit = subprocess.run(["git", "-C", HERE, "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True)
    return f"{version} ({commit.stdout.strip()})" if commit.returncode == 0 else version


def write_json(path, value):
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.rename(path)
