"""Runs inside MicroPython: the course of firmware/trace.py in slices, then its digest."""

from trace import START, Trace

from trace_size import STEPS

trace = Trace()
done = 0


def more():
    global done
    for _ in range(min(1000, STEPS - done)):
        trace.step()
    done += 1000
    if done < STEPS:
        return True
    print(f"{STEPS} steps, {trace.closings} closings, {trace.answers} answers")
    print("wrapped" if trace.board.now < START else "not wrapped")
    print(trace.run(0))
    return False
