"""Places: the gazetteer of units after 1 July 2025 with all old names, and finding places in what people
write.
"""

from core.places.answers import FoundPlaces, PlaceAnswer, PlaceSpan, Surrounding, Unit
from core.places.gazetteer import Gazetteer

__all__ = ["FoundPlaces", "Gazetteer", "PlaceAnswer", "PlaceSpan", "Surrounding", "Unit"]
