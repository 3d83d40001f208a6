"""The OpenAPI document, made from the schemas that check requests and shape answers."""

from plunk.schemas.openapi.document import Api, document
from plunk.schemas.openapi.operations import Operation, Tag

__all__ = ["Api", "Operation", "Tag", "document"]
