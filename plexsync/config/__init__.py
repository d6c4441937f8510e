"""Configuration: environment and a TOML file become one frozen `Config`.

In: paths and an environment. Out: a `Config`, or a `ConfigError` with
all problems at once, each with its place.

`sections/` declares the keys and `fields.py` those of `[fields]`, each as a `keys.py` declaration
with a form of `forms.py`; `schema.py` lists them all; `sources.py` reads where values stand and
keeps their origin; `values.py` checks one value; `secrets.py` reads secrets and hides them;
what is wrong is a problem with its place, and `hints.py` guesses what was meant; `loader.py` puts
it together, which makes a `configuration.py`. `reference.py` writes the tables of the guide and the
schema for editors, `editing.py` a path rule into a person's file.

A new key is declared once; its environment name, the schema and the tables of the documentation
follow. Read first: `schema.py`, then `loader.py`.
"""
