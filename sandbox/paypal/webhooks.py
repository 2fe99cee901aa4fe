"""Signed webhooks of the PayPal stand-in, delivered by one thread and repeated until someone answers 2xx."""

import base64
import datetime
import json
import queue
import threading
import time
import uuid
import zlib
from pathlib import Path

import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from sandbox.paypal.books import Books, Thing, new_id, stamp

PAUSES_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 300)


class Webhooks:
    def __init__(self, books: Books, key_file: Path) -> None:
        self._books = books
        self._key, self.certificate = _key_and_certificate(key_file)
        self.certificate_name = f"CERT-{zlib.crc32(self.certificate.encode()):08x}"
        self._due: queue.PriorityQueue[tuple[float, str]] = queue.PriorityQueue()
        self._http = urllib3.PoolManager(timeout=10, retries=False)

    def start(self) -> None:
        for delivery in self._books.all("deliveries"):
            if delivery["state"] == "waiting":
                self._due.put((time.monotonic(), delivery["id"]))
        threading.Thread(target=self._run, name="paypal-webhooks", daemon=True).start()

    def tell(self, owner: str, base: str, name: str, resource_type: str, resource: Thing) -> Thing:
        """Makes an event for every webhook of this merchant that wants it."""
        event = {
            "id": f"WH-{new_id()}-{new_id()}",
            "event_version": "1.0",
            "create_time": stamp(),
            "resource_type": resource_type,
            "resource_version": "2.0",
            "event_type": name,
            "summary": f"Sandbox: {name}",
            "resource": {key: value for key, value in resource.items() if not key.startswith("_")},
            "links": [{"href": f"{base}/v1/notifications/webhooks-events", "rel": "self", "method": "GET"}],
        }
        self._books.put("events", event["id"], event)
        for webhook in self._books.all("webhooks"):
            wanted = {one["name"] for one in webhook["event_types"]}
            if webhook["_owner"] == owner and wanted & {name, "*"}:
                self._send_later(event, webhook, base)
        return event

    def _send_later(self, event: Thing, webhook: Thing, base: str) -> None:
        delivery = {
            "id": str(uuid.uuid4()),
            "event": event["id"],
            "webhook": webhook["id"],
            "cert_url": f"{base}/v1/notifications/certs/{self.certificate_name}",
            "state": "waiting",
            "tries": 0,
        }
        self._books.put("deliveries", delivery["id"], delivery)
        self._due.put((time.monotonic(), delivery["id"]))

    def resend(self, event_id: str) -> int:
        """Sends every delivery of an event once more. Returns how many."""
        again = [one for one in self._books.all("deliveries") if one["event"] == event_id]
        for delivery in again:
            self._due.put((time.monotonic(), delivery["id"]))
        return len(again)

    def _run(self) -> None:
        while True:
            due, delivery_id = self._due.get()
            wait = due - time.monotonic()
            if wait > 0:  # the earliest one is not due yet; look again soon, an earlier one may have come
                self._due.put((due, delivery_id))
                time.sleep(min(wait, 0.1))
                continue
            self._deliver(delivery_id)

    def _deliver(self, delivery_id: str) -> None:
        delivery = self._books.get("deliveries", delivery_id)
        webhook = self._books.get("webhooks", delivery["webhook"]) if delivery else None
        event = self._books.get("events", delivery["event"]) if delivery else None
        if not delivery or not webhook or not event:
            return
        body = json.dumps(event, separators=(",", ":")).encode()
        try:
            status = self._http.request(
                "POST", webhook["url"], body=body, headers=self.signed(webhook["id"], delivery["cert_url"], body)
            ).status
        except urllib3.exceptions.HTTPError as error:
            status = type(error).__name__
        tries = delivery["tries"] + 1
        done = isinstance(status, int) and 200 <= status < 300
        state = "delivered" if done else "waiting" if tries < len(PAUSES_SECONDS) else "failed"
        self._books.put("deliveries", delivery_id, {**delivery, "state": state, "tries": tries, "status": status})
        if state == "waiting":
            self._due.put((time.monotonic() + PAUSES_SECONDS[tries - 1], delivery_id))

    def signed(self, webhook_id: str, cert_url: str, body: bytes) -> dict[str, str]:
        sent, at = str(uuid.uuid4()), stamp()
        message = f"{sent}|{at}|{webhook_id}|{zlib.crc32(body)}".encode()
        signature = self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return {
            "Content-Type": "application/json",
            "PayPal-Transmission-Id": sent,
            "PayPal-Transmission-Time": at,
            "PayPal-Transmission-Sig": base64.b64encode(signature).decode(),
            "PayPal-Auth-Algo": "SHA256withRSA",
            "PayPal-Cert-Url": cert_url,
        }


def _key_and_certificate(path: Path) -> tuple[rsa.RSAPrivateKey, str]:
    """The key of this stand-in, made at its first start, and its certificate in PEM. The file holds both."""
    if path.exists():
        content = path.read_bytes()
        key = serialization.load_pem_private_key(content, None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key, content[content.index(b"-----BEGIN CERTIFICATE") :].decode()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.sandbox.invalid")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(private + certificate)
    return key, certificate.decode()
