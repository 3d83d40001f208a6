"""Who may call from a browser, and headers that keep browsers safe."""

from __future__ import annotations

from flask import Flask, Response, request

from plunk.http.envelope import request_id

PUBLIC_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization",
}
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; "
        "object-src 'none'; frame-ancestors 'self'; base-uri 'self'"
    ),
}


def install(app: Flask, *, dashboard_origin: str) -> None:
    """Add CORS and security headers to every answer, and answer preflights under /v1."""

    @app.before_request
    def preflight() -> Response | None:
        return Response(status=200) if request.method == "OPTIONS" and _is_public() else None

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id()
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.extend(_cors_headers(dashboard_origin))
        return response


def _is_public() -> bool:
    return request.path == "/v1" or request.path.startswith("/v1/")


def _cors_headers(dashboard_origin: str) -> dict[str, str]:
    if _is_public():
        return PUBLIC_HEADERS
    if request.headers.get("Origin") != dashboard_origin:
        return {"Vary": "Origin"}
    return {
        **PUBLIC_HEADERS,
        "Access-Control-Allow-Origin": dashboard_origin,
        "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Project-Id",
        "Access-Control-Allow-Credentials": "true",
        "Vary": "Origin",
    }
