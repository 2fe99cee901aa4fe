"""What the doctor says before anything starts."""

import socket
from pathlib import Path

import pytest

from tools.stack.doctor import examine
from tools.stack.errors import StackError


def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StackError, match=rf"port {port} is taken by another program.*make run PORT={port + 1000}"):
            examine(tmp_path, [port], patience_seconds=0)


def test_free_ports_are_fine(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    examine(tmp_path, [port])
