"""The staff console for tests: the mounted application, accounts, and a browser without a screen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.testclient import TestClient

from console.app import make_app
from core.settings import Settings
from storage.models import StaffMember, StaffRole
from tests.factories.records import Commune

PASSWORD = "mật khẩu dài của tôi"
# One cheap hash for all accounts: the real cost is paid once a test run, not once an account.
_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


def mounted(console: FastAPI) -> FastAPI:
    """The console where the gateway puts it."""
    app = FastAPI()
    app.mount("/console", console)
    return app


@dataclass
class Visit:
    """One browser; `post` sends the form that the last page carried."""

    client: TestClient
    page: httpx.Response | None = None

    def get(self, path: str, **query: Any) -> httpx.Response:
        """Open a page, redirects included."""
        self.page = self.client.get(f"/console{path}", params=query or None)
        return self.page

    def post(
        self, path: str, values: Mapping[str, Any] | None = None, *, follow: bool = True, **options: Any
    ) -> httpx.Response:
        """Send a form with the token of the page that is open."""
        body = {"csrf": self.csrf, **(values or {})}
        answer = self.client.post(f"/console{path}", data=body, follow_redirects=follow, **options)
        if follow:
            self.page = answer
        return answer

    @property
    def csrf(self) -> str:
        """The token in the open page; empty when it has no form."""
        found = _CSRF.search(self.page.text if self.page is not None else "")
        return found.group(1) if found else ""

    def log_in(self, login: str, password: str = PASSWORD) -> httpx.Response:
        """Go through the login form."""
        self.get("/login")
        return self.post("/login", {"login": login, "password": password})


@dataclass
class Office:
    """The console over a commune's database."""

    commune: Commune
    console: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        url = self.commune.database.engine.url.render_as_string(hide_password=False)
        settings = Settings(data_dir=self.commune.folder, database_url=url, _env_file=None)  # type: ignore[call-arg]
        self.console = make_app(settings, now=self.commune.clock)

    def account(
        self, role: StaffRole, *, unit_code: str = "15", login: str = "", **values: Any
    ) -> StaffMember:
        """A member of staff with the password of the tests."""
        member = StaffMember(
            login=login or f"{role}-{unit_code}",
            name=f"Cán bộ {role}",
            role=role,
            unit_code=unit_code,
            password_hash=_HASH,
            created_at=self.commune.clock.at,
            **values,
        )
        with self.commune.database.write() as session:
            session.add(member)
        return member

    def visit(self) -> Visit:
        """A browser in which nobody is logged in."""
        return Visit(TestClient(mounted(self.console), base_url="http://testserver"))

    def as_(self, role: StaffRole, *, unit_code: str = "15") -> Visit:
        """A browser with a logged-in account of this role."""
        member = self.account(role, unit_code=unit_code)
        visit = self.visit()
        assert visit.log_in(member.login).status_code == 200
        return visit

    def close(self) -> None:
        """Close the console's database."""
        self.console.state.desk.database.dispose()
