"""Several matters in one message: where one ends and the next begins."""

from core.splitting.split import Part, split_matters

__all__ = ["Part", "split_matters"]
