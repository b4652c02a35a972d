"""Telling a concern: the words, one confirmation, the receipt. Two messages of the citizen suffice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select

from core.fields.names import field_names
from core.intake import concerns, matters
from core.intake.reading import NORMAL_DOOR
from core.intake.state import Awaiting
from core.intake.turn import Turn, choice, quote
from core.intake.typed import knows_nothing
from core.outbox.port import Choice
from core.voice import transcripts
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
_MOST_DOOR_WORDS = 3
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
    elif value == f"whole:{draft.id}":
        turn.dialogue.whole = draft.id
        turn.slots["confirmation"] = None
    elif value in (f"detail:skip:{draft.id}", f"detail:words:{draft.id}"):
        take_detail(turn, draft)
        turn.slots["confirmation"] = None
    elif value.startswith("voice:yes:") and _take_voice(turn, draft, value):
        turn.dialogue.note = "appended"
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


def _take_voice(turn: Turn, draft: Concern, value: str) -> bool:
    """Add the confirmed words of a voice note of this draft; False when there is nothing to confirm."""
    attachment = turn.session.get(Attachment, int(value.rpartition(":")[2]))
    if attachment is None or attachment.concern_id not in (None, draft.id):
        return False
    words = transcripts.answer(turn, attachment.id, right=True)
    if words is None:
        return False
    concerns.add_words(turn.session, draft, words, inbound_id=attachment.inbound_id, at=attachment.created_at)
    concerns.understand(turn, draft, draft.text)
    return True


def take_detail(turn: Turn, draft: Concern) -> None:
    """The answer to the question that was asked back; "không biết" is one."""
    turn.dialogue.awaiting = Awaiting.CONFIRMATION
    turn.dialogue.about = None
    skipped = (turn.call.choice or "").startswith("detail:skip") or knows_nothing(turn.text)
    if not skipped and concerns.append(turn, draft):
        turn.dialogue.note = "appended"


def _is_more(turn: Turn) -> bool:
    return turn.call.intent in ("raise_concern", "provide_place") or len(turn.text.split()) >= _LEAST_WORDS


def ask_text(turn: Turn) -> None:
    """Invite the person to write."""
    turn.say("concern.invite")


def ask_confirmation(turn: Turn) -> None:
    """Show how the concern was understood, with the legal door first; silent when another step took over."""
    taken = turn.floor_is_taken
    note, turn.dialogue.note = turn.dialogue.note, ""
    if taken:
        return
    if note.startswith("repeat:"):
        say_receipt_again(turn, turn.session.get_one(Concern, int(note.removeprefix("repeat:"))))
        return
    draft = turn.draft()
    if draft is None or turn.dialogue.awaiting in (Awaiting.REWRITE, Awaiting.ADDITION):
        return
    apart = matters.set_apart(turn, draft)
    if draft.door != NORMAL_DOOR:
        show_door(turn, draft)
        return
    if note == "change":
        offer_changes(turn, draft)
        return
    undo = _told_apart(turn, apart) if apart is not None else []
    texts = matters.matters_of(turn, draft)
    if len(texts) == 1 and _ask_back(turn, draft):
        return
    turn.dialogue.awaiting = Awaiting.CONFIRMATION
    lead = CITIZEN.say("concern.appended") + "\n" if note == "appended" else ""
    if len(texts) > 1:
        turn.add(lead + _summary_of_several(turn, draft, texts), [*_choices_for_several(draft), *undo])
    else:
        turn.add(lead + _summary(turn, draft), [*_confirm_choices(turn, draft), *undo])


def _told_apart(turn: Turn, apart: Concern) -> list[Choice]:
    """Tell why a part of the message goes another way; its one-tap undo joins the choices that follow."""
    door = apart.door if apart.door in _QUOTED_DOORS else "khieu_nai"
    turn.add(_door_text(turn, apart, door))
    return [choice(f"door.not_{door}", f"door:normal:{apart.id}")]


def _ask_back(turn: Turn, draft: Concern) -> bool:
    """Ask the one question that would make the concern actionable, once; False when nothing is to be asked."""
    if turn.dialogue.asked == draft.id:
        return False
    question = turn.services.reader.missing(draft.text)
    if question is None or turn.session.scalar(
        select(Attachment.id).where(Attachment.concern_id == draft.id)
    ):
        return False
    turn.dialogue.asked = turn.dialogue.about = draft.id
    turn.dialogue.awaiting = Awaiting.DETAIL
    turn.say(question, (choice("detail.unknown", f"detail:skip:{draft.id}"),), quote=quote(draft.text, 80))
    return True


def _summary_of_several(turn: Turn, draft: Concern, texts: Sequence[str]) -> str:
    unit = turn.session.get_one(Unit, draft.unit_code)
    name = field_names(turn.session, unit.code)
    lines = [
        CITIZEN.say(
            "concern.matter",
            number=number,
            quote=quote(text),
            field=name(turn.services.reader.read(text).field_code) or CITIZEN.say("concern.field_unknown"),
        )
        for number, text in enumerate(texts, 1)
    ]
    return CITIZEN.say(
        "concern.confirm_several",
        count=len(texts),
        matters="\n".join(lines),
        place=unit.name,
        session=_session_line(turn, draft, unit),
        attachments=_attachments_line(turn, draft),
    )


def _choices_for_several(draft: Concern) -> list[Choice]:
    return [
        choice("concern.send_all", f"confirm:yes:{draft.id}"),
        choice("concern.one_matter", f"whole:{draft.id}"),
        choice("concern.change", f"confirm:change:{draft.id}"),
        choice("concern.drop", f"confirm:drop:{draft.id}"),
    ]


def _summary(turn: Turn, draft: Concern) -> str:
    unit = turn.session.get_one(Unit, draft.unit_code)
    place = f"{draft.place_text}, {unit.name}" if draft.place_text else unit.name
    return CITIZEN.say(
        "concern.confirm",
        quote=quote(draft.text),
        field=field_names(turn.session, unit.code)(draft.field_code) or CITIZEN.say("concern.field_unknown"),
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
    turn.add(
        _door_text(turn, draft, door),
        (
            choice(f"door.not_{door}", f"door:normal:{draft.id}"),
            choice("door.understood", f"door:ok:{draft.id}"),
        ),
    )


def _door_text(turn: Turn, concern: Concern, door: str) -> str:
    """The advice, and the person's own words that led to it: a wrong guess must be seen as one."""
    text = CITIZEN.say(f"door.{door}", reception=turn.services.settings.reception_address)
    words = ", ".join(f"«{reason}»" for reason in concern.door_reasons[:_MOST_DOOR_WORDS])
    return text + "\n" + CITIZEN.say("door.because", words=words) if words else text


