"""Who may ask: only a page of this server, opened with its token.

Every request must name this server as its host, so that no other site can be bound to its address
(DNS rebinding), and carry the token, in the address or in a cookie. A request that changes
something must come from a page of this very server: cookies don't tell ports apart.
"""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = "127.0.0.1"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",  # faces of licensed datasets don't belong on another disk
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every response."""


class Guard:
    """Refuses requests that are not from the page, and adds headers to all responses.

    Args:
        app: What is guarded.
        token: The secret in the page's address.
        port: The port of this server.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token
        self._hosts = {f"{HOST}:{port}", f"localhost:{port}"}
        self._cookie = cookie_name(port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":  # there are no web sockets
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = self._refusal(Request(scope))
        answer = self._app if refusal is None else PlainTextResponse(refusal + "\n", 403)
        await answer(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> str | None:
        """Return why a request is refused; None if it is not."""
        host = request.headers.get("host", "")
        if host not in self._hosts:
            return "Wrong host: open the address that `ferdata view` printed."
        given = request.query_params.get("token") or request.cookies.get(self._cookie, "")
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            return "Wrong token: open the address that `ferdata view` printed."
        if request.method not in ("GET", "HEAD") and not _is_own(request, host):
            return "Only the page itself may change marks."
        return None


def _is_own(request: Request, host: str) -> bool:
    """Say whether a request was made by a page of this server, as JSON, which forms can't send."""
    kind = request.headers.get("content-type", "").partition(";")[0]
    return request.headers.get("origin") == f"http://{host}" and kind == "application/json"


def cookie_name(port: int) -> str:
    """Return the name of the cookie with the token; cookies of all ports lie together."""
    return f"ferdata-view-{port}"
