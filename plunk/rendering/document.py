"""HTML bodies: what an editor produced becomes a whole document, custom HTML stays as it is."""

from __future__ import annotations

import re

from css_inline import CSSInliner, InlineError

# Classes that the rich-text editor itself writes; any other class means somebody wrote HTML.
_EDITOR_CLASS = r"(?:prose|ProseMirror|tiptap|editor)[\w-]*"
_CUSTOM_ELEMENTS = (
    "html head body style link meta div section article header footer main nav aside center "
    "table form input button select textarea iframe object embed video audio svg canvas picture"
)
_CUSTOM_SIGNS = re.compile(
    rf"""<(?:{_CUSTOM_ELEMENTS.replace(" ", "|")})\b
    | @media\b
    | <[a-z][^<>]*\s(?:data-|aria-|role\s*=|id\s*=)
    | <[a-z][^<>]*\sclass\s*=\s*["']?(?!\s*(?:{_EDITOR_CLASS}\s*)*["'>])
    """,
    re.IGNORECASE | re.VERBOSE,
)

_DOCUMENT = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
</head>
<body>
<div class="prose">
{body}
</div>
</body>
</html>
"""

_CSS = """
body { margin: 0; padding: 0; background-color: #ffffff; }
.prose { max-width: 600px; margin: 0 auto; padding: 24px; color: #1f2933;
  font-family: -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif;
  font-size: 16px; line-height: 1.6; }
.prose p { margin: 0 0 16px; }
.prose h1 { margin: 0 0 16px; font-size: 28px; line-height: 1.25; }
.prose h2 { margin: 24px 0 12px; font-size: 22px; line-height: 1.3; }
.prose h3 { margin: 20px 0 8px; font-size: 18px; line-height: 1.4; }
.prose ul, .prose ol { margin: 0 0 16px; padding-left: 24px; }
.prose li { margin: 0 0 4px; }
.prose a { color: #1d4ed8; text-decoration: underline; }
.prose blockquote { margin: 0 0 16px; padding-left: 16px; border-left: 3px solid #cbd2d9; }
.prose pre { margin: 0 0 16px; padding: 12px; background-color: #f5f7fa; overflow-x: auto; }
.prose code { font-family: Menlo, Consolas, monospace; font-size: 14px; }
.prose hr { margin: 24px 0; border: 0; border-top: 1px solid #e4e7eb; }
.prose img { max-width: 100%; height: auto; }
"""

# The inliner recurses in native code: some ten thousand nested elements end the whole process.
_START_TAG = re.compile(r"<[a-zA-Z]")
_MOST_TAGS = 2_000

_INLINER = CSSInliner(load_remote_stylesheets=False, extra_css=_CSS)


def compile_html(body: str) -> str:
    """Return a full document: a plain fragment is wrapped and styled, custom HTML is left alone."""
    if has_custom_html(body):
        return body
    document = _DOCUMENT.replace("{body}", body)
    if len(_START_TAG.findall(body)) > _MOST_TAGS:
        return document
    try:
        return _INLINER.inline(document)
    except InlineError:  # a style attribute that is no CSS; mail programs ignore it too
        return document


def has_custom_html(body: str) -> bool:
    """Tell whether somebody wrote more than the rich-text editor would."""
    return _CUSTOM_SIGNS.search(body) is not None
