"""Zalo's OAuth v4 for one OA: codes, the access token that dies when renewed, the refresh token for one use.

Facts: docs.zaloplatforms.com, OA/bat-dau/xac-thuc-va-uy-quyen-cho-ung-dung-new, read 2026-10. OAuth errors
come with HTTP 200. No code is documented for a used or expired refresh token or code; -14012 and -14024
have been seen, and stand here for the two.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import urlencode

from bot.rehearsal.fakes.asgi import Answer, json_answer
from bot.rehearsal.fakes.world import World

_ACCESS_LIFE_S = 90_000
_REFRESH_LIFE_S = 90 * 24 * 3600
_CODE_LIFE_S = 600


class TokenState(Enum):
    """What the platform thinks of an access token that it is shown."""

    GOOD = 1
    UNKNOWN = 2
    DEAD = 3  # was good once: expired, or replaced by a newer one


@dataclass(slots=True)
class _Grant:
    code_challenge: str
    made_at_s: float


class TokenOffice:
    """Issues and judges the tokens of one app for one OA.

    `access_token` and `refresh_token` are the living pair; `issued` counts pairs; `refresh_reused` counts
    attempts to spend a refresh token twice, which a careful client never makes.
    """

    def __init__(self, world: World, *, app_id: str, app_secret: str, oa_id: str, refresh_token: str) -> None:
        self._world = world
        self._app_id = app_id
        self._app_secret = app_secret
        self._oa_id = oa_id
        self._grants: dict[str, _Grant] = {}
        self._dead_access: set[str] = set()
        self._spent_refresh: set[str] = set()
        self.redirect_uri = ""
        self.access_token = ""
        self.issued = 0
        self.refresh_reused = 0
        self._access_until_s = 0.0
        self.refresh_token = refresh_token or f"rehearsal-refresh-{world.hex(40)}"
        self._refresh_until_s = world.clock().timestamp() + _REFRESH_LIFE_S

    def judge(self, token: str) -> TokenState:
        """Whether this access token opens the API now."""
        if token and token == self.access_token:
            return TokenState.GOOD if self._now_s() < self._access_until_s else TokenState.DEAD
        return TokenState.DEAD if token in self._dead_access else TokenState.UNKNOWN

    def revoke(self) -> None:
        """Void the grant, as changing the callback or the permissions in the console does."""
        self._retire()
        self.access_token = self.refresh_token = ""

    def grant(self, *, code_challenge: str) -> str:
        """An OA admin agrees: a code for one use within 10 minutes."""
        code = f"rehearsal-code-{self._world.hex(32)}"
        self._grants[code] = _Grant(code_challenge, self._now_s())
        return code

    def permission(self, query: dict[str, str]) -> Answer:
        """The page that asks the OA admin, who always agrees: a redirect back with the code."""
        if query.get("app_id") != self._app_id:
            return _oauth_error(-14002, "Invalid app", "app_id is unknown or not active")
        redirect_uri = query.get("redirect_uri", "")
        if "?" in redirect_uri or not redirect_uri or self.redirect_uri not in ("", redirect_uri):
            return _oauth_error(-14003, "Invalid redirect uri", "redirect_uri is not the registered one")
        code = self.grant(code_challenge=query.get("code_challenge", ""))
        back = {"code": code, "oa_id": self._oa_id, "state": query.get("state", "")}
        location = f"{redirect_uri}?{urlencode(back)}".encode()
        return Answer(302, b"", headers=((b"location", location),))

    def exchange(self, form: dict[str, str], *, secret_key: str) -> Answer:
        """Answer a token request; `secret_key` is the header's app secret."""
        if form.get("app_id") != self._app_id or secret_key != self._app_secret:
            return _oauth_error(-14002, "Invalid app", "app_id or secret_key is wrong")
        if form.get("grant_type") == "refresh_token":
            return self._refresh(form.get("refresh_token", ""))
        if form.get("grant_type") == "authorization_code":
            return self._redeem(form.get("code", ""), form.get("code_verifier", ""))
        return _oauth_error(-14004, "Invalid grant type", "grant_type is missing or unknown")

    def _refresh(self, token: str) -> Answer:
        if token in self._spent_refresh:
            self.refresh_reused += 1
        if not token or token != self.refresh_token or self._now_s() >= self._refresh_until_s:
            return _oauth_error(-14012, "Invalid refresh token", "refresh_token is used, expired or unknown")
        return self._issue()

    def _redeem(self, code: str, verifier: str) -> Answer:
        grant = self._grants.pop(code, None)
        if grant is None or self._now_s() - grant.made_at_s > _CODE_LIFE_S:
            return _oauth_error(-14024, "Invalid code", "code is used, expired or unknown")
        if grant.code_challenge and challenge_of(verifier) != grant.code_challenge:
            return _oauth_error(-14024, "Invalid code", "code_verifier does not match")
        return self._issue()

    def _issue(self) -> Answer:
        self._retire()
        self.issued += 1
        self.access_token = f"rehearsal-access-{self._world.hex(40)}"
        self.refresh_token = f"rehearsal-refresh-{self._world.hex(40)}"
        self._access_until_s = self._now_s() + _ACCESS_LIFE_S
        self._refresh_until_s = self._now_s() + _REFRESH_LIFE_S
        pair = {"access_token": self.access_token, "refresh_token": self.refresh_token}
        return json_answer({**pair, "expires_in": str(_ACCESS_LIFE_S)})

    def _retire(self) -> None:
        if self.access_token:
            self._dead_access.add(self.access_token)
        if self.refresh_token:
            self._spent_refresh.add(self.refresh_token)

    def _now_s(self) -> float:
        return self._world.clock().timestamp()


def challenge_of(verifier: str) -> str:
    """The PKCE challenge: unpadded base64url of the raw SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _oauth_error(code: int, name: str, reason: str) -> Answer:
    payload: dict[str, Any] = {
        "error_name": name,
        "error_reason": reason,
        "ref_doc": "https://developers.zalo.me/docs",
        "error_description": reason,
        "error": code,
    }
    return json_answer(payload, code=code)
