"""The compose file describes programs and settings that exist, and publishes the gateway only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
# Read by `nlu/`, which has no part in the application's settings.
_RASA_ONLY = {"NGHEDAN_RASA_LOCK_STORE", "NGHEDAN_REDIS_HOST"}
_PROGRAMS = {"-m bot": "bot/__main__.py", "-m actions": "actions/__main__.py", "serve.py": "nlu/serve.py"}


def test_every_part_is_a_service() -> None:
    assert {"gateway", "actions", "rasa", "database", "redis"} <= set(SERVICES)


def test_only_the_gateway_is_published() -> None:
    assert [name for name, service in SERVICES.items() if service.get("ports")] == ["gateway"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name, service in SERVICES.items():
        calls_platforms = name in {"gateway", "sender"}
        assert service["networks"] == (["inside", "outside"] if calls_platforms else ["inside"])


def test_the_scaled_profile_shares_every_role_and_no_second_inlet() -> None:
    scaled = {name: s["environment"] for name, s in SERVICES.items() if s.get("profiles") == ["scaled"]}
    roles = {name: environment["NGHEDAN_ROLES"] for name, environment in scaled.items()}
    assert roles == {"worker": "turns", "sender": "sender"}
    assert {environment["NGHEDAN_BACKGROUND"] for environment in scaled.values()} == {"procrastinate"}
    assert SERVICES["gateway"]["environment"]["NGHEDAN_ROLES"].startswith("${NGHEDAN_GATEWAY_ROLES:-")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_the_settings_exist(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    ours = {key for key in environment if key.startswith("NGHEDAN_")} - _RASA_ONLY
    assert {key.removeprefix("NGHEDAN_").lower() for key in ours} <= set(Settings.model_fields)


def test_no_secret_is_written_down() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    for name in ("POSTGRES_PASSWORD", "NGHEDAN_RASA_TOKEN"):
        values = re.findall(rf"^\s*{name}: (.+)$", text, re.MULTILINE)
        assert values and all(value.startswith("${" + name) for value in values)


@pytest.mark.parametrize("name", ["gateway", "worker", "sender", "actions"])
def test_the_programs_exist(name: str) -> None:
    command = " ".join(SERVICES[name]["command"])
    path = next(path for words, path in _PROGRAMS.items() if words in command)
    assert (ROOT / path).is_file()


def test_the_images_are_stages_of_the_dockerfile() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", dockerfile, re.MULTILINE))
    targets = {s["build"]["target"] for s in SERVICES.values() if "build" in s}
    assert targets == stages
    for source in re.findall(r"^COPY (\S+) \S+$", dockerfile, re.MULTILINE):
        assert (ROOT / source).exists()
    assert dockerfile.count("USER nghedan") == len(stages)