def offer_changes(turn: Turn, draft: Concern) -> None:
    """Ask what to change in a draft, or in a concern that was sent and may still be changed."""
    turn.keep_the_floor()
    sent = draft.state != ConcernState.DRAFT
    turn.say(
        "concern.how_to_change",
        (
            choice("concern.change_text", f"change:text:{draft.id}"),
            choice("concern.change_add", f"change:add:{draft.id}"),
            choice("concern.change_place", f"change:place:{draft.id}"),
            choice("concern.withdraw", f"pick:withdraw:{draft.id}")
            if sent
            else choice("concern.drop", f"confirm:drop:{draft.id}"),
        ),
    )


def submit(turn: Turn) -> None:
    """Number the draft and tell the code; a repeated "yes" tells the same code again."""
    draft = turn.draft()
    if draft is None:
        say_last_receipt(turn)
        return
    sent = matters.separate(turn, draft, matters.matters_of(turn, draft))
    codes = [concerns.submit(turn, concern) for concern in sent]
    turn.dialogue.awaiting = Awaiting.NOTHING
    turn.dialogue.misses = 0
    target = turn.session.get(DialogueSession, draft.session_id) if draft.session_id else None
    if len(codes) > 1:
        turn.say("concern.receipt_several", count=len(codes), codes=", ".join(codes))
    elif target is None:
        turn.say("concern.receipt_no_session", code=codes[0])
    else:
        turn.say("concern.receipt", code=codes[0], deadline=day_and_time(target.collects_until))


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
