"""The program ``console``: gunicorn in this process, one worker, threads by settings.

One worker, so that one process writes ``site.db`` (ADR 0002). No access log: addresses and query
strings are nobody's business; what people do stands in the journal. Other programs may be down or
come later; pages ask them anew each time.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from appliance import vault
from appliance.config import Config
from appliance.errors import ApplianceError

logger = logging.getLogger(__name__)


class _Served(BaseApplication):  # type: ignore[misc]
    """Gunicorn with our settings and no command line."""

    def __init__(self, config: Config) -> None:
        self._config = config
        super().__init__()

    def load_config(self) -> None:
        console = self._config.console
        host = f"[{console.host}]" if ":" in console.host else console.host
        for name, value in {
            "bind": f"{host}:{console.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": console.threads,
            "timeout": 60,
            "graceful_timeout": 3,
            "keepalive": 5,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "proc_name": "postern-console",
            "limit_request_line": 2048,
            "limit_request_fields": 50,
            "preload_app": False,
            "control_socket_disable": True,
        }.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Runs in the worker: the database connection must not cross the fork."""
        from appliance.console.app import create_app  # here: the arbiter need not load the pages

        app = create_app(self._config)
        app.extensions["postern"].journal.start()
        return app


def main(config: Config) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit status."""
    try:
        vault.key(config, "session")
        vault.key(config, "site")
    except ApplianceError as error:
        logger.error("console cannot start key=%s next=%s", error.key, error.next_step)
        return 1
    served: Any = _Served(config)
    try:
        served.run()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0
