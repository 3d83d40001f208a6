"""The Flask application, wired together."""

from __future__ import annotations

from flask import Blueprint, Flask

from plunk import logs
from plunk.api import BLUEPRINTS
from plunk.clock import Clock, SyncedClock, SystemClock
from plunk.config import Settings, read_settings
from plunk.db import answer_soon, database_now, db, engine_options, session_factory
from plunk.delivery.outbox import OutboxProvider
from plunk.delivery.provider import open_provider
from plunk.errors import Misconfigured
from plunk.http import cors, envelope, journal, limits
from plunk.http.gathering import Gatherer
from plunk.http.keys import KeyCache
from plunk.http.limits import Limiter
from plunk.http.runtime import KEY, Runtime
from plunk.http.strict_json import CompactProvider
from plunk.migrating import lacks_revisions
from plunk.security import Seal
from plunk.web.outbox import outbox_pages


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> Flask:
    """Return the web application; Misconfigured names the setting that is missing.

    Without settings it is what a server serves: they come from the environment, and it logs.
    """
    chosen = settings or read_settings()
    if settings is None:
        logs.configure(chosen)
    if not chosen.secret_key:
        raise Misconfigured("SECRET_KEY is not set; give it at least 16 random characters.")
    app = Flask("plunk", static_folder=None)
    app.json = CompactProvider(app)
    app.config["SQLALCHEMY_DATABASE_URI"] = chosen.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(chosen.database_url)
    app.config["SECRET_KEY"] = chosen.secret_key
    app.url_map.strict_slashes = False
    db.init_app(app)
    with app.app_context():
        answer_soon(db.engine)
    app.extensions[KEY] = _runtime(app, chosen, clock)
    journal.install(app)
    envelope.install(app)
    limits.install(app)
    cors.install(app, dashboard_origin=chosen.dashboard_url)
    for blueprint in (*BLUEPRINTS, *_development_pages(chosen)):
        app.register_blueprint(blueprint)
    return app


def _runtime(app: Flask, settings: Settings, clock: Clock | None) -> Runtime:
    limiter = None
    if settings.ratelimit_enabled:
        limiter = Limiter(settings.ratelimit_api, settings.ratelimit_storage_uri)
    return Runtime(
        settings,
        clock or _database_clock(app),
        Seal(settings.secret_key),
        limiter,
        KeyCache(settings.key_cache_seconds),
        _gatherer(app),
        lacks_revisions,
    )


def _gatherer(app: Flask) -> Gatherer:
    """Return one whose sessions belong to no request."""
    with app.app_context():
        return Gatherer(session_factory(db.engine))


def _database_clock(app: Flask) -> Clock:
    with app.app_context():
        engine = db.engine
    return SyncedClock(lambda: database_now(engine))


def _development_pages(settings: Settings) -> list[Blueprint]:
    """Return what nobody but a developer may see, and only while mail goes to files."""
    if settings.environment != "development":
        return []
    folder, clock = settings.instance_path, SystemClock()
    provider = open_provider(settings.mail_url, instance_folder=folder, clock=clock)
    return [outbox_pages(provider)] if isinstance(provider, OutboxProvider) else []
