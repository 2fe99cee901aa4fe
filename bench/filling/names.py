"""Names of payers."""

from collections.abc import Iterable

FIRST = (
    "Anna Ben Clara David Emma Felix Greta Hannes Ida Jonas Käthe Leon Mia Noah Ole Paula Rosa Tim Ute Yusuf"
    " Jürgen Sabine Petra Klaus Monika Andreas Stefanie Björn Özlem Mehmet Katharina Wolfgang Birgit Thomas Julia"
    " Lukas Sophie Günther"
).split()
# The first ones are frequent, the last ones rare.
LAST = (
    "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein"
    " Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Krause Meier"
    " Lehmann Köhler Maier König Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn Vogel Friedrich"
    " Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon Ludwig Böhm"
    " Winter Kraus Schumacher Krämer Öztürk Yılmaz Nowak Kowalski Petrov Nguyen Ivanov Demir Groß Stein Jäger Otto"
    " Sommer Seidel Heinrich Brandt Haas"
).split()
DOMAINS = ["example.org", "example.com", "example.net", "post.example", "mail.example", "firma.example"]

_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ı": "i"})


def plain(names: Iterable[str]) -> list[str]:
    """As they stand in e-mail addresses."""
    return [name.lower().translate(_LETTERS) for name in names]
