"""The API describes itself: for programs at /openapi.json, for people at /docs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template, request
from markupsafe import Markup, escape
from werkzeug.routing import Rule
from werkzeug.wrappers import Response as BaseResponse

from plunk.api.reference import reference
from plunk.http.auth import Access
from plunk.http.endpoint import SPECS
from plunk.http.runtime import runtime
from plunk.schemas.openapi import Api, Operation, Tag, document

docs = Blueprint("docs", __name__, template_folder="pages")
TICKS = re.compile(r"`([^`]*)`")
CACHE = "plunk_openapi"
VARIABLE = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
TAGS = {"public": "Sending and tracking"}
KEYS = {
    Access.NONE: (),
    Access.PUBLIC: ("publicKey", "secretKey"),
    Access.SECRET: ("secretKey",),
}
ABOUT = """\
Send e-mail, track what people do, and let workflows write to them.

Every request carries a key: `Authorization: Bearer sk_…`. Bodies are JSON in UTF-8, declared as
`application/json`; unknown members are ignored. Times are ISO 8601 in UTC.

Every answer names its request in `X-Request-ID`; send one of your own to find it again. Every
answer from 400 on has the same body, `Error`. In the query string, what cannot be read counts as
not given, unless the operation answers 422."""


@docs.get("/openapi.json")
def openapi() -> BaseResponse:
    """Return the OpenAPI 3.1 document of this server."""
    response = Response(_cached("json"), mimetype="application/json")
    response.add_etag()
    return response.make_conditional(request)


@docs.get("/docs")
def read() -> BaseResponse:
    """Return the reference as a page for people."""
    response = Response(_cached("html"), mimetype="text/html")
    response.add_etag()
    return response.make_conditional(request)


@docs.app_template_filter()
def ticks(text: str) -> Markup:
    """Return the text as HTML, with what stands in backticks as code."""
    return Markup(TICKS.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - it is escaped first


def openapi_of(app: Flask) -> dict[str, Any]:
    """Return the document of everything the application serves."""
    about = Api("Plunk API", version("plunk-py"), ABOUT, runtime().settings.api_url)
    return document(about, operations(app))


def operations(app: Flask) -> Iterator[Operation]:
    """Describe every route that has a Spec, in their order; the system's come last."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint in SPECS]
    for rule in sorted(rules, key=lambda rule: rule.endpoint.startswith("system.")):
        yield _operation(app, rule)


def _cached(kind: str) -> str:
    """Return one of both texts; they are made on the first request and kept."""
    app = current_app
    if CACHE not in app.extensions:
        made = openapi_of(app)
        page = render_template("docs.html", api=made, page=reference(made))
        app.extensions[CACHE] = {"json": app.json.dumps(made), "html": page}
    kept: str = app.extensions[CACHE][kind]
    return kept


def _operation(app: Flask, rule: Rule) -> Operation:
    spec, view = SPECS[rule.endpoint], app.view_functions[rule.endpoint]
    summary, _, description = (view.__doc__ or "").strip().partition("\n")
    names = tuple(_camel(name) for name in VARIABLE.findall(rule.rule))
    return Operation(
        path=VARIABLE.sub(lambda found: f"{{{_camel(found[1])}}}", rule.rule),
        method=next(iter(METHODS & (rule.methods or set()))),
        name=_camel(rule.endpoint.rpartition(".")[2]),
        tag=_tag(rule.endpoint, view.__module__),
        summary=summary,
        description=" ".join(description.split()),
        answers=spec.answers,
        keys=KEYS[spec.access],
        path_names=names,
        body=spec.body,
        query=spec.query,
        body_limit=spec.body_limit,
        body_optional=spec.body_optional,
        idempotent=spec.idempotent,
        errors=spec.errors,
    )


def _tag(endpoint: str, module: str) -> Tag:
    noun = endpoint.partition(".")[0]
    described = (sys.modules[module].__doc__ or "").strip().partition("\n")[0]
    return Tag(TAGS.get(noun, noun.capitalize()), described)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
