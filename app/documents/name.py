"""`name()`: what a file may be called here: no path, no control characters, and the ending of what it is."""

import re
import unicodedata

from app.documents.limits import LONGEST_NAME
from app.documents.recognise import EXTENSIONS

# What Windows, shells or headers read as something else; and marks that turn the direction of writing.
_UNWANTED = re.compile(
    r'[<>:"|?*%;`$\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]'
)


def name(given: str | None, media_type: str) -> str:
    """`C:\\scans\\..\\Beleg 7.PDF` -> `Beleg 7.pdf`. One that lies gets the true ending: `a.html` -> `a.html.txt`."""
    last = re.split(r"[/\\]", given or "")[-1]
    stem = " ".join(_UNWANTED.sub("", unicodedata.normalize("NFC", last)).split()).rstrip(". ")
    endings = EXTENSIONS[media_type]
    for ending in endings:
        if stem.lower().endswith(ending):
            stem = stem[: -len(ending)]
            break
    return f"{stem.lstrip('. ')[: LONGEST_NAME - len(endings[0])].rstrip('. ') or 'document'}{endings[0]}"
