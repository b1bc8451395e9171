"""The lines that `postern controller provision` runs on a board, run by real MicroPython.

A whole session is recorded against the fake board, then played again inside: every line must print
the same there. Only the answer to "who are you" differs, and has to be one that is understood.
"""

from __future__ import annotations

import ast

import pytest

from appliance.barrier import provision, provision_files
from appliance.barrier.provision_files import Wish
from tests.fakes.repl_board import Chip, DirectBoard
from tests.firmware.wasm.node import FIRMWARE, run

pytestmark = pytest.mark.firmware
MARK = "\x01"
START = """
import os, sys
class Os:  # a board has urandom, this MicroPython has not
    urandom = staticmethod(lambda n: bytes(n))
for name in dir(os):
    if name[0] != '_':
        setattr(Os, name, getattr(os, name))
os.mkdir('/board')
os.chdir('/board')
sys.modules['os'] = Os
"""


class Recorder(DirectBoard):
    def __init__(self, chip):
        super().__init__(chip)
        self.acts = []

    def run(self, lines):
        told = super().run(lines)
        self.acts.append((lines, told))
        return told

    def write(self, path, content, done):
        super().write(path, content, done)
        self.acts.append((f"f = open({path!r}, 'wb')\nf.write({content!r})\nf.close()", ""))


def test_a_whole_provisioning_prints_the_same_in_real_micropython(tmp_path, box):
    chip = Chip(tmp_path / "flash")
    wish = Wish(inputs=provision_files.wired("stop,fire,entry_loop"))
    first, again = Recorder(chip), Recorder(chip)
    for board in (first, again):
        provision.provision(board, wish, box, lambda *_: None)
    acts = [*first.acts, *again.acts]
    script = tmp_path / "session.py"
    parts = [f"exec({lines!r}, {{}})\nprint({MARK!r})" for lines, _ in acts]
    drop = "import sys\nfor n in list(sys.modules):\n if n.startswith(('gatepost', 'boards')):\n" \
        "  del sys.modules[n]"
    script.write_text(START + f"\n{drop}\n".join(parts), encoding="utf-8")
    said = run(script, (FIRMWARE / "sim" / "machine.py", "/lib/machine.py")).split(f"{MARK}\n")
    answers = [text.strip() for text in said][: len(acts)]
    assert len(answers) == len(acts) > 60
    for (lines, told), answer in zip(acts, answers, strict=True):
        if lines == provision._IDENTIFY:
            assert ast.literal_eval(answer)[0] == "micropython"
            assert len(ast.literal_eval(answer)) == 6
        else:
            assert answer == told, lines
