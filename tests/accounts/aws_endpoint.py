"""AWS as boto3 meets it, on this machine: answers to operations in the bytes of AWS's protocols.

CloudFormation speaks the query protocol (a form, answered with XML); Cognito speaks JSON, with the
operation in X-Amz-Target (https://smithy.io/2.0/aws/protocols/).
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

_XML = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


class AwsEndpoint:
    """Answers each operation with `answers[name]`: its result, a Refusal, or a text as it is."""

    def __init__(self, **answers):
        self.answers = answers
        handler = type("Handler", (_Handler,), {"endpoint": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self):
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "tests-only",
            "AWS_SECRET_ACCESS_KEY": "tests-only",
            "AWS_REGION": "eu-west-1",
        }


class Refusal:
    def __init__(self, code, message):
        self.code, self.message = code, message


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        target = self.headers.get("X-Amz-Target")
        name = target.partition(".")[2] if target else parse_qs(body.decode())["Action"][0]
        answer = self.endpoint.answers[name]
        text = answer if isinstance(answer, str) else (_json if target else _query)(name, answer)
        self.send_response(400 if isinstance(answer, Refusal) else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.1" if target else "text/xml")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args):
        pass


def _json(name, answer):
    if isinstance(answer, Refusal):
        return json.dumps({"__type": answer.code, "message": answer.message})
    return json.dumps(answer)


def _query(name, answer):
    if isinstance(answer, Refusal):
        said = f"<Code>{answer.code}</Code><Message>{escape(answer.message)}</Message>"
        return f'<ErrorResponse xmlns="{_XML}"><Error>{said}</Error></ErrorResponse>'
    return f'<{name}Response xmlns="{_XML}"><{name}Result>{_members(answer)}</{name}Result></{name}Response>'  # noqa: E501


def _members(value):
    if isinstance(value, dict):
        return "".join(f"<{key}>{_members(each)}</{key}>" for key, each in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_members(each)}</member>" for each in value)
    return escape(value)
