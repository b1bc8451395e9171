"""A network line between two programs that can swallow what is sent, each way, and be cut.

    line = Line(target_port); connect to line.port instead
    line.swallow_there = True   what is sent towards the target is lost, nobody is told
    line.swallow_back = True    what the target answers is lost
    line.cut()                  ends all connections; new ones are good again
"""

from __future__ import annotations

import contextlib
import socket
import threading


class Line:
    def __init__(self, target_port: int) -> None:
        self.swallow_there = False
        self.swallow_back = False
        self.swallowed = b""
        self._target_port = target_port
        self._ends: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self.swallow_there = self.swallow_back = False
        ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target_port), 5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            self._ends += [near, far]
            for source, sink, there in ((near, far, True), (far, near, False)):
                threading.Thread(
                    target=self._carry, args=(source, sink, there), daemon=True
                ).start()

    def _carry(self, source: socket.socket, sink: socket.socket, there: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.swallow_there if there else self.swallow_back:
                    self.swallowed += data
                else:
                    sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
