"""What is ours stands in the head and at the beginning of the body of a page as it was sent."""

from __future__ import annotations

import pytest

from digest.messages.exhibit import dress


@pytest.mark.parametrize(
    ("page", "dressed"),
    [
        (
            "<!DOCTYPE html><html><head><title>x</title></head><body a='>'><p>y</body>",
            "<!DOCTYPE html><html><head><title>x</title>HEAD</head><body a='>'>BAR<p>y</body>",
        ),
        ("<HTML><HEAD></HEAD ><BODY><p>y", "<HTML><HEAD>HEAD</HEAD ><BODY>BAR<p>y"),
        ("<!doctype html><body><p></head>", "<!doctype html>HEAD<body>BAR<p></head>"),
        ("<!doctype html><html lang='de'><p>y", "<!doctype html><html lang='de'>HEADBAR<p>y"),
        ("<head><title>x</title></head><p>y", "<head><title>x</title>HEAD</head>BAR<p>y"),
        ("<p>y", "HEADBAR<p>y"),
        ("", "HEADBAR"),
    ],
)
def test_nothing_of_the_page_is_lost(page: str, dressed: str) -> None:
    assert dress(page, head="HEAD", bar="BAR") == dressed
