"""What became of every message, as a file that cannot be changed unseen: a hash chain, sealed with a signature.

One JSON object a line. Each line has the SHA-256 of the line before it (`previous`); the last, the seal, signs the hash
of the chain with Ed25519. People are the numbers of their contacts; neither words nor chat ids are in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from storage.models import Outbound

FORMAT = "nghedan-delivery-1"
_BATCH = 2_000
_COLUMNS = (
    Outbound.id,
    Outbound.contact_id,
    Outbound.channel,
    Outbound.kind,
    Outbound.announcement_id,
    Outbound.answer_id,
    Outbound.route,
    Outbound.cost_vnd,
    Outbound.state,
    Outbound.failure,
    Outbound.external_id,
    Outbound.due_at,
    Outbound.sent_at,
    Outbound.delivered_at,
    Outbound.seen_at,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a file is whole and as it was sealed; `line` is the first wrong one, from 1, and `problem` its code.

    Codes: `unreadable`, `chain_broken`, `no_seal`, `wrong_count`, `wrong_signature`, `other_key`.
    """

    ok: bool
    messages: int
    made_at: str = ""
    public_key: str = ""
    line: int = 0
    problem: str = ""


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """The installation's key, made at first use; only its owner may read the file."""
    path = folder / "delivery-proof.pem"
    try:
        loaded = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        return _new_key(path)
    if not isinstance(loaded, Ed25519PrivateKey):
        raise ValueError(f"{path} is not an Ed25519 key")
    return loaded


def _new_key(path: Path) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    try:
        os.link(part, path)
    except FileExistsError:
        # Somebody else was first: there is one key.
        return signing_key(path.parent)
    finally:
        part.unlink()
    return key


def rows(
    session: Session, *, announcement_id: int | None = None, since: datetime | None = None
) -> Iterator[dict[str, Any]]:
    """Messages of one announcement, or all since then, in the order of their rows; read in batches."""
    wanted: list[ColumnElement[bool]] = []
    if announcement_id is not None:
        wanted.append(Outbound.announcement_id == announcement_id)
    if since is not None:
        wanted.append(Outbound.created_at >= since)
    after = 0
    while batch := session.execute(
        select(*_COLUMNS).where(Outbound.id > after, *wanted).order_by(Outbound.id).limit(_BATCH)
    ).all():
        for row in batch:
            yield {
                name: value.isoformat() if isinstance(value, datetime) else value
                for name, value in row._mapping.items()
            }
        after = batch[-1].id


def sealed(
    messages: Iterable[dict[str, Any]],
    *,
    key: Ed25519PrivateKey,
    agency: str,
    scope: dict[str, Any],
    now: datetime,
) -> Iterator[str]:
    """The lines of a proof, each with its line end."""
    head = {
        "type": "head",
        "format": FORMAT,
        "agency": agency,
        "scope": scope,
        "made_at": now.isoformat(),
        "public_key": _public(key.public_key()),
    }
    line = _line(head)
    yield line
    count = 0
    for message in messages:
        line = _line({"type": "message", **message, "previous": _hash(line)})
        yield line
        count += 1
    seal = {"type": "seal", "messages": count, "previous": _hash(line)}
    signature = base64.b64encode(key.sign(_line(seal).encode())).decode()
    yield _line({**seal, "signature": signature})


def verify(lines: Iterable[str], *, public_key: str = "") -> Verdict:
    """Follow the chain to its seal. With `public_key` (base64) the seal must be of that key, not of any."""
    previous, head, count, number = "", {}, 0, 0
    for number, line in enumerate(lines, start=1):
        try:
            value = json.loads(line)
        except ValueError:
            return Verdict(False, count, line=number, problem="unreadable")
        if number == 1:
            head = value
            if not isinstance(value, dict) or value.get("format") != FORMAT:
                return Verdict(False, 0, line=1, problem="unreadable")
        elif value.get("previous") != previous:
            return Verdict(False, count, line=number, problem="chain_broken")
        if value.get("type") == "seal":
            return _judge_seal(value, head, count, number, public_key)
        count += value.get("type") == "message"
        previous = _hash(line)
    return Verdict(False, count, line=number, problem="no_seal")


def _judge_seal(
    seal: dict[str, Any], head: dict[str, Any], count: int, number: int, public_key: str
) -> Verdict:
    made_at, own_key = str(head.get("made_at", "")), str(head.get("public_key", ""))
    problem = ""
    if seal.get("messages") != count:
        problem = "wrong_count"
    elif public_key and public_key != own_key:
        problem = "other_key"
    elif not _signed(seal, own_key):
        problem = "wrong_signature"
    return Verdict(not problem, count, made_at, own_key, number if problem else 0, problem)


def _signed(seal: dict[str, Any], public_key: str) -> bool:
    unsigned = {name: value for name, value in seal.items() if name != "signature"}
    try:
        key = Ed25519PublicKey.from_public_bytes(_exactly(public_key))
        key.verify(_exactly(str(seal.get("signature", ""))), _line(unsigned).encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _exactly(text: str) -> bytes:
    """The bytes of the one right base64 spelling; others decode to the same and would be a change unseen."""
    decoded = base64.b64decode(text, validate=True)
    if base64.b64encode(decoded).decode() != text:
        raise ValueError("not canonical base64")
    return decoded


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def _hash(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()


def _public(key: Ed25519PublicKey) -> str:
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
