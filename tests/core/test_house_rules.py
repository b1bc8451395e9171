"""The house's own rules: who may import whom, where time is asked, what is documented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from appliance import config
from appliance.__main__ import _COMMANDS

ROOT = Path(__file__).resolve().parents[2]
APPLIANCE = ROOT / "appliance"
MODULES = sorted(p for p in APPLIANCE.rglob("*.py"))
ROOMS = {"capture", "recognition", "decision", "barrier", "records"}
CORE = {p.stem for p in APPLIANCE.glob("*.py")} - {"__init__", "__main__"}


def _imports(path: Path) -> set[str]:
    """Names below `appliance` that a module imports anywhere, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        else:
            continue
        found |= {n.split(".")[1] for n in names if n.startswith("appliance.")}
    return found


def _room(path: Path) -> str:
    parts = path.relative_to(APPLIANCE).parts
    return parts[0] if len(parts) > 1 else ""


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(APPLIANCE)))
def test_nothing_imports_upward(path):
    room, seen = _room(path), _imports(path)
    if room == "decision":
        allowed = {"decision", "values", "plates", "errors"}
    elif room == "recognition":
        allowed = CORE | {"recognition", "capture"}
    elif room in ROOMS:
        allowed = CORE | {room, "scenario"}
    elif room == "" and path.stem not in {"__main__", "__init__"}:
        allowed = CORE
    else:
        return
    assert seen <= allowed, f"imports {sorted(seen - allowed)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(APPLIANCE)))
def test_time_is_asked_of_the_clock_only(path):
    if path.name == "clock.py":
        return
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"datetime\.(now|utcnow|today)\(|time\.time\(", text)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(APPLIANCE)))
def test_modules_stay_readable(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert lines <= 400 or "This module is long because" in doc, f"{lines} lines"
    assert doc or lines < 3, "a module says what it is for"


def _loads(modules: str, forbidden: set[str]) -> str:
    """Which of the forbidden modules a fresh interpreter holds after these imports."""
    code = f"import sys, {modules}; print(sorted({forbidden!r} & set(sys.modules)))"
    return subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.parametrize(
    ("modules", "forbidden"),
    [
        (
            "appliance.gate.program, appliance.decision.policy",
            {"cv2", "numpy", "tflite_runtime", "ai_edge_litert", "flask"},
        ),
        (
            "appliance.recognition.program",
            {"sqlcipher3", "appliance.vault", "appliance.site", "flask"},
        ),
    ],
    ids=["gate", "vision"],
)
def test_a_program_never_loads_what_it_may_not_hold(modules, forbidden):
    assert _loads(modules, forbidden) == "[]"


def test_the_check_of_loaded_modules_can_fail():
    assert _loads("numpy", {"numpy"}) == "['numpy']"


def test_one_module_alone_knows_the_image_runtimes():
    users = [
        p.name
        for p in MODULES
        if re.search(r"(tflite_runtime|ai_edge_litert)[. ]", p.read_text("utf-8"))
    ]
    assert users == ["tflite.py"]


def _doc(name: str) -> str:
    return (APPLIANCE / "docs" / name).read_text(encoding="utf-8")


def test_every_setting_is_documented():
    text = _doc("OPERATIONS.md")
    missing = [
        f"{section}.{key}"
        for section, key, _, _ in config.describe(config.Config())
        if f"`{key}`" not in text
    ]
    assert not missing


def test_every_command_is_documented():
    text = _doc("OPERATIONS.md")
    assert not [c for c in _COMMANDS if f"`postern {c}" not in text]


def test_every_dependency_has_its_reason():
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = pyproject.split("dependencies = [", 1)[1].split("]", 1)[0]
    names = re.findall(r'"([a-z0-9-]+)', block)
    assert len(names) > 10
    text = _doc("DEPENDENCIES.md")
    assert not [n for n in names if f"`{n}`" not in text]


def test_links_between_documents_lead_somewhere():
    broken = []
    for page in [
        *ROOT.glob("*.md"),
        *(APPLIANCE / "docs").rglob("*.md"),
        *(ROOT / "models").rglob("*.md"),
    ]:
        if ".work" in page.parts or "node_modules" in page.parts:
            continue
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert not broken


def test_lock_files_carry_hashes_and_no_addresses():
    for lock in (APPLIANCE / "requirements.lock", ROOT / "tests" / "requirements.lock"):
        text = lock.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text
