"""The long random course: the same twice, over the clock's wrap, and not about nothing."""

from __future__ import annotations

from gatepost import codes

from tests.firmware.rig import script

Trace = script("trace").Trace


def test_the_course_is_the_same_twice_and_another_seed_another_course():
    first, again, other = (Trace(seed) for seed in (1, 1, 2))
    digest = first.run(3000)
    assert again.run(3000) == digest
    assert other.run(3000) != digest


def test_something_happens_on_the_course():
    course = Trace()
    wrapped = False
    for _ in range(6000):
        before = course.board.now
        course.step()
        wrapped |= course.board.now < before
        assert not course.board.outputs & codes.CLOSING
    assert wrapped
    assert course.closings > 10
    assert course.answers > 200
