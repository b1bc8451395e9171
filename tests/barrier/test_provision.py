"""`postern controller provision`: a fresh board, a foreign board, a board interrupted anywhere."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import pty
import shutil
from dataclasses import replace

import pytest

from appliance import vault
from appliance.barrier import provision, provision_files
from appliance.barrier.provision_board import NotABoard, SerialBoard
from appliance.barrier.provision_files import Wish
from appliance.errors import ApplianceError, BarrierError, ConfigError, VaultError
from tests.fakes.repl_board import Chip, DirectBoard, ReplPort

FIRMWARE = {
    "boot.py": "OUTPUTS = (0, 0, 0)  # replaced\n",
    "main.py": "import gatepost.post\n",
    "boards/__init__.py": "",
    "boards/rp2.py": "def Board(settings):\n    assert settings['inputs']['stop']['pin'] < 29\n",
    "boards/esp32.py": "Board = dict\n",
    "gatepost/__init__.py": "",
    "gatepost/config.py": (
        "import json\n"
        "def load(text):\n"
        "    told = json.loads(text)\n"
        "    if told['name'] == 'refused':\n"
        "        raise ValueError('name')\n"
        "    return told\n"
    ),
    "gatepost/post.py": "# " + "x" * 5000 + "\n",
}


@pytest.fixture
def wish(tmp_path):
    source = tmp_path / "firmware"
    for name, text in FIRMWARE.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (source / "package.json").write_text(json.dumps({"urls": [[n, n] for n in FIRMWARE]}))
    return Wish(name="north gate", inputs=provision_files.wired("stop,fire"), source=source)


@pytest.fixture
def lean(wish):
    """As few files as make sense, where every act is interrupted in turn."""
    few = [[name, name] for name in FIRMWARE if not name.endswith("__init__.py")]
    (wish.source / "package.json").write_text(json.dumps({"urls": few}))
    return wish


@pytest.fixture
def chip(tmp_path):
    return Chip(tmp_path / "flash")


def _quiet(_step, _share):
    pass


def _provision(chip, wish, box, greet=None):
    board = DirectBoard(chip)
    try:
        return provision.provision(board, wish, box, _quiet, greet)
    finally:
        board.close()


def _holds_our_key(chip, box):
    return chip.settings()["key"] == vault.controller_key(box).hex()


def test_a_fresh_board_holds_firmware_settings_and_our_key(chip, wish, box):
    done = _provision(chip, wish, box)
    assert _holds_our_key(chip, box)
    for name, text in FIRMWARE.items():
        if name not in ("boards/esp32.py", "boot.py"):
            assert chip.path(name).read_text() == text
    assert chip.path("boot.py").read_text() == "OUTPUTS = (16, 17, 18)\n"
    assert not chip.path("boards/esp32.py").exists()
    settings = chip.settings()
    assert (settings["name"], settings["board"]) == ("north gate", "rp2")
    assert settings["inputs"]["stop"] == {"pin": 9, "normally": "closed"}
    assert set(settings["inputs"]) == {"stop", "fire"}
    assert (done.files, chip.restarts) == (len(FIRMWARE), 1)
    assert not chip.path("service").exists()


def test_the_key_is_kept_for_this_user_alone(chip, wish, box):
    _provision(chip, wish, box)
    files = list((box.device.state_dir / "keys").glob("controller*"))
    assert [path.name for path in files] == ["controller.key"]
    assert files[0].stat().st_mode & 0o777 == 0o600


def test_main_is_taken_away_first_and_written_last(chip, wish, box):
    _provision(chip, wish, box)
    chip.log.clear()
    _provision(chip, wish, box)
    writes = [line for line in chip.log if line.startswith("write")]
    assert writes[-1] == "write main.py.new"
    assert writes.count("write main.py.new") == 1


def test_every_run_makes_another_key(chip, wish, box):
    _provision(chip, wish, box)
    first = vault.controller_key(box)
    _provision(chip, wish, box)
    assert vault.controller_key(box) != first
    assert _holds_our_key(chip, box)


def test_a_board_keyed_by_another_box_is_left_alone_unless_taken_over(chip, wish, box):
    chip.path("gate.json").write_text(json.dumps({"key": "ab" * 32}))
    chip.path("main.py").write_text("theirs")
    with pytest.raises(provision.ForeignBoard, match="another box"):
        _provision(chip, wish, box)
    assert chip.path("main.py").read_text() == "theirs"
    assert chip.settings()["key"] == "ab" * 32
    assert not vault.has_controller_key(box)
    _provision(chip, replace(wish, take_over=True), box)
    assert _holds_our_key(chip, box)


@pytest.mark.parametrize("text", ["{", "[]", '{"key": 5}', '{"key": "zz"}'])
def test_settings_that_cannot_be_read_are_somebody_elses(chip, wish, box, text):
    chip.path("gate.json").write_text(text)
    with pytest.raises(provision.ForeignBoard, match="cannot be read"):
        _provision(chip, wish, box)


def test_a_key_that_is_promised_stays_the_same_until_the_board_confirms_it(box):
    promised = vault.promise_controller_key(box, "e661")
    assert vault.promise_controller_key(box, "e661") == promised
    assert vault.promise_controller_key(box, "0001") != promised
    vault.confirm_controller_key(box, "e661")
    assert vault.controller_key(box) == promised
    assert vault.promise_controller_key(box, "e661") != promised


@pytest.mark.parametrize("damage", ["short", "open to others"])
def test_a_controller_key_that_is_damaged_or_open_is_refused_with_what_to_do(box, damage):
    vault.keep_controller_key(box, b"k" * 32)
    path = box.device.state_dir / "keys" / "controller.key"
    if damage == "short":
        path.write_bytes(b"k")
    else:
        path.chmod(0o644)
    with pytest.raises(VaultError) as refused:
        vault.controller_key(box)
    assert refused.value.next_step
    with pytest.raises(VaultError, match="32 bytes"):
        vault.keep_controller_key(box, b"k")


def test_a_box_without_a_controller_key_says_how_to_get_one(box):
    with pytest.raises(VaultError, match="postern controller provision"):
        vault.controller_key(box)


def test_a_disk_that_takes_no_key_is_told_and_leaves_nothing_behind(box, monkeypatch):
    def full(_handle):
        raise OSError("no space")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(VaultError, match="could not be written"):
        vault.keep_controller_key(box, b"k" * 32)
    assert not list((box.device.state_dir / "keys").glob("*controller*"))


def test_a_board_whose_new_settings_are_refused_does_not_start_with_its_old_ones(chip, wish, box):
    _provision(chip, wish, box)
    with pytest.raises(BarrierError, match="does not accept"):
        _provision(chip, replace(wish, name="refused"), box)
    assert not chip.path("main.py").exists()


def test_the_key_never_crosses_the_wire_to_us(chip, wish, box, monkeypatch):
    _provision(chip, wish, box)
    secret = vault.controller_key(box).hex()
    heard = []
    run = DirectBoard.run
    monkeypatch.setattr(DirectBoard, "run", lambda s, c: heard.append(run(s, c)) or heard[-1])
    _provision(chip, wish, box)
    assert hashlib.sha256(bytes.fromhex(secret)).hexdigest() in heard
    assert not [text for text in heard if secret in text]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": (1, 23, 0, "")}, "1.23.0 is too old"),
        ({"implementation": "circuitpython"}, "circuitpython"),
        ({"kind": "unix"}, "no firmware for unix"),
    ],
)
def test_what_is_no_fitting_board_is_refused_untouched(chip, wish, box, change, says):
    for name, value in change.items():
        setattr(chip, name, value)
    with pytest.raises(NotABoard, match=says) as refused:
        _provision(chip, wish, box)
    assert refused.value.next_step
    assert not list(chip.folder.iterdir())


@pytest.mark.parametrize("said", ["", "hello", "(1, 2)"])
def test_what_does_not_answer_like_a_board_is_refused(said):
    class Odd(DirectBoard):
        def run(self, _lines):
            return said

    with pytest.raises(NotABoard, match="no MicroPython"):
        provision.identify(Odd(None))


def test_firmware_whose_first_lines_have_no_place_for_the_outputs_is_refused(chip, wish, box):
    (wish.source / "boot.py").write_text("# nothing\n")
    with pytest.raises(ConfigError, match="no place for the outputs"):
        _provision(chip, wish, box)


def test_a_board_of_the_other_kind_is_refused(chip, wish, box):
    with pytest.raises(NotABoard, match="rp2, not esp32"):
        _provision(chip, replace(wish, board="esp32"), box)


def test_settings_the_firmware_does_not_accept_never_start(chip, wish, box):
    with pytest.raises(BarrierError, match="does not accept"):
        _provision(chip, replace(wish, name="refused"), box)
    assert not chip.path("main.py").exists()
    assert not vault.has_controller_key(box)


def test_a_file_that_arrives_damaged_is_noticed(chip, wish, box, monkeypatch):
    written = DirectBoard._written

    def damaged(self, path, content, done):
        written(self, path, content[:-1] if path.startswith("gatepost/post") else content, done)

    monkeypatch.setattr(DirectBoard, "_written", damaged)
    with pytest.raises(BarrierError, match=r"gatepost/post\.py was not written whole"):
        _provision(chip, wish, box)
    assert not chip.path("main.py").exists()


def test_files_of_an_earlier_firmware_are_taken_away(chip, wish, box):
    _provision(chip, wish, box)
    chip.path("gatepost/post.mpy").write_text("old")
    chip.path("gatepost/closing.py").write_text("old")
    _provision(chip, wish, box)
    assert sorted(p.name for p in chip.path("gatepost").iterdir() if p.suffix) == [
        "__init__.py", "config.py", "post.py"]


def test_the_key_is_in_force_only_after_the_greeting(chip, wish, box):
    def refuses(_key):
        raise BarrierError("no answer")

    with pytest.raises(BarrierError, match="no answer"):
        _provision(chip, wish, box, refuses)
    assert not vault.has_controller_key(box)
    heard = []
    done = _provision(chip, wish, box, lambda key: heard.append(key) or chip.serial)
    assert heard == [vault.controller_key(box)]
    assert done.greeted


def test_a_greeting_from_another_controller_does_not_count(chip, wish, box):
    with pytest.raises(BarrierError, match="another controller"):
        _provision(chip, wish, box, lambda _: "0000000000000000")
    assert not vault.has_controller_key(box)


@pytest.mark.parametrize(
    ("after", "had_one"), [(False, False), (True, True)],
    ids=["fresh, before it acts", "keyed before, after it acted"],
)
def test_a_plug_pulled_at_any_step_is_mended_by_the_same_command(
    tmp_path, lean, box, after, had_one
):
    if had_one:
        rehearsal = Chip(tmp_path / "flash-0")
        _provision(rehearsal, lean, box)
    for number in range(1, 200):
        chip = Chip(tmp_path / f"flash-{number}")
        if had_one:
            _provision(chip, replace(lean, take_over=True), box)
            chip.acts = 0
        chip.dies_at, chip.dies_after = number, after
        try:
            _provision(chip, lean, box)
        except ApplianceError:
            chip.dies_at = None
            _provision(chip, lean, box)
        else:
            break
        assert _holds_our_key(chip, box), f"died at act {number}: {chip.log[number - 1]}"
        assert chip.path("main.py").exists() and not chip.path("service").exists()
    assert number > 20


def test_an_interrupted_board_does_not_start(tmp_path, lean, box):
    for number in range(1, 60):
        chip = Chip(tmp_path / f"flash-{number}")
        _provision(chip, replace(lean, take_over=True), box)
        chip.path("gatepost/post.py").write_text("old")
        chip.acts, chip.dies_at = 0, number
        try:
            _provision(chip, lean, box)
        except ApplianceError:
            whole = chip.path("gatepost/post.py").read_text() == FIRMWARE["gatepost/post.py"]
            mixed = any(line.startswith("write") for line in chip.log[-number:]) and not whole
            starts = chip.path("main.py").exists() and not chip.path("service").exists()
            assert not (mixed and starts)
        else:
            break


def test_names_and_inputs_are_checked_before_anything_is_written(chip, wish, box):
    for name in ("", "x" * 33, "line\nbreak"):
        with pytest.raises(ConfigError, match="1 to 32"):
            _provision(chip, replace(wish, name=name), box)
    with pytest.raises(ConfigError, match="no input 'stopp'"):
        provision_files.wired("stopp")
    assert not list(chip.folder.iterdir())


def test_an_inputs_file_says_pins_contacts_and_limits(tmp_path):
    path = tmp_path / "inputs.toml"
    path.write_text('pulse_max_ms = 1000\n[inputs.stop]\npin = 9\nnormally = "open"\n')
    inputs, limits = provision_files.read_inputs(path)
    assert inputs == {"stop": {"pin": 9, "normally": "open"}}
    assert limits == {"pulse_max_ms": 1000}


@pytest.mark.parametrize("text", ["= 5", 'key = "ab"', "inputs = 5", "[inputs.stop]\nwire = 5"])
def test_a_wrong_inputs_file_is_refused(tmp_path, text):
    path = tmp_path / "inputs.toml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        provision_files.read_inputs(path)


def test_software_without_firmware_says_so(chip, wish, box, tmp_path):
    with pytest.raises(ConfigError, match="did not come"):
        _provision(chip, replace(wish, source=tmp_path / "nowhere"), box)


REAL = provision_files.FIRMWARE


@pytest.mark.parametrize("kind", provision.BOARDS)
def test_the_firmware_itself_accepts_every_usual_wiring(chip, wish, box, kind):
    chip.kind = kind
    names = ",".join(provision_files.PINS[kind])
    _provision(chip, replace(wish, source=REAL, inputs=provision_files.wired(names)), box)
    assert set(chip.settings()["inputs"]) == set(provision_files.PINS[kind])
    assert chip.path("gatepost/safety.py").read_bytes() == (
        REAL / "gatepost" / "safety.py").read_bytes()


@pytest.mark.parametrize("kind", provision.BOARDS)
def test_our_table_of_usual_pins_is_the_firmwares(chip, kind):
    lines = f"from gatepost.config import DEFAULT_PINS as p, DEFAULT_INPUTS as i\n" \
        f"print((p['{kind}'], i['{kind}']))"
    shutil.copytree(REAL / "gatepost", chip.path("gatepost"))
    outputs, inputs = ast.literal_eval(chip.execute(lines)[0])
    assert provision_files.OUTPUTS[kind] == tuple(
        outputs[name] for name in ("opening", "closing", "lamp"))
    assert {name: provision_files.PINS[kind][name] for name in inputs} == inputs


def test_an_input_without_a_usual_pin_wants_one(chip, wish, box):
    chip.kind = "esp32"
    with pytest.raises(ConfigError, match="tamper has no usual pin"):
        _provision(chip, replace(wish, inputs=provision_files.wired("tamper")), box)
    _provision(chip, replace(wish, inputs={"tamper": {"pin": 33}}), box)
    assert chip.settings()["inputs"]["tamper"] == {"pin": 33, "normally": "closed"}


def test_a_pin_the_board_cannot_use_never_starts(chip, wish, box):
    pin = {"stop": {"pin": 29}}
    with pytest.raises(BarrierError, match="does not accept"):
        _provision(chip, replace(wish, source=REAL, inputs=pin), box)
    assert not chip.path("main.py").exists()


def test_other_output_pins_stand_in_the_first_line_that_runs(chip, wish, box):
    _provision(chip, replace(wish, limits={"pins": {"opening": 20}}), box)
    assert chip.path("boot.py").read_text() == "OUTPUTS = (20, 17, 18)\n"


def test_the_closing_option_is_brought_only_by_the_settings_that_enable_it(chip, wish, box):
    _provision(chip, replace(wish, source=REAL), box)
    assert not chip.path("gatepost/closing.py").exists()
    _provision(chip, replace(wish, source=REAL, limits={"closing": True}), box)
    assert chip.path("gatepost/closing.py").exists()


def test_compiled_files_take_the_place_of_the_sources(chip, wish, box):
    with pytest.raises(ConfigError, match="compiled firmware is not here"):
        _provision(chip, replace(wish, mpy=True), box)
    build = wish.source / "build" / "armv6m"
    for name in FIRMWARE:
        path = build / (name if name in ("boot.py", "main.py") else f"{name[:-3]}.mpy")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FIRMWARE[name])
    files = provision_files.firmware(replace(wish, mpy=True), "rp2", "armv6m")
    assert {"gatepost/post.mpy", "boards/rp2.mpy", "boot.py", "main.py"} <= set(files)
    assert not [name for name in files if name.startswith("gatepost") and name.endswith(".py")]


def test_a_board_in_service_is_restarted_out_of_it_before_it_is_touched(chip, wish, box):
    _provision(chip, wish, box)
    chip.log.clear()
    _provision(chip, wish, box)
    assert chip.log.index("restart") < min(
        n for n, line in enumerate(chip.log) if line.startswith("write"))
    assert chip.restarts == 3


def test_a_foreign_board_goes_back_to_its_work(chip, wish, box):
    chip.path("gate.json").write_text(json.dumps({"key": "ab" * 32}))
    with pytest.raises(provision.ForeignBoard):
        _provision(chip, wish, box)
    assert chip.restarts == 1
    assert not chip.path("service").exists()


def test_the_firmware_itself_refuses_a_wrong_number_before_it_starts(chip, wish, box):
    wrong = replace(wish, source=REAL, limits={"pulse_max_ms": 9000})
    with pytest.raises(BarrierError, match="does not accept"):
        _provision(chip, wrong, box)
    assert not chip.path("main.py").exists()


# The same over a serial port, with mpremote's own transport


def test_over_a_serial_port_a_fresh_board_is_keyed(chip, wish, box):
    with ReplPort(chip) as port:
        board = SerialBoard(port)
        done = provision.provision(board, wish, box, _quiet)
        board.close()
    assert _holds_our_key(chip, box)
    assert (done.found.kind, done.found.serial) == ("rp2", chip.serial)


def test_over_a_serial_port_a_board_in_service_is_restarted_and_found_again(
    chip, lean, box, monkeypatch
):
    monkeypatch.setattr("appliance.barrier.provision_board._PAUSE_S", 0.01)
    _provision(chip, lean, box)
    with ReplPort(chip) as port:
        provision.provision(SerialBoard(port), lean, box, _quiet)
    assert _holds_our_key(chip, box)
    assert chip.restarts == 3


def test_over_a_serial_port_a_board_that_does_not_come_back_is_told(chip, monkeypatch):
    monkeypatch.setattr("appliance.barrier.provision_board._PAUSE_S", 0.01)
    monkeypatch.setattr("appliance.barrier.provision_board._RESTART_S", 0.05)
    with ReplPort(chip) as port:
        board = SerialBoard(port)
        board._port = "nowhere"
        with pytest.raises(NotABoard, match="cannot be opened"):
            board.restart_into_prompt()


def test_over_a_serial_port_an_error_on_the_board_is_one_word(chip):
    with ReplPort(chip) as port:
        board = SerialBoard(port)
        with pytest.raises(BarrierError, match="ValueError") as told:
            board.run("raise ValueError('5ecret')")
        assert "5ecret" not in str(told.value)
        board.close()


def test_over_a_serial_port_a_pulled_plug_is_told_and_mended(chip, wish, box):
    chip.dies_at = 40
    with ReplPort(chip) as port, pytest.raises(NotABoard, match="went away"):
        provision.provision(SerialBoard(port), wish, box, _quiet)
    chip.dies_at = None
    with ReplPort(chip) as port:
        provision.provision(SerialBoard(port), wish, box, _quiet)
    assert _holds_our_key(chip, box)


def test_a_port_that_is_not_there_or_silent_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("appliance.barrier.provision_board.ANSWER_S", 0.2)
    with pytest.raises(NotABoard, match="cannot be opened"):
        SerialBoard(str(tmp_path / "none"))
    master, slave = pty.openpty()
    with pytest.raises(NotABoard, match="no MicroPython answers"):
        SerialBoard(os.ttyname(slave))
    os.close(slave)
    os.close(master)
    assert capsys.readouterr().out == ""
