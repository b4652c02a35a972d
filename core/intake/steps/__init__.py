"""The steps of the dialogue, one function for each action that the dialogue engine can run."""

from collections.abc import Callable, Mapping

from core.intake.steps import asking, choosing, registration, telling
from core.intake.turn import Turn

Step = Callable[[Turn], None]

STEPS: Mapping[str, Step] = {
    "validate_registration_form": registration.validate,
    "action_ask_registration_form_consent": registration.ask_consent,
    "action_ask_registration_form_commune": registration.ask_commune,
    "action_registered": registration.registered,
    "action_refused": registration.refused,
    "validate_concern_form": telling.validate,
    "action_ask_concern_form_concern_text": telling.ask_text,
    "action_ask_concern_form_confirmation": telling.ask_confirmation,
    "action_submit_concern": telling.submit,
    "action_choose": choosing.choose,
    "action_affirm": asking.affirm,
    "action_deny": asking.deny,
    "action_status": asking.status,
    "action_sessions": asking.sessions,
    "action_subscribe": asking.subscribe,
    "action_unsubscribe": asking.unsubscribe,
    "action_help": asking.show_help,
    "action_staff": asking.call_staff,
    "action_rights": asking.rights,
    "action_erase": asking.erase,
    "action_withdraw": asking.withdraw,
    "action_edit": asking.edit,
    "action_support": asking.support,
    "action_greet": asking.greet,
    "action_goodbye": asking.goodbye,
    "action_thank": asking.thank,
    "action_chitchat": asking.chitchat,
    "action_abuse": asking.abuse,
    "action_out_of_scope": asking.out_of_scope,
    "action_not_understood": asking.not_understood,
}
