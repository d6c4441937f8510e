"""Whether a TOML document fits a JSON schema, for the few words our schemas use."""

from __future__ import annotations

from typing import Any

TYPES: dict[str, set[type]] = {
    "object": {dict},
    "array": {list},
    "string": {str},
    "boolean": {bool},
    "integer": {int},
    "number": {int, float},
    "": {dict, list, str, bool, int, float},
}


def fits(value: object, schema: dict[str, Any]) -> bool:
    """Whether a value is as a schema says; knows the words our schema uses, and no others."""
    words = {"$schema", "title", "description", "type", "enum", "anyOf", "properties"}
    words |= {"additionalProperties", "required", "items", "minItems", "minimum"}
    assert set(schema) <= words
    return (
        ("anyOf" not in schema or any(fits(value, one) for one in schema["anyOf"]))
        and value in schema.get("enum", [value])
        and type(value) in TYPES[schema.get("type", "")]
        and (not isinstance(value, dict) or "type" not in schema or _fits_table(value, schema))
        and (not isinstance(value, list) or "type" not in schema or _fits_list(value, schema))
        and (not isinstance(value, int | float) or value >= schema.get("minimum", value))
    )


def _fits_list(values: list[object], schema: dict[str, Any]) -> bool:
    return len(values) >= schema.get("minItems", 0) and all(
        fits(one, schema["items"]) for one in values
    )


def _fits_table(table: dict[str, object], schema: dict[str, Any]) -> bool:
    known, others = schema.get("properties", {}), schema["additionalProperties"]
    assert others is not True
    return set(schema.get("required", ())) <= table.keys() and all(
        fits(value, known[name]) if name in known else others and fits(value, others)
        for name, value in table.items()
    )
