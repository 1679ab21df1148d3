"""The distributions of the templates on this machine, in front of their origins."""

import json
from base64 import b64decode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import ClientError

from tests.infra.templates import run_fallback, substitute, template
from tests.sso_project.lambda_events import http_api


@contextmanager
def serve(respond):
    """Serve on a free port, and yield the URL.

    `respond` gets the method, the URL in parts, the headers and the body, and returns status,
    headers and body.
    """

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, sent, content = respond(self.command, urlsplit(self.path), headers, body)
            self.send_response(status)
            for name, value in sent.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_OPTIONS = do_DELETE = handle_any

        def log_message(self, *arguments):
            """Write nothing for each request."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def security_headers(**parameters):
    """Return the headers of the response headers policy of template 3."""
    resource = template("3")["Resources"]["SecurityHeaders"]["Properties"]
    config = resource["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    policy = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    return {
        "Content-Security-Policy": substitute(policy, **parameters).strip(),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": security["FrameOptions"]["FrameOption"],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        **{item["Header"]: item["Value"] for item in config["CustomHeadersConfig"]["Items"]},
    }


def static_sites(s3, bucket, layout, **parameters):
    """Return `respond` of template 3: its function and headers in front of its bucket."""
    secure = security_headers(**parameters)

    def respond(method, url, headers, body):
        query = {
            name: {"value": values[-1], "multiValue": [{"value": value} for value in values]}
            for name, values in parse_qs(url.query, keep_blank_values=True).items()
        }
        host = {"host": {"value": headers["host"]}}
        [result] = run_fallback(layout, [{"uri": url.path, "querystring": query, "headers": host}])
        if "statusCode" in result:
            location = result["headers"]["location"]["value"]
            return result["statusCode"], {**secure, "Location": location}, b""
        try:
            file = s3.get_object(Bucket=bucket, Key=result["uri"].removeprefix("/"))
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return 404, secure, b""
        stored = {"Content-Type": file["ContentType"], "Cache-Control": file["CacheControl"]}
        return 200, secure | stored, file["Body"].read()

    return respond


def lambda_site(client, function, origin_verify):
    """Return `respond` of template 2: its function, with the header that CloudFront adds."""

    def respond(method, url, headers, body):
        event = http_api(
            url.path,
            method=method,
            query=url.query,
            headers={**headers, "x-origin-verify": origin_verify},
            body=body.decode() or None,
        )
        done = client.invoke(FunctionName=function, Payload=json.dumps(event))
        response = json.loads(done["Payload"].read())
        assert "FunctionError" not in done, response
        content = response["body"].encode()
        if response.get("isBase64Encoded"):
            content = b64decode(content)
        return response["statusCode"], response["headers"], content

    return respond
