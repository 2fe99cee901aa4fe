"""Which request goes where. The protocol is described in PROTOCOL.md."""

import hmac
import json
from functools import partial
from urllib.parse import parse_qs, unquote

from sandbox.acquirers import acs
from sandbox.acquirers.acquirer import Acquirer, Refused
from sandbox.acquirers.asked import Asked
from sandbox.acquirers.authorise import authorise, finish, renew, store_card
from sandbox.acquirers.book import Operation
from sandbox.acquirers.dispute import TurnNotPossible, take_turn
from sandbox.acquirers.move import move
from sandbox.acquirers.perform import perform
from sandbox.acquirers.wire import Reply, Request

_VERBS = {"captures": "capture", "refunds": "refund", "cancels": "cancel"}
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


class Desk:
    """Answers requests to one acquirer. `public_url` is where browsers reach the ACS page; by default
    it is where the merchant reached us."""

    def __init__(self, acquirer: Acquirer, public_url: str | None) -> None:
        self._acquirer = acquirer
        self._public_url = public_url
        self._first_asked: dict[str, float] = {}  # unseen keys, for those that answer enquiries late

    def answer(self, request: Request) -> Reply:
        path = request.path.split("/")
        try:
            if path[1] == "v1":
                return self._merchant(request, path[2:])
            if path[1] == "acs" and len(path) == 3:
                return acs.answer(self._acquirer, request, path[2])
            if path[1] == "control" and request.peer in _LOOPBACK:
                return self._control(request, path[2:])
            if request.path == "/health":
                return _json(200, {"acquirer": self._acquirer.letter.name})
            raise Refused(404, "unknown_path")
        except Refused as refused:
            return self._acquirer.refusal(refused)

    # What merchants ask

    def _merchant(self, request: Request, path: list[str]) -> Reply:
        control, book = self._acquirer.control, self._acquirer.book
        if control.hang:
            return Reply(how="never")
        if control.down == "close":
            return Reply(how="close")
        if control.down == "503":
            return Reply(503, b"Service Unavailable", "text/plain")
        if not hmac.compare_digest(request.headers.get(b"authorization", b""), self._acquirer.authorization):
            raise Refused(401, "wrong_key")
        host = request.headers.get(b"host", b"").decode("latin-1")
        base_url = self._public_url or f"http://{host}"
        if request.method == "GET" and path == ["account"]:
            reply = self._acquirer.account()
        elif request.method == "GET":
            reply = self._enquire(request, path, base_url)
        elif request.method == "POST":
            key = request.headers.get(b"idempotency-key", b"").decode("latin-1")
            known = book.by_key.get(key)
            if control.down == "busy" and known is None:
                raise Refused(503, "not_processed")
            reply = self._do(request, path, key, known, base_url)
        else:
            raise Refused(405, "method_not_allowed")
        if control.latency_ms and reply.how == "send":
            reply.after += control.latency_ms / 1000
        return reply

    def _do(self, request: Request, path: list[str], key: str, known: Operation | None, base_url: str) -> Reply:
        acquirer = self._acquirer
        asked = _object(request.body)
        if len(path) == 3 and path[0] == "authorisations" and path[2] == "finish":
            return finish(acquirer, unquote(path[1]), asked, base_url)
        if not 0 < len(key) <= 200:
            raise Refused(422, "invalid", "Idempotency-Key")
        mark = acquirer.fingerprint(request.path.encode() + b"\0" + request.body)
        if known:
            if known.mark not in ("", mark):
                raise Refused(409, "key_reused")
            return perform(acquirer, None, base_url, partial(_itself, known), seen=True)
        if "amount" in asked:
            acquirer.control.note(path[-1], asked["amount"], asked.get("currency"))
        match path:
            case ["authorisations"]:
                return authorise(acquirer, key, mark, asked, base_url)
            case ["authorisations", id, "reauthorise"]:
                return renew(acquirer, unquote(id), key, mark, asked, base_url)
            case ["authorisations", id, verbs] if verbs in _VERBS:
                return move(acquirer, _VERBS[verbs], unquote(id), key, mark, asked, base_url)
            case ["tokens"]:
                return store_card(acquirer, key, mark, asked, base_url)
        raise Refused(404, "unknown_path")

    def _enquire(self, request: Request, path: list[str], base_url: str) -> Reply:
        """By our id or by the merchant's key. With `unseen=refuse` a key that never arrived is refused
        from now on, which makes "we never had it" a promise and not a snapshot."""
        book, query = self._acquirer.book, parse_qs(request.query)
        if path[:1] != ["operations"] or len(path) > 2:
            raise Refused(404, "unknown_path")
        key = query.get("key", [""])[0]
        operation = book.operations.get(unquote(path[1])) if len(path) == 2 else book.by_key.get(key)
        self._not_too_soon(operation, key)
        if operation is None and key and query.get("unseen") == ["refuse"]:
            book.record("refused_unseen", id=self._acquirer.new_id("un"), key=key)
            operation = book.by_key[key]
        if operation is None:
            raise Refused(404, "unknown_operation")
        return perform(self._acquirer, None, base_url, partial(_itself, operation), seen=True)

    def _not_too_soon(self, operation: Operation | None, key: str) -> None:
        wait, now = self._acquirer.letter.enquiry_after, self._acquirer.book.now()
        if wait and now < (operation.at if operation else self._first_asked.setdefault(key, now)) + wait:
            raise Refused(404, "not_yet")

    # What tests ask

    def _control(self, request: Request, path: list[str]) -> Reply:
        acquirer = self._acquirer
        if request.method == "GET":
            return _json(200, {**acquirer.control.shown(), "clock_offset": acquirer.book.clock_offset})
        if request.method != "POST" or request.headers.get(b"content-type") != b"application/json":
            raise Refused(415, "send_json")  # a page in a browser cannot send this type to another site
        wanted = _object(request.body)
        match path:
            case ["dispute"]:
                return self._dispute(wanted)
            case ["run_now"]:
                return _json(200, {"done": acquirer.later.run_now()})
        offset = wanted.pop("clock_offset", None)
        if wrong := acquirer.control.change(wanted):
            return _json(422, {"error": "invalid", "field": wrong})
        if offset is not None:
            if not isinstance(offset, int | float) or offset < acquirer.book.clock_offset:
                return _json(422, {"error": "invalid", "field": "clock_offset"})
            acquirer.book.record("clock_moved", offset=float(offset))
        return _json(200, {**acquirer.control.shown(), "clock_offset": acquirer.book.clock_offset})

    def _dispute(self, wanted: Asked) -> Reply:
        authorisation = self._acquirer.authorisation(str(wanted.get("authorisation")))
        turn, amount = wanted.get("turn"), wanted.get("amount")
        if turn not in ("inquiry", "charged_back", "reversed", "lost") or not isinstance(amount, int | None):
            return _json(422, {"error": "invalid", "field": "turn"})
        try:
            take_turn(self._acquirer, authorisation, turn, amount)
        except TurnNotPossible:
            return _json(422, {"error": "turn_not_possible"})
        return _json(200, {"turns": authorisation.turns})


def _itself(operation: Operation) -> Operation:
    return operation


def _object(body: bytes) -> Asked:
    try:
        value = json.loads(body.decode() or "{}")
    except (ValueError, RecursionError):
        raise Refused(422, "invalid", "body") from None
    if not isinstance(value, dict):
        raise Refused(422, "invalid", "body")
    return value


def _json(status: int, value: object) -> Reply:
    return Reply(status, json.dumps(value).encode())
