"""One pass of the superloop, the faults, and the files that go onto a board."""

from __future__ import annotations

import ast
import json
import re

import pytest
from gatepost import VERSION, __version__, codes, config

from tests.firmware.conftest import FIRMWARE
from tests.firmware.rig import Bench, Host

PURE = sorted((FIRMWARE / "gatepost").glob("*.py"))
ON_BOARD = [*PURE, *sorted((FIRMWARE / "boards").glob("*.py")), FIRMWARE / "boot.py",
            FIRMWARE / "main.py"]


# The pass


def test_a_pass_reads_before_it_writes_and_feeds_the_watchdog_last(bench, host):
    bench.board.steps.clear()
    host.ping()
    assert bench.board.steps == ["ticks", "read_inputs", "read", "write_outputs", "write", "feed"]


@pytest.mark.parametrize("broken", ["ticks", "read_inputs", "read", "write_outputs", "write"])
def test_a_pass_that_fails_feeds_no_watchdog(bench, host, broken, monkeypatch):
    def fails(*_: object) -> None:
        raise OSError(broken)

    monkeypatch.setattr(bench.board, broken, fails)
    fed = bench.board.fed
    with pytest.raises(OSError, match=broken):
        host.ping()
    assert bench.board.fed == fed


def test_an_order_and_its_contact_are_one_pass(bench, host):
    until = host.ping()["session_ms"] + 1000
    at = bench.board.passed
    host.open("a", until=until)
    assert bench.board.history[-1] == (at + 5, codes.OPENING | codes.LAMP)


def test_the_status_tells_the_inputs_and_the_time_since_the_start(bench, host):
    bench.press("entry_loop")
    bench.turn("photocell", True)
    bench.run(50)
    status = host.ping()
    assert status["inputs"] == codes.PHOTOCELL
    assert status["known"] == 0xFFF
    assert (status["entry_count"], status["safety_count"], status["photo_count"]) == (1, 0, 1)
    assert status["boot_ms"] == bench.board.passed


def test_tamper_is_told(bench, host):
    bench.press("tamper")
    assert host.keep_all() == [(codes.TAMPER_ON, 0), (codes.TAMPER_OFF, 0)]


def test_a_long_pulse_over_the_wrap_of_the_clock_is_as_long_as_any():
    bench = Bench()
    host = Host(bench)
    bench.board.now = 2**30 - 3050
    bench.post = type(bench.post)(bench.settings, bench.board)
    bench.wake()
    host.greet()
    assert host.open("a", 1500)[0] == "DONE"
    bench.run(3000)
    assert bench.board.now < 10_000
    assert bench.pulses() == [1500]


# Faults


def _faults(host: Host) -> set[int]:
    mask = host.ping()["faults"]
    return {number for number in range(10) if mask >> number & 1}


def test_an_arm_that_does_not_leave_its_limit_is_told_until_it_moves(bench, host):
    bench.turn("limit_closed", True)
    bench.run(100)
    host.open("a")
    bench.run(2900)
    assert _faults(host) == set()
    bench.run(200)
    assert _faults(host) == {codes.NOT_MOVED}
    bench.turn("limit_closed", False)
    bench.run(100)
    assert _faults(host) == set()
    assert [e for e in host.keep_all() if e[0] in (codes.FAULT_ON, codes.FAULT_OFF)] == [
        (codes.FAULT_ON, codes.NOT_MOVED), (codes.FAULT_OFF, codes.NOT_MOVED)
    ]


def test_an_arm_that_left_its_limit_in_time_has_moved(bench, host):
    bench.turn("limit_closed", True)
    bench.run(100)
    host.open("a")
    bench.run(2000)
    bench.turn("limit_closed", False)
    bench.run(500)
    bench.turn("limit_closed", True)
    bench.run(5000)
    assert _faults(host) == set()


def test_an_arm_that_stop_holds_is_not_called_stuck(bench, host):
    bench.turn("limit_closed", True)
    bench.run(100)
    host.open("a")
    bench.run(100)
    bench.turn("stop", True)
    bench.run(5000)
    assert _faults(host) == set()


def test_both_limits_for_a_second_are_a_fault(bench, host):
    bench.turn("limit_closed", True)
    bench.turn("limit_open", True)
    bench.run(1000)
    assert _faults(host) == set()
    bench.run(100)
    assert _faults(host) == {codes.LIMITS}
    bench.turn("limit_open", False)
    bench.run(100)
    assert _faults(host) == set()


