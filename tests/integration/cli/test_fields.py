"""`nghedan fields list | rename`."""

from __future__ import annotations

from tests.factories.records import Commune
from tests.integration.cli.conftest import Nghedan


def test_a_field_is_renamed_and_listed(nghedan: Nghedan, commune: Commune) -> None:
    assert nghedan("fields", "rename", "giao_thong", "đường sá").code == 0

    assert "giao_thong\tđường sá\tXD" in nghedan("fields", "list").stdout
    rows = {row["code"]: row for row in nghedan("fields", "list", "--json").json["fields"]}
    assert (rows["giao_thong"]["name"], rows["giao_thong"]["own"]) == ("đường sá", True)
    assert (rows["y_te"]["name"], rows["y_te"]["own"]) == ("y tế", False)

    refused = nghedan("fields", "rename", "giao_thong", "y tế")
    assert (refused.code, refused.stdout) == (1, "")
    assert "[field_name_taken]" in refused.stderr
