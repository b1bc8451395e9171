"""The rules' whole state space: a shallow search always, the complete one under `firmware`."""

from __future__ import annotations

import pytest

from tests.firmware import search

DEPTH = 6


@pytest.mark.parametrize("site", search.SITES, ids=lambda site: site.name)
def test_one_wire_at_a_time_breaks_no_invariant_within_six_passes(site):
    covered = search.search(site, DEPTH, at_once=1)
    print(covered)
    assert covered.depth == DEPTH and covered.states > 30


@pytest.mark.firmware
@pytest.mark.parametrize("site", search.SITES, ids=lambda site: site.name)
def test_no_reachable_state_breaks_an_invariant(site):
    covered = search.search(site)
    print(covered)
    assert covered.complete
