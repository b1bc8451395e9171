"""`postern controller`, as an installer calls it."""

from __future__ import annotations

import functools
import io
import json

import pytest

from appliance import ipc, vault
from appliance.__main__ import main
from appliance.barrier.commissioning import How, Look, Result, Trial, look, silence
from appliance.barrier.commissioning_steps import STEPS, step
from appliance.barrier.drivers import pico
from appliance.barrier.provision_files import Wish
from appliance.commands import controller, controller_selftest
from appliance.commands.controller_selftest import Ended, Hands, sheet, walk, whole
from appliance.errors import LinkLost, OrderRefused
from tests.barrier.test_commissioning import LOST, PROOFS, answer, seen
from tests.fakes.barrier import Time
from tests.fakes.repl_board import Chip, ReplPort
from tests.fakes.wire_board import Cable
from tests.fakes.wire_post import WirePost


@pytest.fixture
def settings(box):
    path = box.device.state_dir / "postern.toml"
    path.write_text(f'[device]\nstate_dir = "{box.device.state_dir}"\n'
                    f'run_dir = "{box.device.run_dir}"\n')
    return ["--config", str(path), "controller"]


@pytest.fixture
def chip(tmp_path, monkeypatch):
    source = tmp_path / "firmware"
    files = {
        "gatepost/config.py": "def load(text):\n    return text\n",
        "boards/rp2.py": "Board = str\n", "boot.py": "OUTPUTS = (0,)\n", "main.py": "",
    }
    for name, text in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    (source / "package.json").write_text(json.dumps({"urls": [[n, n] for n in files]}))
    monkeypatch.setattr(controller, "Wish", functools.partial(Wish, source=source))
    return Chip(tmp_path / "flash")


def test_provision_says_what_it_did_and_never_the_key(settings, box, chip, capfd):
    with ReplPort(chip) as port:
        assert main([*settings, "provision", port, "--name", "north gate", "--wired", "stop"]) == 0
    told = "".join(capfd.readouterr())
    assert "north gate: Invented board, number e6614103e7452a2f" in told
    assert "writing gatepost/config.py" in told and "100%  done" in told
    secret = vault.controller_key(box).hex()
    assert chip.settings()["key"] == secret
    assert secret not in told and vault.controller_key(box) not in told.encode()


def test_provision_greets_over_the_link_that_is_named(settings, box, chip, capfd, monkeypatch):
    greeted = []
    monkeypatch.setattr(controller, "_greet",
                        lambda port, key: greeted.append((port, key)) or chip.serial)
    with ReplPort(chip) as port:
        assert main([*settings, "provision", port, "--wired", "none", "--link", "serial0"]) == 0
    assert greeted == [("serial0", vault.controller_key(box))]
    assert "knows this box's key" in capfd.readouterr().out


def _on_the_cable(monkeypatch, key):
    """The driver as it is, on a board that runs the true firmware with that key."""
    clock = Time()
    post = WirePost(clock, key)
    monkeypatch.setattr(pico, "Pico", functools.partial(
        pico.Pico, now=clock, open_port=Cable(post).open))
    monkeypatch.setattr(controller, "_GREETING_S", 0.0)
    return post


def test_a_greeting_names_the_controller_that_knows_the_key(monkeypatch):
    post = _on_the_cable(monkeypatch, b"k" * 32)
    assert controller._greet("port", b"k" * 32) == post.uid.hex()


def test_a_greeting_with_another_key_is_told_as_foreign(monkeypatch):
    _on_the_cable(monkeypatch, b"k" * 32)
    monkeypatch.setattr(controller.time, "sleep", lambda _: None)
    with pytest.raises(LinkLost) as lost:
        controller._greet("port", b"x" * 32)
    assert lost.value.fields["why"] == "foreign"


def test_provision_of_a_foreign_board_ends_with_one_line_and_what_to_do(settings, chip, capfd):
    chip.path("gate.json").write_text(json.dumps({"key": "ab" * 32}))
    with ReplPort(chip) as port:
        assert main([*settings, "provision", port, "--wired", "none"]) == 1
    assert "--take-over" in capfd.readouterr().err


@pytest.mark.parametrize("more", [[], ["--wired", "stop", "--inputs", "x.toml"]])
def test_provision_guesses_no_wiring(settings, chip, capfd, more):
    assert main([*settings, "provision", "nowhere", *more]) == 1
    assert "say what is wired" in capfd.readouterr().err


def test_a_board_for_a_unit_with_credentials_is_followed_by_what_to_renew(
    settings, box, chip, capfd, monkeypatch, tmp_path
):
    (tmp_path / "controller.key").write_bytes(b"k" * 32)
    (tmp_path / "controller.key").chmod(0o600)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with ReplPort(chip) as port:
        assert main([*settings, "provision", port, "--wired", "none"]) == 0
    assert "renew the credential" in capfd.readouterr().out


