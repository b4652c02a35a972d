"""First contact: who we are, consent with two equal choices, then the commune. Nobody types twice."""

from __future__ import annotations

from core.intake import concerns
from core.intake.reading import CommuneAnswer, NamedUnit
from core.intake.state import Awaiting
from core.intake.steps import asking, telling
from core.intake.turn import Turn, choice
from core.outbox.port import Choice
from core.people import consent
from core.wording import CITIZEN
from storage.models import Concern, ConcernState, ConsentState, Inbound, Unit

# Questions that are answered in between; the form goes on afterwards.
_INTERRUPTIONS = frozenset(
    {"ask_status", "ask_sessions", "ask_help", "ask_human", "data_rights", "erase_data", "unsubscribe"}
)
# Said before consent, these are courtesies or moods, not something to keep for later.
_NOT_HELD = frozenset({"greet", "goodbye", "thank", "affirm", "deny", "subscribe", "choose"})
_MAX_CANDIDATES = 5
_LEAST_WORDS_OF_A_CONCERN = 4


def validate(turn: Turn) -> None:
    """Take consent or the commune from the message; sets no slot when it is a question to answer first."""
    if turn.call.intent in _INTERRUPTIONS:
        return
    if turn.citizen.consent != ConsentState.GRANTED:
        _take_consent(turn)
    else:
        _take_commune(turn)


def _take_consent(turn: Turn) -> None:
    value = turn.call.choice or ""
    asked = turn.dialogue.awaiting is Awaiting.CONSENT
    if value == "consent:no" or (asked and turn.call.intent == "deny"):
        consent.refuse(turn.session, turn.contact, turn.citizen, inbound_id=turn.inbound.id, now=turn.now)
        # No slot left to ask for ends the form; `refused` tells the rule how it ended.
        turn.slots.update(consent=False, refused=True, requested_slot=None)
        return
    if value == "consent:yes" or (asked and turn.call.intent == "affirm"):
        consent.grant(turn.session, turn.citizen, inbound_id=turn.inbound.id, now=turn.now)
        turn.slots["consent"] = "granted"
        _commune_from_held_words(turn)
        return
    _hold(turn)
    turn.slots["consent"] = None


def _hold(turn: Turn) -> None:
    if turn.call.intent == "subscribe":
        turn.dialogue.purpose = "subscribe"
    if turn.inbound.payload.get("attachments"):
        concerns.keep_attachments(turn, None)
    long_enough = len(turn.text.split()) >= _LEAST_WORDS_OF_A_CONCERN
    if turn.call.intent not in _NOT_HELD and (long_enough or turn.call.intent == "raise_concern"):
        turn.dialogue.held.append(turn.inbound.id)


def _held_messages(turn: Turn) -> list[Inbound]:
    found = [turn.session.get(Inbound, message_id) for message_id in turn.dialogue.held]
    return [message for message in found if message is not None and message.text]


def _commune_from_held_words(turn: Turn) -> None:
    """A commune that the held words name need not be asked for again; the confirmation shows it."""
    for message in _held_messages(turn):
        code = turn.services.reader.read(message.text or "").unit_code
        if code is not None:
            turn.citizen.unit_code = code
            turn.slots["commune"] = code
            return


def _take_commune(turn: Turn) -> None:
    value = turn.call.choice or ""
    turn.slots["commune"] = None
    if value.startswith("commune:"):
        unit = turn.session.get(Unit, value.removeprefix("commune:"))
        if unit is not None and unit.parent_code is not None:
            _set_commune(turn, NamedUnit(unit.code, unit.name))
        return
    if turn.inbound.payload.get("attachments") or turn.call.intent == "subscribe":
        _hold(turn)
        return
    if turn.call.intent in ("affirm", "deny", "thank", "greet") or not turn.text:
        return
    answer = turn.services.reader.commune(turn.text)
    _remember_answer(turn, answer)
    if answer.found is not None:
        _set_commune(turn, answer.found)
    elif turn.call.intent == "raise_concern":
        _hold(turn)


