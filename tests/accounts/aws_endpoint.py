"""A local server that responds to boto3 in the protocols of AWS.

CloudFormation uses the query protocol: a form, with an XML response. Cognito uses JSON, with the
operation in X-Amz-Target (https://smithy.io/2.0/aws/protocols/).
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

_XML = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


class AwsEndpoint:
    """Responds to each operation with `responses[name]`: a result, a `Refusal`, or a raw body."""

    def __init__(self, **responses):
        self.responses = responses
        handler = type("Handler", (_Handler,), {"endpoint": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
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

    def __repr__(self):
        return self.code  # in the names of tests, which must be the same in every process


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request_body = self.rfile.read(int(self.headers["Content-Length"]))
        target = self.headers.get("X-Amz-Target")
        name = target.partition(".")[2] if target else parse_qs(request_body.decode())["Action"][0]
        response = self.endpoint.responses[name]
        body = (
            response if isinstance(response, str) else (_json if target else _query)(name, response)
        )
        self.send_response(400 if isinstance(response, Refusal) else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.1" if target else "text/xml")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


def _json(name, response):
    if isinstance(response, Refusal):
        return json.dumps({"__type": response.code, "message": response.message})
    return json.dumps(response)


def _query(name, response):
    if isinstance(response, Refusal):
        error = f"<Code>{response.code}</Code><Message>{escape(response.message)}</Message>"
        return f'<ErrorResponse xmlns="{_XML}"><Error>{error}</Error></ErrorResponse>'
    result = f"<{name}Result>{_members(response)}</{name}Result>"
    return f'<{name}Response xmlns="{_XML}">{result}</{name}Response>'


def _members(value):
    if isinstance(value, dict):
        return "".join(f"<{key}>{_members(member)}</{key}>" for key, member in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_members(member)}</member>" for member in value)
    return escape(value)
