"""Every text that a person sees has its German."""

from tools.translations import check, german


def test_every_text_has_its_german():
    assert check() == []


def test_german_texts_keep_their_placeholders():
    import re

    def names(text: str) -> list[str]:
        return sorted(re.findall(r"%\((\w+)\)s|\{(\w+)\}", text))

    wrong = [
        key
        for key, value in german().items()
        for text in (value if isinstance(value, list) else [value])
        if set(names(text)) - set(names(key))
    ]
    assert wrong == []
