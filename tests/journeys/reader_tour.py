"""Every page that a reader can meet, as it is answered, in a house where something has happened."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from reader_house import NEIGHBOUR, SLUG, House, hidden_fields

from digest.web.embed import write_form

#: titles as feeds bring them, and one that nothing can break
TITLES = (
    "Turnier im Hafen",
    "Rathaus wird gestrichen",
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung",
    "https://stadtblatt.example/" + "sehr-langer-pfad/" * 8,
)

#: what the small links in a mail ask for
CONTROLS = (
    "frequency&frequency=weekly",
    "pause",
    "less&topic=sport",
    "erase",
    "return",
)


@dataclass(frozen=True)
class Seen:
    """A page: what it is called here, its address, and the answer."""

    name: str
    answer: httpx.Response

    @property
    def url(self) -> str:
        return str(self.answer.request.url)


async def tour(house: House) -> list[Seen]:
    """All pages, in the order in which a reader comes to them."""
    return [
        *await _joining(house),
        *await _reading(house),
        *await _choosing(house),
        *await _leaving(house),
        Seen("message", await house.client.get("/nothing-here")),
        Seen("embed", _abroad(house)),
    ]


async def _joining(house: House) -> list[Seen]:
    get, post = house.client.get, house.client.post
    found = [Seen("index", await get("/")), Seen("join", await get(f"/{SLUG}"))]
    fields = hidden_fields(found[-1].answer.text)
    house.clock.forward(seconds=30)
    found.append(Seen("no address", await post("/subscribe", data={**fields, "email": " "})))
    link = (await house.sign_up("anna.mit.einem.langen.namen@beispiel.example")).link("confirm")
    asked = {**fields, "email": "anna.mit.einem.langen.namen@beispiel.example"}
    found.append(Seen("answer", await post("/subscribe", data=asked)))
    found.append(Seen("confirm", await get(link)))
    found.append(Seen("confirmed", await post(link)))
    found.append(Seen("cut link", await get(link[:-4])))
    found.append(Seen("work", await _many(house, asked)))
    house.clock.forward(hours=2)
    return found


async def _many(house: House, fields: dict[str, str]) -> httpx.Response:
    """The answer when many come from one network."""
    for _ in range(20):
        answer = await house.client.post(
            "/subscribe", data={**fields, "stamp": ""}, headers=NEIGHBOUR
        )
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return answer
    raise AssertionError("nobody was asked for work")


async def _reading(house: House) -> list[Seen]:
    get = house.client.get
    empty = Seen("empty archive", await get("/archive"))
    await house.publish(*TITLES)
    return [
        empty,
        Seen("join with a sample", await get(f"/{SLUG}?lang=en")),
        Seen("archive of all", await get("/archive")),
        Seen("archive", await get(f"/archive/{SLUG}")),
        Seen("search", await get(f"/archive/{SLUG}?q=Turnier&month=2026-11")),
        Seen("edition", await get(f"/archive/{SLUG}/1")),
    ]


async def _choosing(house: House) -> list[Seen]:
    link = house.relay.mails[-1].link("preferences")
    get, post = house.client.get, house.client.post
    found = [Seen("preferences", await get(link))]
    found += [Seen(f"control {each}", await get(f"{link}?do={each}")) for each in CONTROLS]
    found.append(Seen("saved", await post(link, data={"do": "save", "frequency": "weekly"})))
    found.append(Seen("paused", await post(link, data={"do": "pause", "weeks": "2"})))
    found.append(Seen("preferences in a pause", await get(link)))
    found.append(Seen("refused", await post(link, data={"do": "pause", "until": "heute"})))
    found.append(Seen("moving", await post(link, data={"do": "move", "address": "b@neu.example"})))
    return found


async def _leaving(house: House) -> list[Seen]:
    mail = house.relay.mails[-1]
    link, choices = mail.link("unsubscribe"), mail.link("preferences")
    get, post = house.client.get, house.client.post
    return [
        Seen("unsubscribe", await get(link)),
        Seen("unsubscribed", await post(link, data={"button": "1"})),
        Seen("preferences after leaving", await get(choices)),
        Seen("control return after leaving", await get(f"{choices}?do=return")),
        Seen("done", await post(choices, data={"do": "return", "frequency": "weekly"})),
        Seen("erased", await post(choices, data={"do": "erase"})),
        *await _withdrawing(house),
    ]


async def _withdrawing(house: House) -> list[Seen]:
    """Somebody else typed in the address."""
    mail = await house.sign_up("ben@beispiel.example")
    link = mail.link("unsubscribe")
    get, post = house.client.get, house.client.post
    return [
        Seen("withdraw", await get(link)),
        Seen("withdrawn", await post(link, data={"button": "1"})),
        Seen("request that ended", await get(mail.link("confirm"))),
    ]


def _abroad(house: House) -> httpx.Response:
    """The form on somebody else's page."""
    form = write_form(house.world.renderer, house.newsletter, language="de", public_url=house.home)
    html = (
        "<!doctype html><html lang=de><head><meta charset=utf-8><title>Fremd</title>"
        "<meta name=viewport content='width=device-width'>"
        "<style>body{color-scheme:light dark;background:Canvas;color:CanvasText}</style></head>"
        f"<body><main><h1>Mitlesen</h1>{form}</main></body></html>"
    )
    return httpx.Response(
        200,
        html=html,
        request=httpx.Request("GET", f"{house.home}/fremd"),
    )
