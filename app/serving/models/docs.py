"""The page at /docs: the input of the model, and a form to try it. It loads nothing else."""

import base64
import hashlib
import json
from html import escape
from pathlib import Path
from string import Template

from serving.endpoint import Endpoint
from serving.models.model import Model
from serving.models.openapi import example

#: Not importlib.resources: its import would take a tenth of the startup time.
_HERE = Path(__file__)


def page(name: str, version: str, model: Model, max_rows: int) -> Endpoint:
    """Renders the page once; its content security policy allows only the script of this page."""
    script = _HERE.with_name("docs.js").read_text()
    columns = model.signature.columns
    rows = "".join(
        f"<tr><td>{number}<td>{escape(column.name)}<td>{column.kind}</tr>"
        for number, column in enumerate(columns, start=1)
    )
    html = Template(_HERE.with_name("docs.html").read_text()).substitute(
        name=escape(name),
        version=escape(version),
        max_rows=max_rows,
        rows=rows,
        example=escape(json.dumps({"features": example(columns)}, indent=2)),
        script=script,
    )
    body = html.encode()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = (("content-security-policy", policy), ("x-content-type-options", "nosniff"))
    return Endpoint("GET", lambda _: body, "text/html; charset=utf-8", headers=headers)
