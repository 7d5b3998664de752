"""A local server that answers as publishers' servers do, faults included."""

import contextlib
import email.utils
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = b"area_fips,own_code\n" + b"39049,0\n" * 20_000
ETAG = '"v1"'


class Replay(ThreadingHTTPServer):
    """Counts what was asked for, so that a test can say how often and in which pieces."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen = Counter()
        self.ranges = []
        self.agents = set()
        self.files = {}

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        """Keep the test's output clean."""

    def do_GET(self):
        server, name = self.server, self.path.strip("/")
        server.seen[name] += 1
        server.agents.add(self.headers["User-Agent"])
        server.ranges.append(self.headers.get("Range"))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            getattr(self, f"on_{name.split('.')[0]}", self.on_file)(server.seen[name])

    def send(self, status, body=b"", length=None, **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def on_file(self, count):
        body = self.server.files.get(self.path.strip("/"))
        if body is None:
            self.send(404, b"no")
        else:
            self.send(200, body, ETag=ETAG)

    def on_flaky(self, count):
        if count < 3:
            self.send(500, b"sorry")
        else:
            self.send(200, BODY)

    def on_down(self, count):
        self.send(503, b"sorry")

    def on_busy(self, count):
        if count == 1:
            self.send(429, b"", Retry_After="1")
        else:
            self.send(200, BODY)

    def on_short(self, count):
        self.send(200, BODY[:1000], length=len(BODY))
        self.close_connection = True

    def on_circle(self, count):
        self.send(302, b"", Location=self.path)

    def on_moved(self, count):
        self.send(301, b"", Location="/fine.csv")

    def on_fine(self, count):
        self.send(200, BODY)

    def on_page(self, count):
        self.send(200, b"<!DOCTYPE html><p>Access denied", Content_Type="text/html")

    def on_disguised(self, count):
        self.send(200, b"\n <html><p>Access denied", Content_Type="text/csv")

    def on_empty(self, count):
        self.send(200, b"")

    def on_slow(self, count):
        time.sleep(1.5)
        self.send(200, BODY)

    def on_drip(self, count):
        self.send(200, BODY[:10], length=len(BODY))
        for byte in range(40):
            time.sleep(0.05)
            self.wfile.write(BODY[10 + byte : 11 + byte])
            self.wfile.flush()
        self.close_connection = True

    def on_cut(self, count, etag=ETAG):
        """Stop in the middle of the first answer; serve the rest when asked for it rightly."""
        wanted = self.headers.get("Range")
        if count == 1:
            self.send(200, BODY[:70_000], length=len(BODY), ETag=ETAG)
            self.close_connection = True
        elif wanted and self.headers.get("If-Range") == etag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self.send(
                206, BODY[start:], Content_Range=f"bytes {start}-{len(BODY) - 1}/{len(BODY)}", ETag=etag
            )
        else:
            self.send(200, BODY, ETag=etag)

    def on_stingy(self, count):
        """Stop in the middle, then give no more than 40,000 bytes an answer."""
        wanted = self.headers.get("Range")
        if not wanted:
            self.send(200, BODY[:70_000], length=len(BODY), ETag=ETAG)
            self.close_connection = True
        else:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            piece = BODY[start : start + 40_000]
            self.send(
                206, piece, Content_Range=f"bytes {start}-{start + len(piece) - 1}/{len(BODY)}", ETag=ETAG
            )

    def on_changed(self, count):
        """Stop in the middle, then offer another edition of the file."""
        self.on_cut(count, etag='"v2"')

    def on_weak(self, count):
        """Stop in the middle of the first answer, which carries nothing that could prove a later one the same."""
        if count == 1:
            self.send(200, BODY[:70_000], length=len(BODY), ETag='W/"v1"')
            self.close_connection = True
        else:
            self.send(200, BODY)

    def on_dated(self, count):
        date = email.utils.format_datetime(email.utils.parsedate_to_datetime("Mon, 03 Jun 2024 10:00:00 GMT"))
        wanted = self.headers.get("Range")
        if count == 1:
            self.send(200, BODY[:70_000], length=len(BODY), Last_Modified=date)
            self.close_connection = True
        elif wanted and self.headers.get("If-Range") == date:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self.send(206, BODY[start:], Content_Range=f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
        else:
            self.send(400, b"")

    def on_wrongpart(self, count):
        if count == 1:
            self.send(200, BODY[:70_000], length=len(BODY), ETag=ETAG)
            self.close_connection = True
        else:
            self.send(206, BODY[5:], Content_Range=f"bytes 5-{len(BODY) - 1}/{len(BODY)}", ETag=ETAG)


@contextlib.contextmanager
def replay():
    """Run the server for the length of a `with` block."""
    server = Replay()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
