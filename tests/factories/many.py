"""Many people with many concerns, written as rows at once, for counting queries and for big documents."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from sqlalchemy import insert

from core.intake.concerns import text_key
from core.text.normal import fold
from storage.models import Citizen, Concern, ConcernVector, Contact, Support
from tests.factories.plain_reader import BAC_HA, BAT_XAT
from tests.factories.records import Commune

CHANNELS = ("telegram", "zalo_oa", "zalo_bot")
# Field, label of the matter, and a place for the number of the hamlet.
MATTERS = (
    (
        "giao_thong",
        "Đường vào thôn {n} hỏng nặng, mùa mưa xe máy không đi được, đề nghị sớm cứng hóa mặt đường",
    ),
    ("dien_nuoc", "Nước sinh hoạt ở thôn {n} đục và yếu mấy tháng nay, bà con phải đi gánh nước suối"),
    ("moi_truong", "Rác ở chợ thôn {n} không được thu gom thường xuyên, mùi hôi ảnh hưởng các hộ xung quanh"),
    ("giao_duc", "Điểm trường thôn {n} thiếu phòng học và nhà vệ sinh, các cháu học ghép hai lớp một phòng"),
    ("dat_dai", "Nhiều hộ thôn {n} chưa được cấp giấy chứng nhận quyền sử dụng đất dù đã nộp hồ sơ từ lâu"),
    ("y_te", "Trạm y tế xã thiếu thuốc bảo hiểm, người thôn {n} phải đi xa gần ba mươi cây số để lấy thuốc"),
    (
        "chinh_sach_xa_hoi",
        "Hộ nghèo thôn {n} chưa nhận được hỗ trợ sửa nhà dột nát theo chương trình đã thông báo",
    ),
)


def many_concerns(commune: Commune, count: int, *, session_id: int, subscribers: bool = False) -> None:
    """`count` received concerns of as many people; every third is joined by its neighbour."""
    now = commune.clock.at
    with commune.database.write() as session:
        first = max(
            session.scalars(insert(Citizen).returning(Citizen.id), _citizens(count, now, subscribers))
        )
        ids = range(first - count + 1, first + 1)
        session.execute(insert(Contact), [_contact(i, now) for i in ids])
        session.execute(insert(Concern), [_concern(n, i, session_id, now) for n, i in enumerate(ids)])
        random = np.random.default_rng(1)
        vectors = random.normal(size=(count, 16)).astype("<f4")
        session.execute(
            insert(ConcernVector),
            [{"concern_id": i, "model": "plain", "vector": vectors[n].tobytes()} for n, i in enumerate(ids)],
        )
        session.execute(
            insert(Support),
            [
                {"concern_id": i, "citizen_id": i + 1, "contact_id": i + 1, "at": now}
                for i in ids[:-1]
                if i % 3 == 0
            ],
        )


def _citizens(count: int, now: object, subscribers: bool) -> list[dict[str, object]]:
    return [
        {
            "consent": "granted",
            "consent_at": now,
            "unit_code": BAT_XAT.code,
            "wants_announcements": subscribers,
            "created_at": now,
        }
        for _ in range(count)
    ]


def _contact(citizen_id: int, now: object) -> dict[str, object]:
    return {
        "id": citizen_id,
        "channel": CHANNELS[citizen_id % 3],
        "account_id": "a",
        "external_id": f"p{citizen_id}",
        "citizen_id": citizen_id,
        "dialogue": {},
        "created_at": now,
        "last_inbound_at": now,
        "reachable": citizen_id % 10 != 0,
    }


def _concern(number: int, person_id: int, session_id: int, now: object) -> dict[str, object]:
    field_code, words = MATTERS[number % len(MATTERS)]
    text = words.format(n=number // len(MATTERS) + 1)
    return {
        "id": person_id,
        "code": f"LC-26-{person_id:05d}",
        "citizen_id": person_id,
        "contact_id": person_id,
        "unit_code": (BAT_XAT if number % 2 else BAC_HA).code,
        "session_id": session_id,
        "state": "received",
        "text": text,
        "folded": fold(text),
        "text_key": text_key(text),
        "field_code": field_code,
        "field_confidence": 0.9,
        "door": "normal",
        "door_reasons": [],
        "created_at": now,
        "submitted_at": now + timedelta(minutes=number),  # type: ignore[operator]
    }