def test_a_relay_that_does_not_follow_is_told_within_300_ms(bench, host):
    bench.relay_follows = False
    host.open("a", 1500)
    bench.run(190)
    assert _faults(host) == set()
    bench.run(100)
    assert _faults(host) == {codes.RELAY}


def test_the_cabinet_and_stuck_inputs_are_told(bench, host):
    bench.turn("cabinet_fault", True)
    bench.turn("hand_button", True)
    bench.turn("exit_request", True)
    bench.run(60_200, every=50)
    assert _faults(host) == {codes.CABINET, codes.STUCK_BUTTON, codes.STUCK_EXIT}


def test_the_settings_fault_is_told_from_the_start():
    bench = Bench(config.fallback())
    bench.wake()
    assert bench.post.faults.mask == 1 << codes.SETTINGS


# What goes onto a board


def test_the_version_is_the_same_everywhere():
    package = json.loads((FIRMWARE / "package.json").read_text(encoding="utf-8"))
    manifest = (FIRMWARE / "manifest.py").read_text(encoding="utf-8")
    assert package["version"] == __version__ == ".".join(str(n) for n in VERSION)
    assert f'version="{__version__}"' in manifest


def test_manifest_and_package_hold_the_same_files_and_no_closing():
    package = json.loads((FIRMWARE / "package.json").read_text(encoding="utf-8"))
    sources = {source for _, source in package["urls"]}
    usual = (FIRMWARE / "manifest.py").read_text(encoding="utf-8").replace(
        'if options.closing:\n    package("gatepost", files=("closing.py",))\n', ""
    )
    named = set()
    for call in ast.walk(ast.parse(usual)):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "package":
            folder = ast.literal_eval(call.args[0])
            named |= {f"{folder}/{n}" for n in ast.literal_eval(call.keywords[0].value)}
        elif isinstance(call, ast.Call) and getattr(call.func, "id", "") == "module":
            named.add(ast.literal_eval(call.args[0]))
    assert named == sources
    assert "gatepost/closing.py" not in sources
    on_disk = {p.relative_to(FIRMWARE).as_posix() for p in ON_BOARD}
    assert on_disk - sources == {"gatepost/closing.py"}
    assert all((FIRMWARE / name).is_file() for name in sources)


def test_no_default_file_but_post_can_reach_the_closing_option():
    for path in PURE:
        text = path.read_text(encoding="utf-8")
        if path.name not in ("closing.py", "post.py"):
            assert "gatepost.closing" not in text, path.name


@pytest.mark.parametrize("path", PURE, ids=lambda p: p.name)
def test_a_pure_module_touches_no_board_and_asks_no_clock(path):
    allowed = {"binascii", "hashlib", "json", "micropython", "struct"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {name.name for name in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom):
            assert node.module == "gatepost" or node.module == "micropython" or str(
                node.module).startswith("gatepost.")


@pytest.mark.parametrize("path", ON_BOARD, ids=lambda p: p.name)
def test_a_module_on_the_board_is_readable_and_plain(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert text.count("\n") <= 400
    assert path.name == "boot.py" or ast.get_docstring(tree)
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Match | ast.AsyncFunctionDef | ast.AnnAssign)
        assert not (isinstance(node, ast.arguments) and node.posonlyargs)


def test_boot_switches_the_outputs_off_before_any_other_import():
    body = ast.parse((FIRMWARE / "boot.py").read_text(encoding="utf-8")).body
    assert ast.unparse(body[0]) == "from machine import Pin"
    imports = [n for n in body if isinstance(n, ast.Import | ast.ImportFrom)]
    assert len(imports) == 1
    main = ast.parse((FIRMWARE / "main.py").read_text(encoding="utf-8")).body
    assert ast.unparse(main[1]) == "from boot import OUTPUTS"


def test_the_rules_in_the_docstring_are_numbered_without_a_hole():
    doc = ast.get_docstring(ast.parse((FIRMWARE / "gatepost/safety.py").read_text("utf-8"))) or ""
    numbers = [int(n) for n in re.findall(r"^ ?(\d+)\. [A-Z]+ ", doc, re.M)]
    assert numbers == list(range(1, 19))
