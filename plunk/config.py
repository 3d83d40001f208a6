"""Settings: read from the environment once, checked, then handed around as one value."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import urlsplit

from plunk.errors import Misconfigured

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}
HIDDEN_NAMES = {"secret_key", "metrics_token"}
MINIMUM_SECRET_LENGTH = 16
WEEK = 7
MAX_LEASE_SECONDS = 3_600
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("json", "text")
SCHEME = re.compile(r"[\w+.-]*://")
HOSTS = re.compile(r"(\[[^\]]*\]|[^:@]*)(:\d*)?(,[^:@]*(:\d*)?)*")
SECRET_VALUE = re.compile(r"([^?&=]*(?:password|secret|key|token)[^&=]*=)[^&#]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can set; the names in the environment are in upper case."""

    database_url: str = "sqlite:///plunk.db"
    host: str = "127.0.0.1"
    port: int = 8000
    secret_key: str = field(default="", repr=False)
    mail_url: str = "outbox://"
    api_url: str = "http://127.0.0.1:8000"
    dashboard_url: str = "http://127.0.0.1:8000"
    instance_path: Path = Path("instance")
    environment: str = "production"
    ratelimit_enabled: bool = True
    ratelimit_api: str = "1000 per minute"
    ratelimit_storage_uri: str = "memory://"
    webhook_allow_private: bool = False
    poll_seconds: float = 1.0
    lease_seconds: float = 60.0
    key_cache_seconds: float = 1.0
    retention_events_days: int = 0
    retention_runs_days: int = 0
    retention_emails_days: int = 0
    email_max_attachments: int = 10
    email_max_attachment_mb: int = 10
    web_concurrency: int = 1
    log_level: str = "info"
    log_format: str = "json"
    metrics_token: str = field(default="", repr=False)
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0

    def __post_init__(self) -> None:
        """Bring the database URL into the form that everybody here reads alike."""
        object.__setattr__(self, "database_url", database_url(self.database_url))

    @property
    def is_sqlite(self) -> bool:
        """Tell whether the embedded database is used."""
        return self.database_url.startswith("sqlite")

    def masked(self) -> dict[str, str]:
        """Return every setting as text fit for a terminal, with its secrets hidden."""
        return {item.name.upper(): self._masked(item.name) for item in fields(self)}

    def _masked(self, name: str) -> str:
        value = str(getattr(self, name))
        if name in HIDDEN_NAMES:
            return "***" if value else "(unset)"
        return mask_url(value) if "://" in value else value


def mask_url(url: str) -> str:
    """Return a URL with its password hidden, and what its query says of secrets.

    Of one that was not written as URLs are, such as with @ or / in the password, too much is
    hidden rather than too little.
    """
    scheme = start.group() if (start := SCHEME.match(url)) else ""
    rest = url.removeprefix(scheme)
    end = _end_of_user(rest)
    if end >= 0:
        user, colon, _ = rest[:end].partition(":")
        rest = f"{user}:***{rest[end:]}" if colon else rest
    place, question, query = rest.partition("?")
    return scheme + place + question + SECRET_VALUE.sub(r"\1***", query)


