"""Homes that the account of the stores can reach, and programs that are surely ended."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tools.programs import Program, TinyStack
from tools.stack.places import scratch_home


@pytest.fixture
def home() -> Iterator[Path]:
    with scratch_home() as scratch:
        yield scratch


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """start("module", "word", ..., NAME="value") runs a program; all are gone after the test."""
    running: list[Program] = []

    def begin(*words: str | Path, **environment: str) -> Program:
        running.append(Program(tmp_path / f"output-{len(running)}.txt", *words, **environment))
        return running[-1]

    yield begin
    for program in running:
        program.destroy()


@pytest.fixture
def stack(home: Path, tmp_path: Path) -> Iterator[Callable[[list[dict[str, Any]]], TinyStack]]:
    """stack([{child}, ...]) starts a tiny stack in `home`; all are gone after the test."""
    running: list[TinyStack] = []

    def begin(children: list[dict[str, Any]]) -> TinyStack:
        running.append(TinyStack(home, children, tmp_path / str(len(running))))
        return running[-1]

    yield begin
    for program in running:
        program.destroy()
