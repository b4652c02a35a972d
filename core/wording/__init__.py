"""All Vietnamese that people read from the rules: catalogues beside this file, and dates in words."""

from core.wording.catalogue import CITIZEN, STAFF, Catalogue
from core.wording.dates import day, day_and_time, local

__all__ = ["CITIZEN", "STAFF", "Catalogue", "day", "day_and_time", "local"]
