"""`nghedan bench …`: speed, beside a baseline in the same run."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.bench import delivery as delivery_bench
from bot.bench import grouping as grouping_bench
from bot.bench import intake as intake_bench
from bot.cli.console import fail, load_settings, note, print_json
from core.fields import FieldClassifier
from core.text.embedding import load_embedder
from core.topics import themes

app = typer.Typer(no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Đo tốc độ, luôn kèm mốc so sánh trong cùng lần chạy."""


@app.command("grouping", help="Gộp nội dung: thời gian, bộ nhớ, thêm một ý kiến.")
def grouping(
    size: Annotated[int, typer.Option(help="Số ý kiến.", min=10)] = 20_000,
    seed: Annotated[int, typer.Option(help="Số hạt giống.")] = 7,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Regroup concerns with vectors of realistic shape, obeying edits."""
    settings = load_settings()
    fields = FieldClassifier.ensure(settings.models_dir, note, embedder=load_embedder(settings.embedder))
    model = themes.ensure(settings.models_dir, fields, note)
    figures = grouping_bench.measure(fields, model, size=size, seed=seed, say=note)
    note(
        f"{figures.size} ý kiến, {figures.topics} nội dung: {figures.seconds} giây, {figures.peak_mb} MB; "
        f"thêm một ý kiến p95 {figures.incremental_ms_p95} ms; nhanh hơn mốc {figures.ratio} lần"
    )
    if as_json:
        print_json(figures.as_json())


@app.command("delivery", help="Gửi thông báo qua kênh giả lập nghiêm: tốc độ, vi phạm, mất, trùng.")
def delivery(
    recipients: Annotated[int, typer.Option(help="Số người nhận.", min=1)] = 900,
    channel: Annotated[str, typer.Option(help="telegram, zalo_oa hoặc zalo_bot.")] = "telegram",
    rate: Annotated[
        float, typer.Option(help="Trần của nền tảng: tin/giây; zalo_oa: lời gọi/phút.", min=1)
    ] = 30.0,
    latency_ms: Annotated[float, typer.Option(help="Độ trễ của nền tảng.", min=0)] = 80.0,
    kills: Annotated[int, typer.Option(help="Số lần giết tiến trình gửi.", min=0)] = 0,
    database: Annotated[str, typer.Option(help="URL PostgreSQL; trống: SQLite.")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Announce to many people while replies go on, beside a plain python-telegram-bot."""
    if channel not in ("telegram", "zalo_oa", "zalo_bot"):
        fail("bench.channel", "«--channel» là telegram, zalo_oa hoặc zalo_bot")
    job = delivery_bench.Job(recipients, channel, rate, latency_ms, kills, database)
    figures = delivery_bench.measure(job, say=note)
    note(
        f"{figures.recipients} tin trong {figures.seconds} giây: {figures.rate}/giây, {figures.ratio} của trần; "
        f"vi phạm {figures.violations}, mất {figures.lost}, trùng {figures.duplicate}, chưa rõ {figures.unknown}"
    )
    if as_json:
        print_json(figures.as_json())


@app.command("intake", help="Nhận tin qua webhook đến khi người dân thấy trả lời, cạnh Rasa để nguyên.")
def intake(
    rate: Annotated[float, typer.Option(help="Tin mỗi giây.", min=0.1)] = 10.0,
    seconds: Annotated[float, typer.Option(help="Gửi trong bao lâu.", min=1)] = 20.0,
    database: Annotated[str, typer.Option(help="URL PostgreSQL; trống: SQLite.")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """A steady load of first messages through the whole system."""
    settings = load_settings()
    figures = intake_bench.measure(
        rate=rate, seconds=seconds, database_url=database, settings=settings, say=note
    )
    note(
        f"{figures.sent} tin: mất {figures.lost}, trùng {figures.duplicated}; nhận p99 {figures.ack_ms_p99} ms; "
        f"trả lời p50 {figures.reply_ms_p50} ms, p95 {figures.reply_ms_p95} ms; {figures.throughput} tin/giây"
    )
    if as_json:
        print_json(figures.as_json())
