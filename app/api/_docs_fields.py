"""What the documentation shows of a schema: its fields as a flat table, and an example."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

_MOST_WORDS = 14
_SAMPLES = {
    "date-time": "2026-11-21T10:15:00Z",
    "date": "2026-11-30",
    "ipv4": "203.0.113.7",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the table. `name` is dotted, `words` are the values it may have."""

    name: str
    kind: str
    required: bool
    about: str
    words: tuple[str, ...] = ()


def fields(schema: Schema, schemas: Mapping[str, Schema], prefix: str = "") -> Iterator[Field]:
    """Every field of a model, nested ones below their parent as `parent.child`."""
    schema = _resolved(schema, schemas)
    needed = schema.get("required", [])
    for name, inner in schema.get("properties", {}).items():
        variants = _variants(inner, schemas)
        words = tuple(str(word) for variant in variants for word in _words(variant))
        yield Field(
            name=prefix + name,
            kind=" | ".join(dict.fromkeys(_kind(variant) for variant in variants)),
            required=name in needed,
            about=inner.get("description")
            or next((one["description"] for one in variants if "description" in one), ""),
            words=words if len(words) <= _MOST_WORDS else (),
        )
        seen: set[str] = set()
        for variant in variants:
            of = variant.get("items", variant)
            sign = "[]." if variant.get("type") == "array" else "."
            for field in fields(of, schemas, f"{prefix}{name}{sign}"):
                if field.name not in seen:
                    seen.add(field.name)
                    yield field


def sample(schema: Schema, schemas: Mapping[str, Schema], name: str = "") -> Any:
    """A plausible value."""
    schema = _variants(schema, schemas)[0]
    if "example" in schema:
        return schema["example"]
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            return {key: sample(inner, schemas, key) for key, inner in schema.get("properties", {}).items()}
        case "array":
            return [sample(schema["items"], schemas)]
        case "integer":
            return 4990 if "amount" in name else 1
        case "boolean":
            return False
    return _SAMPLES.get(schema.get("format", ""), _TEXTS.get(name, "…"))


_TEXTS = {
    "id": "…_01jd3q5w8hf2vbm0t4n6x7y9zk",
    "currency": "EUR",
    "merchant_reference": "order-1001",
    "language": "de",
    "country": "DE",
    "name": "Erika Muster",
    "email": "erika@example.com",
    "last4": "4242",
    "brand": "visa",
    "url": "https://pay.example/…",
    "type": "capture.succeeded",
}


def _variants(schema: Schema, schemas: Mapping[str, Schema]) -> list[Schema]:
    """What a field may be, without null."""
    options = schema.get("anyOf") or schema.get("oneOf") or [schema]
    found = [_resolved(option, schemas) for option in options if option.get("type") != "null"]
    return [
        inner for one in found for inner in (_variants(one, schemas) if "oneOf" in one or "anyOf" in one else [one])
    ]


def _resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    reference = schema.get("$ref")
    return schemas[reference.rpartition("/")[2]] if reference else schema


def _words(schema: Schema) -> list[Any]:
    return schema.get("enum", [schema["const"]] if "const" in schema else [])


def _kind(schema: Schema) -> str:
    kind = schema.get("format") or schema.get("type", "any")
    return f"list of {_kind(schema['items'])}" if kind == "array" and "$ref" not in schema["items"] else str(kind)
