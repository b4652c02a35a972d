"""`nghedan up`: starts Rasa, the action server and the app, restarts what dies, stops everything together."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import structlog

from core.settings import Settings

log = structlog.get_logger("nghedan.supervisor")

ROOT = Path(__file__).resolve().parent.parent
_CHECK_S = 0.25
_STOP_S = 8.0
_MAX_BACKOFF_S = 15.0


@dataclass(slots=True)
class Child:
    """One program under care. A child that lives for a minute is forgiven its earlier deaths."""

    name: str
    command: list[str]
    env: Mapping[str, str]
    log_path: Path
    cwd: Path = ROOT
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    started_at: float = 0.0
    restart_at: float = field(default=0.0)

    def start(self) -> None:
        """Start in an own process group, output to the child's log file."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.started_at = time.monotonic()

    def stop(self) -> None:
        """Ask politely, then insist; the whole group, so that no grandchild stays."""
        if self.process is None or self.process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Supervisor:
    """Keeps the children running until `stop` is asked for."""

    def __init__(self, settings: Settings, *, environment: Mapping[str, str]) -> None:
        self._settings = settings
        token = settings.rasa_token.get_secret_value() or secrets.token_urlsafe(32)
        self._env = {
            # The embedder's threads wait for each other by spinning: beside the other programs of a small machine
            # one thread answers sooner, measured 47 ms against half a second.
            "OMP_NUM_THREADS": "1",
            **environment,
            "NGHEDAN_RASA_TOKEN": token,
            "NGHEDAN_DATA_DIR": str(settings.data_dir.absolute()),
            "NGHEDAN_RASA_URL": f"http://127.0.0.1:{settings.rasa_port}",
            "NGHEDAN_ACTIONS_URL": f"http://127.0.0.1:{settings.actions_port}",
            "PYTHONUNBUFFERED": "1",
        }
        self.children = [self._actions(), self._rasa(), *self._helpers(), self._app()]
        self._stopping = False
        self._ask_again_at = 0.0

    def _child(self, name: str, command: list[str], **env: str) -> Child:
        path = self._settings.data_dir / "logs" / f"{name}.log"
        return Child(name, command, {**self._env, **env}, path.absolute())

    def _actions(self) -> Child:
        return self._child("actions", [sys.executable, "-m", "actions"])

    def _rasa(self) -> Child:
        python = ROOT / "nlu" / ".venv" / "bin" / "python"
        return self._child("rasa", [str(python), "nlu/serve.py", "--port", str(self._settings.rasa_port)])

    def _app(self) -> Child:
        return self._child("app", [sys.executable, "-m", "bot"], **self._sharing(self._roles_of_app()))

    def _roles_of_app(self) -> str:
        given = {"turns": self._settings.workers, "sender": self._settings.senders}
        return ",".join(sorted(role for role in self._settings.role_names if not given.get(role)))

    def _helpers(self) -> list[Child]:
        """The programs beside the app that share its work."""
        kinds = [("worker", "turns", self._settings.workers), ("sender", "sender", self._settings.senders)]
        return [
            self._child(
                f"{kind}-{number}",
                [sys.executable, "-m", "bot"],
                NGHEDAN_INSTANCE=f"{self._settings.http_port}-{kind}-{number}",
                **self._sharing(role),
            )
            for kind, role, count in kinds
            for number in range(1, count + 1)
        ]

    def _sharing(self, roles: str) -> dict[str, str]:
        background = "procrastinate" if self._settings.several_programs else "embedded"
        return {"NGHEDAN_ROLES": roles, "NGHEDAN_BACKGROUND": background}

    def start(self) -> None:
        """Start all; the app answers webhooks at once, even while Rasa still loads."""
        for child in self.children:
            child.start()
        self._write_state()

    def _write_state(self) -> None:
        path = self._settings.data_dir / "run.json"
        pids = {c.name: c.process.pid for c in self.children if c.process is not None}
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps({"supervisor": os.getpid(), **pids}))
        partial.rename(path)

    def watch(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Restart what dies, until `stop` or `until()`."""
        while not self._stopping and not until():
            for child in self.children:
                self._care(child)
            time.sleep(_CHECK_S)

    def _care(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is None:
            if child.deaths and now - child.started_at > 60:
                child.deaths = 0
            return
        if child.restart_at == 0.0:
            code = child.process.returncode if child.process else None
            backoff_s = 0.0 if child.deaths == 0 else min(_MAX_BACKOFF_S, 2.0 ** (child.deaths - 1))
            child.deaths += 1
            child.restart_at = now + backoff_s
            log.warning("child died", child=child.name, code=code, restart_in_s=backoff_s)
        if now >= child.restart_at:
            child.restart_at = 0.0
            child.start()
            self._write_state()

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stopping

    def ready_now(self, *, every_s: float) -> bool:
        """`ready`, asked at most every `every_s` seconds."""
        now = time.monotonic()
        if now < self._ask_again_at:
            return False
        self._ask_again_at = now + every_s
        return self.ready()

    def request_stop(self) -> None:
        """End `watch`; safe in a signal handler."""
        self._stopping = True

    def stop(self) -> None:
        """Stop every child, the app first so that nothing new comes in."""
        for child in reversed(self.children):
            child.stop()
        (self._settings.data_dir / "run.json").unlink(missing_ok=True)

    def ready(self) -> bool:
        """Whether the whole chain can answer a citizen now."""
        try:
            response = httpx.get(f"http://127.0.0.1:{self._settings.http_port}/readyz", timeout=8.0)
        except httpx.HTTPError:
            return False
        return response.status_code == 200
