"""Tables, lines and JSON: values in, text out."""
