"""Configuration: environment and a TOML file become one frozen `Config`.

In: paths and an environment. Out: a `Config`, or a `ConfigError` with
all problems at once, each with its place.

`sections.py` declares the keys and `fields.py` those of `[fields]`, each with a form of `forms.py`;
`configuration.py` lists them all and is what they become; `sources.py` reads where values stand and
keeps their origin; `values.py` checks one value and guesses what was meant; `secrets.py` reads
secrets and hides them; `loader.py` puts it together. `reference.py` writes the tables of the guide
and the schema for editors, `files.py` a first configuration and later rules into a person's file.

A new key is declared once; its environment name, the schema and the tables of the documentation
follow. Read first: `configuration.py`, then `loader.py`.
"""
