"""Turns what programs ask for, and not people, into its part of the OpenAPI document."""

from __future__ import annotations

from typing import Final

from digest.web.operations import (
    HTML,
    IF_NEW,
    JSON,
    LANG,
    SCRIPT,
    TEXT,
    XML,
    Data,
    get,
    path,
    query,
    responses,
)

_CALLBACK: Final = "^[A-Za-z0-9_-]{43}$"


def machine_paths(slug: str) -> Data:
    """What programs ask for; `slug` is the shape of a newsletter's."""
    kept = {200: XML, 304: None, 404: HTML}
    return {
        "/embed/{newsletter}.js": {
            "get": get(
                "The script that puts a newsletter's form into other sites",
                {200: SCRIPT, 304: None, 404: HTML},
                path("newsletter", slug, "the slug of a newsletter"),
                LANG,
                *IF_NEW,
            )
        },
        "/sitemap.xml": {
            "get": get("The public pages", kept, query("page", "where there are many"), *IF_NEW)
        },
        "/pictures/{name}": {
            "get": get(
                "A picture of an archived edition, fetched for the reader",
                {200: "image/*", 404: None, 503: None},
                path("name", "^[A-Za-z0-9_-]+$", "a signed address, from an edition's page"),
            )
        },
        "/pictures/{picture}.jpg": {
            "get": get(
                "A picture that we made for an edition; it never changes",
                {200: "image/jpeg", 304: None, 404: None},
                path(
                    "picture", "^[0-9a-f]{64}$", "a signed name, from a mail or an edition's page"
                ),
            )
        },
        "/robots.txt": {"get": get("What robots may read (RFC 9309)", {200: TEXT})},
        "/favicon.ico": {"get": get("There is none", {204: None})},
        "/openapi.json": {"get": get("This document", {200: JSON})},
        "/healthz": {"get": get("The process answers", {200: TEXT})},
        "/readyz": {"get": get("The database answers", {200: TEXT, 503: TEXT})},
        "/hooks/{provider}": {
            "post": {
                "summary": "Delivery events of a mail provider, signed as that provider signs",
                "parameters": [
                    path("provider", "^[a-z]{1,20}$", "ses, postmark, mailgun, sendgrid or brevo")
                ],
                "requestBody": {"content": {JSON: {"schema": {}}}},
                "responses": responses(
                    {200: JSON} | dict.fromkeys((400, 403, 404, 413, 429, 503), TEXT)
                ),
            }
        },
    }


def hub_paths() -> Data:
    """What hubs ask and say."""
    token = path("token", _CALLBACK, "from the callback address that we gave the hub")
    return {
        "/websub/{token}": {
            "get": get(
                "A hub asks whether we meant it: its challenge, for what we asked (W3C WebSub 5.3)",
                dict.fromkeys((200, 404, 503), TEXT),
                token,
                query("hub.mode", "subscribe, unsubscribe or denied"),
                query("hub.topic", "the feed"),
                query("hub.challenge", "what we answer with"),
                query("hub.lease_seconds", "for how long"),
                query("hub.reason", "with denied"),
            ),
            "post": {
                "summary": "A hub says that a feed changed; 202 also where its signature is wrong",
                "parameters": [
                    token,
                    {"name": "X-Hub-Signature", "in": "header", "schema": {"type": "string"}},
                ],
                "requestBody": {"content": {"*/*": {"schema": {}}}},
                "responses": responses(dict.fromkeys((202, 410, 413, 503), TEXT)),
            },
        }
    }