def _remember_answer(turn: Turn, answer: CommuneAnswer) -> None:
    dialogue = turn.dialogue
    dialogue.candidates = [unit.code for unit in answer.candidates[:_MAX_CANDIDATES]]
    dialogue.elsewhere = answer.elsewhere.name if answer.elsewhere else ""
    dialogue.commune_tries += 1


def _set_commune(turn: Turn, unit: NamedUnit) -> None:
    turn.citizen.unit_code = unit.code
    turn.slots["commune"] = unit.code


def ask_consent(turn: Turn) -> None:
    """The consent text at first contact, a short reminder afterwards; both choices look the same."""
    settings = turn.services.settings
    both = (choice("consent.yes", "consent:yes"), choice("consent.no", "consent:no"))
    turn.dialogue.awaiting = Awaiting.CONSENT
    if turn.dialogue.greeted:
        turn.say("consent.again", both)
        return
    turn.dialogue.greeted = True
    text = CITIZEN.say("consent.ask", agency=settings.agency_name, months=settings.retention_months)
    if turn.dialogue.held:
        text += "\n" + CITIZEN.say("consent.held", hours=settings.consent_hold_hours)
    turn.add(text, both)


def ask_commune(turn: Turn) -> None:
    """Ask where the person is; offer candidates when the last answer fits several places."""
    dialogue = turn.dialogue
    dialogue.awaiting = Awaiting.COMMUNE
    if dialogue.candidates:
        offered = [turn.session.get_one(Unit, code) for code in dialogue.candidates]
        turn.say("commune.choose", [Choice(unit.name, f"commune:{unit.code}") for unit in offered])
    elif dialogue.elsewhere:
        province = turn.session.get_one(Unit, turn.services.settings.province_code)
        turn.say("commune.elsewhere", name=dialogue.elsewhere, province=province.name)
    elif dialogue.commune_tries:
        turn.say("commune.unknown")
    else:
        turn.say("commune.ask")


def registered(turn: Turn) -> None:
    """Consent and commune are known: use what was held, or do what the person came for."""
    dialogue = turn.dialogue
    held = _held_messages(turn)
    dialogue.awaiting = Awaiting.NOTHING
    dialogue.held, dialogue.candidates, dialogue.elsewhere, dialogue.commune_tries = [], [], "", 0
    wants_announcements = dialogue.purpose == "subscribe"
    dialogue.purpose = ""
    if wants_announcements:
        asking.subscribe(turn)
    draft = turn.draft()
    moved = _concern_to_move(turn)
    if moved is not None:
        concerns.rewrite(turn, moved, moved.text)
        concerns.add_event(turn.session, moved.id, "edited", actor="citizen", now=turn.now)
        turn.say("edit.moved", code=moved.code, unit=turn.session.get_one(Unit, turn.citizen.unit_code).name)
    elif draft is not None:
        concerns.rewrite(turn, draft, draft.text)  # The commune was changed: it may go to another session.
        telling.ask_confirmation(turn)
    elif held:
        concerns.open_draft(turn, held)
        telling.ask_confirmation(turn)
    elif not wants_announcements:
        unit = turn.session.get_one(Unit, turn.citizen.unit_code)
        turn.add(CITIZEN.say("commune.set", name=unit.name) + "\n" + CITIZEN.say("concern.invite"))


def _concern_to_move(turn: Turn) -> Concern | None:
    """The sent concern whose place the person wanted to change; asking for the commune was for it."""
    about, turn.dialogue.about = turn.dialogue.about, None
    concern = concerns.mine(turn, about) if about is not None else None
    if concern is None or concern.state == ConcernState.DRAFT or not concerns.may_change(concern):
        return None
    return concern


def refused(turn: Turn) -> None:
    """Nothing is kept; say where else the person can go."""
    turn.dialogue.awaiting = Awaiting.NOTHING
    turn.dialogue.held, turn.dialogue.choices, turn.dialogue.greeted = [], [], False
    turn.say("consent.refused", reception=turn.services.settings.reception_address)
