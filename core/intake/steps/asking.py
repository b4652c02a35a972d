"""Questions and wishes besides telling a concern: status, schedule, announcements, rights, a person."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, func, select

from core.intake import concerns
from core.intake.steps import telling
from core.intake.turn import Turn, choice, quote
from core.outbox.port import Choice
from core.people import consent
from core.sessions import lifecycle
from core.wording import CITIZEN, day, day_and_time
from storage.models import (
    Answer,
    AnswerConcern,
    Concern,
    ConcernEvent,
    ConcernState,
    ConsentState,
    SessionState,
    StaffRequest,
    Support,
    Unit,
)

_SHOWN = 5
_MISSES_BEFORE_STAFF = 2
_LEAST_WORDS_TO_OFFER = 4


def status(turn: Turn) -> None:
    """The person's newest concerns with their states, joined ones included."""
    own = turn.session.scalars(_my_concerns(turn).limit(_SHOWN + 1)).all()
    joined = turn.session.scalars(
        select(Concern)
        .join(Support, Support.concern_id == Concern.id)
        .where(Support.citizen_id == turn.citizen.id, Concern.erased_at.is_(None))
        .order_by(Support.at.desc())
        .limit(_SHOWN)
    ).all()
    if not own and not joined:
        turn.say("mine.none")
        return
    lines = [CITIZEN.say("mine.head")]
    lines += [_status_line("mine.line", concern) for concern in own[:_SHOWN]]
    lines += [_status_line("mine.joined_line", concern) for concern in joined]
    if len(own) > _SHOWN:
        lines.append(CITIZEN.say("mine.more", count=_count_mine(turn) - _SHOWN))
    lines.append(CITIZEN.say("mine.foot"))
    turn.add("\n".join(lines))


def _my_concerns(turn: Turn) -> Select[Concern]:
    return select(Concern).where(*_is_mine(turn)).order_by(Concern.submitted_at.desc())


def _is_mine(turn: Turn) -> tuple[ColumnElement[bool], ...]:
    return (
        Concern.citizen_id == turn.citizen.id,
        Concern.code.is_not(None),
        Concern.erased_at.is_(None),
    )


def _count_mine(turn: Turn) -> int:
    return turn.session.scalar(select(func.count()).where(*_is_mine(turn))) or 0


def _status_line(key: str, concern: Concern) -> str:
    return CITIZEN.say(
        key,
        code=concern.code,
        state=CITIZEN.say(f"state.{concern.state}"),
        day=day(concern.submitted_at or concern.created_at),
        quote=quote(concern.text, 80),
    )


def history(turn: Turn, code: str) -> None:
    """Everything that happened to one concern, and its answer when there is one."""
    concern = concerns.by_code(turn, code)
    if concern is None:
        turn.say("mine.unknown_code", code=code)
        return
    events = turn.session.scalars(
        select(ConcernEvent).where(ConcernEvent.concern_id == concern.id).order_by(ConcernEvent.id)
    )
    lines = [
        CITIZEN.say(
            "mine.history_head",
            code=code,
            state=CITIZEN.say(f"state.{concern.state}"),
            quote=quote(concern.text, 300),
        )
    ]
    lines += [
        CITIZEN.say("mine.history_line", day=day(event.at), what=CITIZEN.say(f"event.{event.kind}"))
        for event in events
        if f"event.{event.kind}" in CITIZEN
    ]
    answers = turn.session.scalars(
        select(Answer.text)
        .join(AnswerConcern, AnswerConcern.answer_id == Answer.id)
        .where(AnswerConcern.concern_id == concern.id, Answer.published_at.is_not(None))
    )
    lines += [CITIZEN.say("mine.answer", text=text) for text in answers]
    turn.add("\n".join(lines))


def sessions(turn: Turn) -> None:
    """Sessions coming up for the person's commune, or for the province before that is known."""
    unit_code = turn.citizen.unit_code or turn.services.settings.province_code
    coming = lifecycle.upcoming(turn.session, unit_code=unit_code, now=turn.now)
    if not coming:
        turn.say("sessions.none")
        return
    lines = [CITIZEN.say("sessions.head")]
    for item in coming:
        takes = item.state == SessionState.COLLECTING and item.collects_until > turn.now
        lines.append(
            CITIZEN.say(
                "sessions.line" if takes or item.state == SessionState.PLANNED else "sessions.line_closed",
                title=item.title,
                when=day_and_time(item.held_at),
                place=item.place or CITIZEN.say("sessions.place_unset"),
                deadline=day_and_time(item.collects_until),
            )
        )
    turn.add("\n".join(lines))