def _typed(monkeypatch, text):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_an_osdp_modules_key_is_kept_and_not_shown(settings, box, capfd, monkeypatch):
    _typed(monkeypatch, "a1 " * 16 + "\n")
    assert main([*settings, "osdp-key"]) == 0
    assert vault.controller_key(box)[:16] == bytes.fromhex("a1" * 16)
    assert "a1" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("text", ["", "a1", "not hex", "303132333435363738393a3b3c3d3e3f"])
def test_an_osdp_key_that_is_none_or_everybodys_is_refused(settings, box, capfd, monkeypatch, text):
    _typed(monkeypatch, text + "\n")
    assert main([*settings, "osdp-key"]) == 1
    assert not vault.has_controller_key(box)
    assert not text or text not in capfd.readouterr().err


@pytest.fixture
def door(box):
    """A gate that tells what the test says and counts what is ordered."""

    class Door:
        told = answer()
        orders: list[tuple[str, str, str]] = []
        refuses = False

    Door.orders = []

    def order(message):
        Door.orders.append((message.verb, message.header["role"], message.header["reason"]))
        if Door.refuses:
            raise OrderRefused("STOP is open")
        return ipc.ok()

    verbs = {verb: order for verb in ("open_once", "hold_open", "release")}
    server = ipc.Server(box.socket("door"), {"status": lambda _: ipc.ok(Door.told), **verbs})
    server.start()
    yield Door
    server.stop()


def test_status_says_who_answers_and_what_it_cannot_do(settings, door, capsys):
    door.told = answer(events=[(7, 3, "manual_open")], faults=["stuck_entry"], stop=True)
    door.told["barrier"]["capabilities"] |= {"position": False, "longest_lease_s": 0}
    door.told["issues"] = [{"message": "The loop is stuck", "next_step": "Look at the loop"}]
    assert main([*settings, "status"]) == 0
    told = capsys.readouterr().out
    for words in ("north gate", "stop on", "stuck_entry", "7.3 manual_open  1 s ago",
                  "reads no limit switches", "refuses holds", "The loop is stuck. Look"):
        assert words in told


