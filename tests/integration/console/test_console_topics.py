"""The board of topics in the console: corrected, undone, explained, and honest about what changed meanwhile."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.topics.store import regroup
from storage.models import Concern, StaffRole, Topic, TopicMember
from tests.factories.console import Office, Visit
from tests.factories.plain_reader import BAC_HA, BAT_XAT
from tests.factories.queries import counted
from tests.factories.topics import tell

THEMES = ["giao_thong/duong"] * 3 + ["moi_truong/rac"] * 2 + ["y_te/tram_y_te"]


@pytest.fixture
def session_id(office: Office) -> int:
    """A session with three topics."""
    made = office.commune.collecting()
    _tell(office, made, THEMES)
    return made


def _tell(office: Office, session_id: int, themes: list[str]) -> list[int]:
    now = office.commune.clock.at
    ids = tell(office.commune.database, themes, session_id=session_id, unit_code=BAT_XAT.code, now=now)
    with office.commune.database.write() as session:
        regroup(session, session_id=session_id, placed_by="job", now=now)
    return ids


@pytest.fixture
def clerk(office: Office, session_id: int) -> Visit:
    """A clerk with the board open."""
    visit = office.as_(StaffRole.VAN_PHONG)
    visit.get(f"/sessions/{session_id}/topics")
    return visit


def _topics(office: Office) -> dict[int, list[int]]:
    """Standing topics with their members."""
    with office.commune.database.read() as session:
        rows = session.execute(
            select(Topic.id, TopicMember.concern_id)
            .join(TopicMember, TopicMember.topic_id == Topic.id)
            .where(Topic.retired_at.is_(None))
            .order_by(Topic.id, TopicMember.concern_id)
        )
        found: dict[int, list[int]] = {}
        for topic_id, concern_id in rows:
            found.setdefault(topic_id, []).append(concern_id)
        return found


def test_merge_and_undo(office: Office, clerk: Visit, session_id: int) -> None:
    before = _topics(office)
    first, second, _ = before
    page = clerk.post(f"/sessions/{session_id}/topics/merge", {"topic": [first, second]}).text
    assert "Đã sửa nhóm ý kiến" in page
    assert "Hoàn tác: gộp nhóm" in page
    assert len(_topics(office)[first]) == len(before[first]) + len(before[second])
    clerk.post(f"/sessions/{session_id}/topics/undo")
    assert _topics(office) == before


def test_split_move_rename_lock_assign(office: Office, clerk: Visit, session_id: int) -> None:
    first, second, _ = before = _topics(office)
    address = f"/sessions/{session_id}/topics/{first}/change"
    clerk.post(address, {"what": "split", "id": before[first][:1], "label": "Đường tách riêng"})
    assert len(_topics(office)) == 4
    clerk.post(address, {"what": "move", "id": before[first][1:2], "to": second})
    assert before[first][1] in _topics(office)[second]
    page = clerk.post(address, {"what": "rename", "label": "Đường <i>thôn</i>"}).text
    assert "Đường &lt;i&gt;thôn&lt;/i&gt;" in page
    assert "Mở khóa nhóm" in clerk.post(address, {"what": "lock"}).text
    assert "Mở khóa nhóm" not in clerk.post(address, {"what": "unlock"}).text
    clerk.post(address, {"what": "assign", "handler": BAC_HA.code})
    with office.commune.database.read() as session:
        handled = session.scalars(select(Concern.id).where(Concern.handler_code == BAC_HA.code)).all()
    assert list(handled) == _topics(office)[first]


def test_moving_the_last_member_leads_back_to_the_board(
    office: Office, clerk: Visit, session_id: int
) -> None:
    first, _, last = before = _topics(office)
    answer = clerk.post(
        f"/sessions/{session_id}/topics/{last}/change",
        {"what": "move", "id": before[last], "to": first},
        follow=False,
    )
    assert answer.headers["location"].startswith(f"/console/sessions/{session_id}/topics?")
    assert clerk.get(f"/sessions/{session_id}/topics/{last}").status_code == 404


@pytest.mark.parametrize(
    ("path", "values", "problem"),
    [
        ("merge", {}, "Chưa chọn gì"),
        ("merge", {"topic": ["1"]}, "Chưa chọn gì"),
        ("merge", {"topic": ["1", "999"]}, "vừa được đồng nghiệp"),
        ("1/change", {"what": ["split"]}, "Chưa chọn gì"),
        ("1/change", {"what": ["rename"], "label": [" "]}, "Chưa nhập tên"),
        ("1/change", {"what": ["move"], "id": ["999"], "to": ["2"]}, "không còn trong nhóm"),
        ("undo", {}, "Không còn gì để hoàn tác"),
    ],
)
def test_what_cannot_be_done_is_explained(
    office: Office, clerk: Visit, session_id: int, path: str, values: dict[str, list[str]], problem: str
) -> None:
    numbers = {"1": str(min(_topics(office))), "2": str(max(_topics(office)))}
    first = numbers["1"]
    sent = {name: [numbers.get(v, v) for v in values[name]] for name in values}
    answer = clerk.post(f"/sessions/{session_id}/topics/{path.replace('1/', f'{first}/')}", sent)
    assert (answer.status_code, problem in answer.text) == (422, True)


def test_a_topic_says_why_its_members_are_together(office: Office, clerk: Visit, session_id: int) -> None:
    first = min(_topics(office))
    page = clerk.get(f"/sessions/{session_id}/topics/{first}").text
    assert "Chữ chung:" in page
    assert "giống" in page


def test_pulse_changes_when_concerns_arrive_or_somebody_edits(
    office: Office, clerk: Visit, session_id: int
) -> None:
    marks = [clerk.get(f"/sessions/{session_id}/topics/pulse").json()["mark"]]
    office.commune.clock.pass_by(minutes=1)
    _tell(office, session_id, ["moi_truong/rac"])
    marks.append(clerk.get(f"/sessions/{session_id}/topics/pulse").json()["mark"])
    clerk.get(f"/sessions/{session_id}/topics")
    clerk.post(f"/sessions/{session_id}/topics/{min(_topics(office))}/change", {"what": "lock"})
    marks.append(clerk.get(f"/sessions/{session_id}/topics/pulse").json()["mark"])
    clerk.get(f"/sessions/{session_id}/topics")
    clerk.post(f"/sessions/{session_id}/topics/undo")
    marks.append(clerk.get(f"/sessions/{session_id}/topics/pulse").json()["mark"])
    assert len(set(marks)) == 4


def test_board_and_topic_ask_a_constant_number_of_times(
    office: Office, clerk: Visit, session_id: int
) -> None:
    database = office.console.state.desk.database
    first = min(_topics(office))

    def asked() -> tuple[int, int]:
        with counted(database) as board:
            clerk.get(f"/sessions/{session_id}/topics")
        with counted(database) as one:
            clerk.get(f"/sessions/{session_id}/topics/{first}")
        return len(board), len(one)

    before = asked()
    _tell(office, session_id, THEMES * 5)
    assert asked() == before


@pytest.mark.parametrize("role", list(StaffRole))
def test_each_role_at_the_board(office: Office, session_id: int, role: StaffRole) -> None:
    planners = {StaffRole.QUAN_TRI, StaffRole.THAM_MUU, StaffRole.VAN_PHONG}
    whole = planners | {StaffRole.CHU_TRI, StaffRole.GIAM_SAT}
    visit = office.as_(role)
    assert visit.get(f"/sessions/{session_id}/topics").status_code == (200 if role in whole else 403)
    visit.get("/password")
    answer = visit.post(f"/sessions/{session_id}/topics/undo")
    assert answer.status_code == (422 if role in planners else 403)


def test_another_units_board_is_not_found(office: Office, session_id: int) -> None:
    other = office.as_(StaffRole.VAN_PHONG, unit_code=BAC_HA.code)
    assert other.get(f"/sessions/{session_id}/topics").status_code == 404
    other.get("/password")
    assert other.post(f"/sessions/{session_id}/topics/undo").status_code == 404
