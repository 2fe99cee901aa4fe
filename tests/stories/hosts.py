"""Two hosts on one machine: network namespaces with an address, a folder and keys of their own.

They share nothing but what a real pair would: the database, Redis, and the world outside. Those listen on
loopback and on sockets as always; a relay makes them reachable at MIDDLE, the far end of each host's cable.
"""

import asyncio
import http.client
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import make_url

from tests.stories.stack import ROOT, wait_until
from tools.stack.accounts import is_root
from tools.stack.system_packages import SYSTEM_PATH

_NET = f"10.213.{random.randrange(256)}"
MIDDLE = f"{_NET}.1"
WEB_PORT, DATABASE_PORT, REDIS_PORT = 8700, 5432, 6379
ANSWERS_WITHIN_SECONDS = 6.0
_IP = shutil.which("ip", path=SYSTEM_PATH)


def missing() -> str | None:
    """Why there can be no hosts here; None if there can."""
    if told := os.environ.get("ZAHLWERK_NO_NAMESPACES"):
        return f"network namespaces are not to be had: {told}"
    if not is_root():
        return "network namespaces need root"
    if not _IP:
        return "the program `ip` is not there: apt-get install iproute2"
    return None


def reachable(url: str) -> str:
    """The address of something on loopback, or of a store on its socket, as the hosts see it."""
    if url.startswith("unix:"):
        return f"redis://{MIDDLE}:{REDIS_PORT}"
    if url.startswith("postgresql"):
        whole = make_url(url)
        return whole.set(host=MIDDLE, port=DATABASE_PORT, query={}).render_as_string(hide_password=False)
    return url.replace("127.0.0.1", MIDDLE).replace("localhost", MIDDLE)


def _behind(url: str) -> tuple[int, int | str]:
    """The port of MIDDLE where something stands for the hosts, and what it is here: a port of loopback or a socket."""
    if url.startswith("unix:"):
        return REDIS_PORT, urlsplit(url).path
    if url.startswith("postgresql"):
        query = make_url(url).query
        return DATABASE_PORT, f"{query['host']}/.s.PGSQL.{query['port']}"
    port = urlsplit(url).port
    assert port, url
    return port, port


@dataclass
class Host:
    """`log`: what its programs wrote, by name."""

    name: str
    address: str
    cable: str
    folder: Path
    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, environment: dict[str, str]) -> None:
        """One web server, a worker for each queue, a clock."""
        keys = self.folder / "keys.json"
        shutil.copy(os.environ["ZAHLWERK_KEYS_FILE"], keys)
        own = {"ZAHLWERK_HOME": str(self.folder), "ZAHLWERK_KEYS_FILE": str(keys), "TMPDIR": str(self.folder)}
        web = ("granian", "--interface", "wsgi", "--no-ws", "--host", self.address, "--port", str(WEB_PORT))
        self._run("web", {**environment, **own}, *web, "--workers", "1", "--blocking-threads", "32", "wsgi:app")
        for queue in ("default", "deliveries"):
            self._run(f"worker-{queue}", {**environment, **own}, "jobs.worker", queue)
        self._run("clock", {**environment, **own}, "jobs.clock")

    def _run(self, name: str, environment: dict[str, str], *words: str) -> None:
        command = [str(_IP), "netns", "exec", self.name, sys.executable, "-m", *words]
        with (self.folder / f"{name}.log").open("ab") as sink:
            started = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=sink, stderr=sink, start_new_session=True
            )
        self.programs.append(started)

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any, bytes]:
        """(status, headers, body) from its web server. OSError or HTTPException when there is no answer."""
        connection = http.client.HTTPConnection(self.address, WEB_PORT, timeout=ANSWERS_WITHIN_SECONDS)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def is_ready(self) -> bool:
        logs = [(self.folder / f"worker-{queue}.log").read_text() for queue in ("default", "deliveries")]
        return all("ready" in log for log in logs) and self.ask("GET", "/readyz", b"", {})[0] == 200

    def said(self) -> str:
        return "\n".join(f"== {log.name}\n{log.read_text()[-2000:]}" for log in sorted(self.folder.glob("*.log")))

    def die(self) -> None:
        """As in a power cut: first the network is silent, so that nobody hears that its programs have ended."""
        _ip("link", "set", self.cable, "down")
        self.end()

    def end(self) -> None:
        for pid in _ip("netns", "pids", self.name).split():
            os.kill(int(pid), signal.SIGKILL)
        for program in self.programs:
            program.wait(10)


