"""The second factor's code: what is kept of it, and what it is compared with."""

from __future__ import annotations

import pytest

from appliance import gatecode

KEY, OTHER = b"k" * 32, b"o" * 32


@pytest.mark.parametrize("code", ["0000", "4711", "12345678"])
def test_a_code_matches_what_was_kept_of_it_and_no_other_does(code):
    kept = gatecode.mac(KEY, code)
    assert code not in kept
    assert gatecode.matches(KEY, code, kept)
    assert not gatecode.matches(KEY, "9" + code[1:], kept)
    assert not gatecode.matches(OTHER, code, kept)


@pytest.mark.parametrize("code", ["", "123", "123456789", "12a4", "１２３４", "1234\n", " 1234"])
def test_what_is_no_code_is_refused_and_matches_nothing(code):
    with pytest.raises(gatecode.CodeRefused):
        gatecode.mac(KEY, code)
    assert not gatecode.matches(KEY, code, gatecode.mac(KEY, "1234"))


@pytest.mark.parametrize("kept", ["", "$", "x$y", "0" * 32 + "$" + "0" * 63])
def test_a_grant_without_a_whole_digest_is_matched_by_nothing(kept):
    assert not gatecode.matches(KEY, "1234", kept)


def test_two_grants_with_one_code_keep_different_digests():
    assert gatecode.mac(KEY, "1234") != gatecode.mac(KEY, "1234")
