"""The firmware compiles for every chip it is meant for."""

from __future__ import annotations

import pytest

from tests.firmware.rig import script

build = script("build")


@pytest.mark.firmware
@pytest.mark.parametrize("closing", [False, True])
def test_every_file_compiles_for_every_chip(closing, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build, "BUILD", tmp_path)
    assert build.main(["--closing"] if closing else []) == 0
    print(capsys.readouterr().out)
    for target in build.TARGETS:
        made = {p.relative_to(tmp_path / target).with_suffix("").as_posix()
                for p in (tmp_path / target).rglob("*.*")}
        assert made == {name.removesuffix(".py") for name in build.files(closing)}


@pytest.mark.firmware
def test_a_file_that_micropython_does_not_know_stops_the_build(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(build, "BUILD", tmp_path / "build")
    monkeypatch.setattr(build, "HERE", tmp_path)
    (tmp_path / "new.py").write_text("match 1:\n    case 1: pass\n", encoding="utf-8")
    (tmp_path / "package.json").write_text('{"urls": [["new.py", "new.py"]]}', encoding="utf-8")
    assert build.main([]) == 1
    assert "does not compile" in capfd.readouterr().err
