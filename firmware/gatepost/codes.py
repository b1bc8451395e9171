"""The numbers of PROTOCOL.md, under their names there. Nothing else."""

try:
    from micropython import const  # pyright: ignore[reportAssignmentType]
except ImportError:  # CPython

    def const(expr):
        return expr


# Section 3 to 5: types of frames
HELLO = 0x01
WELCOME = 0x81
WHO = 0x9F
PING = 0x10
OPEN = 0x11
HOLD = 0x12
RELEASE = 0x13
CLOSE = 0x14
STATUS = 0x90
RESULT = 0x91
EVENT = 0x92

# Section 5: results of an order, and the flags beside them
DONE = 0
WAKING = 1
STOPPED = 2
FIRE = 3
LOCKED_OUT = 4
TOO_MANY = 5
EXPIRED = 6
BAD_VALUE = 7
NO_PRESENCE = 8
BUSY = 9
SESSION_OLD = 10
UNKNOWN_ORDER = 11
OBSTRUCTED = 12
UNPROVEN = 13
AGAIN = 1
CLAMPED = 2

# Section 5: states
STATE_WAKING = 0
STATE_IDLE = 1
STATE_PULSE = 2
STATE_HOLD = 3
STATE_FIRE = 4
STATE_STOPPED = 5
STATE_CLOSING = 6

# Section 5: outputs
OPENING = 1
CLOSING = 2
LAMP = 4

# Section 6: events
STARTED = 1
MANUAL_OPEN = 2
EXIT_OPEN = 3
FIRE_ON = 4
FIRE_OFF = 5
STOP_ON = 6
STOP_OFF = 7
HOST_LOST = 8
HOST_BACK = 9
FAULT_ON = 10
FAULT_OFF = 11
LEASE_LAPSED = 12
FORGED = 13
TAMPER_ON = 14
TAMPER_OFF = 15
REOPENED = 16

# Section 7: inputs in the order of their bits, then the masks
INPUTS = (
    "entry_loop",
    "safety_loop",
    "photocell",
    "exit_request",
    "limit_open",
    "limit_closed",
    "fire",
    "stop",
    "hand_button",
    "tamper",
    "cabinet_fault",
    "relay_sense",
)
ENTRY_LOOP = 0x001
SAFETY_LOOP = 0x002
PHOTOCELL = 0x004
EXIT_REQUEST = 0x008
LIMIT_OPEN = 0x010
LIMIT_CLOSED = 0x020
FIRE_INPUT = 0x040
STOP_INPUT = 0x080
HAND_BUTTON = 0x100
TAMPER = 0x200
CABINET_FAULT = 0x400
RELAY_SENSE = 0x800

# Section 8: faults
STUCK_ENTRY = 0
STUCK_SAFETY = 1
STUCK_PHOTO = 2
STUCK_EXIT = 3
STUCK_BUTTON = 4
NOT_MOVED = 5
LIMITS = 6
RELAY = 7
CABINET = 8
SETTINGS = 9
