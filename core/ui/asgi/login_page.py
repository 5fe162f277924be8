"""Renders the login page: one field, one button, light and dark, without a script or anything from elsewhere."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from pathlib import Path

from core.i18n.translate import _
from core.ui.assets import ICON

_ICON = b64encode(Path(ICON).read_bytes()).decode()
_STYLE = """
:root { color-scheme: light dark; --back: #ffffff; --card: #f6f7f9; --text: #1b1f27; --grey: #667085;
  --line: #e4e7ec; --accent: #4f5bd5; --red: #c2353f; --red-back: #fdeeee; }
@media (prefers-color-scheme: dark) { :root { --back: #0f1218; --card: #171b23; --text: #e6e9ef; --grey: #8d96a7;
  --line: #272d38; --accent: #7c86f0; --red: #f0707a; --red-back: #2d1b20; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--back);
  color: var(--text); font: 15px/1.5 system-ui, "Source Sans", sans-serif; }
main { width: 100%; max-width: 22rem; padding: 2rem; border: 1px solid var(--line); border-radius: 12px;
  background: var(--card); }
img { width: 40px; height: 40px; display: block; margin-bottom: 1rem; }
h1 { margin: 0 0 .25rem; font-size: 1.35rem; font-weight: 600; }
p { margin: 0 0 1.25rem; color: var(--grey); }
label { display: block; margin-bottom: .35rem; font-size: .9rem; }
input, button { width: 100%; height: 2.6rem; border-radius: 8px; font: inherit; }
input { padding: 0 .75rem; border: 1px solid var(--line); background: var(--back); color: var(--text); }
input:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
button { margin-top: 1rem; border: 0; background: var(--accent); color: var(--back); font-weight: 600;
  cursor: pointer; }
.wrong { padding: .6rem .75rem; border-radius: 8px; background: var(--red-back); color: var(--red); }
"""


def login_page(language: str, words: str = "") -> str:
    """Return the whole page; `words` say why the last attempt failed."""
    wrong = f'<p class="wrong" role="alert">{escape(words)}</p>' if words else ""
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(_("Log in"))} · Perpdeck</title>
<link rel="icon" href="data:image/svg+xml;base64,{_ICON}">
<style>{_STYLE}</style>
</head>
<body>
<main>
<img src="data:image/svg+xml;base64,{_ICON}" alt="">
<h1>{escape(_("Log in"))}</h1>
<p>{escape(_("The bot goes on by itself, also while nobody is logged in."))}</p>
{wrong}
<form method="post" action="/login">
<label for="password">{escape(_("Password"))}</label>
<input id="password" name="password" type="password" autocomplete="current-password" autofocus maxlength="256">
<button type="submit">{escape(_("Log in"))}</button>
</form>
</main>
</body>
</html>
"""
