"""Which field (lĩnh vực) a concern belongs to: catalogue, training texts, classifier, evaluation."""

from core.fields.classifier import FieldClassifier, FieldGuess

__all__ = ["FieldClassifier", "FieldGuess"]
