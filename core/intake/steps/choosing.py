"""A chosen answer: `verb:argument…` of a button or a typed number, done exactly as it was offered.

Old buttons stay tappable for ever, so every value names its record and every verb checks that the record is
the person's own and still in a state where the choice means something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sqlalchemy import select

from core.intake import concerns
from core.intake.state import Awaiting
from core.intake.steps import asking, telling
from core.intake.turn import Turn, quote
from core.intake.typed import words_after_code
from core.outbox.port import IncomingKind
from core.people import erasure
from core.voice import transcripts
from core.wording import CITIZEN
from storage.models import (
    Answer,
    AnswerConcern,
    Attachment,
    Concern,
    ConcernState,
    Inbound,
    StaffRequest,
    Unit,
)

Verb = Callable[[Turn, list[str]], None]


def choose(turn: Turn) -> None:
    """Do what the choice says; one that nobody can read any more is answered with the menu."""
    verb, _, rest = (turn.call.choice or "").partition(":")
    handler, shape = _VERBS.get(verb, (None, _NONE))
    match = shape.fullmatch(rest)
    if handler is None or match is None:
        turn.say("small_talk.not_understood", asking.menu())
        return
    turn.dialogue.misses = 0
    handler(turn, [group for group in match.groups() if group is not None])


def _own(turn: Turn, argument: str) -> Concern | None:
    concern = concerns.mine(turn, int(argument)) if argument.isdigit() else None
    if concern is None:
        turn.say("concern.nothing_pending")
    return concern


def _consent(turn: Turn, arguments: list[str]) -> None:
    if arguments[0] == "yes":
        turn.say("small_talk.affirm", invite=CITIZEN.say("concern.invite"))  # Chosen again when settled.
    else:
        asking.erase(turn)  # An old "no" tapped after consent: withdrawing it means erasing.


def _commune(turn: Turn, arguments: list[str]) -> None:
    unit = turn.session.get(Unit, arguments[0])
    if unit is None or unit.parent_code is None:
        turn.say("concern.nothing_pending")
        return
    turn.citizen.unit_code = unit.code
    draft = turn.draft()
    if draft is not None:
        concerns.rewrite(turn, draft, draft.text)
        telling.ask_confirmation(turn)
    else:
        turn.say("concern.invite")


def _confirm(turn: Turn, arguments: list[str]) -> None:
    what, concern_id = arguments
    concern = _own(turn, concern_id)
    if concern is None:
        return
    if what == "drop" and concern.state == ConcernState.DRAFT:
        concerns.discard(turn, concern)
        turn.dialogue.awaiting = Awaiting.NOTHING
        turn.say("concern.dropped")
    elif what == "change" and concerns.may_change(concern):
        telling.offer_changes(turn, concern)
    elif what == "yes" and concern.state == ConcernState.DRAFT:
        telling.submit(turn)
    else:
        telling.say_receipt_again(turn, concern)


def _change(turn: Turn, arguments: list[str]) -> None:
    what, concern_id = arguments
    concern = _own(turn, concern_id)
    if concern is None:
        return
    if not concerns.may_change(concern):
        asking.picked(turn, verb="edit", concern=concern)
        return
    turn.dialogue.about = concern.id
    if what == "text":
        turn.dialogue.awaiting = Awaiting.REWRITE
        turn.say("concern.rewrite")
    elif what == "add":
        turn.dialogue.awaiting = Awaiting.ADDITION
        turn.say("concern.add_more")
    else:
        turn.citizen.unit_code = None  # The registration form asks for the commune again.
        turn.dialogue.awaiting = Awaiting.COMMUNE
        turn.keep_the_floor()
        turn.say("commune.ask")


def _rewritten(turn: Turn, arguments: list[str]) -> None:
    concern = _own(turn, arguments[0])
    if concern is not None:
        _apply_words(turn, concern, turn.text, replace=True)


def _added(turn: Turn, arguments: list[str]) -> None:
    concern = _own(turn, arguments[0])
    if concern is not None:
        _apply_words(turn, concern, turn.text, replace=False)


def _apply_words(turn: Turn, concern: Concern, text: str, *, replace: bool) -> None:
    turn.dialogue.awaiting = Awaiting.NOTHING
    turn.dialogue.about = None
    if not concerns.may_change(concern):
        asking.picked(turn, verb="edit", concern=concern)
        return
    before = concern.text
    if replace:
        concerns.rewrite(turn, concern, text)
    else:
        concerns.rewrite(turn, concern, f"{before}\n{text}")
    if concern.state == ConcernState.DRAFT:
        telling.ask_confirmation(turn)
        return
    if concern.state == ConcernState.NEEDS_DETAIL:
        concern.state = ConcernState.RECEIVED  # What staff asked for has come.
    kind = "edited" if replace else "appended"
    concerns.add_event(turn.session, concern.id, kind, actor="citizen", now=turn.now, before=before)
    turn.say("edit.done" if replace else "edit.added", code=concern.code, quote=quote(concern.text, 80))


def _by_code(turn: Turn, arguments: list[str]) -> Concern | None:
    concern = concerns.by_code(turn, arguments[0])
    if concern is None or concern.citizen_id != turn.citizen.id:
        turn.say("mine.unknown_code", code=arguments[0])
        return None
    return concern


def _history(turn: Turn, arguments: list[str]) -> None:
    asking.history(turn, arguments[0])


def _withdraw_code(turn: Turn, arguments: list[str]) -> None:
    concern = _by_code(turn, arguments)
    if concern is not None:
        asking.picked(turn, verb="withdraw", concern=concern)


def _rewrite_code(turn: Turn, arguments: list[str]) -> None:
    _words_for_code(turn, arguments, replace=True)


def _add_code(turn: Turn, arguments: list[str]) -> None:
    _words_for_code(turn, arguments, replace=False)


def _words_for_code(turn: Turn, arguments: list[str], *, replace: bool) -> None:
    concern = _by_code(turn, arguments)
    if concern is None:
        return
    text = words_after_code(turn.text)
    if text:
        _apply_words(turn, concern, text, replace=replace)
    elif replace:
        asking.picked(turn, verb="edit", concern=concern)
    else:
        _change(turn, ["add", str(concern.id)])


def _pick(turn: Turn, arguments: list[str]) -> None:
    verb, concern_id = arguments
    concern = _own(turn, concern_id)
    if concern is not None:
        asking.picked(turn, verb=verb, concern=concern)


def _withdraw(turn: Turn, arguments: list[str]) -> None:
    answer, concern_id = arguments
    concern = _own(turn, concern_id)
    if concern is None:
        return
    if answer == "no":
        turn.say("withdraw.kept", code=concern.code)
    elif concerns.may_change(concern):
        concerns.withdraw(turn, concern)
        turn.say("withdraw.done", code=concern.code)
    elif concern.state == ConcernState.WITHDRAWN:
        turn.say("withdraw.done", code=concern.code)
    else:
        turn.say("withdraw.too_late", code=concern.code)


def _join(turn: Turn, arguments: list[str]) -> None:
    target = turn.session.get(Concern, int(arguments[0]))
    if target is None or target.code is None or target.state == ConcernState.WITHDRAWN:
        turn.say("concern.nothing_pending")
        return
    if len(arguments) > 1:
        draft = turn.draft()
        if draft is not None and str(draft.id) == arguments[1]:
            concerns.discard(turn, draft)
    people = concerns.join(turn, target)
    turn.dialogue.awaiting = Awaiting.NOTHING
    turn.say("concern.joined", code=target.code, people=people)


def _erase(turn: Turn, arguments: list[str]) -> None:
    if arguments[0] == "no":
        turn.say("erase.kept")
        return
    turn.session.flush()
    turn.files_to_delete.extend(erasure.erase(turn.session, turn.citizen, now=turn.now))
    turn.dialogue.reset()
    turn.say("erase.done")


def _door(turn: Turn, arguments: list[str]) -> None:
    answer, concern_id = arguments
    if answer == "ok":
        turn.say("door.closed")
        return
    concern = _own(turn, concern_id)
    if concern is None:
        return
    if concern.state != ConcernState.QUARANTINED:
        telling.say_receipt_again(turn, concern)
        return
    other = turn.draft()
    if other is not None:
        concerns.submit(turn, other)  # At most one draft: the one that was told meanwhile is kept.
    concerns.release(turn, concern)
    turn.session.flush()
    telling.ask_confirmation(turn)


def _raise(turn: Turn, arguments: list[str]) -> None:
    """The person says that an earlier message, taken for something else, was a concern."""
    message = turn.session.get(Inbound, int(arguments[0]))
    if message is None or message.contact_id != turn.contact.id or not message.text:
        turn.say("concern.invite")
        return
    repeat = concerns.find_repeat(turn, message.text)
    if repeat is not None:
        telling.say_receipt_again(turn, repeat)
        return
    if turn.draft() is None:
        concerns.open_draft(turn, [message])
    telling.ask_confirmation(turn)


def _whole(turn: Turn, arguments: list[str]) -> None:
    concern = _own(turn, arguments[0])
    if concern is not None:
        turn.dialogue.whole = concern.id
        _show_again(turn, concern)


def _detail(turn: Turn, arguments: list[str]) -> None:
    concern = _own(turn, arguments[1])
    if concern is not None:
        if concern.state == ConcernState.DRAFT:
            telling.take_detail(turn, concern)
        _show_again(turn, concern)


def _show_again(turn: Turn, concern: Concern) -> None:
    if concern.state == ConcernState.DRAFT:
        telling.ask_confirmation(turn)
    else:
        telling.say_receipt_again(turn, concern)


def _voice(turn: Turn, arguments: list[str]) -> None:
    """The words of a voice note are right: they become part of the concern, or begin one."""
    verdict, attachment_id = arguments
    words = transcripts.answer(turn, int(attachment_id), right=verdict == "yes")
    if words is None:
        turn.say("voice.staff_will_type" if verdict == "no" else "concern.nothing_pending")
        return
    attachment = turn.session.get_one(Attachment, int(attachment_id))
    concern = turn.session.get(Concern, attachment.concern_id) if attachment.concern_id else turn.draft()
    if concern is None:
        message = turn.session.get_one(Inbound, attachment.inbound_id)
        concerns.open_draft(turn, [message], spoken=words)
        telling.ask_confirmation(turn)
        return
    concerns.add_words(
        turn.session, concern, words, inbound_id=attachment.inbound_id, at=attachment.created_at
    )
    concerns.understand(turn, concern, concern.text)
    if concern.state == ConcernState.DRAFT:
        telling.ask_confirmation(turn)
        return
    concerns.add_event(turn.session, concern.id, "appended", actor="citizen", now=turn.now)
    turn.say("edit.added", code=concern.code)


def _attach(turn: Turn, arguments: list[str]) -> None:
    kind = arguments[0]
    if kind == IncomingKind.STICKER:
        turn.say("attachment.sticker")
    elif not turn.inbound.payload.get("attachments"):
        turn.say("attachment.not_readable")
    else:
        concerns.keep_attachments(turn, None)
        turn.say("attachment.kept_for_next", what=telling.kind_name(kind))


def _not_asked(turn: Turn, _arguments: list[str]) -> None:
    turn.say("small_talk.not_understood", asking.menu())


def _empty(turn: Turn, _arguments: list[str]) -> None:
    turn.say("attachment.empty")


def _edited(turn: Turn, _arguments: list[str]) -> None:
    references = turn.inbound.payload.get("refers_to", [])
    concern = concerns.edit_part(turn, references[0]) if references else None
    if concern is None:
        turn.say("edit.nothing_to_edit")
    elif concern.state == ConcernState.DRAFT:
        telling.ask_confirmation(turn)
    else:
        concerns.add_event(turn.session, concern.id, "edited", actor="citizen", now=turn.now)
        turn.say("edit.done", code=concern.code, quote=quote(concern.text, 80))


def _feedback(turn: Turn, arguments: list[str]) -> None:
    verdict, answer_id = arguments
    answer = turn.session.get(Answer, int(answer_id))
    if answer is None:
        turn.say("answer.thanks")
        return
    mine = turn.session.scalars(
        select(Concern.id)
        .join(AnswerConcern, AnswerConcern.concern_id == Concern.id)
        .where(AnswerConcern.answer_id == answer.id, Concern.citizen_id == turn.citizen.id)
    ).all()
    for concern_id in mine:
        concerns.add_event(
            turn.session, concern_id, "feedback", actor="citizen", now=turn.now, verdict=verdict
        )
    if verdict == "unclear":
        _reopen(turn)
    turn.say("answer.unclear_thanks" if verdict == "unclear" else "answer.thanks")


def _reopen(turn: Turn) -> None:
    turn.session.add(
        StaffRequest(
            contact_id=turn.contact.id,
            inbound_id=turn.inbound.id,
            reason="answer_unclear",
            created_at=turn.now,
        )
    )


def _do(turn: Turn, arguments: list[str]) -> None:
    _MENU[arguments[0]](turn)


_MENU: Mapping[str, Callable[[Turn], None]] = {
    "raise": telling.ask_text,
    "status": asking.status,
    "sessions": asking.sessions,
    "staff": asking.call_staff,
    "help": asking.show_help,
    "erase": asking.erase,
}

_NONE = re.compile("")
_ID = re.compile(r"(\d{1,18})")
_CODE = re.compile(r"([A-Z]{1,4}-\d{2}-\d{5,6})(?::text)?")

# Each verb with the shape of what may follow it: a forged or outdated value never reaches a handler.
_VERBS: Mapping[str, tuple[Verb, re.Pattern[str]]] = {
    "add_code": (_add_code, _CODE),
    "added": (_added, _ID),
    "attach": (_attach, re.compile(r"([a-z_]+)")),
    "change": (_change, re.compile(r"(text|add|place):(\d{1,18})")),
    "commune": (_commune, re.compile(r"(\d{5})")),
    "commune_text": (_not_asked, _NONE),
    "confirm": (_confirm, re.compile(r"(yes|change|drop):(\d{1,18})")),
    "consent": (_consent, re.compile(r"(yes|no)")),
    "detail": (_detail, re.compile(r"(skip|words):(\d{1,18})")),
    "do": (_do, re.compile(r"(raise|status|sessions|staff|help|erase)")),
    "door": (_door, re.compile(r"(normal|ok):(\d{1,18})")),
    "edited": (_edited, _NONE),
    "empty": (_empty, _NONE),
    "erase": (_erase, re.compile(r"(yes|no)")),
    "feedback": (_feedback, re.compile(r"(clear|partly|unclear):(\d{1,18})")),
    "history": (_history, _CODE),
    "join": (_join, re.compile(r"(\d{1,18})(?::(\d{1,18}))?")),
    "pick": (_pick, re.compile(r"(withdraw|edit):(\d{1,18})")),
    "raise": (_raise, _ID),
    "rewrite_code": (_rewrite_code, _CODE),
    "rewritten": (_rewritten, _ID),
    "voice": (_voice, re.compile(r"(yes|no):(\d{1,18})")),
    "whole": (_whole, _ID),
    "withdraw": (_withdraw, re.compile(r"(yes|no):(\d{1,18})")),
    "withdraw_code": (_withdraw_code, _CODE),
}
