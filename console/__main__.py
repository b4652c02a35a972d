"""Serve the console by itself, for installations where it runs apart from the gateway."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

from console.app import make_app
from console.desk import BASE
from core.settings import Settings


def main() -> None:
    """Serve until told to stop."""
    settings = Settings()
    console = make_app(settings)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=console.router.lifespan_context)
    app.mount(BASE, console)
    uvicorn.run(app, host=settings.http_host, port=settings.http_port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
