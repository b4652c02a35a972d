"""Which items of a session have an answer, which have a draft, which have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.agenda.build import arranged
from core.agenda.document import TopicItem
from storage.models import Answer, AnswerConcern, Concern


@dataclass(frozen=True, slots=True)
class Item:
    """One item that an answer settles. `answers` are its drafts and what was published, oldest first."""

    item: TopicItem
    field: str
    answers: Sequence[Answer]

    @property
    def state(self) -> str:
        """`none`, `draft` or `published`."""
        if not self.answers:
            return "none"
        return "draft" if any(answer.published_at is None for answer in self.answers) else "published"

    @property
    def draft(self) -> Answer | None:
        """The newest draft."""
        drafts = [answer for answer in self.answers if answer.published_at is None]
        return drafts[-1] if drafts else None


def items(session: Session, *, session_id: int) -> list[Item]:
    """Items of the session in the agenda's order, those that are not asked last; raises `SessionError`."""
    document, left_out = arranged(session, session_id=session_id)
    by_code: dict[str, list[Answer]] = {}
    for answer, code in session.execute(
        select(Answer, Concern.code)
        .join(AnswerConcern, AnswerConcern.answer_id == Answer.id)
        .join(Concern, Concern.id == AnswerConcern.concern_id)
        .where(Answer.session_id == session_id)
        .order_by(Answer.id)
    ):
        by_code.setdefault(code or "", []).append(answer)
    placed = [(item, part.label) for part in document.fields for item in part.topics]
    placed += [(one.item, "") for one in left_out]
    return [Item(item, label, _answers_of(item, by_code)) for item, label in placed]


def _answers_of(item: TopicItem, by_code: dict[str, list[Answer]]) -> list[Answer]:
    found = {answer.id: answer for code in item.codes for answer in by_code.get(code, ())}
    return [found[number] for number in sorted(found)]
