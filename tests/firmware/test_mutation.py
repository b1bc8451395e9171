"""Every rule is held by a test: without it, or with it turned round, something fails."""

from __future__ import annotations

import re

import pytest

from tests.firmware import mutation

SAFETY = (mutation.GATEPOST / "safety.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("mutant", mutation.MUTANTS, ids=lambda m: f"{m.rule}: {m.name}")
def test_each_mistake_fits_the_source_once_and_still_compiles(mutant):
    compile(mutation.source(mutant), mutant.module, "exec")


def test_every_rule_of_the_list_has_a_mistake_of_its_own():
    rules = re.findall(r"^ ?\d+\. ([A-Z]+) ", SAFETY, re.M)
    assert set(rules) == {mutant.rule for mutant in mutation.MUTANTS}


@pytest.mark.firmware
def test_every_mistake_is_found():
    lines, survived = mutation.table()
    print("\n".join(lines))
    assert survived == []
