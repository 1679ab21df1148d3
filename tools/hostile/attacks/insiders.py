"""Requests of an editor that could harm other users: expensive values, cursors and files."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from ..attack import REFUSED, Attack, Attacker, Response, json_body
from .forgeries import encode
from .uploads import BOUNDARY, IMPORT

_REFUSED = REFUSED | {412, 422}
_JSON = ("Content-Type", "application/json")
FIGURE = {"kpi": "x", "year": 2020, "month": 1, "value": "1"}
FIGURES: tuple[dict[str, Any], ...] = (
    {"value": "7" * 6_000 + "x"},
    {"value": "7" * 900_000 + "x"},
    {"value": "7" * 3_000 + "." + "7" * 3_000 + "e"},
    {"value": "1e" + "9" * 5_000},
    {"value": "NaN"},
    {"value": "\0"},
    {"value": {"a": []}},
    {"kpi": "a" + "\u0301\u0323" * 20_000},
    {"kpi": "\0"},
    {"kpi": "\ud800"},
    {"kpi": "\u2170" * 70_000},
    {"year": "7" * 5_000 + "x"},
    {"year": 10**400},
    {"month": "٣" * 5_000},
)
_POSITIONS = (
    "[" * 5_000,
    '{"a":' * 2_000,
    json.dumps(["n", {"period": 10**400, "kpi": "x", "id": 1}]),
    json.dumps(["n", {"id": "9" * 5_000}]),
    json.dumps(["n", {"kpi": "\0", "year": 2020, "month": 1, "id": 1}]),
    json.dumps(["n", {"year": None, "month": [], "id": {}}]),
    json.dumps(["x", 1]),
    "null",
    "1e999",
    "",
)
CURSORS = (
    *(encode(text.encode()) for text in _POSITIONS),
    *(f"{encode(text.encode())}:{'x' * 43}" for text in _POSITIONS),  # with a signature
    "%00",
    "a",
    "=" * 500,
    "é",
    "-" * 7_000,
)


def _bearer(attacker: Attacker) -> tuple[str, str]:
    return ("Authorization", f"Bearer {attacker.insider_token()}")


def junk_figures(attacker: Attacker) -> Iterator[Response]:
    while True:
        figure = {**FIGURE, **attacker.random.choice(FIGURES)}
        if attacker.random.random() < 0.5:
            path, body = "/api/stats", json_body(figure)
        else:
            path, body = "/api/stats/bulk", json_body({"data": [figure]})
        yield attacker.request("POST", path, [_bearer(attacker), _JSON], body)


def junk_cursors(attacker: Attacker) -> Iterator[Response]:
    while True:
        cursor = attacker.random.choice(CURSORS)
        cursor = cursor if cursor == "%00" else quote(cursor)
        ordering = attacker.random.choice(("", "&ordering=period", "&ordering=-value,kpi"))
        path = f"/api/stats?limit=2&cursor={cursor}{ordering}"
        yield attacker.request("GET", path, [_bearer(attacker)])


def wide_sheet() -> bytes:
    """Return an XLSX file of 1,000 rows with one cell each, in the last column."""
    cells = "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 1001))
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as sheet:
        text = f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'
        sheet.writestr("xl/worksheets/sheet1.xml", text)
    return file.getvalue()


def wide_sheets(attacker: Attacker) -> Iterator[Response]:
    """Import a sheet without the required staff status."""
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{{}}"{{}}\r\n\r\n'
    session = attacker.target.insider_session
    token = session.partition("csrftoken=")[2]
    head = part.format("csrfmiddlewaretoken", "") + f"{token}\r\n"
    head += part.format("format", "") + "1\r\n"
    head += part.format("import_file", '; filename="a.xlsx"')
    body = head.encode() + wide_sheet() + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = [
        ("Cookie", session),
        ("Referer", f"http://localhost:{attacker.target.proxy_port}{IMPORT}"),
        ("Content-Type", f"multipart/form-data; boundary={BOUNDARY}"),
    ]
    while True:
        yield attacker.request("POST", IMPORT, headers, body)


ATTACKS = (
    Attack("junk figures", junk_figures, 3, _REFUSED),
    Attack("junk cursors", junk_cursors, 3, _REFUSED),
    Attack("wide sheets without staff status", wide_sheets, 1, _REFUSED),
)