def test_status_as_json_holds_the_barrier_and_no_car(settings, door, capsys):
    door.told = {**answer(), "at_gate": {"mark": "x"}}
    assert main([*settings, "status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["barrier"]["state"] == "ready"
    assert set(told) == {"barrier", "events", "traffic", "issues"}


def test_on_a_terminal_the_progress_is_one_line_that_grows(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    bar = controller._Bar()
    bar("writing", 0.5)
    bar("done", 1.0)
    bar.end()
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"[{'#' * 12:<24}]  50%  writing" in told and f"[{'#' * 24}] 100%  done" in told


def test_a_key_typed_at_a_terminal_is_not_echoed(settings, box, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(controller.getpass, "getpass", lambda _: "a1" * 16)
    assert main([*settings, "osdp-key"]) == 0
    assert vault.has_controller_key(box)


def test_a_gate_that_tells_no_barrier_is_not_tested(settings, door, capsys):
    door.told = {}
    assert main([*settings, "selftest"]) == 1
    assert "does not tell" in capsys.readouterr().err


def test_status_without_a_gate_is_one_clear_line(settings, capsys):
    assert main([*settings, "status"]) == 1
    assert "does not answer" in capsys.readouterr().err


def test_a_refusal_by_the_gate_is_a_refusal_of_the_step(door, box):
    assert not controller._order(box, Trial.OPEN)
    door.refuses = True
    assert controller._order(box, Trial.OPEN)


class Person:
    """Somebody who does what the steps ask; ``looks`` are shown one a question."""

    def __init__(self, looks=(), lines=()):
        self.looks, self.lines = list(looks), list(lines)
        self.orders, self.heard = [], []
        self.last = seen()

    def hands(self, refused=False):
        def order(trial):
            self.orders.append(trial)
            return refused

        return Hands(self._look, order, self.heard.append, self._hear)

    def _look(self):
        self.last = self.looks.pop(0) if self.looks else self.last
        return self.last

    def _hear(self, _seconds):
        if not self.lines:
            raise Ended
        return self.lines.pop(0)


def test_a_measured_step_gives_its_order_on_enter_and_watches():
    person = Person([seen(), seen(), seen(position="open")], ["\n", None])
    (one,) = walk(person.hands(), (step("opens"),))
    assert (one.result, one.how) == (Result.PASSED, How.MEASURED)
    assert person.orders == [Trial.OPEN]


def test_hold_and_release_follow_each_other():
    held = seen(state="held", held_until_mono=5.0)
    person = Person([seen(), seen(), held, held, seen()], ["\n", None, "\n", None])
    (one,) = walk(person.hands(), (step("holds"),))
    assert one.result is Result.PASSED
    assert person.orders == [Trial.HOLD, Trial.RELEASE]


def test_a_person_may_say_that_a_measured_step_failed():
    (one,) = walk(Person([], ["f\n"]).hands(), (step("fire"),))
    assert one.result is Result.FAILED
    assert "fire contact" in one.note


def test_a_told_step_takes_yes_or_no_and_the_note():
    person = Person([], ["perhaps", "y", "opens by a spring, chosen by the owner"])
    (one,) = walk(person.hands(), (step("power_failure"),))
    assert (one.how, one.result) == (How.TOLD, Result.PASSED)
    assert one.note == "opens by a spring, chosen by the owner"


def test_the_end_of_the_test_is_heard_in_every_kind_of_step():
    assert walk(Person([], [None, "q"]).hands(), (step("on_foot"),)) == ()
    assert walk(Person([], [None, "q"]).hands(), (step("fire"),)) == ()
    assert walk(Person([], []).hands(), (step("on_foot"),)) == ()


def test_what_is_not_wired_is_written_down_without_a_question():
    (one,) = walk(Person([seen(fire=None)], []).hands(), (step("fire"),))
    assert one.result is Result.NOT_WIRED


def test_where_nothing_can_be_read_the_person_orders_and_tells():
    bare = Look(driver="lcus", state="ready")
    person = Person([bare], ["\n", "n"])
    (one,) = walk(person.hands(refused=True), (step("opens"),))
    assert (one.how, one.result, person.orders) == (How.TOLD, Result.FAILED, [Trial.OPEN])


def test_a_test_that_is_ended_keeps_what_was_answered_and_is_not_whole():
    person = Person([], ["q"])
    answers = walk(person.hands())
    assert [each.step for each in answers] == ["answers"]
    assert not whole(answers)
    told = sheet(answers, "2026-11-22", seen())
    assert "NOT PASSED: 0 failed, 16 not tried." in told
    assert "north gate" in told


def test_the_whole_test_at_a_wired_controller_passes_and_prints_its_sheet(
    settings, door, monkeypatch, tmp_path, capsys
):
    """The looks are played from each step's proof; orders really go through the door."""
    played = _played_looks()
    lines = iter(_typed_lines())
    monkeypatch.setattr(controller.commissioning, "look", lambda _: next(played))
    monkeypatch.setattr(controller, "_hear", lambda _: next(lines))
    door.refuses = False
    report = tmp_path / "sheet.txt"
    monkeypatch.setattr(controller, "_order", _refusing_the_first(controller._order))
    assert main([*settings, "selftest", "--report", str(report)]) == 0
    assert "All steps passed." in report.read_text()
    assert [verb for verb, _, _ in door.orders] == ["open_once", "open_once", "hold_open",
                                                    "release", "hold_open"]
    assert {(role, reason) for _, role, reason in door.orders} == {
        ("installer", "pull-the-plug test")}


def _refusing_the_first(order):
    """STOP is open at the first order."""
    given = []

    def wrapped(config, trial):
        given.append(trial)
        return order(config, trial) or len(given) == 1

    return wrapped


def _played_looks():
    """First the check that a gate runs, then for each step its first look and its proof."""
    yield seen()
    for each in STEPS:
        yield seen()
        if each.check is None or each.id == "answers":
            continue
        last = seen()
        for part in PROOFS[each.id]:  # while an order is given the barrier stays as it was
            last = part if isinstance(part, Look) else last
            yield last
    while True:
        yield seen()


def _typed_lines():
    for each in STEPS:
        if each.check is None:
            yield from ["y", "note"] if each.note_wanted else ["y"]
        elif each.id != "answers":
            for part in PROOFS[each.id]:
                yield None if isinstance(part, Look) else ""


def test_a_gate_that_goes_away_in_the_middle_is_a_look_too(settings, door, box, monkeypatch):
    taken = []

    def walked(hands, *_):
        taken.append(hands.look())
        box.socket("door").unlink()
        taken.append(hands.look())
        return ()

    monkeypatch.setattr(controller_selftest, "walk", walked)
    assert main([*settings, "selftest"]) == 1
    assert [each.answered for each in taken] == [True, False]


def test_lines_are_read_from_the_terminal_until_it_closes(monkeypatch, tmp_path):
    typed = tmp_path / "typed"
    typed.write_text("y\n")
    with typed.open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        monkeypatch.setattr(controller.select, "select", lambda *_: ([stream], [], []))
        assert controller._hear(1.0) == "y\n"
        with pytest.raises(Ended):
            controller._hear(1.0)
    monkeypatch.setattr(controller.select, "select", lambda *_: ([], [], []))
    assert controller._hear(1.0) is None


def test_the_fakes_looks_are_the_doors(door, box):
    told = ipc.call(box.socket("door"), "status").header
    assert look(told) == seen()
    assert look(answer(**LOST)).state == "lost"
    assert not silence().answered
