"""docs/variants.md: what it says is what the schema says, and what it shows can be played."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import games
from games import variant_docs
from games.errors import VariantError
from games.variant import Variant, _Section

PAGE = Path(__file__).parents[2] / "docs" / "variants.md"


def blocks(language: str) -> list[str]:
    """The code blocks of a language, as they would be copied."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return ["\n".join(line.removeprefix(indent) for line in text.splitlines()) for indent, text in found]


def test_the_page_is_what_the_command_writes() -> None:
    """If not: python -m games.variant_docs > docs/variants.md"""
    assert PAGE.read_text(encoding="utf-8") == variant_docs.page()


@pytest.mark.parametrize(("key", "text"), list(variant_docs.examples()))
def test_every_example_is_a_valid_variant_that_says_something(key: str, text: str) -> None:
    variant = Variant.from_toml(text, name="example")
    value: object = variant
    default: object = None
    for part in key.split("."):
        default = type(value).model_fields[part].default if isinstance(value, _Section) else None
        value = getattr(value, part)
    assert value != default


def test_every_key_is_explained_and_has_an_example() -> None:
    keys = list(variant_docs.keys())
    assert {key.name.partition(".")[0] for key in keys} == set(Variant.model_fields)
    for key in keys:
        assert key.description, key.name
        assert key.examples, key.name
    assert set(variant_docs.NEEDS) <= {key.name for key in keys}


def test_the_texts_to_copy_are_variants() -> None:
    ring, race = (Variant.from_toml(text, name="copied") for text in blocks("toml"))
    example = Path(__file__).parents[2] / "examples" / "ring.toml"
    assert ring.digest == games.load(example).digest
    assert race.reaches == ("top", "bottom")


def test_the_refusal_on_the_page_is_the_one_that_is_given() -> None:
    wrong = blocks("toml")[0].replace('kind = "drop"', 'gravity = "up"')
    with pytest.raises(VariantError) as caught:
        Variant.from_toml(wrong, name="ring", where="ring.toml")
    assert [str(caught.value)] == blocks("text")


def test_the_whole_catalogue_is_listed() -> None:
    page = PAGE.read_text()
    assert all(f"| `{name}` | {games.load(name).title} |" in page for name in games.names())
