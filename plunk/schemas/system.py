"""What anybody may ask without a key, going out."""

from __future__ import annotations

from marshmallow import Schema, fields

from plunk.schemas.fields import Flag, Sub, Text, Whole

MAX_PORT = 65_535
EXACT = 2**53  # the largest whole number that every JSON reader keeps


class MemoryOut(Schema):
    """Bytes of memory; the members without a meaning here are 0."""

    rss = Whole(high=EXACT)
    heapTotal = Whole(high=EXACT)
    heapUsed = Whole(high=EXACT)
    external = Whole(high=EXACT)
    arrayBuffers = Whole(high=EXACT)


class HealthOut(Schema):
    """The process runs and reaches its database; `time` is in milliseconds, `uptime` in seconds."""

    status = Text(metadata={"enum": ["ok"]})
    time = Whole(high=EXACT)
    environment = Text()
    uptime = fields.Float(metadata={"minimum": 0})
    memoryUsage = Sub(MemoryOut)


class ProbeOut(Schema):
    """All is well; whatever is not is answered with an error."""

    status = Text(metadata={"enum": ["ok"]})


class UrlsOut(Schema):
    """Where things are."""

    api = Text()
    dashboard = Text()
    landing = Text()
    wiki = Text(allow_none=True)


class SwitchOut(Schema):
    """Whether a feature is on."""

    enabled = Flag()


class StorageOut(Schema):
    """Where uploads go."""

    s3Enabled = Flag()


class AuthProvidersOut(Schema):
    """Who else people may sign in with."""

    github = Flag()
    google = Flag()


class EmailFeaturesOut(Schema):
    """What projects may choose about their e-mails."""

    trackingToggleEnabled = Flag()


class PortsOut(Schema):
    """Where the SMTP entrance listens: TLS from the start, and STARTTLS."""

    secure = Whole(high=MAX_PORT)
    submission = Whole(high=MAX_PORT)


class SmtpOut(Schema):
    """The SMTP entrance."""

    enabled = Flag()
    domain = Text(allow_none=True)
    ports = Sub(PortsOut, allow_none=True)


class FeaturesOut(Schema):
    """What is switched on."""

    billing = Sub(SwitchOut)
    storage = Sub(StorageOut)
    authProviders = Sub(AuthProvidersOut)
    email = Sub(EmailFeaturesOut)
    smtp = Sub(SmtpOut)


class AwsOut(Schema):
    """The parts of Amazon that are used."""

    sesRegion = Text(allow_none=True)


class ConfigOut(Schema):
    """Where things are, and which features are switched on."""

    environment = Text()
    urls = Sub(UrlsOut)
    features = Sub(FeaturesOut)
    aws = Sub(AwsOut)
