"""What holds for every route: a login first, forms of our own only, strict headers."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute

from storage.models import StaffRole
from tests.factories.console import Office

OPEN = {
    *((method, path) for method in ("GET", "POST") for path in ("/login", "/second-step")),
    ("GET", "/static/{name}"),
    # The hall has no logins: its pages open by the room's secret address only.
    *(("GET", f"/live/{{token}}{page}") for page in ("", "/pulse", "/ask")),
    ("POST", "/live/{token}/ask"),
}


def routes(office: Office) -> list[tuple[str, str]]:
    """Method and path of every route of the console."""
    found = [r for r in _walk(office.console.routes) if isinstance(r, APIRoute)]
    return [(method, route.path) for route in found for method in route.methods]


def _walk(items: object) -> list[object]:
    flat: list[object] = []
    for item in items:  # type: ignore[attr-defined]
        inner = getattr(item, "original_router", None)
        flat += _walk(inner.routes) if inner is not None else [item]
    return flat


def filled(path: str) -> str:
    """The path with numbers for its parameters."""
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))


def test_every_route_but_the_login_wants_a_login(office: Office) -> None:
    wanted = [entry for entry in routes(office) if entry not in OPEN]
    assert len(wanted) >= 8
    for method, path in wanted:
        visit = office.visit()
        visit.get("/login")
        if method == "GET":
            answer = visit.client.get(f"/console{filled(path)}", follow_redirects=False)
        else:
            answer = visit.post(filled(path), follow=False)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/console/login"), path


def test_the_halls_pages_open_by_their_secret_address_only(office: Office) -> None:
    visit = office.visit()
    for page in ("", "/pulse", "/ask"):
        assert visit.client.get(f"/console/live/{'a' * 32}{page}").status_code == 404, page
    visit.get("/login")
    assert visit.post(f"/live/{'a' * 32}/ask", follow=False).status_code == 404


def test_every_form_is_refused_without_its_token_and_from_other_sites(office: Office) -> None:
    visit = office.as_(StaffRole.QUAN_TRI)
    visit.get("/password")
    posts = [path for method, path in routes(office) if method == "POST"]
    assert posts
    for path in posts:
        address = f"/console{filled(path)}"
        assert visit.client.post(address, follow_redirects=False).status_code == 403, path
        wrong = visit.client.post(address, data={"csrf": "0" * 64}, follow_redirects=False)
        assert wrong.status_code == 403, path
        for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
            foreign = visit.post(filled(path), follow=False, headers=headers)
            assert foreign.status_code == 403, path


def test_token_of_another_browser_is_worth_nothing(office: Office) -> None:
    one, other = office.as_(StaffRole.QUAN_TRI), office.as_(StaffRole.VAN_PHONG)
    one.get("/password")
    answer = other.client.post("/console/logout", data={"csrf": one.csrf}, follow_redirects=False)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/login", "/", "/nothing", "/static/console.css"])
def test_every_answer_carries_the_strict_headers(office: Office, path: str) -> None:
    headers = office.as_(StaffRole.QUAN_TRI).get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_wrong_addresses_are_answered_in_vietnamese(office: Office) -> None:
    visit = office.as_(StaffRole.QUAN_TRI)
    for path in (
        "/nothing",
        "/static/../app.py",
        "/staff/0/password",
        "/staff/99999999999999999999/password",
    ):
        answer = visit.get(path)
        assert answer.status_code in (404, 405), path
        assert "Không tìm thấy" in answer.text
    assert visit.get("/", done="không-có", n="<script>").status_code == 200
