"""What the classifier is measured against: TF-IDF and a linear SVM, as anybody would set them up first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from core.fields.evaluation import Answer
from core.fields.model import field_codes, word_examples
from core.text.normal import clean


def baseline_answers(texts: Sequence[str]) -> list[Answer]:
    """Train on the same generated examples as the classifier and answer every text; takes seconds.

    It never abstains, and its confidence is a softmax over margins: a ranking, not a probability.
    """
    if not texts:
        return []
    examples = word_examples(field_codes())
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = LinearSVC(random_state=0)
    model.fit(vectorizer.fit_transform([clean(e.text) for e in examples]), [e.field for e in examples])
    margins = model.decision_function(vectorizer.transform([clean(text) for text in texts]))
    return [_answer(list(model.classes_), row) for row in margins]


def _answer(codes: Sequence[str], margins: np.ndarray) -> Answer:
    shares = np.exp(margins - margins.max())
    order = np.argsort(-margins)
    ranking = tuple(str(codes[i]) for i in order)
    return Answer(ranking[0], float(shares.max() / shares.sum()), ranking)
