"""Receives webhooks and prints what happened: python3 receive.py whsec_… [port]

Needs Python 3.7 or newer and nothing else. Stop it and start it again: what it missed is delivered then.
"""
import base64
import hashlib
import hmac
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

secret = sys.argv[1]
port = int(sys.argv[2]) if len(sys.argv) > 2 else 8000
key = base64.b64decode(secret.removeprefix("whsec_"))
seen = set()  # Yours belong where they outlive the process.


def is_ours(headers, body: bytes) -> bool:
    """Signed with the secret, and less than five minutes ago."""
    sent = headers.get("webhook-timestamp", "")
    signed = f"{headers.get('webhook-id')}.{sent}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    signatures = headers.get("webhook-signature", "").split()
    is_recent = sent.isdecimal() and abs(time.time() - int(sent)) < 300
    return is_recent and any(hmac.compare_digest(expected, each) for each in signatures)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if not is_ours(self.headers, body):
            return self.answer(401)
        # At least once: what was answered and not noted before a process died comes again.
        if self.headers["webhook-id"] not in seen:
            event = json.loads(body)
            data = event["data"]
            print(event["type"], data.get("workshopId"), data.get("version"), data.get("message", ""), flush=True)
            seen.add(self.headers["webhook-id"])
        self.answer(204)

    def answer(self, status: int):
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


print(f"listening on {port}", flush=True)
ThreadingHTTPServer(("127.0.0.1", port), Receiver).serve_forever()