def subscribe(turn: Turn) -> None:
    """Consent to P2: announcements of sessions in the person's commune and province."""
    unit = turn.session.get_one(Unit, turn.citizen.unit_code)
    if turn.citizen.wants_announcements:
        turn.say("subscribe.already", unit=unit.name)
        return
    turn.citizen.wants_announcements = True
    _record_announcements(turn, granted=True)
    turn.say("subscribe.done", unit=unit.name)


def unsubscribe(turn: Turn) -> None:
    """Stop announcements at once; answers to the person's own concerns still come."""
    if not turn.citizen.wants_announcements:
        turn.say("subscribe.not_subscribed")
        return
    turn.citizen.wants_announcements = False
    _record_announcements(turn, granted=False)
    turn.say("subscribe.stopped")


def _record_announcements(turn: Turn, *, granted: bool) -> None:
    consent.record(
        turn.session,
        turn.citizen,
        purpose=consent.PURPOSE_ANNOUNCE,
        granted=granted,
        inbound_id=turn.inbound.id,
        now=turn.now,
    )


def show_help(turn: Turn) -> None:
    """What can be done here, as words to type."""
    turn.say("help.text")


def menu() -> Sequence[Choice]:
    """The useful choices under a message that was not understood."""
    return (
        choice("help.raise_concern", "do:raise"),
        choice("help.status", "do:status"),
        choice("help.sessions", "do:sessions"),
        choice("help.staff", "do:staff"),
    )


def call_staff(turn: Turn) -> None:
    """Put the conversation on the staff's list."""
    _request_staff(turn, "asked")
    turn.say("staff.called")


def _request_staff(turn: Turn, reason: str) -> None:
    turn.session.add(
        StaffRequest(
            contact_id=turn.contact.id, inbound_id=turn.inbound.id, reason=reason, created_at=turn.now
        )
    )


def rights(turn: Turn) -> None:
    """What we keep of this person and what they can do about it."""
    hours = turn.services.settings.consent_hold_hours
    if turn.citizen.consent != ConsentState.GRANTED or turn.citizen.consent_at is None:
        turn.say("rights.text_before", hours=hours)
        return
    unit = turn.session.get(Unit, turn.citizen.unit_code) if turn.citizen.unit_code else None
    on = turn.citizen.wants_announcements
    turn.say(
        "rights.text",
        (
            choice("rights.see", "do:status"),
            choice("rights.erase", "do:erase"),
            choice("rights.back", "do:help"),
        ),
        commune=unit.name if unit else "",
        concerns=_count_mine(turn),
        announcements=CITIZEN.say("rights.on" if on else "rights.off"),
        consent_day=day(turn.citizen.consent_at),
    )


def erase(turn: Turn) -> None:
    """Ask once more before everything is erased."""
    if turn.citizen.consent != ConsentState.GRANTED:
        turn.say("erase.nothing")
        return
    turn.keep_the_floor()
    turn.say("erase.ask", (choice("erase.yes", "erase:yes"), choice("erase.no", "erase:no")))


def withdraw(turn: Turn) -> None:
    """Ask which concern, or whether this one, when there is only one that can still be withdrawn."""
    _pick(turn, verb="withdraw")


def edit(turn: Turn) -> None:
    """Ask which concern to change, or what to change in the only one."""
    _pick(turn, verb="edit")


def _pick(turn: Turn, *, verb: str) -> None:
    open_states = (ConcernState.RECEIVED, ConcernState.NEEDS_DETAIL)
    mine = turn.session.scalars(_my_concerns(turn).where(Concern.state.in_(open_states)).limit(_SHOWN)).all()
    draft = turn.draft()
    if draft is not None:
        telling.offer_changes(turn, draft)
    elif not mine:
        turn.say("mine.none")
    elif len(mine) == 1:
        picked(turn, verb=verb, concern=mine[0])
    else:
        turn.keep_the_floor()
        turn.say(
            "mine.which",
            [Choice(f"{c.code} «{quote(c.text, 60)}»", f"pick:{verb}:{c.id}") for c in mine],
        )


