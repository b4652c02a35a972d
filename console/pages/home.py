"""The first page: what is waiting for this person."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from console.access import Someone, TheDesk

router = APIRouter()


@router.get("/")
def home(request: Request, desk: TheDesk, visitor: Someone) -> Response:
    """What is waiting."""
    return desk.page(request, "home.html", visitor)
