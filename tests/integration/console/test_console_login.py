"""Signing in: guessing costs time, nothing tells who exists, the second factor works once, logins end."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.people import staff, totp
from storage.models import StaffLogin, StaffMember, StaffRole
from tests.factories.console import PASSWORD, Office

WRONG = "Tên đăng nhập hoặc mật khẩu không đúng."


def test_login_opens_the_console_and_logout_closes_it(office: Office) -> None:
    office.account(StaffRole.VAN_PHONG, login="lan")
    visit = office.visit()
    assert "Xin chào, Cán bộ" in visit.log_in("lan").text
    assert "Đăng nhập trang cán bộ" in visit.post("/logout").text
    assert "Đăng nhập trang cán bộ" in visit.get("/").text


def test_unknown_name_and_wrong_password_look_the_same(office: Office) -> None:
    office.account(StaffRole.VAN_PHONG, login="lan")
    answers = [office.visit().log_in(name, "sai mật khẩu rồi") for name in ("lan", "không có")]
    assert [a.status_code for a in answers] == [401, 401]
    assert all(WRONG in a.text for a in answers)


def test_guesses_cost_more_and_more_time_even_for_the_right_password(office: Office) -> None:
    office.account(StaffRole.VAN_PHONG, login="lan")
    visit = office.visit()
    for _ in range(5):
        assert visit.log_in("lan", "đoán mò nào").status_code == 401
    refused = visit.log_in("lan")
    assert refused.status_code == 429
    assert "Xin thử lại sau 6 giây" in refused.text
    office.commune.clock.pass_by(seconds=7)
    assert visit.log_in("lan", "đoán mò nữa").status_code == 401
    office.commune.clock.pass_by(seconds=7)
    assert visit.log_in("lan").status_code == 429  # The wait has doubled.
    office.commune.clock.pass_by(seconds=7)
    assert visit.log_in("lan").status_code == 200


def test_one_address_cannot_try_many_names(office: Office) -> None:
    office.account(StaffRole.VAN_PHONG, login="lan")
    visit = office.visit()
    for number in range(21):
        visit.log_in(f"tên-{number}", "đoán mò nào")
    assert visit.log_in("lan").status_code == 429


def test_one_time_password_opens_only_the_page_that_changes_it(office: Office) -> None:
    with office.commune.database.write() as session:
        password = staff.first_administrator(session, unit_code="15", now=office.commune.clock.at)
        assert password is not None
        assert staff.first_administrator(session, unit_code="15", now=office.commune.clock.at) is None
    visit = office.visit()
    assert "chỉ dùng một lần" in visit.log_in(staff.FIRST_LOGIN, password).text
    assert "chỉ dùng một lần" in visit.get("/staff").text
    short = visit.post("/password", {"old": password, "new": "ngắn", "again": "ngắn"})
    assert "ít nhất 10 ký tự" in short.text
    new = "một mật khẩu khác hẳn"
    assert "không giống nhau" in visit.post("/password", {"old": password, "new": new, "again": "x"}).text
    assert "Đã đổi mật khẩu." in visit.post("/password", {"old": password, "new": new, "again": new}).text
    assert visit.get("/staff").status_code == 200
    assert office.visit().log_in(staff.FIRST_LOGIN, password).status_code == 401


def test_second_factor_is_asked_for_and_a_code_works_once(office: Office) -> None:
    clock = office.commune.clock
    visit = office.as_(StaffRole.VAN_PHONG)
    page = visit.get("/two-factor").text
    secret = page.split('name="secret" value="')[1].split('"')[0]
    assert "Mã không đúng" in visit.post("/two-factor", {"secret": secret, "code": "000000"}).text
    code = totp.code_at(secret, totp.step_of(clock.at))
    assert "Đã bật xác thực hai bước" in visit.post("/two-factor", {"secret": secret, "code": code}).text

    other = office.visit()
    assert "Mã 6 chữ số" in other.log_in("van_phong-15").text
    assert "Đăng nhập trang cán bộ" in other.get("/").text  # The password alone opens nothing.
    other.log_in("van_phong-15")
    assert other.post("/second-step", {"code": code}).status_code == 401
    clock.pass_by(seconds=60)
    fresh = totp.code_at(secret, totp.step_of(clock.at))
    other.get("/second-step")
    assert "Xin chào" in other.post("/second-step", {"code": fresh}).text


def test_codes_follow_the_test_vectors_of_the_standard() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B: "12345678901234567890".
    assert [totp.code_at(secret, at // 30) for at in (59, 1111111109, 20000000000)] == [
        "287082",
        "081804",
        "353130",
    ]


def test_logout_everywhere_ends_every_browser_of_the_account(office: Office) -> None:
    first = office.as_(StaffRole.VAN_PHONG)
    second = office.visit()
    second.log_in("van_phong-15")
    bystander = office.as_(StaffRole.CHU_TRI)
    first.get("/password")
    first.post("/logout", {"everywhere": "1"})
    assert "Đăng nhập trang cán bộ" in second.get("/").text
    assert "Xin chào" in bystander.get("/").text


@pytest.mark.parametrize("hours", [2.1, 11])
def test_login_ends_when_idle_and_after_a_working_day(office: Office, hours: float) -> None:
    visit = office.as_(StaffRole.VAN_PHONG)
    office.commune.clock.pass_by(hours=1)
    assert "Xin chào" in visit.get("/").text
    office.commune.clock.pass_by(hours=hours)
    assert "Đăng nhập trang cán bộ" in visit.get("/").text


def test_account_that_is_switched_off_is_out_at_once(office: Office) -> None:
    administrator = office.as_(StaffRole.QUAN_TRI)
    clerk = office.as_(StaffRole.VAN_PHONG)
    with office.commune.database.read() as session:
        clerk_id = session.scalars(select(StaffMember.id).where(StaffMember.role == "van_phong")).one()
    administrator.get("/staff")
    assert "Đã lưu" in administrator.post(f"/staff/{clerk_id}/active", {"active": "no"}).text
    assert "Đăng nhập trang cán bộ" in clerk.get("/").text
    assert office.visit().log_in("van_phong-15").status_code == 401


def test_new_account_gets_a_one_time_password_that_is_shown_once(office: Office) -> None:
    administrator = office.as_(StaffRole.QUAN_TRI)
    administrator.get("/staff")
    values = {"login": "hoa", "name": "Nguyễn Thị Hòa", "role": "van_phong", "unit": "02683"}
    shown = administrator.post("/staff", values).text
    password = shown.split("<code>")[1].split("</code>")[0]
    assert "chỉ dùng một lần" in office.visit().log_in("hoa", password).text
    assert password not in administrator.get("/staff").text
    assert "đã có" in administrator.post("/staff", values).text


def test_administrator_of_a_commune_manages_only_that_commune(office: Office) -> None:
    outside = office.account(StaffRole.VAN_PHONG, unit_code="02839")
    visit = office.as_(StaffRole.QUAN_TRI, unit_code="02683")
    assert outside.login not in visit.get("/staff").text
    assert visit.post(f"/staff/{outside.id}/password").status_code == 404
    visit.get("/staff")
    values = {"login": "x", "name": "x", "role": "quan_tri", "unit": "15"}
    assert visit.post("/staff", values).status_code == 403


def test_cookie_values_are_stored_as_hashes_only(office: Office) -> None:
    visit = office.as_(StaffRole.VAN_PHONG)
    token = visit.client.cookies["nghedan_console"]
    with office.commune.database.read() as session:
        assert all(token not in row.token_hash for row in session.scalars(select(StaffLogin)))


def test_cookie_is_out_of_reach_of_scripts_and_secure_behind_tls(office: Office) -> None:
    office.account(StaffRole.VAN_PHONG, login="lan")
    visit = office.visit()
    visit.client.base_url = "https://testserver"  # type: ignore[assignment]
    visit.get("/login")
    answer = visit.post("/login", {"login": "lan", "password": PASSWORD}, follow=False)
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("nghedan_console="))
    assert {"HttpOnly", "SameSite=lax", "Secure", "Path=/console"} <= set(cookie.split("; "))


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "/a:b"])
def test_login_leads_only_to_pages_of_ours(office: Office, path: str) -> None:
    office.account(StaffRole.VAN_PHONG, login="lan")
    visit = office.visit()
    visit.get("/login", next=path)
    answer = visit.post("/login", {"login": "lan", "password": PASSWORD, "next": path}, follow=False)
    assert answer.headers["location"] == "/console/"


def test_login_leads_back_to_the_page_that_was_asked_for(office: Office) -> None:
    office.account(StaffRole.QUAN_TRI, login="lan")
    visit = office.visit()
    assert 'name="next" value="/staff"' in visit.get("/staff").text
    answer = visit.post("/login", {"login": "lan", "password": PASSWORD, "next": "/staff"}, follow=False)
    assert answer.headers["location"] == "/console/staff"
