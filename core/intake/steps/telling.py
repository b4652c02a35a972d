"""Telling a concern: the words, one confirmation, the receipt. Two messages of the citizen suffice."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select

from core.fields.catalogue import field_label
from core.intake import concerns
from core.intake.reading import NORMAL_DOOR
from core.intake.state import Awaiting
from core.intake.turn import Turn, choice, quote
from core.outbox.port import Choice
from core.wording import CITIZEN, day, day_and_time
from storage.models import Attachment, Concern, ConcernState, DialogueSession, Unit

# While a draft waits for its confirmation, these intents are words that belong to it.
_MORE_WORDS = frozenset(
    {
        "raise_concern",
        "provide_place",
        "out_of_scope",
        "nlu_fallback",
        "chitchat",
        "abuse",
        "support_existing",
    }
)
_LEAST_WORDS = 3
_QUOTED_DOORS = ("to_cao", "khieu_nai", "khan", "xuc_pham", "quang_cao")


def validate(turn: Turn) -> None:
    """Fill the text or the confirmation; sets no slot when the message is about something else."""
    draft = turn.draft()
    if draft is None:
        _begin(turn)
    else:
        _continue(turn, draft)


def _begin(turn: Turn) -> None:
    if turn.call.intent == "choose" or not turn.text:
        return
    repeat = concerns.find_repeat(turn, turn.text)
    if repeat is not None:
        turn.dialogue.note = f"repeat:{repeat.id}"
    else:
        concerns.open_draft(turn, [turn.inbound])
        turn.dialogue.awaiting = Awaiting.CONFIRMATION
    turn.slots.update(concern_text="draft", confirmation=None)


def _continue(turn: Turn, draft: Concern) -> None:
    value = turn.call.choice or ""
    turn.slots["concern_text"] = "draft"
    if value == f"confirm:yes:{draft.id}" or turn.call.intent == "affirm":
        turn.slots["confirmation"] = True
    elif turn.call.intent == "deny":
        turn.dialogue.note = "change"
        turn.slots["confirmation"] = None
    elif value.startswith("attach:") and turn.inbound.payload.get("attachments"):
        concerns.keep_attachments(turn, draft.id)
        turn.slots["confirmation"] = None
    elif turn.call.intent in _MORE_WORDS and _is_more(turn):
        if concerns.append(turn, draft):
            turn.dialogue.note = "appended"
        turn.slots["confirmation"] = None
    else:
        turn.slots.clear()  # A question or another choice: answered first, then the form asks again.


def _is_more(turn: Turn) -> bool:
    return turn.call.intent in ("raise_concern", "provide_place") or len(turn.text.split()) >= _LEAST_WORDS


def ask_text(turn: Turn) -> None:
    """Invite the person to write."""
    turn.say("concern.invite")


def ask_confirmation(turn: Turn) -> None:
    """Show how the concern was understood, with the legal door first; silent when another step took over."""
    note, turn.dialogue.note = turn.dialogue.note, ""
    if note.startswith("repeat:"):
        say_receipt_again(turn, turn.session.get_one(Concern, int(note.removeprefix("repeat:"))))
        return
    draft = turn.draft()
    if draft is None or turn.dialogue.awaiting in (Awaiting.REWRITE, Awaiting.ADDITION):
        return
    if draft.door != NORMAL_DOOR:
        show_door(turn, draft)
        return
    if note == "change":
        offer_changes(turn, draft)
        return
    turn.dialogue.awaiting = Awaiting.CONFIRMATION
    lead = CITIZEN.say("concern.appended") + "\n" if note == "appended" else ""
    turn.add(lead + _summary(turn, draft), _confirm_choices(turn, draft))


def _summary(turn: Turn, draft: Concern) -> str:
    unit = turn.session.get_one(Unit, draft.unit_code)
    place = f"{draft.place_text}, {unit.name}" if draft.place_text else unit.name
    return CITIZEN.say(
        "concern.confirm",
        quote=quote(draft.text),
        field=field_label(draft.field_code) or CITIZEN.say("concern.field_unknown"),
        place=place,
        session=_session_line(turn, draft, unit),
        attachments=_attachments_line(turn, draft),
    )


def _session_line(turn: Turn, draft: Concern, unit: Unit) -> str:
    target = turn.session.get(DialogueSession, draft.session_id) if draft.session_id else None
    if target is None:
        return CITIZEN.say("concern.no_session", unit=unit.name)
    return CITIZEN.say("concern.session", title=target.title, day=day(target.held_at))


def _attachments_line(turn: Turn, draft: Concern) -> str:
    kinds = Counter(turn.session.scalars(select(Attachment.kind).where(Attachment.concern_id == draft.id)))
    if not kinds:
        return ""
    parts = [
        CITIZEN.say("attachment.several", count=count, what=kind_name(kind)) for kind, count in kinds.items()
    ]
    return "\n" + CITIZEN.say("concern.attachments", what=", ".join(parts))


def kind_name(kind: str) -> str:
    """What people call an attachment."""
    return CITIZEN.get(f"attachment.{kind}", CITIZEN.say("attachment.file"))


def _confirm_choices(turn: Turn, draft: Concern) -> list[Choice]:
    choices = [
        choice("concern.send", f"confirm:yes:{draft.id}"),
        choice("concern.change", f"confirm:change:{draft.id}"),
        choice("concern.drop", f"confirm:drop:{draft.id}"),
    ]
    reading = turn.services.reader.read(draft.text)
    similar = turn.services.reader.most_similar(draft.text, reading, concerns.known_nearby(turn, draft))
    if similar is not None:
        choices.append(
            choice(
                "concern.join",
                f"join:{similar.concern_id}:{draft.id}",
                people=similar.people,
                quote=quote(similar.text, 60),
            )
        )
    return choices


def show_door(turn: Turn, draft: Concern) -> None:
    """Point to the right door; a denunciation leaves the dialogue at once, one tap brings it back."""
    door = draft.door if draft.door in _QUOTED_DOORS else "khieu_nai"
    if draft.state == ConcernState.DRAFT:
        concerns.quarantine(turn, draft)
    turn.dialogue.awaiting = Awaiting.NOTHING
    turn.say(
        f"door.{door}",
        (
            choice(f"door.not_{door}", f"door:normal:{draft.id}"),
            choice("door.understood", f"door:ok:{draft.id}"),
        ),
        reception=turn.services.settings.reception_address,
    )


def offer_changes(turn: Turn, draft: Concern) -> None:
    """Ask what to change."""
    turn.say(
        "concern.how_to_change",
        (
            choice("concern.change_text", f"change:text:{draft.id}"),
            choice("concern.change_add", f"change:add:{draft.id}"),
            choice("concern.change_place", f"change:place:{draft.id}"),
            choice("concern.drop", f"confirm:drop:{draft.id}"),
        ),
    )


def submit(turn: Turn) -> None:
    """Number the draft and tell the code; a repeated "yes" tells the same code again."""
    draft = turn.draft()
    if draft is None:
        say_last_receipt(turn)
        return
    code = concerns.submit(turn, draft)
    turn.dialogue.awaiting = Awaiting.NOTHING
    turn.dialogue.misses = 0
    target = turn.session.get(DialogueSession, draft.session_id) if draft.session_id else None
    if target is None:
        turn.say("concern.receipt_no_session", code=code)
    else:
        turn.say("concern.receipt", code=code, deadline=day_and_time(target.collects_until))


def say_receipt_again(turn: Turn, concern: Concern) -> None:
    """The same matter was sent before: the code again, not a second record."""
    if concern.state == ConcernState.QUARANTINED:
        show_door(turn, concern)
    else:
        turn.say("concern.receipt_again", code=concern.code)


def say_last_receipt(turn: Turn) -> None:
    """Nothing waits for a confirmation: tell the newest code of this conversation, if there is one."""
    last = turn.session.scalar(
        select(Concern)
        .where(
            Concern.contact_id == turn.contact.id,
            Concern.code.is_not(None),
            Concern.erased_at.is_(None),
        )
        .order_by(Concern.submitted_at.desc())
        .limit(1)
    )
    if last is None:
        turn.say("concern.nothing_pending")
    else:
        turn.say("concern.receipt_again", code=last.code)