def picked(turn: Turn, *, verb: str, concern: Concern) -> None:
    """Go on with one concern: confirm the withdrawal, or offer the changes."""
    if not concerns.may_change(concern):
        turn.say("withdraw.not_open", code=concern.code, state=CITIZEN.say(f"state.{concern.state}"))
    elif verb == "withdraw":
        turn.keep_the_floor()
        turn.say(
            "withdraw.ask",
            (
                choice("withdraw.yes", f"withdraw:yes:{concern.id}"),
                choice("withdraw.no", f"withdraw:no:{concern.id}"),
            ),
            code=concern.code,
            quote=quote(concern.text, 80),
        )
    else:
        telling.offer_changes(turn, concern)


def support(turn: Turn) -> None:
    """Show the matters of the commune that most people share, to be joined by number."""
    unit = turn.session.get_one(Unit, turn.citizen.unit_code)
    people = select(func.count()).where(Support.concern_id == Concern.id).scalar_subquery()
    rows = turn.session.execute(
        select(Concern, people)
        .where(
            Concern.unit_code == unit.code,
            Concern.citizen_id != turn.citizen.id,
            Concern.state.in_((ConcernState.RECEIVED, ConcernState.ON_AGENDA)),
        )
        .order_by(people.desc(), Concern.id.desc())
        .limit(_SHOWN)
    ).all()
    if not rows:
        turn.say("support.none", unit=unit.name)
        return
    offered = [
        choice("support.choice", f"join:{concern.id}", quote=quote(concern.text, 60), people=1 + supporters)
        for concern, supporters in rows
    ]
    turn.say("support.which", offered)


def affirm(turn: Turn) -> None:
    """A "yes" with nothing to confirm: most often the receipt was missed."""
    _courtesy(turn, "small_talk.affirm")


def deny(turn: Turn) -> None:
    """A "no" with nothing to deny."""
    turn.say("small_talk.deny")


def greet(turn: Turn) -> None:
    """Answer a greeting and invite."""
    turn.say("small_talk.greet", invite=CITIZEN.say("concern.invite"))


def _courtesy(turn: Turn, key: str) -> None:
    recent = turn.session.scalar(_my_concerns(turn).limit(1))
    if recent is not None and recent.submitted_at is not None:
        minutes = (turn.now - recent.submitted_at).total_seconds() / 60
        if minutes < 10:
            turn.say("concern.receipt_again", code=recent.code)
            return
    turn.say(key, invite=CITIZEN.say("concern.invite"))


def goodbye(turn: Turn) -> None:
    """Say goodbye."""
    turn.say("small_talk.goodbye")


def thank(turn: Turn) -> None:
    """Answer thanks."""
    turn.say("small_talk.thank")


def chitchat(turn: Turn) -> None:
    """Say what this channel is for; the words may still be a concern."""
    _perhaps_a_concern(turn, "small_talk.chitchat")


def abuse(turn: Turn) -> None:
    """Stay polite and ask for the matter behind the anger."""
    _perhaps_a_concern(turn, "small_talk.abuse")


def out_of_scope(turn: Turn) -> None:
    """Point elsewhere; the words may still be a concern."""
    _perhaps_a_concern(turn, "small_talk.out_of_scope")


def _perhaps_a_concern(turn: Turn, key: str) -> None:
    if len(turn.text.split()) < _LEAST_WORDS_TO_OFFER:
        turn.say(key, menu())
        return
    turn.dialogue.misses = 0
    turn.add(
        CITIZEN.say(key) + "\n" + CITIZEN.say("concern.not_a_concern"),
        (choice("concern.raise_it", f"raise:{turn.inbound.id}"), *menu()[1:]),
    )


def not_understood(turn: Turn) -> None:
    """Offer useful choices; twice in a row a person of the staff is called."""
    turn.dialogue.misses += 1
    if turn.dialogue.misses >= _MISSES_BEFORE_STAFF:
        turn.dialogue.misses = 0
        _request_staff(turn, "not_understood")
        turn.say("staff.called_after_misses", menu())
        return
    offered = list(menu())
    if len(turn.text.split()) >= _LEAST_WORDS_TO_OFFER:
        offered[0] = choice("concern.raise_it", f"raise:{turn.inbound.id}")
    turn.say("small_talk.not_understood", offered)
