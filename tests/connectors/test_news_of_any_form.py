"""Walks over every connector: whatever anybody sends as a notification, reading it ends in a way that kinds.py names.

A wrong signature or form is NewsRefused; what is read can be kept (PostgreSQL takes no NUL, no half of a surrogate
pair, and no amount beyond 64 bits).
"""

import copy
import importlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.connectors import CONNECTORS
from app.connectors.kinds import Connector, Contract, News, NewsRefused
from app.core.http import NoAnswer, NotSent

_ANY = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck), database=None)
_texts = st.one_of(
    st.text(max_size=12),
    st.text(st.characters(), max_size=4),  # halves of surrogate pairs too
    st.sampled_from(["", "\x00", "\ud800", "é", "http://[", "99999999999999999999", "1e999999", "٣", "x" * 300]),
)
_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from([10**19, -(10**19), 10**60]), _texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)

_header_values = st.text(st.characters(max_codepoint=255), max_size=30) | st.sampled_from(["", "http://[", "t=1,v1=é"])


@pytest.fixture(scope="module", params=sorted(CONNECTORS))
def walked(request: pytest.FixtureRequest) -> Iterator[tuple[Connector, ModuleType, Contract]]:
    peer = importlib.import_module(f"tests.connectors.peers.{request.param}")
    with peer.peer() as contract:
        yield CONNECTORS[request.param], peer, contract


def _read(connector: Connector, contract: Contract, headers: dict[str, str], body: bytes) -> list[News] | None:
    """None: refused, or its signature could not be looked into now."""
    try:
        return connector.read_news(contract, headers, body)
    except (NewsRefused, NotSent, NoAnswer):
        return None


@_ANY
@given(data=st.data())
def test_what_nobody_has_signed_may_look_like_anything(walked, data):
    connector, peer, contract = walked
    headers, body = peer.signed_news(contract, peer.NEWS[0])
    headers = {name: data.draw(st.one_of(st.just(value), _header_values), name) for name, value in headers.items()}
    body = data.draw(st.one_of(st.just(body), st.binary(max_size=40), _values.map(json.dumps).map(str.encode)), "body")
    _read(connector, contract, headers, body)


def test_an_unsigned_surrogate_is_refused(walked):
    """JSON can write half of a surrogate pair, which no text can be encoded with."""
    connector, peer, contract = walked
    headers, body = peer.signed_news(contract, peer.NEWS[0])
    for name in headers:
        with pytest.raises(NewsRefused):
            connector.read_news(contract, {**headers, name: "é"}, body.replace(b"{", b'{"\\ud800":"\\ud800",', 1))


@_ANY
@given(data=st.data())
def test_what_is_signed_is_read_or_refused_and_can_be_kept(walked, data):
    connector, peer, contract = walked
    message = copy.deepcopy(data.draw(st.sampled_from(peer.NEWS), "message"))
    for _ in range(data.draw(st.integers(1, 3), "changes")):
        message = _changed(message, data)
    for news in _read(connector, contract, *peer.signed_news(contract, message)) or []:
        _can_be_kept(asdict(news))


def _changed(message: Any, data: st.DataObject) -> Any:
    """One place of it, as deep as you like, has another value."""
    place: Any = message
    while True:
        inner = list(place) if isinstance(place, dict) else list(range(len(place))) if isinstance(place, list) else []
        if not inner:
            return message
        key = data.draw(st.sampled_from(inner), "place")
        if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.integers(0, 4), "stop") == 0:
            place[key] = data.draw(_values, "value")
            return message
        place = place[key]


def _can_be_kept(value: Any) -> None:
    if isinstance(value, dict):
        for one in value.values():
            _can_be_kept(one)
    elif isinstance(value, str):
        assert "\x00" not in value
        value.encode()
    elif isinstance(value, int):
        assert abs(value) < 2**63