@dataclass
class Balancer:
    """Stands before the hosts, as WSGI: passes each request to the next of `hosts`. It never repeats one by itself.

    Without an answer it says 502. `answered`: requests that a host answered, by the host's name. `cut_off`: those
    that a host took and never answered.
    """

    hosts: list[Host]
    answered: Counter[str] = field(default_factory=Counter)
    cut_off: int = 0
    _turn: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
        host = self.hosts[next(self._turn) % len(self.hosts)]
        try:
            status, found, content = host.ask(environ["REQUEST_METHOD"], environ["PATH_INFO"] + query, body, headers)
        except (OSError, http.client.HTTPException) as silence:
            self.cut_off += isinstance(silence, TimeoutError)
            start_response("502 Bad Gateway", [])
            return [b""]
        self.answered[host.name] += 1
        start_response(f"{status} {http.client.responses[status]}", found)
        return [content]


@contextmanager
def two_hosts(folder: Path, shared: Iterable[str], environment: dict[str, str]) -> Iterator[list[Host]]:
    """Both running and ready. `shared`: URLs, as they are here, of what they may reach; see `reachable()`."""
    with ExitStack() as stack:
        made = [stack.enter_context(_host(number, folder / f"host-{number}")) for number in (1, 2)]
        stack.enter_context(_relay(dict(map(_behind, shared))))
        for host in made:
            stack.callback(host.end)
            host.start(environment)
        for host in made:
            try:
                wait_until(partial(_ready, host), 60, f"{host.name} is ready")
            except AssertionError as late:
                raise AssertionError(f"{late}\n{host.said()}") from late
        yield made


def _ready(host: Host) -> bool:
    try:
        return host.is_ready()
    except http.client.HTTPException:
        return False


@contextmanager
def _host(number: int, folder: Path) -> Iterator[Host]:
    """A namespace, and its cable to us. The address is nowhere else: without its cable it is unreachable."""
    folder.mkdir(parents=True)
    host = Host(f"zw-{os.getpid()}-{number}", f"{_NET}.{10 + number}", f"zw{os.getpid()}-{number}", folder)
    _ip("netns", "add", host.name)
    try:
        _ip("link", "add", host.cable, "type", "veth", "peer", "name", "eth0", "netns", host.name)
        _ip("addr", "add", MIDDLE, "peer", host.address, "dev", host.cable)
        _ip("link", "set", host.cable, "up")
        _ip("route", "add", "unreachable", host.address, "metric", "9999")
        _ip("-n", host.name, "addr", "add", host.address, "peer", MIDDLE, "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", host.name, "link", "set", device, "up")
        yield host
    finally:
        _ip("route", "del", "unreachable", host.address, "metric", "9999")
        _ip("netns", "del", host.name)  # takes the cable with it


def _ip(*words: str) -> str:
    done = subprocess.run([str(_IP), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
    return done.stdout


@contextmanager
def _relay(targets: dict[int, int | str]) -> Iterator[None]:
    """Passes what comes to a port of MIDDLE on to its target: a port of loopback, or a socket."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        for port, target in targets.items():
            serving = asyncio.start_server(partial(_passed_on, target), MIDDLE, port)
            asyncio.run_coroutine_threadsafe(serving, loop).result(10)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_all_ended(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def _passed_on(target: int | str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if isinstance(target, str):
        inner_reader, inner_writer = await asyncio.open_unix_connection(target)
    else:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", target)
    await asyncio.gather(_copied(reader, inner_writer), _copied(inner_reader, writer))


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while content := await reader.read(65_536):
            writer.write(content)
            await writer.drain()
    except OSError:
        pass  # an end that died is an end
    finally:
        writer.close()


async def _all_ended() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
