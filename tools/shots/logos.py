"""Logos of the two shops in the pictures (made for this purpose, nobody's trade mark)."""

CAFE = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40" width="120" height="40"><circle cx="20" cy="20"
 r="18" fill="#7a3b12"/><path d="M12 16h13v6a6.5 6.5 0 0 1-13 0zm13 1.5h2a3 3 0 0 1 0 6h-2.4M15 9v3m4-4v4m4-3v3"
 fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/></svg>""".replace(
    b'viewBox="0 0 120 40" width="120" height="40"', b'viewBox="0 0 40 40" width="40" height="40"'
)

BIKES = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 40" width="60" height="40"><g fill="none"
 stroke="#ffd60a" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"><circle cx="14" cy="26" r="10"/>
<circle cx="46" cy="26" r="10"/><path d="M14 26 24 10h16l6 16M24 10l6 16h-16m16 0 10-16M20 10h7"/></g></svg>"""
