"""An announcement asks the database the same number of questions whatever the number of subscribers."""

from __future__ import annotations

from core.broadcast import announce
from tests.factories.many import many_concerns
from tests.factories.queries import counted
from tests.factories.records import Commune


def test_announcing_asks_the_same_number_of_questions_whatever_the_size(commune: Commune) -> None:
    asked = []
    session_id = commune.collecting()
    for more in (10, 300):
        many_concerns(commune, more, session_id=session_id, subscribers=True)
        with counted(commune.database) as statements, commune.database.write() as session:
            forecast = announce.forecast(session, unit_code="15")
            announce.start(
                session, unit_code="15", session_id=session_id, text="Mời bà con", created_by="t",
                now=commune.clock.at,
            )  # fmt: skip
        asked.append(len(statements))
        assert forecast.total >= more * 0.8
    assert asked[0] == asked[1]
