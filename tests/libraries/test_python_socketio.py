"""python-socketio, server and client; the server is werkzeug's, with a thread a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.libraries.measure import LIMIT, Claim, Probe, claims, library
from tests.libraries.servers import HOST, serving

socketio = library("socketio")
library("requests")
werkzeug = library("werkzeug.serving")


@contextmanager
def connected(server: Any, client: Any) -> Iterator[None]:
    """Client and server, as long as it lasts."""
    app = socketio.WSGIApp(server)
    with serving(werkzeug.make_server(HOST, 0, app, threaded=True)) as port:
        client.connect(f"http://{HOST}:{port}", transports=["polling"], wait_timeout=LIMIT)
        yield
        client.disconnect()


def new_server() -> Any:
    server = socketio.Server(async_mode="threading", ping_interval=1)
    server.on("question", lambda sid, *data: server.emit("answer", "1", to=sid))
    return server


@claims("runs", "socketio.Client.on")
async def test_client(claim: Claim) -> None:
    probe, client = Probe(), socketio.Client()
    client.on("answer", probe)
    await talk(new_server(), client, probe)
    claim.check(probe)


@claims("decorators", "socketio.Client.on", "socketio.Client.event")
async def test_decorated_client(claim: Claim) -> None:
    probe, client = Probe(), socketio.Client()

    def answer(data: object) -> None:
        probe()

    client.on("answer")(answer) if claim.member == "on" else client.event(answer)
    await talk(new_server(), client, probe)
    claim.check(probe)


@claims("overrides", "socketio.ClientNamespace.on_[*]")
async def test_client_namespace(claim: Claim) -> None:
    probe, client = Probe(), socketio.Client()
    client.register_namespace(type("Space", (socketio.ClientNamespace,), {"on_answer": claim.handler(probe)})("/"))
    await talk(new_server(), client, probe)
    claim.check(probe)


@claims("runs", "socketio.Server.on")
async def test_server(claim: Claim) -> None:
    probe, server = Probe(), new_server()
    server.on("question", probe)
    await talk(server, socketio.Client(), probe)
    claim.check(probe)


@claims("decorators", "socketio.Server.on", "socketio.Server.event")
async def test_decorated_server(claim: Claim) -> None:
    probe, server = Probe(), new_server()

    def question(*_: object) -> None:
        probe()

    server.on("question")(question) if claim.member == "on" else server.event(question)
    await talk(server, socketio.Client(), probe)
    claim.check(probe)


@claims("overrides", "socketio.Namespace.on_[*]")
async def test_server_namespace(claim: Claim) -> None:
    probe, server = Probe(), socketio.Server(async_mode="threading", ping_interval=1)
    server.register_namespace(type("Space", (socketio.Namespace,), {"on_question": claim.handler(probe)})("/"))
    await talk(server, socketio.Client(), probe)
    claim.check(probe)


@claims("runs", "socketio.Client.start_background_task", "socketio.Server.start_background_task")
async def test_background_task(claim: Claim) -> None:
    probe = Probe()
    (socketio.Client() if ".Client." in claim.name else new_server()).start_background_task(probe)
    await probe.called()
    claim.check(probe)


@claims("runs", "socketio.Client.emit", "socketio.Client.send")
async def test_acknowledged(claim: Claim) -> None:
    probe, client, server = Probe(), socketio.Client(), new_server()
    server.on("message", lambda sid, data: "acknowledged")
    with connected(server, client):
        arguments = ("message", "1") if claim.member == "emit" else ("1",)
        getattr(client, claim.member)(*arguments, callback=probe)
        await probe.called()
    claim.check(probe)


async def talk(server: Any, client: Any, probe: Probe) -> None:
    """The client asks until the probe is called."""
    with connected(server, client):
        client.emit("question")
        await probe.called()
