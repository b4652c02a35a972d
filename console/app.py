"""The staff's web application, mounted under `/console` of the gateway or served by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, RedirectResponse
from starlette.exceptions import HTTPException

from console.access import desk_of
from console.desk import BASE, Desk, NeedsLogin, Refused
from console.pages import (
    account,
    agenda,
    announcements,
    answers,
    concern,
    concerns,
    dashboard,
    hall,
    home,
    live,
    sessions,
    staff,
    topics,
)
from core.clock import utc_now
from core.settings import Settings

_STATIC = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
}
_FOLDER = Path(__file__).parent / "static"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
    # Addresses hold filters and search words.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_ERROR_PAGES = (400, 403, 404, 405, 409, 413)


def make_app(settings: Settings, *, now: Callable[[], datetime] = utc_now) -> FastAPI:
    """The application; its database is closed with its lifespan."""
    desk = Desk(settings, now=now)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(desk.database.dispose)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.desk = desk
    for module in (
        account,
        home,
        concerns,
        concern,
        sessions,
        agenda,
        answers,
        topics,
        live,
        hall,
        announcements,
        dashboard,
        staff,
    ):
        app.include_router(module.router)
    _add_static(app)
    _add_boundaries(app)
    return app


def _add_static(app: FastAPI) -> None:
    @app.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in _STATIC:
            raise Refused(404)
        return FileResponse(_FOLDER / name, media_type=_STATIC[name], headers={"Cache-Control": "no-cache"})


def _add_boundaries(app: FastAPI) -> None:
    @app.middleware("http")
    async def headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    @app.exception_handler(NeedsLogin)
    async def to_login(request: Request, _error: NeedsLogin) -> Response:
        path = request.url.path.removeprefix(BASE) if request.method == "GET" else ""
        back = f"?next={quote(path)}" if path.strip("/") else ""
        return RedirectResponse(f"{BASE}/login{back}", status_code=303)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        if error.status == 428:
            return RedirectResponse(f"{BASE}/password", status_code=303)
        return _error_page(request, error.status)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        return _error_page(request, error.status_code)

    @app.exception_handler(RequestValidationError)
    async def unreadable(request: Request, _error: RequestValidationError) -> Response:
        return _error_page(request, 404)


def _error_page(request: Request, status: int) -> Response:
    shown = status if status in _ERROR_PAGES else 400
    return desk_of(request).page(request, "error.html", None, status=status, code=shown)
