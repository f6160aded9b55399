"""The pages a person sees: pick somebody, logged out, something is wrong. Knows HTML; knows no rule and no HTTP."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from mpp_devissuer.directory import Person

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --ink: #14532d; --soft: #14532d14 }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText }
main { max-width: 46rem; margin: 0 auto; padding: 2rem 1rem 3rem }
h1 { font-size: 1.6rem; margin: 0 0 .25rem } .en { opacity: .75 } p { margin: .25rem 0 1rem }
.note { border-left: 4px solid #b45309; padding: .4rem .8rem; background: #b4530914; font-size: .9rem }
.people { display: grid; gap: .6rem; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)) }
button { font: inherit; text-align: left; padding: .7rem .9rem; border: 1px solid var(--line); border-radius: .6rem;
  background: var(--soft); color: inherit; cursor: pointer }
button:hover, button:focus-visible { border-color: var(--ink); outline: 2px solid var(--ink) }
button b, button span { display: block } .roles { font: .8rem ui-monospace, monospace; opacity: .8; margin-top: .3rem }
"""
STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def login(people: Iterable[Person], pending: str, client_name: str, hint: str) -> str:
    buttons = "".join(_button(person, autofocus=person.subject == hint) for person in people)
    return _page(
        "Masuk",
        f"<h1>Masuk ke {escape(client_name)}</h1><p class=en lang=en>Log in to {escape(client_name)}</p>"
        "<p class=note>Ini penerbit token untuk pengembangan: semua orang di bawah ini rekaan, tanpa kata sandi."
        "<br><span class=en lang=en>A development issuer: everybody below is invented, there are no passwords.</span></p>"
        "<p>Masuk sebagai siapa? <span class=en lang=en>Who are you today?</span></p>"
        f'<form method=post action="/login"><input type=hidden name=pending value="{escape(pending)}">'
        f"<div class=people>{buttons}</div></form>",
    )


def confirm_logout(name: str) -> str:
    return _page(
        "Keluar",
        f"<h1>Keluar sebagai {escape(name)}?</h1><p class=en lang=en>Log out as {escape(name)}?</p>"
        "<form method=post action=/logout><input type=hidden name=confirmed value=yes>"
        "<button><b>Ya, keluar</b><span class=en lang=en>Yes, log out</span></button></form>",
    )


def logged_out() -> str:
    return _page(
        "Sudah keluar",
        "<h1>Anda sudah keluar</h1><p class=en lang=en>You are logged out. You may close this page.</p>",
    )


def problem(text: str) -> str:
    return _page(
        "Tidak dapat masuk",
        "<h1>Maaf, Anda tidak dapat masuk dari sini</h1>"
        "<p>Aplikasi yang mengirim Anda ke halaman ini belum diatur dengan benar, atau halaman ini sudah terlalu lama."
        " Silakan kembali ke aplikasi dan coba lagi.</p>"
        "<p class=en lang=en>Sorry, you cannot log in from here. The application that sent you is not set up for it, or "
        f"this page is too old. Please go back and try again.</p><p class=note lang=en>{escape(text)}</p>",
    )


def _button(person: Person, *, autofocus: bool) -> str:
    grant = person.grant
    where = " ".join(t for t in (grant.site, grant.agency, f"loket {grant.counter}" if grant.counter else "") if t)
    return (
        f'<button name=person value="{escape(person.subject)}"{" autofocus" * autofocus}><b>{escape(person.name)}</b>'
        f"<span>{escape(person.about_id)}</span><span class=en lang=en>{escape(person.about_en)}</span>"
        f"<span class=roles>{escape(', '.join(grant.roles))}{' · ' if where else ''}{escape(where)}</span></button>"
    )


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang=id><meta charset=utf-8><meta name=viewport content="width=device-width">'
        f"<link rel=icon href='data:,'><title>{escape(title)}</title><style>{_STYLE}</style><main>{body}</main></html>"
    )
