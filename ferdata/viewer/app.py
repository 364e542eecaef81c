"""The server's addresses: the page, what it asks, images, and marks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import PurePath
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ferdata.core.errors import FerdataError, OptionError, ParseError
from ferdata.core.options import explain
from ferdata.core.parsing import parse_json
from ferdata.viewer.guard import Guard, cookie_name
from ferdata.viewer.images import png, shrink
from ferdata.viewer.marks import MarkRequest
from ferdata.viewer.options import PageQuery
from ferdata.viewer.shown import Shown

_TYPES = {".css": "text/css", ".js": "text/javascript", ".html": "text/html"}

Handler = Callable[[Request], Response]


def make_app(shown: Shown, token: str, port: int) -> ASGIApp:
    """Return the application.

    Args:
        shown: What the page shows.
        token: The secret that every request has to carry.
        port: The port of the server, which is part of its name.
    """
    pages = _static_files()

    def index(request: Request) -> Response:
        response = pages["viewer.html"](request)
        if "token" in request.query_params:
            response.set_cookie(cookie_name(port), token, httponly=True, samesite="strict")
        return response

    def image(request: Request) -> Response:
        pixels = shown.subject.images.pixels(_row(request, shown))
        shown_as = pixels if "full" in request.query_params else shrink(pixels)
        return Response(png(shown_as), media_type="image/png")

    def rows(request: Request) -> Response:
        given = {name: value for name, value in request.query_params.items() if name != "token"}
        return JSONResponse(shown.page(PageQuery.checked(given)))

    async def marks(request: Request) -> Response:
        shown.marks.set(MarkRequest.model_validate(_json(await request.body())))
        return JSONResponse(shown.state())

    def save_patch(_: Request) -> Response:
        path = shown.marks.save()
        return JSONResponse({**shown.state(), "saved": str(path)})

    def save_drop_list(_: Request) -> Response:
        path = shown.marks.save_drop_list()
        return JSONResponse({**shown.state(), "saved": str(path)})

    routes = [
        Route("/", index),
        *(Route(f"/{name}", page) for name, page in pages.items() if name != "viewer.html"),
        Route("/api/about", lambda _: JSONResponse(shown.about())),
        Route("/api/rows", rows),
        Route(
            "/api/row/{row:int}",
            lambda request: JSONResponse(shown.detail(_row(request, shown))),
        ),
        Route("/image/{row:int}", image),
        Route("/api/marks", marks, methods=["POST"]),
        Route("/api/save/patch", save_patch, methods=["POST"]),
        Route("/api/save/drop-list", save_drop_list, methods=["POST"]),
    ]
    handlers: dict[Any, Callable[[Request, Exception], Response | Awaitable[Response]]] = {
        FerdataError: _refused,
        ValidationError: _invalid,
    }
    return Guard(Starlette(routes=routes, exception_handlers=handlers), token, port)


def _static_files() -> dict[str, Handler]:
    """Return a handler for each file of the page: these names are served, and no other path."""
    static = files("ferdata.viewer").joinpath("static")
    texts = {each.name: each.read_text(encoding="utf-8") for each in static.iterdir()}
    report = files("ferdata.reports").joinpath("templates", "report.css")
    texts["report.css"] = report.read_text(encoding="utf-8")  # the look of the reports

    def handler(text: str, kind: str) -> Handler:
        return lambda _: PlainTextResponse(text, media_type=kind)

    return {
        name: handler(text, _TYPES[PurePath(name).suffix])
        for name, text in sorted(texts.items())
        if PurePath(name).suffix in _TYPES
    }


def _row(request: Request, shown: Shown) -> int:
    row: int = request.path_params["row"]
    if row >= len(shown.rows):
        raise OptionError(f"there are {len(shown.rows)} rows, from 0; got {row}")
    return row


def _json(body: bytes) -> Any:
    try:
        return parse_json(body)
    except ParseError as error:
        raise OptionError(str(error)) from error


def _refused(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


def _invalid(_: Request, error: Exception) -> Response:
    text = explain(error, MarkRequest) if isinstance(error, ValidationError) else str(error)
    return JSONResponse({"error": text}, 400)
