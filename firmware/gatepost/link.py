"""Who may give orders, and that somebody does (PROTOCOL.md, sections 2 and 3).

1. A frame counts when its tag fits a key of this session and its counter is higher than all before.
2. A greeting proves itself by the board's own key; its session waits until the first frame that only
   that host can make. Until then the session there is lives on, so a replayed greeting is nothing.
3. Three forged frames within a second: the board hears nothing for a second and tells so.
4. Whatever is dropped is counted and not answered; only a board that knows nobody says WHO, at most
   once a second.
5. A host of which nothing counted for 3 s is lost. A greeting does not count: it can be replayed.
6. Without a key nobody can be believed, and everything here but WHO is silent.
"""

from gatepost import codes
from gatepost.codes import const
from gatepost.digest import Key
from gatepost.frame import Receiver, seal
from gatepost.uptime import left

_NONCE = const(16)
_DAY_MS = const(86400000)
_LAST_COUNTER = const(0xFFFFFFFE)
_LOST_MS = const(3000)
_WHO_MS = const(1000)
_DEAF_MS = const(1000)
_WINDOW_MS = const(1000)
_COUNTED = const(65535)


class Session:
    """The keys, counters and clock that host and board agreed on."""

    def __init__(self, psk, host_nonce, board_nonce, uid):
        secret = Key(psk.mac(b"postern 1 session" + host_nonce + board_nonce + uid))
        self.to_board = Key(secret.mac(b"to board"))
        self._to_host = Key(secret.mac(b"to host"))
        self.heard = 0
        self.ms = 0
        self._sent = 0

    def elapse(self, passed):
        self.ms = min(self.ms + passed, _DAY_MS)

    def is_old(self):
        return self.ms >= _DAY_MS

    def seal(self, kind, body):
        """The next frame to the host; nothing once the counter is used up."""
        if self._sent >= _LAST_COUNTER:
            return b""
        self._sent += 1
        return seal(self._to_host, kind, self._sent, body)


class Link:
    """Bytes in, bytes out. ``post`` offers ``identity``, ``status(session_ms)``,
    ``session_changed()`` and ``host_is_lost(lost)``."""

    def __init__(self, psk, uid, random, orders, events, post):
        self.noise = 0
        self.forged = 0
        self._psk = Key(psk) if psk else None
        self._uid = uid
        self._random = random
        self._orders = orders
        self._events = events
        self._post = post
        self._receiver = Receiver()
        self._lengths = {codes.HELLO: _NONCE, codes.PING: 4}
        self._lengths.update(orders.lengths)
        self._session = None
        self._pending = None
        self._out = b""
        self._deaf = 0
        self._who = 0
        self._forged_ago = _WINDOW_MS  # the last forged frame, and the one before it
        self._forged_before_ago = _WINDOW_MS
        self._silent = 0
        self._was_there = False
        self.lost = False

    def elapse(self, passed):
        """Counts every timer on; rule 5."""
        self._deaf = left(self._deaf, passed)
        self._who = left(self._who, passed)
        self._forged_ago = min(self._forged_ago + passed, _WINDOW_MS)
        self._forged_before_ago = min(self._forged_before_ago + passed, _WINDOW_MS)
        if self._session:
            self._session.elapse(passed)
        if self._pending:
            self._pending.elapse(passed)
        self._silent = min(self._silent + passed, _LOST_MS)
        if self._was_there and not self.lost and self._silent >= _LOST_MS:
            self.lost = True
            self._events.tell(codes.HOST_LOST)
            self._post.host_is_lost(True)

    def receive(self, data):
        """Hears what arrived."""
        if self._deaf:
            self._receiver.forget()
        elif data:
            self._receiver.feed(data, self._take)

    def take_out(self):
        """What is to be written now; an event that is due comes along."""
        if self._session and not self.lost:
            due = self._events.due()
            if due:
                self._out += self._session.seal(codes.EVENT, due)
        out, self._out = self._out, b""
        return out

    def _take(self, packet):
        if self._deaf:
            return
        if packet is None or not self._is_well_made(packet):
            self._count_noise()
        elif packet.kind == codes.HELLO:
            self._greet(packet)
        else:
            self._hear(packet)

    def _is_well_made(self, packet):
        length = self._lengths.get(packet.kind, len(packet.body))
        return len(packet.body) == length and not (packet.kind == codes.HELLO and packet.counter)

    def _greet(self, packet):
        """Rule 2."""
        if self._psk is None:
            self._ask_who()
        elif not packet.proven_by(Key(self._psk.mac(b"postern 1 hello"))):
            self._count_forged()
            self._ask_who()
        else:
            host_nonce, board_nonce = packet.body, self._random(_NONCE)
            self._pending = Session(self._psk, host_nonce, board_nonce, self._uid)
            key = Key(self._psk.mac(b"postern 1 welcome" + host_nonce))
            body = host_nonce + board_nonce + self._uid + self._post.identity
            self._out += seal(key, codes.WELCOME, 0, body)

    def _hear(self, packet):
        """Rule 1."""
        session = self._whose(packet)
        if session is None:
            if self._session is None and self._pending is None:
                self._ask_who()
            else:
                self._count_forged()
        elif packet.counter > session.heard:
            session.heard = packet.counter
            if session is self._pending:
                self._begin(session)
            self._host_is_there()
            self._answer(packet, session)

    def _whose(self, packet):
        for session in (self._session, self._pending):
            if session is not None and packet.proven_by(session.to_board):
                return session
        return None

    def _begin(self, session):
        """The first frame of a new session: only now the old one is forgotten."""
        self._session = session
        self._pending = None
        self._events.hurry()
        self._post.session_changed()

    def _host_is_there(self):
        self._was_there = True
        self._silent = 0
        if self.lost:
            self.lost = False
            self._events.tell(codes.HOST_BACK)
            self._post.host_is_lost(False)

    def _answer(self, packet, session):
        if packet.kind == codes.PING:
            self._events.keep(int.from_bytes(packet.body, "little"))
            self._out += session.seal(codes.STATUS, self._post.status(session.ms))
        elif packet.kind in self._orders.lengths:
            body = self._orders.obey(packet.kind, packet.body, session.ms, session.is_old())
            self._out += session.seal(codes.RESULT, body)
        else:
            body = bytes(8) + bytes((codes.UNKNOWN_ORDER, 0)) + session.ms.to_bytes(4, "little")
            self._out += session.seal(codes.RESULT, body)

    def _ask_who(self):
        """Rule 4."""
        if self._session is None and self._pending is None and not self._who:
            self._who = _WHO_MS
            self._out += seal(None, codes.WHO, 0, b"")

    def _count_noise(self):
        self.noise = min(self.noise + 1, _COUNTED)

    def _count_forged(self):
        """Rule 3."""
        self.forged = min(self.forged + 1, _COUNTED)
        if self._forged_before_ago < _WINDOW_MS:
            self._deaf = _DEAF_MS
            self._forged_before_ago = self._forged_ago = _WINDOW_MS
            self._events.tell(codes.FORGED)
        else:
            self._forged_before_ago = self._forged_ago
            self._forged_ago = 0