def _end_of_user(rest: str) -> int:
    """Return where the @ stands behind which the host begins, or -1 where there is none."""
    if rest.startswith("/"):
        return -1  # a file
    place = rest.partition("?")[0]
    if "@" in place:
        return place.rindex("@")
    return -1 if HOSTS.fullmatch(place.partition("/")[0]) else rest.rfind("@")


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this environment; Misconfigured names the first bad one."""
    env = os.environ if environ is None else environ
    port = _integer(env, "PORT", 8000, low=0, high=65_535)
    environment = env.get("ENVIRONMENT") or "production"
    own_url = f"http://127.0.0.1:{port}"
    database = env.get("DATABASE_URL") or "sqlite:///plunk.db"
    # SQLite has one writer: several web processes would only wait for each other.
    processes = 1 if database.startswith("sqlite") else 2
    return Settings(
        database_url=database,
        host=env.get("HOST") or "127.0.0.1",
        port=port,
        secret_key=_secret(env),
        mail_url=env.get("MAIL_URL") or "outbox://",
        api_url=_url(env, "API_URL", own_url),
        dashboard_url=_url(env, "DASHBOARD_URL", _url(env, "API_URL", own_url)),
        instance_path=Path(env.get("INSTANCE_PATH") or "instance"),
        environment=environment,
        ratelimit_enabled=_flag(env, "RATELIMIT_ENABLED", default=True),
        ratelimit_api=env.get("RATELIMIT_API") or "1000 per minute",
        ratelimit_storage_uri=env.get("RATELIMIT_STORAGE_URI") or "memory://",
        webhook_allow_private=_flag(env, "WEBHOOK_ALLOW_PRIVATE", default=False),
        poll_seconds=_number(env, "POLL_SECONDS", 1.0, low=0.05, high=3_600),
        key_cache_seconds=_number(env, "KEY_CACHE_SECONDS", 1.0, low=0, high=60),
        lease_seconds=_number(env, "LEASE_SECONDS", 60.0, low=2, high=MAX_LEASE_SECONDS),
        retention_events_days=_days(env, "RETENTION_EVENTS_DAYS"),
        retention_runs_days=_days(env, "RETENTION_RUNS_DAYS"),
        retention_emails_days=_days(env, "RETENTION_EMAILS_DAYS"),
        email_max_attachments=_integer(env, "EMAIL_MAX_ATTACHMENTS", 10, low=0, high=1_000),
        email_max_attachment_mb=_integer(env, "EMAIL_MAX_ATTACHMENT_MB", 10, low=0, high=40),
        web_concurrency=_integer(env, "WEB_CONCURRENCY", processes, low=1, high=256),
        log_level=_choice(env, "LOG_LEVEL", LOG_LEVELS, "info"),
        log_format=_choice(
            env, "LOG_FORMAT", LOG_FORMATS, "text" if environment == "development" else "json"
        ),
        metrics_token=env.get("METRICS_TOKEN") or "",
        metrics_host=env.get("METRICS_HOST") or "127.0.0.1",
        metrics_port=_integer(env, "METRICS_PORT", 0, low=0, high=65_535),
    )


def database_url(url: str) -> str:
    """Return the URL as SQLAlchemy wants it: `postgres://` as platforms write it is accepted."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        raise Misconfigured(f"DATABASE_URL is not a URL: {mask_url(url)!r}")
    if re.match(r"[^/?#]*@[^/?#]*@", rest):
        raise Misconfigured("DATABASE_URL has an @ in its user or password: write it as %40.")
    if scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg://{rest}"
    if scheme == "sqlite":
        return _absolute(url)
    if scheme == "postgresql+psycopg":
        return url
    raise Misconfigured(
        f"DATABASE_URL has the scheme {scheme!r}; use sqlite:///file.db or postgres://…"
    )


def _absolute(url: str) -> str:
    """Return a SQLite URL that means the same file whoever opens it.

    Flask-SQLAlchemy would look for a relative one in its instance folder, all others in the
    current folder.
    """
    scheme, slashes, path = url.partition(":///")
    if not slashes or not path or path.startswith(("/", ":memory:", "file:")):
        return url
    return f"{scheme}:///{Path(path).absolute()}"


def _secret(env: Mapping[str, str]) -> str:
    secret = env.get("SECRET_KEY", "")
    if secret and len(secret) < MINIMUM_SECRET_LENGTH:
        raise Misconfigured(f"SECRET_KEY needs at least {MINIMUM_SECRET_LENGTH} characters.")
    return secret


def _flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    word = env.get(name)
    if word is None:
        return default
    if word.lower() in TRUE_WORDS | FALSE_WORDS:
        return word.lower() in TRUE_WORDS
    raise Misconfigured(f"{name} must be 1 or 0, not {word!r}.")


def _choice(env: Mapping[str, str], name: str, words: tuple[str, ...], default: str) -> str:
    word = (env.get(name) or default).lower()
    if word not in words:
        raise Misconfigured(f"{name} must be {' or '.join(words)}, not {word!r}.")
    return word


def _number(env: Mapping[str, str], name: str, default: float, *, low: float, high: float) -> float:
    text = env.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise Misconfigured(f"{name} must be a number from {low:g} to {high:g}, not {text!r}.")
    return value


def _integer(env: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    value = _number(env, name, default, low=low, high=high)
    if value != int(value):
        raise Misconfigured(f"{name} must be a whole number, not {value:g}.")
    return int(value)


def _days(env: Mapping[str, str], name: str) -> int:
    """Return a number of days; 0 stands for ever. Within a week things are still in use."""
    days = _integer(env, name, 0, low=0, high=36_500)
    if 0 < days < WEEK:
        raise Misconfigured(f"{name} must be 0, to keep everything, or at least {WEEK}.")
    return days


def _url(env: Mapping[str, str], name: str, default: str) -> str:
    url = (env.get(name) or default).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Misconfigured(f"{name} must be an http or https URL, not {mask_url(url)!r}.")
    return url
