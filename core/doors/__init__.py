"""Legal doors: complaints, denunciations, emergencies, insults, advertising; personal data; what is
missing.
"""

from core.doors.check import DOORS, Door, DoorSuggestion, Reason, check_door
from core.doors.completeness import MissingDetail, missing_detail
from core.doors.model import DoorModel, build, ensure, model_file
from core.doors.personal import PersonalData, find_personal_data

__all__ = [
    "DOORS",
    "Door",
    "DoorModel",
    "DoorSuggestion",
    "MissingDetail",
    "PersonalData",
    "Reason",
    "build",
    "check_door",
    "ensure",
    "find_personal_data",
    "missing_detail",
    "model_file",
]
