"""Make the pictures of the user guide again: `uv run python -m scripts.guide_pictures`.

A console over invented concerns is opened in a real browser; what people do in the guide is done here.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from sqlalchemy import select

from core.broadcast import announce
from storage.models import LiveRoom, StaffRole
from tests.browser.console_office import served_office
from tests.factories.console import PASSWORD, Office

PICTURES = Path(__file__).parents[1] / "docs" / "huong-dan" / "hinh"
_SIZE = ViewportSize(width=1180, height=760)
_HALL = ViewportSize(width=1600, height=900)
_PHONE = ViewportSize(width=390, height=700)
CONCERNS = (
    "Đường vào thôn Bản Vai hỏng nặng, mùa mưa xe máy không đi được, đề nghị xã sửa",
    "Đường ra chợ hỏng nặng, xe chở ngô không vào được, đề nghị sớm sửa",
    "Đường liên thôn hỏng nặng đã hai năm, các cháu đi học rất vất vả",
    "Rác ở chợ không thu gom thường xuyên, mùi hôi ảnh hưởng các hộ xung quanh",
    "Nước sinh hoạt thôn Tả Ngảo yếu, mấy tháng nay bà con phải gánh nước suối",
    "Điểm trường Cán Tỷ thiếu phòng học, các cháu học ghép hai lớp một phòng",
    "Hộ nghèo thôn Séo Pờ chưa nhận được hỗ trợ sửa nhà dột nát như đã thông báo",
    "Trạm y tế thiếu thuốc bảo hiểm, người già phải đi ba mươi cây số để lấy thuốc",
)


def main() -> None:
    """Walk through the console and keep what it shows."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("chromium is not installed: make browser")
    with (
        tempfile.TemporaryDirectory() as folder,
        served_office(Path(folder)) as (office, base),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        session_id = _fill(office)
        page = _log_in(office, base, browser, StaffRole.VAN_PHONG, picture=True)
        _prepare(page, base, session_id)
        chair = _log_in(office, base, browser, StaffRole.CHU_TRI)
        chair.goto(f"{base}/sessions/{session_id}/agenda")
        chair.get_by_role("button", name="Duyệt bản số 1").click()
        _keep(chair, "chu-tri-duyet")
        _hold(page, browser, base, office, session_id)


def _fill(office: Office) -> int:
    """A session with concerns of two communes, all of them subscribers."""
    session_id = office.commune.collecting(title="Đối thoại trực tiếp với Nhân dân quý IV năm 2026")
    for words in CONCERNS:
        person = office.commune.person()
        person.step("action_subscribe", "đăng ký", intent="subscribe")
        person.raise_concern(words)
        office.commune.clock.pass_by(minutes=7)
    with office.commune.database.write() as session:
        announce.start(
            session,
            unit_code="15",
            session_id=session_id,
            text="Kính mời bà con gửi ý kiến tới buổi đối thoại quý IV.",
            created_by="staff:1",
            now=office.commune.clock.at,
        )
    return session_id


def _log_in(office: Office, base: str, browser: Browser, role: StaffRole, *, picture: bool = False) -> Page:
    office.account(role)
    page = browser.new_page(viewport=_SIZE, locale="vi-VN")
    page.goto(f"{base}/login")
    page.get_by_label("Tên đăng nhập").fill(f"{role}-15")
    if picture:
        _keep(page, "dang-nhap")
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()
    page.wait_for_url(f"{base}/")
    return page


def _prepare(page: Page, base: str, session_id: int) -> None:
    """From the inbox to a kept agenda and a previewed announcement."""
    _keep(page, "viec-can-lam")
    for path, name in (
        ("/concerns", "hop-y-kien"),
        ("/concerns/1", "mot-y-kien"),
        (f"/sessions/{session_id}", "phien"),
        (f"/sessions/{session_id}/topics", "nhom-y-kien"),
    ):
        page.goto(f"{base}{path}")
        _keep(page, name)
    page.goto(f"{base}/announcements/new?session={session_id}")
    page.get_by_role("button", name="Xem trước và dự báo").click()
    _keep(page, "thong-bao")
    page.goto(f"{base}/announcements/1")
    _keep(page, "ket-qua-gui")
    page.goto(f"{base}/sessions/{session_id}/agenda")
    page.get_by_role("button", name="Lưu thành bản mới").first.click()
    _keep(page, "chuong-trinh")
    page.goto(f"{base}/sessions/{session_id}/agenda/1")
    _keep(page, "ban-in")
    page.goto(f"{base}/dashboard")
    _keep(page, "so-lieu")


def _hold(page: Page, browser: Browser, base: str, office: Office, session_id: int) -> None:
    """The session itself, and the answers after it."""
    page.goto(f"{base}/sessions/{session_id}/live")
    page.get_by_role("button", name="Mở và nhận câu hỏi").click()
    page.get_by_role("button", name="Bắt đầu mục này").first.click()
    page.get_by_label("Người phát biểu").fill("Ông Giàng A Sử, thôn Bản Vai")
    page.get_by_label("Ghi tóm tắt ý trả lời").fill("Xã bố trí vốn sửa 3 km trong tháng 12/2026.")
    page.get_by_role("button", name="Đã trả lời tại chỗ").click()
    with office.commune.database.read() as session:
        hall = f"{base}/live/{session.scalars(select(LiveRoom.token)).one()}"
    phone = browser.new_page(viewport=_PHONE, locale="vi-VN")
    phone.goto(f"{hall}/ask")
    phone.get_by_label("Câu hỏi hoặc ý kiến").fill("Bao giờ thôn Séo Pờ có điện lưới?")
    _keep(phone, "gui-cau-hoi")
    phone.get_by_role("button", name="Gửi câu hỏi").click()
    page.reload()
    page.get_by_role("button", name="Cho hiện", exact=True).click()
    _keep(page, "trong-phien")
    screen = browser.new_page(viewport=_HALL, locale="vi-VN")
    screen.goto(hall)
    _keep(screen, "man-hinh-chieu")
    page.get_by_role("button", name="Chuyển ghi chép").click()
    _keep(page, "tra-loi")


def _keep(page: Page, name: str) -> None:
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
