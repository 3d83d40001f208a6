"""The WSGI application: `granian --interface wsgi app:app`."""

from plunk.application import create_app

app = create_app()
