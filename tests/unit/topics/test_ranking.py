"""The order for the chair: its parts, people once, campaigns flagged, no commune drowned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.topics.labels import label_topics
from core.topics.ranking import SHORT_LIST, Score, Voice, order, score

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def _voice(person: int, folded: str = "duong hong", *, days: float = 10, same: str = "") -> Voice:
    return Voice(frozenset({person}), folded, "02683", NOW - timedelta(days=days), same)


def test_a_person_counts_once_and_the_parts_make_the_total() -> None:
    one = score([_voice(1), _voice(1), _voice(2)], promised=True, now=NOW)
    assert one.people == 2
    assert one.total == round(sum(one.parts.values()), 3)
    assert one.parts["promised"] > 0


def test_harm_goes_before_a_wish_of_as_many_people() -> None:
    harm = score(
        [_voice(1, "cau sap co nguoi bi thuong"), _voice(2, "tai nan o cau")], promised=False, now=NOW
    )
    wish = score([_voice(1, "xin lam san bong"), _voice(2, "xin san bong")], promised=False, now=NOW)
    assert harm.total > wish.total


def test_copies_and_bursts_are_flagged_and_still_counted() -> None:
    copied = [_voice(n, days=5 + n / 100, same="k") for n in range(6)]
    one = score([*copied, _voice(9, days=1)], promised=False, now=NOW)
    assert set(one.flags) == {"burst", "campaign"}
    assert one.people == 7


def test_every_commune_is_on_the_short_list() -> None:
    loud = [Score(10.0 - n / 100, {}, 5, 0, ()) for n in range(SHORT_LIST + 5)]
    quiet = Score(0.1, {}, 1, 0, ())
    places = [["00001"]] * len(loud) + [["00002"]]

    ranked, lifted = order([*loud, quiet], places)

    assert ranked.index(len(loud)) == SHORT_LIST
    assert lifted == frozenset({len(loud)})
    assert sorted(ranked) == list(range(len(loud) + 1))


def test_a_label_is_a_phrase_that_people_wrote() -> None:
    roads = ["Đường liên thôn hỏng nặng, xin sửa", "Đề nghị sửa đường liên thôn", "duong lien thon hong"]
    labels = label_topics([roads, ["Rác ở chợ không ai thu gom"], ["😀"]])
    assert "đường liên thôn" in labels[0].lower()
    assert labels[1].lower() in "rác ở chợ không ai thu gom"
    assert labels[2] == "😀"
