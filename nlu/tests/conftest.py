"""The trained model, loaded once, behind the real channel over HTTP, with action servers made for the test."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

NLU = Path(__file__).resolve().parents[1]
TOKEN = "a-token-for-tests-" + "t" * 30

sys.path.insert(0, str(NLU))
from quiet import quiet  # noqa: E402

quiet()


@pytest.fixture(scope="session")
def model_path() -> Path:
    """The model of the present inputs; trained only when there is none yet."""
    done = subprocess.run([sys.executable, str(NLU / "train.py")], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


class ActionServer:
    """Answers Rasa's action calls: every action says its own name, those in `failing` answer 500."""

    def __init__(self) -> None:
        self.failing: set[str] = set()
        self.calls: list[dict[str, Any]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.calls.append(call)
                name = call["next_action"]
                status = 500 if name in owner.failing else 200
                # A validation that sets nothing: the message was not meant for the form.
                said = [] if name.startswith("validate_") else [{"text": name}]
                body = json.dumps({"events": [], "responses": said}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Free the port."""
        self._server.shutdown()
        self._server.server_close()


class Engine:
    """The channel's address and the loaded agent; `ask` is one turn as the application asks for it."""

    def __init__(self, url: str, agent: Any, loop: asyncio.AbstractEventLoop, actions: ActionServer) -> None:
        self.url, self.agent, self.actions = url, agent, actions
        self._loop = loop

    def run(self, work: Any) -> Any:
        """Run a coroutine on the agent's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    def post(self, body: Any, *, token: str | None = TOKEN) -> tuple[int, dict[str, Any]]:
        """Status and answer of one POST to the channel."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            f"{self.url}/webhooks/nghedan/webhook", json.dumps(body).encode(), headers
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def ask(self, text: str, snapshot: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """One turn of a person whose conversation stands at `snapshot`."""
        return self.post({"sender": "a", "inbound_id": 1, "text": text, "snapshot": snapshot or {}})


@pytest.fixture(scope="session")
def engine(model_path: Path) -> Iterator[Engine]:
    """The real agent behind our channel on a loopback port."""
    os.chdir(NLU)
    from components.nghedan_channel import NghedanInput
    from components.seeded_tracker_store import SeededTrackerStore
    from rasa.core.agent import Agent
    from rasa.core.channels import channel
    from rasa.shared.core.domain import Domain
    from rasa.utils.endpoints import EndpointConfig
    from sanic import Sanic

    actions = ActionServer()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[Agent, Any, int]:
        agent = Agent.load(
            model_path,
            tracker_store=SeededTrackerStore(Domain.empty()),
            action_endpoint=EndpointConfig(actions.url),
        )
        app = Sanic("nghedan_tests", configure_logging=False)
        app.ctx.agent = agent
        channel.register([NghedanInput(TOKEN)], app, route="/webhooks/")
        door = socket.socket()
        door.bind(("127.0.0.1", 0))
        server = await app.create_server(sock=door, return_asyncio_server=True, access_log=False)
        await server.startup()
        await server.start_serving()
        return agent, server, door.getsockname()[1]

    agent, server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(timeout=120)
    yield Engine(f"http://127.0.0.1:{port}", agent, loop, actions)
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    actions.stop()


@pytest.fixture
def working(engine: Engine) -> Iterator[Engine]:
    """The engine with no action failing and no call noted."""
    engine.actions.failing.clear()
    engine.actions.calls.clear()
    yield engine
    engine.actions.failing.clear()
