"""Compiles the firmware for four kinds of chip with mpy-cross, into ``firmware/build/``.

    python firmware/build.py              # the default build: it cannot close
    python firmware/build.py --closing    # with the installer's option

``boot.py`` and ``main.py`` are copied as they are: a board runs them as text. Prints a table and ends
with 1 where a file does not compile.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE / "build"
TARGETS = {
    "armv6m": "RP2040",
    "armv7emsp": "RP2350",
    "xtensawin": "ESP32, ESP32-S3",
    "rv32imc": "ESP32-C3, RP2350 (RISC-V)",
}
AS_TEXT = ("boot.py", "main.py")


def files(closing=False):
    """Where each file of the build comes from and goes to, as package.json says."""
    package = json.loads((HERE / "package.json").read_text(encoding="utf-8"))
    found = [source for _, source in package["urls"]]
    return found + ["gatepost/closing.py"] if closing else found


def compile_for(target, closing):
    """Makes one target's folder anew; returns the bytes of its compiled files."""
    folder = BUILD / target
    shutil.rmtree(folder, ignore_errors=True)
    size = 0
    for name in files(closing):
        made = folder / name
        made.parent.mkdir(parents=True, exist_ok=True)
        if name in AS_TEXT:
            shutil.copy(HERE / name, made)
            compiler(target, HERE / name, folder / "unused.mpy")
            continue
        made = made.with_suffix(".mpy")
        compiler(target, HERE / name, made)
        size += made.stat().st_size
    (folder / "unused.mpy").unlink()
    return size


def compiler(target, source, made):
    """One file through mpy-cross. Raises CalledProcessError with its message on standard error."""
    beside = Path(sys.executable).with_name("mpy-cross")
    program = str(beside) if beside.exists() else "mpy-cross"
    name = source.relative_to(HERE).as_posix()
    subprocess.run(
        [program, f"-march={target}", "-O2", "-s", name, "-o", str(made), str(source)], check=True
    )


def main(arguments):
    closing = "--closing" in arguments
    for target, chips in TARGETS.items():
        try:
            size = compile_for(target, closing)
        except subprocess.CalledProcessError:
            print(f"{target}: does not compile", file=sys.stderr)
            return 1
        print(f"{target:10} {len(files(closing)):3} files {size:7} bytes  {chips}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
