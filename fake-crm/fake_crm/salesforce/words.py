"""Words for made-up records, and texts that broke somebody's connector once."""

from __future__ import annotations

FIRST_NAMES = ("Ada", "Bo", "Chidi", "Dana", "Émile", "Fatima", "Goran", "Hana", "Ines", "Jürgen", "Kemi", "Lǐ")
LAST_NAMES = (
    "Abara",
    "Berg",
    "Çelik",
    "Díaz",
    "Evans",
    "Fujita",
    "García",
    "Hansen",
    "O'Neil",
    "N'Diaye",
    "Null",
    "Zhou",
)
CITIES = ("Berlin", "Lagos", "New York", "São Paulo", "Tōkyō", "Windhoek", "Zürich")
STREETS = ("Main Street", "High Road", "Lindenallee", "Rue de l'Église", "Market Sq.")
WORDS = ("amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbor", "iris", "jetty", "knoll", "lagoon")
# texts that are values, not absences: connectors turned each of the first ones into null or a number
ODD_TEXTS = (
    "NA",
    "N/A",
    "None",
    "NULL",
    "null",
    "NaN",
    "true",
    "007",
    "01234",
    "1e5",
    "#N/A",
    'He said "yes", twice',
    "two\nlines",
    "two\r\nlines",
    "tab\there",
    "nul\x00byte",
    "comma, semicolon; pipe| caret^ backquote`",
    "\u202eright to left",
    "👩‍👩‍👧 family",
    "=1+1",
    "  spaces  ",
    "\\N",
    "back\\slash",
    '"',
    "'",
)
