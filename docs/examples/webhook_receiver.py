"""Listens for messages of webhooks, and prints those that are genuine: webhook_receiver.py PORT, $WEBHOOK_SECRET."""

import base64
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

TOLERATED_SECONDS = 300
LONGEST = 1 << 20


def is_genuine(secret, headers, body):
    """Tell whether a message was signed with the secret, a moment ago (Standard Webhooks)."""
    if abs(time.time() - int(headers["webhook-timestamp"])) > TOLERATED_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    right = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return any(hmac.compare_digest(right, each) for each in headers["webhook-signature"].split())


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(min(int(self.headers["content-length"]), LONGEST))
        good = is_genuine(os.environ["WEBHOOK_SECRET"], self.headers, body)
        self.send_response(204 if good else 401)
        self.end_headers()
        if good:
            message = json.loads(body)
            print(message["type"], json.dumps(message["data"]), flush=True)

    def log_message(self, *_):
        """Say nothing of requests."""


HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
