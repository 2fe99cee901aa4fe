"""The sandbox acquirers as real processes on loopback, for tests."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from sandbox.acquirers.letters import LETTERS

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class RunningAcquirer:
    letter: str
    url: str
    journal: Path
    process: subprocess.Popen[str]

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a contract with it."""
        letter = LETTERS[self.letter]
        return {"url": self.url, "api_key": letter.api_key, "news_secret": letter.news_secret}

    def did(self, **wanted: Any) -> list[dict[str, Any]]:
        """Journal lines (what it really did) whose fields equal `wanted`."""
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()] if self.journal.exists() else []
        return [line for line in lines if all(line.get(key) == value for key, value in wanted.items())]

    def control(self, **settings: Any) -> Mapping[str, Any]:
        """Sets its behaviour, e.g. control(latency_ms=300) or control(down=True)."""
        return self._post("/control", settings)

    def dispute(self, **what: Any) -> Mapping[str, Any]:
        return self._post("/control/dispute", what)

    def _post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        request = Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(request, timeout=5) as answer:
            content = answer.read()
        return json.loads(content) if content else {}


Acquirers = dict[str, RunningAcquirer]


@contextmanager
def running_acquirers(journals: Path, letters: str = "ABCDE") -> Iterator[Acquirers]:
    journals.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        yield {letter: stack.enter_context(running_acquirer(letter, journals)) for letter in letters}


@contextmanager
def running_acquirer(letter: str, journals: Path, port: int = 0) -> Iterator[RunningAcquirer]:
    journal = journals / f"{letter}.jsonl"
    command = [sys.executable, "-m", "sandbox.acquirers", letter, "--port", str(port), "--journal", str(journal)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first_line = process.stdout.readline()
        assert "listens on " in first_line, first_line
        yield RunningAcquirer(letter, first_line.rsplit(" ", 1)[1].strip(), journal, process)
    finally:
        process.terminate()
        process.wait(10)
