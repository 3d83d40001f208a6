"""Settings: what is accepted, and that every mistake is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plunk.config import Settings, database_url, mask_url, read_settings
from plunk.errors import Misconfigured

SECRET = "0123456789abcdef"


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read_settings({}) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("DATABASE_URL", "sqlite:////data/p.db", "database_url", "sqlite:////data/p.db"),
        ("DATABASE_URL", "postgres://u:p@h/d", "database_url", "postgresql+psycopg://u:p@h/d"),
        ("DATABASE_URL", "", "database_url", f"sqlite:///{Path.cwd()}/plunk.db"),
        ("DATABASE_URL", "postgres://u:p@h/d", "web_concurrency", 2),
        ("DATABASE_URL", "sqlite:///p.db", "web_concurrency", 1),
        ("HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("PORT", "0", "port", 0),
        ("PORT", "65535", "port", 65_535),
        ("PORT", "", "port", 8000),
        ("SECRET_KEY", SECRET, "secret_key", SECRET),
        ("SECRET_KEY", "", "secret_key", ""),
        ("MAIL_URL", "smtp://mail.example.com", "mail_url", "smtp://mail.example.com"),
        ("API_URL", "https://api.example.com/", "api_url", "https://api.example.com"),
        ("API_URL", "https://api.example.com", "dashboard_url", "https://api.example.com"),
        ("DASHBOARD_URL", "http://app.example.com", "dashboard_url", "http://app.example.com"),
        ("INSTANCE_PATH", "/var/plunk", "instance_path", Path("/var/plunk")),
        ("ENVIRONMENT", "staging", "environment", "staging"),
        ("RATELIMIT_ENABLED", "off", "ratelimit_enabled", False),
        ("RATELIMIT_ENABLED", "YES", "ratelimit_enabled", True),
        ("RATELIMIT_ENABLED", "", "ratelimit_enabled", False),
        ("RATELIMIT_API", "5 per second", "ratelimit_api", "5 per second"),
        ("WEBHOOK_ALLOW_PRIVATE", "1", "webhook_allow_private", True),
        ("POLL_SECONDS", "0.05", "poll_seconds", 0.05),
        ("RETENTION_EVENTS_DAYS", "7", "retention_events_days", 7),
        ("RETENTION_RUNS_DAYS", "0", "retention_runs_days", 0),
        ("RETENTION_EMAILS_DAYS", "", "retention_emails_days", 0),
        ("LEASE_SECONDS", "2", "lease_seconds", 2),
        ("EMAIL_MAX_ATTACHMENTS", "0", "email_max_attachments", 0),
        ("EMAIL_MAX_ATTACHMENT_MB", "40", "email_max_attachment_mb", 40),
        ("WEB_CONCURRENCY", "4", "web_concurrency", 4),
        ("LOG_LEVEL", "Debug", "log_level", "debug"),
        ("LOG_LEVEL", "", "log_level", "info"),
        ("LOG_FORMAT", "text", "log_format", "text"),
        ("METRICS_TOKEN", "open sesame", "metrics_token", "open sesame"),
        ("METRICS_HOST", "0.0.0.0", "metrics_host", "0.0.0.0"),
        ("METRICS_PORT", "9101", "metrics_port", 9101),
        ("ENVIRONMENT", "development", "log_format", "text"),
    ],
)
def test_settings_are_read(name: str, text: str, field: str, value: Any) -> None:
    assert getattr(read_settings({name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DATABASE_URL", "plunk.db"),
        ("DATABASE_URL", "mysql://h/d"),
        ("DATABASE_URL", "postgres://u:p@w@h/d"),
        ("PORT", "http"),
        ("LOG_LEVEL", "loud"),
        ("METRICS_PORT", "70000"),
        ("LOG_FORMAT", "xml"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", "80.5"),
        ("PORT", "nan"),
        ("PORT", "inf"),
        ("SECRET_KEY", "short"),
        ("API_URL", "api.example.com"),
        ("API_URL", "ftp://api.example.com"),
        ("API_URL", "https://"),
        ("DASHBOARD_URL", "javascript:alert(1)"),
        ("RATELIMIT_ENABLED", "maybe"),
        ("WEBHOOK_ALLOW_PRIVATE", "2"),
        ("POLL_SECONDS", "0"),
        ("LEASE_SECONDS", "1"),
        ("RETENTION_RUNS_DAYS", "6"),
        ("POLL_SECONDS", "3601"),
        ("EMAIL_MAX_ATTACHMENTS", "1001"),
        ("EMAIL_MAX_ATTACHMENT_MB", "41"),
        ("WEB_CONCURRENCY", "0"),
    ],
)
def test_a_mistake_is_named(name: str, text: str) -> None:
    with pytest.raises(Misconfigured, match=name) as refused:
        read_settings({name: text})
    assert refused.value.message.startswith(name)


def test_the_own_address_follows_the_port() -> None:
    assert read_settings({"PORT": "9000"}).api_url == "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://ada:s3cret@db/plunk", "postgres://ada:***@db/plunk"),
        ("smtp://ada:p:w@mail:587", "smtp://ada:***@mail:587"),
        (f"sqlite:///{Path.cwd()}/plunk.db", f"sqlite:///{Path.cwd()}/plunk.db"),
        ("postgres://db/plunk", "postgres://db/plunk"),
        ("smtp://u:p@hunter2@mail", "smtp://u:***@mail"),
        ("smtp://u:p/hunter2@mail:587?rate=5", "smtp://u:***@mail:587?rate=5"),
        ("smtp://u:p?hunter2@mail", "smtp://u:***@mail"),
        ("redis://:hunter2@cache:6379/0", "redis://:***@cache:6379/0"),
        ("redis://cache:6379/0?username=a@b", "redis://cache:6379/0?username=a@b"),
        ("postgres://[::1]:5432/d", "postgres://[::1]:5432/d"),
        ("postgres://a:1,b:2/d", "postgres://a:1,b:2/d"),
        ("postgres://db/d?user=u&password=hunter2", "postgres://db/d?user=u&password=***"),
        ("postgres:///d?sslpassword=hunter2&a=1", "postgres:///d?sslpassword=***&a=1"),
        ("x://h?Api_Key=hunter2&token=hunter2#x", "x://h?Api_Key=***&token=***#x"),
        ("redis://:hunter2@cache?via=http://proxy", "redis://:***@cache?via=http://proxy"),
        ("u:hunter2@db/plunk", "u:***@db/plunk"),
        ("sqlite:////data/a:b@c.db", "sqlite:////data/a:b@c.db"),
    ],
)
def test_passwords_are_masked(url: str, shown: str) -> None:
    assert mask_url(url) == shown


def test_secrets_are_never_shown() -> None:
    settings = read_settings(
        {
            "SECRET_KEY": SECRET,
            "DATABASE_URL": "postgres://ada@db/plunk?password=hunter2",
            "MAIL_URL": "smtp://ada:p@hunter2@mail",
            "API_URL": "https://ada:hunter2@api.example.com",
            "RATELIMIT_STORAGE_URI": "redis://:hunter2@cache",
        }
    )
    shown = " ".join(settings.masked().values())
    assert SECRET not in shown + repr(settings)
    assert "hunter2" not in shown
    assert settings.masked()["SECRET_KEY"] == "***"
    assert Settings().masked()["SECRET_KEY"] == "(unset)"


@pytest.mark.parametrize(
    "url", ["mysql://ada:hunter2@db/plunk", "ada:hunter2@db", "postgres://ada:p@hunter2@db/plunk"]
)
def test_a_bad_database_url_hides_its_password(url: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        database_url(url)
    assert "hunter2" not in refused.value.message
