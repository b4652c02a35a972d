"""Agendas as plain values, for exports: many concerns of several fields, with whatever texts a test wants."""

from __future__ import annotations

from collections.abc import Sequence

from core.agenda.document import (
    AgendaDocument,
    ConcernLine,
    FieldPart,
    NotListed,
    SessionFacts,
    TopicItem,
)

SESSION = SessionFacts(
    id=7,
    title="Đối thoại trực tiếp giữa Chủ tịch UBND tỉnh với Nhân dân quý IV năm 2026",
    unit="Tỉnh Lào Cai",
    province="Tỉnh Lào Cai",
    held_at="2026-12-05T07:30:00+07:00",
    place="Hội trường lớn, Trung tâm Hội nghị tỉnh",
    chair="Đồng chí Chủ tịch UBND tỉnh",
)
NOT_LISTED = (
    NotListed("withdrawn", "Người gửi đã rút", 2, ("LC-26-09001", "LC-26-09002")),
    NotListed("quarantined", "Chuyển hướng theo pháp luật", 3, ()),
)


def line(number: int, text: str) -> ConcernLine:
    """One concern."""
    return ConcernLine(f"LC-26-{number:05d}", text, "Xã Bát Xát", 1, "2026-11-02")


def topic(number: int, texts: Sequence[str]) -> TopicItem:
    """A topic whose codes count on from a hundred times its number."""
    lines = tuple(line(100 * number + i, text) for i, text in enumerate(texts))
    words = " ".join(texts[0].split())
    return TopicItem(f"T{number}", words[:60], words[:300], len(lines), ("Xã Bát Xát",), lines)


def agenda(
    texts: Sequence[Sequence[str]],
    *,
    session: SessionFacts = SESSION,
    not_listed: tuple[NotListed, ...] = NOT_LISTED,
) -> AgendaDocument:
    """One field with a topic for each list of texts."""
    topics = tuple(topic(number, group) for number, group in enumerate(texts, start=1))
    people = sum(t.people for t in topics)
    return AgendaDocument(session, (FieldPart("giao_thong", "Giao thông", topics),), not_listed, people)
